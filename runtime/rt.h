/* Shared by the files of the runtime: parameter sets, keys, and the
 * environment that compiled steps run in.
 *
 * Notation of lang-spec/crypto.md: N ring degree, k masks, D = kN, n small
 * dimension.  Torus words are uint64_t modulo 2^64.
 *
 *     LWE, big key      a[0] .. a[D-1] b        D + 1 words
 *     LWE, small key    a[0] .. a[n-1] b        n + 1 words
 *     GLWE              A_1 .. A_k B            (k + 1) N words
 */
#ifndef CML_RUNTIME_RT_H
#define CML_RUNTIME_RT_H

#include "runtime/cml.h"
#include "runtime/kernels.h"
#include "runtime/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CMLRT_SEED = 32, CMLRT_ID = 16 };

/* Gadgets of wide tables, lang-spec/crypto.md 16: of the automorphisms, the
 * scheme switch and the GGSWs of data bits.  tr_levels = 0: there are none. */
struct cmlrt_wide {
    uint32_t tr_levels, tr_log2_base;
    uint32_t ss_levels, ss_log2_base;
    uint32_t cb_levels, cb_log2_base;
    /* no properties of keys: bits of the widest table; low bits of a word of
     * the key in two limbs, lang-spec/crypto.md (52), or 0 */
    uint32_t bits, tr_low_bits, ss_low_bits;
};

enum { CMLRT_MOST_STEPS = 16 };

/* Keys of leveled circuits, lang-spec/crypto.md 17: of automorphisms first ..
 * first + steps - 1, each with a gadget of its own, and of s^2.  Only without
 * tables and with k = 1. */
struct cmlrt_leveled {
    uint32_t first, steps;
    uint8_t levels[CMLRT_MOST_STEPS], log2_base[CMLRT_MOST_STEPS];
    uint32_t ss_levels, ss_log2_base; /* 0: there is none */
    uint32_t depth; /* GGSWs on a path of a tree; no property of keys */
};

/* n = 0: a program without tables, whose ring key is ternary. */
struct cmlrt_set {
    uint32_t k, log2_n, n;
    uint32_t br_levels, br_log2_base;
    uint32_t ks_levels, ks_log2_base;
    int t_lwe, t_glwe;
    bool ternary;
    struct cmlrt_wide wide;
    struct cmlrt_leveled leveled;
};

/* A keyswitch from the big key of one set to a key of another. */
struct cmlrt_switch {
    uint32_t from, to;
    bool big; /* to the big key */
    uint32_t levels, log2_base;
    int t; /* TUniform bound */
};

enum { CMLRT_MAX_SETS = 3, CMLRT_MAX_SWITCHES = 12 };

/* All of a program; most have one set and no switch. */
struct cmlrt_sets {
    size_t n, switches;
    struct cmlrt_set at[CMLRT_MAX_SETS];
    struct cmlrt_switch sw[CMLRT_MAX_SWITCHES];
};

struct cmlrt_pool;   /* pool.c */
struct cmlrt_rng;    /* csprng.c */
struct cmlrt_secret; /* secret.c: both keys, wiped when freed */
struct cmlrt_eval;   /* evalkey.c: what the server computes with */
struct cmlrt_evals;  /* sets_load.c: of all sets */

/* ---- pool.c: threads over a range; chunks in any order, any thread */
typedef void cmlrt_task(void *arg, unsigned thread, int64_t begin, int64_t end);

struct cmlrt_pool *cmlrt_pool_new(unsigned threads);
void cmlrt_pool_free(struct cmlrt_pool *p);
unsigned cmlrt_pool_threads(const struct cmlrt_pool *p);
/* task over [0, n) in chunks of at most grain; returns when all is done */
void cmlrt_pool_run(struct cmlrt_pool *p, int64_t n, int64_t grain,
                    cmlrt_task *task, void *arg);

/* ---- csprng.c: ChaCha20 streams; a stream is (seed, purpose, index) */
enum cmlrt_purpose {
    CMLRT_BIG_KEY,
    CMLRT_SMALL_KEY,
    CMLRT_NOISE,
    CMLRT_MASK,
    CMLRT_KSK_MASK,
    CMLRT_BSK_MASK,
    CMLRT_ZERO_MASK,
    CMLRT_ANSWER,
    CMLRT_SIMULATE,
    CMLRT_SET_KEY,
    CMLRT_AUTO_MASK,
    CMLRT_SWITCH_MASK,
};

/* getrandom(2); false when the system gives none */
bool cmlrt_system_random(void *out, size_t bytes);
void cmlrt_wipe(void *at, size_t bytes);
/* realloc that leaves nothing behind of the `used` bytes at old */
void *cmlrt_regrow(void *old, size_t used, size_t bytes);

struct cmlrt_rng {
    uint8_t seed[CMLRT_SEED];
    uint64_t purpose, index, block;
    size_t used; /* bytes of buffer already taken */
    uint8_t buffer[512];
};

void cmlrt_rng_init(struct cmlrt_rng *g, const uint8_t seed[CMLRT_SEED],
                    enum cmlrt_purpose purpose, uint64_t index);
void cmlrt_rng_bytes(struct cmlrt_rng *g, void *out, size_t bytes);
uint64_t cmlrt_rng_u64(struct cmlrt_rng *g);

/* ---- secret.c */
enum cml_status cmlrt_secret_new(struct cmlrt_secret **out,
                                 const struct cmlrt_set *set,
                                 const uint8_t master[CMLRT_SEED]);
void cmlrt_secret_free(struct cmlrt_secret *s);
/* phase b - <a, s> of an LWE ciphertext under the big key */
uint64_t cmlrt_phase(const struct cmlrt_secret *s, const uint64_t *lwe);
/* of coefficient i of a GLWE, k = 1 */
uint64_t cmlrt_phase_at(const struct cmlrt_secret *s, const uint64_t *glwe,
                        size_t i);

/* ---- sets_key.c: the secrets of all sets, from one master */
struct cmlrt_secrets {
    struct cmlrt_sets sets;
    struct cmlrt_secret *at[CMLRT_MAX_SETS];
};
enum cml_status cmlrt_secrets_new(struct cmlrt_secrets *out,
                                  const struct cmlrt_sets *sets,
                                  const uint8_t master[CMLRT_SEED]);
void cmlrt_secrets_free(struct cmlrt_secrets *s);

/* ---- encrypt.c: a GLWE whose masks come from stream (seed, MASK, index) and
 * of which only the first count body words are kept:
 *     body[i] = (A S)_i + e_i + message[i] 2^log2_delta */
struct cmlrt_plain {
    const int64_t *message;
    size_t count; /* <= N */
    unsigned log2_delta;
};
enum cml_status cmlrt_encrypt(uint64_t *body, const struct cmlrt_secret *s,
                              const uint8_t seed[CMLRT_SEED], uint64_t index,
                              const struct cmlrt_plain *in);

/* The same of -S m, the message as a polynomial of the ring, k = 1; all N words
 * of the body.  Exact for |m_i| <= 2^15. */
enum cml_status cmlrt_encrypt_times_key(uint64_t *body,
                                        const struct cmlrt_secret *s,
                                        const uint8_t seed[CMLRT_SEED],
                                        uint64_t index,
                                        const struct cmlrt_plain *in);
/* Words rounded to their upper bits, 0 < bits <= 64. */
void cmlrt_keep_bits(uint64_t *word, size_t n, unsigned bits);

/* ---- evalkey.c, keygen.c, evalload.c */
/* bytes of the portable payload: seed, zero, keyswitch, bootstrap bodies */
size_t cmlrt_eval_bytes(const struct cmlrt_set *set);
enum cml_status cmlrt_eval_generate(uint8_t *payload,
                                    const struct cmlrt_secret *s,
                                    struct cmlrt_pool *pool);
/* Takes a payload from front to back, by any thread, one call at a time; false
 * stops the making. */
struct cmlrt_outlet {
    bool (*put)(void *arg, const void *at, size_t bytes);
    void *arg;
    size_t piece; /* bytes to make before they are put; two exist */
};
/* The same payload, never whole in memory; CML_E_io if put failed. */
enum cml_status cmlrt_eval_stream(const struct cmlrt_outlet *out,
                                  const struct cmlrt_secret *s,
                                  struct cmlrt_pool *pool);
/* expands masks and prepares the Fourier form */
enum cml_status cmlrt_eval_load(struct cmlrt_eval **out,
                                const struct cmlrt_set *set,
                                const uint8_t *payload,
                                const struct kernels *kernels,
                                struct cmlrt_pool *pool);
void cmlrt_eval_free(struct cmlrt_eval *e);

/* ---- sets.c, sets_key.c, sets_load.c: the same of all sets and their switches
 */
size_t cmlrt_sets_bytes(const struct cmlrt_sets *sets);
enum cml_status cmlrt_sets_generate(uint8_t *payload,
                                    const struct cmlrt_secrets *s,
                                    struct cmlrt_pool *pool);
enum cml_status cmlrt_sets_stream(const struct cmlrt_outlet *out,
                                  const struct cmlrt_secrets *s,
                                  struct cmlrt_pool *pool);
enum cml_status cmlrt_evals_load(struct cmlrt_evals **out,
                                 const struct cmlrt_sets *sets,
                                 const uint8_t *payload,
                                 const struct kernels *kernels,
                                 struct cmlrt_pool *pool);
void cmlrt_evals_free(struct cmlrt_evals *e);

/* ---- what a step sees; one per thread and set: that of
 * what the step reads */
struct cmlrt_env {
    const struct cmlrt_set *set;
    const struct cmlrt_eval *eval; /* NULL in clear and simulate */
    const struct cmlrt_hop *hop;   /* of all sets; likewise */
    size_t big, small;             /* words of a ciphertext */
    void *scratch;                 /* cmlrt_scratch_bytes(), 64-byte aligned */
    /* encrypted: where the input's masks come from, and the row's first GLWE */
    const uint8_t *mask_seed;
    uint64_t first_glwe;
    struct cmlrt_rng *rng; /* of answers and of simulated noise */
    /* NULL, or where a bootstrap counts the rows of the key it has used */
    _Atomic uint32_t *done;
    /* simulate: standard deviations on the torus; all 0 in clear */
    bool simulated, clear;
    double sd_fresh, sd_ks, sd_ms, sd_br, sd_zero;
    double sd_ms_wide, sd_ext; /* of a wide table: (17), (29) */
    const double *sd_hop;
    double sd_cut; /* of the masks of an answer in 32 bits */
};

/* ahead.c: reads the bootstrapping key ahead of the bootstrap that counts
 * `done`, until that is n. */
void cmlrt_key_ahead(const struct cmlrt_eval *e, const _Atomic uint32_t *done);

size_t cmlrt_scratch_bytes(const struct cmlrt_set *set,
                           const struct kernels *kernels);
size_t cmlrt_sets_scratch(const struct cmlrt_sets *sets,
                          const struct kernels *kernels);

#endif
