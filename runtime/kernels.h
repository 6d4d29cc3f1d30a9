/* The kernels of one instruction set: a const table, complete or it does not
 * compile.  Only the table of a file is visible. */
#ifndef CML_RUNTIME_KERNELS_H
#define CML_RUNTIME_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a product of k+1 outputs.  `inputs` polynomials are cut into digits: k+1
 * in an external product with a GGSW, k in a keyswitch of the mask of a GLWE.
 *
 * The words of a key in two limbs are high 2^low_bits + low, and each limb has
 * outputs of its own, lang-spec/crypto.md (52).  low_bits = 0: one limb.
 */
struct cmlrt_shape {
    const void *plan;
    unsigned log2_n, k, levels, log2_base, inputs, low_bits;
};

/* digit polynomials */
static inline unsigned
cmlrt_shape_rows(const struct cmlrt_shape *s)
{
    return s->inputs * s->levels;
}

/* polynomials of a row of a key: of output c one, or 2c and 2c + 1, high and
 * low */
static inline unsigned
cmlrt_shape_outs(const struct cmlrt_shape *s)
{
    return (s->k + 1) << (s->low_bits > 0);
}

enum {
    CMLRT_PAD = 16,     /* words behind a polynomial of an accumulator */
    CMLRT_ROW_PAD = 40, /* doubles behind points of a product's row */
    CMLRT_PANEL = 32,   /* columns of a panel of a keyswitch key */
    CMLRT_BATCH = 8,    /* most ciphertexts of a keyswitch */
};

/* Of a keyswitch key: u32 [stride / panel][inputs][levels][panel], `columns` of
 * the stride in use. */
struct cmlrt_ks_shape {
    size_t inputs, columns, stride;
    unsigned levels, log2_base;
};

/* Of a product with clear integers.  Row i of the ciphertexts begins at word
 *
 *     i stride                                      window = 0
 *     floor(i / window) stride + window - 1 - i mod window
 *
 * the second for the coefficients of rings, glwe.c; rows of the result are
 * `apart` words apart, rows of weights `pitch`. */
struct cmlrt_mat_shape {
    size_t inner, cols, words, stride, apart, pitch;
    size_t window;        /* a power of two, or 0 */
    size_t first;         /* row to begin with */
    const int64_t *index; /* the rows to take, or NULL: one after the other */
};

struct kernels {
    const char *name;
#define K(name, ret, params) ret(*name) params;
#include "runtime/kernels.def"
};

/* dispatch.c: the best that this processor runs, or the one called name;
 * NULL if there is none such here. */
const struct kernels *cmlrt_kernels_select(const char *name);

/* The i-th table that this processor runs, best first, or NULL. */
const struct kernels *cmlrt_kernels_usable(size_t i);

#endif
