/* Shared by the files of leveled circuits, lang-spec/crypto.md 17: k = 1.
 *
 *     GLWE       A, B                       2N words
 *     doubled    -A, A, -B, B               4N words: X^e A is one stream
 *     GGSW       2 levels rows of a key     kernel key_mul; body rows first
 */
#ifndef CML_RUNTIME_LEVELED_H
#define CML_RUNTIME_LEVELED_H

#include "runtime/abi.h"
#include "runtime/inner.h"

enum { CMLRT_MOST_ROWS = 32 }; /* of a product */

/* A thread's scratch. */
struct cmlrt_lev {
    const struct kernels *k;
    const void *plan;
    size_t n;
    unsigned log2_n;
    double *rows;         /* CMLRT_MOST_ROWS rows of points */
    double *sum;          /* two polynomials */
    double *acc;          /* likewise, that of a root */
    uint64_t *u, *turned; /* a GLWE each */
    uint64_t *nodes;      /* GLWEs: of expansions, or of paths */
};

struct cmlrt_lev cmlrt_lev_open(const struct cmlrt_env *env);

/* A ring ciphertext of the input: its mask from the stream, its body. */
void cmlrt_lev_input(uint64_t *glwe, const struct cmlrt_env *env, size_t n,
                     int64_t number, const uint64_t *body);
void cmlrt_lev_double(uint64_t *doubled, const uint64_t *glwe, size_t n);

/* sum <- (add ? sum : 0) + digits of a GLWE times a GGSW */
void cmlrt_lev_multiply(const struct cmlrt_lev *x, double *sum,
                        const uint64_t *glwe, const double *ggsw,
                        const struct cmlrt_shape *s, bool add);
/* glwe <- glwe + sum, which is destroyed */
void cmlrt_lev_reduce(const struct cmlrt_lev *x, uint64_t *glwe, double *sum);

/* Terms weight X^exponent in, of doubled ciphertexts. */
enum { CMLRT_MOST_TERMS = 64 };
struct cmlrt_terms {
    size_t count;
    const uint64_t *in[CMLRT_MOST_TERMS];
    int64_t weight[CMLRT_MOST_TERMS];
};
/* exponent modulo 2N */
void cmlrt_lev_term(struct cmlrt_terms *t, const uint64_t *doubled, size_t n,
                    int64_t exponent, int64_t weight);
/* glwe <- (add ? glwe : 0) + the terms */
void cmlrt_lev_combine(const struct cmlrt_lev *x, uint64_t *glwe,
                       const struct cmlrt_terms *t, bool add);

/* ---- leveled_clear.c: the same rows of the ABI without encryption */
typedef void cmlrt_plain_fn(struct cmlrt_env *env, uint64_t *out,
                            const uint64_t *in, const void *with, int64_t begin,
                            int64_t end);
cmlrt_plain_fn cmlrt_plain_to_ggsw, cmlrt_plain_ggsw_load;
cmlrt_plain_fn cmlrt_plain_glwe_load, cmlrt_plain_expand;
cmlrt_plain_fn cmlrt_plain_forest, cmlrt_plain_products, cmlrt_plain_lut;

static inline bool
cmlrt_lev_plain(const struct cmlrt_env *env)
{
    return env->simulated || env->clear;
}

/* i with its lowest bits reversed */
static inline size_t
cmlrt_lev_reversed(size_t i, unsigned bits)
{
    size_t r = 0;

    for (unsigned b = 0; b < bits; b++)
        r |= (i >> b & 1) << (bits - 1 - b);
    return r;
}

static inline int64_t
cmlrt_lut_entry(const struct cmlrt_lut *d, size_t i)
{
    switch (d->bytes) {
    case 1: return ((const int8_t *)d->table)[i];
    case 2: return ((const int16_t *)d->table)[i];
    case 4: return ((const int32_t *)d->table)[i];
    }
    return ((const int64_t *)d->table)[i];
}

/* The two operands of a row of the ABI that has two. */
static inline const uint64_t *
cmlrt_lev_operand(const uint64_t *in, size_t i)
{
    return ((const uint64_t *const *)(const void *)in)[i];
}

#endif
