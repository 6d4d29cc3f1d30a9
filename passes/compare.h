/* Comparisons of quantised reals of any width. */
#ifndef CML_PASSES_COMPARE_H
#define CML_PASSES_COMPARE_H

#include "passes/inner.h"

/* less or less_equal of  scale v + offset  and a limit an element */
struct comparison {
    enum ir_op op;
    bool right; /* the real stands on the right */
    ir_ref v;   /* the integer */
    size_t nscale;
    const double *scale;
    const double *offset; /* or NULL */
    const double *limit;
};

/* 0 or 1, by comparisons that cost least; false if v has no interval */
bool compare_reals(struct pass_ctx *cx, struct ir_func *g, struct span at,
                   const struct comparison *c, ir_ref *out);

#endif
