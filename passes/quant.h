/* Shared by the files of `quantize`.
 *
 * A quantised value stands for reals:  real = scale * v + offset,  v the
 * encrypted integer.  The scale is one number, one a channel or one an element;
 * the offset is one number an element, kept beside the integer until a table
 * absorbs it, a product passes it on, or decryption needs it as an integer.
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
    size_t nscale; /* 1, channels, or elements */
    double *scale;
    double *offset; /* one an element, or NULL */
    uint32_t root;  /* of a FUNCTION: the integer it is a function of */
    ir_ref made;    /* of a FUNCTION: its integer, once made */
    bool is_made;
};

/* real = scale * integer, the integer in lo..hi */
struct quant_grid {
    size_t nscale; /* 1 or elements */
    double *scale;
    int64_t lo, hi;
};

struct quantizer {
    struct pass_ctx *cx;
    const struct ir_func *f;
    struct ir_func *g;
    struct quant *q;    /* of each op of f */
    ir_ref *real;       /* scratch of replay: op of f -> real in g, */
    uint32_t *replayed; /* those that are there, and its calls */
    struct replayed *call;
    uint32_t *user;          /* the op that uses an op, 0: none or several do */
    struct lattice *lattice; /* quant_lattice.c: of each op, once it is asked */
    size_t thresholds,
        moved; /* of forests; off their place, for want of cuts */
};

static inline double *
quant_reals(const struct quantizer *z, size_t n)
{
    return arena_new(z->cx->scratch, double, n);
}

/* the index of an element's scale */
static inline size_t
quant_channel(const struct quant *q, size_t element)
{
    return q->nscale > 1 ? element % q->nscale : 0;
}

static inline double
quant_scale_at(const struct quant *q, size_t element)
{
    return q->scale[quant_channel(q, element)];
}

static inline double
quant_offset_at(const struct quant *q, size_t element)
{
    return q->offset ? q->offset[element] : 0;
}

static inline bool
quant_all_equal(const double *x, size_t n, double value)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] < value || x[i] > value)
            return false;
    return true;
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
/* an integer constant of the server with the shape of t; what is made of the
 * blob `of` is called OF.int */
ir_ref quant_integers(struct quantizer *z, struct span at,
                      const struct ir_type *t, const double *x,
                      const struct ir_blob *of);

/* quant_sum.c: bringing scales together */
/* t such that a / t and b / t are near integers: b within 2^-7, or so that an
 * integer of b up to most_b, if that is not 0, is off by a quarter; so a */
double quant_common(double a, double b, double most_a, double most_b);
/* v times one integer factor an element, if any is not 1 */
ir_ref quant_multiply(struct quantizer *z, struct span at, ir_ref v,
                      const struct ir_type *shape, const double *factor);
/* the integer of q, with the shape of op i, on the grid of one scale */
ir_ref quant_rescale(struct quantizer *z, uint32_t i, const struct quant *q,
                     size_t n, const double *t);
/* one scale for all channels of op i */
ir_ref quant_equalise(struct quantizer *z, uint32_t i, const struct quant *q,
                      double *scale);
/* q, of type from, whose scales fit a result of type to, to which it is
 * broadcast */
struct quant quant_spread(struct quantizer *z, const struct quant *q,
                          const struct ir_type *from, const struct ir_type *to);
/* a + b, a - b of integers */
void quant_sum(struct quantizer *z, uint32_t i);

/* quant_weights.c: weights of op i as integers, w = scale * integer, one scale
 * or one a column; their products have `of` times that scale.  Integer weights
 * are exact. */
struct quant_weights {
    size_t nscale;
    double *scale, *integer;
};
struct quant_weights quant_weights(struct quantizer *z, uint32_t i,
                                   const struct ir_blob *b, const double *w,
                                   size_t cols, double of);

/* quant_lattice.c: the grid on which a real of f lies by itself; false if none
 * is known */
bool quant_lattice(struct quantizer *z, uint32_t i, struct quant_grid *g);
unsigned quant_bits(const struct quantizer *z, const char *name,
                    const char *family, unsigned otherwise);
/* setting KEY.NAME, or that of the family */
double quant_setting(const struct quantizer *z, const char *key,
                     const char *name, const char *family, double otherwise);

#endif
