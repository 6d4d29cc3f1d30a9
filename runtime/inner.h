/* Shared by the cryptographic files of the runtime; nobody else includes it.
 *
 * Numbers in brackets are formulas of lang-spec/crypto.md.
 */
#ifndef CML_RUNTIME_INNER_H
#define CML_RUNTIME_INNER_H

#include "runtime/rt.h"

#include <stdatomic.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "streams and payloads are little-endian words");

static inline size_t
cmlrt_ring_degree(const struct cmlrt_set *set)
{
    return (size_t)1 << set->log2_n;
}

/* kN, the dimension of the big key */
static inline size_t
cmlrt_big(const struct cmlrt_set *set)
{
    return (size_t)set->k << set->log2_n;
}

/* t of a step of the trace: X -> X^t */
static inline size_t
cmlrt_auto_exponent(const struct cmlrt_set *set, size_t step)
{
    return (cmlrt_ring_degree(set) >> step) + 1;
}

/* rows of the GGSW of one bit of the small key */
static inline size_t
cmlrt_ggsw_rows(const struct cmlrt_set *set)
{
    return (size_t)(set->k + 1) * set->br_levels;
}

/* ---- memory.c: zeroed, 64-byte aligned, on large pages if that is possible;
 * NULL when there is none */
void *cmlrt_alloc(size_t bytes);
/* the same by all threads: the system clears a page when it is first touched,
 * a good part of loading a key */
void *cmlrt_alloc_by(struct cmlrt_pool *pool, size_t bytes);

/* ---- csprng.c */
struct cmlrt_stream {
    const uint8_t *seed;
    enum cmlrt_purpose purpose;
    uint64_t index;
};

void cmlrt_stream_open(struct cmlrt_rng *g, const struct cmlrt_stream *s);

/* ---- sample.c; one u64 of the stream a number, time independent of values */
uint64_t cmlrt_tuniform(struct cmlrt_rng *g, int t);
/* n of them; for t <= 30, 32 bits of the stream each, which are enough for the
 * same distribution */
void cmlrt_tuniforms(uint64_t *out, size_t n, struct cmlrt_rng *g, int t);
void cmlrt_binary(uint64_t *out, size_t n, struct cmlrt_rng *g);
void cmlrt_ternary(uint64_t *out, size_t n, struct cmlrt_rng *g);
/* the simulator's, not cryptography: a torus word of N(0, sd^2) */
uint64_t cmlrt_normal(struct cmlrt_rng *g, double sd);

/* ---- ring.c: exact products of u64 polynomials with small ones */
struct cmlrt_ring {
    const struct kernels *kernels;
    void *plan;
    unsigned log2_n;
};

bool cmlrt_ring_init(struct cmlrt_ring *r, const struct kernels *k,
                     unsigned log2_n);
void cmlrt_ring_free(struct cmlrt_ring *r);
/* doubles of scratch of the functions below */
size_t cmlrt_ring_scratch(const struct cmlrt_ring *r);
/* points of a polynomial with coefficients in {-1, 0, 1}, 2/N included */
void cmlrt_ring_small(double *points, const struct cmlrt_ring *r,
                      const uint64_t *small, double *scratch);
/* points of both halves of a, 2N doubles */
void cmlrt_ring_limbs(double *points, const struct cmlrt_ring *r,
                      const uint64_t *a, double *scratch);
/* out <- out + a small */
void cmlrt_ring_mul_add(uint64_t *out, const struct cmlrt_ring *r,
                        const uint64_t *a, const double *small,
                        double *scratch);
/* the i-th limbs are at limbs + i step, the i-th small points at small + i N */
struct cmlrt_dot {
    const double *limbs, *small;
    size_t step, count;
};
/* out <- out + sum_i limbs[i] small[i],  i < count */
void cmlrt_ring_dot_add(uint64_t *out, const struct cmlrt_ring *r,
                        const struct cmlrt_dot *d, double *scratch);

/* ---- secret.c */
struct cmlrt_secret {
    struct cmlrt_set set;
    uint8_t master[CMLRT_SEED];
    struct cmlrt_ring ring;
    uint64_t *big;   /* kN words, -1, 0 or 1 */
    uint64_t *small; /* n words, 0 or 1 */
    double *points;  /* of the k polynomials of big */
};

/* seed of the noise that goes with a public seed: BLAKE2b under the master */
void cmlrt_secret_noise(uint8_t out[CMLRT_SEED], const struct cmlrt_secret *s,
                        const uint8_t seed[CMLRT_SEED]);

/* ---- zero.c: seeded encryptions of zero under the ring key,
 *     body = sum_c A_c S_c + e,      A from mask, e from noise  */
/* words of scratch */
size_t cmlrt_zero_scratch(const struct cmlrt_secret *s);
void cmlrt_zero_body(uint64_t *body, const struct cmlrt_secret *s,
                     const struct cmlrt_stream *mask,
                     const struct cmlrt_stream *noise, void *scratch);

/* ---- evalkey.c: generation and loading share the walk over the payload */
struct cmlrt_keygen {
    const struct cmlrt_secret *secret;
    uint8_t seed[CMLRT_SEED];  /* public, of the masks */
    uint8_t noise[CMLRT_SEED]; /* secret, not stored */
    uint8_t *to;               /* of item 0 of a task's range, */
    int64_t first;             /* which is this one of its part */
    unsigned char *scratch;
    size_t scratch_bytes; /* a thread */
};

/* What a noise stream of a key is for, the top half of its index: one seed
 * makes all of them, and two rows with one noise would give both away. */
enum cmlrt_noise_of {
    CMLRT_ZERO_NOISE,
    CMLRT_KSK_NOISE,
    CMLRT_BSK_NOISE,
    CMLRT_AUTO_NOISE,
    CMLRT_SWITCH_NOISE,
    CMLRT_GRADED_NOISE,
    CMLRT_SQUARE_NOISE,
};

/* Rows of a key: encryptions of zero to whose bodies add, if there is one,
 * gives the phase of item i; scratch is a polynomial and the ring's. */
struct cmlrt_rows {
    enum cmlrt_purpose mask;
    enum cmlrt_noise_of noise;
    void (*add)(uint64_t *body, const struct cmlrt_secret *s, size_t item,
                void *scratch);
};
/* wide_keys.c: body <- body - S_c(X^t) 2^shift */
void cmlrt_add_turned(uint64_t *body, const struct cmlrt_secret *s, size_t c,
                      size_t t, unsigned shift);
/* items [begin, end) of a task, zero.c */
void cmlrt_rows_generate(const struct cmlrt_keygen *g,
                         const struct cmlrt_rows *rows, unsigned thread,
                         int64_t begin, int64_t end);

struct cmlrt_eval {
    struct cmlrt_set set;
    struct cmlrt_ring ring;
    struct cmlrt_shape shape;
    struct cmlrt_ks_shape ks;
    double *zeros; /* [k zeros][k+1 components] limbs, each 2N doubles */
    uint32_t *ksk; /* struct cmlrt_ks_shape */
    double *bsk;   /* n prepared GGSWs */
    /* wide tables: products of the trace, the switch and data bits; prepared
     * keys of log2 N automorphisms, and k GGSWs */
    struct cmlrt_shape tr, ss, cb;
    double *autos, *switches;
    /* leveled circuits: kernel key_put, automorphism after automorphism, and
     * of s^2 */
    double *graded, *square;
    /* while loading */
    const uint8_t *payload;
    unsigned char *scratch;
    size_t scratch_bytes;
};

/* offsets into the payload */
size_t cmlrt_zeros_at(const struct cmlrt_set *set);
size_t cmlrt_ksk_at(const struct cmlrt_set *set);
size_t cmlrt_bsk_at(const struct cmlrt_set *set);
size_t cmlrt_auto_at(const struct cmlrt_set *set);
size_t cmlrt_switch_at(const struct cmlrt_set *set);
/* rows of the keys of all automorphisms, of all switches; 0 without wide tables
 */
size_t cmlrt_auto_rows(const struct cmlrt_set *set);
size_t cmlrt_switch_rows(const struct cmlrt_set *set);

/* of leveled circuits: all rows, those before a step; the step of a row, which
 * becomes the row of the step */
size_t cmlrt_graded_at(const struct cmlrt_set *set);
size_t cmlrt_square_at(const struct cmlrt_set *set);
size_t cmlrt_graded_rows(const struct cmlrt_set *set);
size_t cmlrt_graded_before(const struct cmlrt_set *set, uint32_t step);
uint32_t cmlrt_graded_step(const struct cmlrt_set *set, size_t *row);

/* column c of row `at` of a keyswitch key, which lies in panels */
static inline uint32_t *
cmlrt_ks_word(uint32_t *key, const struct cmlrt_ks_shape *s, size_t at,
              size_t c)
{
    const size_t rows = s->inputs * s->levels;

    return key
           + ((c / CMLRT_PANEL * rows + at) * CMLRT_PANEL + c % CMLRT_PANEL);
}

/* ---- ksk.c */
/*     round((<a, key> + message) / 2^32),   a in the top half of its words;
 * message with its noise */
uint32_t cmlrt_ksk_body(const uint32_t *a, const uint64_t *key, size_t n,
                        uint64_t message);

/* ---- sets.c: of switch i, from so many words to so many masks */
size_t cmlrt_switch_inputs(const struct cmlrt_sets *s, size_t i);
size_t cmlrt_switch_outputs(const struct cmlrt_sets *s, size_t i);
size_t cmlrt_switch_bytes(const struct cmlrt_sets *s, size_t i);
/* masks of the levels of one word */
size_t cmlrt_switch_mask_bytes(const struct cmlrt_sets *s, size_t i);
void cmlrt_switch_masks(uint32_t *masks, const struct cmlrt_sets *s, size_t i,
                        const uint8_t seed[CMLRT_SEED], uint64_t word);

/* ---- sets_key.c, sets_load.c */
/* the key of switch i with a given seed, for tests */
enum cml_status cmlrt_switch_derive(uint8_t *payload,
                                    const struct cmlrt_secrets *s, size_t i,
                                    const uint8_t seed[CMLRT_SEED],
                                    struct cmlrt_pool *pool);

struct cmlrt_hop {
    struct cmlrt_ks_shape shape;
    uint32_t *key;
};

struct cmlrt_evals {
    struct cmlrt_eval *at[CMLRT_MAX_SETS];
    struct cmlrt_hop hop[CMLRT_MAX_SWITCHES];
};

/* masks of the levels of one word of the big key, n words each */
size_t cmlrt_ksk_mask_bytes(const struct cmlrt_set *set);
void cmlrt_ksk_masks(uint32_t *masks, const struct cmlrt_set *set,
                     const uint8_t seed[CMLRT_SEED], uint64_t i);

/* tasks of cmlrt_pool_run: items are zeros, words of the big key, rows of the
 * bootstrapping key, of automorphism keys, of switch keys; arg is a struct
 * cmlrt_keygen or cmlrt_eval */
cmlrt_task cmlrt_zeros_generate, cmlrt_zeros_load;
cmlrt_task cmlrt_ksk_generate, cmlrt_ksk_load;
cmlrt_task cmlrt_bsk_generate, cmlrt_bsk_load;
cmlrt_task cmlrt_auto_generate, cmlrt_auto_load;
cmlrt_task cmlrt_switch_generate, cmlrt_switch_load;
cmlrt_task cmlrt_graded_generate, cmlrt_graded_load;
cmlrt_task cmlrt_square_generate, cmlrt_square_load;

/* generation with given seeds, for tests */
enum cml_status cmlrt_eval_derive(uint8_t *payload,
                                  const struct cmlrt_secret *s,
                                  const uint8_t seed[CMLRT_SEED],
                                  struct cmlrt_pool *pool);
enum cml_status cmlrt_eval_derive_stream(const struct cmlrt_outlet *out,
                                         const struct cmlrt_secret *s,
                                         const uint8_t seed[CMLRT_SEED],
                                         struct cmlrt_pool *pool);

/* ---- glwe.c */
/* LWE under the big key of coefficient f: its kN mask words from the masks */
void cmlrt_extract_mask(uint64_t *lwe, const uint64_t *masks, size_t k,
                        size_t n, size_t f);
/* words of a ring ciphertext whose coefficients are windows: for each mask 2N,
 * for the body N */
static inline size_t
cmlrt_window_words(const struct cmlrt_set *set)
{
    return (size_t)(2 * set->k + 1) << set->log2_n;
}
/*     out <- X^a in,   0 <= a < 2n */
void cmlrt_rotate(uint64_t *out, const uint64_t *in, size_t n, size_t a);

/* ---- blind_rotate.c */
/* (17): rotation counts of n masks and, last, the body */
void cmlrt_mod_switch(uint32_t *out, const uint64_t *lwe, size_t n,
                      unsigned log2_m);
/* whether accumulators have words of 32 bits, lang-spec/crypto.md (20) */
bool cmlrt_narrow(const struct cmlrt_set *set);
/* words, of either width, of an accumulator of cmux32 or cmux64 */
size_t cmlrt_acc_words(const struct cmlrt_set *set);
/*     acc <- (0, .., 0, X^-count test) */
void cmlrt_acc_start(void *acc, const struct cmlrt_set *set,
                     const uint64_t *test, uint32_t count, bool narrow);
/* coefficient f as an LWE under the big key */
void cmlrt_acc_extract(uint64_t *lwe, const void *acc,
                       const struct cmlrt_set *set, bool narrow, size_t f);
/*     lwe <- lwe + weight times that */
void cmlrt_acc_add(uint64_t *lwe, const void *acc, const struct cmlrt_set *set,
                   bool narrow, size_t f, uint64_t weight);

struct cmlrt_rotations {
    void *acc[CMLRT_BATCH];
    uint32_t *counts[CMLRT_BATCH]; /* n each */
    unsigned batch;
    bool narrow;
    _Atomic uint32_t *done; /* NULL, or rows of the key that were used */
};
/* scratch of cmux */
void cmlrt_blind_rotate(const struct cmlrt_rotations *r,
                        const struct cmlrt_eval *e, void *scratch);

/* ---- circuit_bootstrap.c: wide tables.  GLWEs have CMLRT_PAD words behind
 * each polynomial; scratch is that of products, cmlrt_wide_bytes */
/* doubles of a prepared key */
size_t cmlrt_key_cells(const struct cmlrt_shape *s);
/* N times coefficient 0 of the phase; turned has the size of glwe */
void cmlrt_trace(uint64_t *glwe, const struct cmlrt_eval *e, uint64_t *turned,
                 void *scratch);
/*     out <- -S_c glwe */
void cmlrt_scheme_switch(uint64_t *out, const uint64_t *glwe,
                         const struct cmlrt_eval *e, unsigned c, void *scratch);
/* row f of the body of the GGSW below */
void cmlrt_body_row(uint64_t *glwe, const uint64_t *acc,
                    const struct cmlrt_eval *e, unsigned f, uint64_t *turned,
                    void *scratch);
/* words of the ciphertexts that the next function works in */
size_t cmlrt_ggsw_words(const struct cmlrt_set *set);
/* GGSW of bit b; acc, k+1 polynomials without pads, has in coefficient f of its
 * phase (b - 1/2) q/B^(f+1), f < cb_levels */
void cmlrt_ggsw_of_bit(double *ggsw, const uint64_t *acc,
                       const struct cmlrt_eval *e, uint64_t *glwe,
                       void *scratch);

/* ---- keyswitch.c: n + 1 words each, one after the other; scratch of
 * cmlrt_keyswitch_bytes */
void cmlrt_keyswitch(const struct cmlrt_eval *e, uint64_t *out,
                     const uint64_t *const *in, unsigned batch, void *scratch);

/* ---- pbs.c: the test polynomial of a row of a table, N words */
void cmlrt_test_polynomial(uint64_t *test, const struct cmlrt_table *t,
                           int64_t row, unsigned log2_n);

/* ---- scratch of the ABI rows, see cmlrt_scratch_bytes */
size_t cmlrt_extract_bytes(const struct cmlrt_set *set);
size_t cmlrt_keyswitch_bytes(const struct cmlrt_set *set);
size_t cmlrt_switch_scratch(const struct cmlrt_sets *s, size_t i);
size_t cmlrt_pbs_bytes(const struct cmlrt_set *set, const struct kernels *k);
size_t cmlrt_answer_bytes(const struct cmlrt_set *set);
size_t cmlrt_leveled_bytes(const struct cmlrt_set *set);
size_t cmlrt_bit_lut_bytes(const struct cmlrt_set *set,
                           const struct kernels *k);

#endif
