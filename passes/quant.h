/* Shared by the files of `quantize`.
 *
 * A quantised value stands for reals:  real = scale * v + offset,  v the
 * encrypted integer.  The scale is one number or one a channel; the offset is
 * one number an element, kept beside the integer until a table absorbs it, a
 * product passes it on, or decryption needs it as an integer.
 */
#ifndef CML_PASSES_QUANT_H
#define CML_PASSES_QUANT_H

#include "passes/inner.h"

enum quant_state {
    QUANT_CLEAR,    /* at the client, or a constant: reals stay reals */
    QUANT_INTEGER,  /* an encrypted integer with scale and offset */
    QUANT_FUNCTION, /* an element-wise function of an integer, not made yet */
    QUANT_WRONG,    /* after a message */
};

struct quant {
    enum quant_state state;
    ir_ref v;      /* in the new function */
    size_t nscale; /* 1 or channels */
    double *scale;
    double *offset; /* one an element, or NULL */
    uint32_t root;  /* of a FUNCTION: the integer it is a function of */
    ir_ref made;    /* of a FUNCTION: its integer, once made */
    bool is_made;
};

struct quantizer {
    struct pass_ctx *cx;
    const struct ir_func *f;
    struct ir_func *g;
    struct quant *q; /* of each op of f */
    ir_ref *real;    /* scratch of materialise: op of f -> real in g */
    size_t thresholds,
        moved; /* of forests; off their place, for want of cuts */
};

/* the index of an element's scale */
static inline size_t
quant_channel(const struct quant *q, size_t element)
{
    return q->nscale > 1 ? element % q->nscale : 0;
}

/* quantize.c */
/* the nearest integer; a message at `at` if that leaves 62 bits */
int64_t quant_round(struct quantizer *z, struct span at, double x);
struct quant *quant_integer(struct quantizer *z, uint32_t v);
void quant_wrong(struct quantizer *z, uint32_t i);

/* the input that a value of f at the client is made of */
const char *quant_input_name(const struct ir_func *f, ir_ref v);

/* quant_forest.c: one call for a forest at the server */
void quant_forest(struct quantizer *z, uint32_t i);

/* quant_linear.c: one call for an op whose encrypted operands are integers */
void quant_linear(struct quantizer *z, uint32_t i);
/* the grid of an integer of so many bits over [lo, hi] */
double quant_grid(double lo, double hi, unsigned bits, int64_t *ilo,
                  int64_t *ihi);
unsigned quant_bits(const struct quantizer *z, const char *name,
                    const char *family, unsigned otherwise);

#endif
