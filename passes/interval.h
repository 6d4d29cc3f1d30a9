/* Proved intervals of encrypted integers, from their affine forms. */
#ifndef CML_PASSES_INTERVAL_H
#define CML_PASSES_INTERVAL_H

#include "passes/affine.h"

struct interval {
    int64_t lo, hi;
};

/* The exact interval of element e of v over the box of its origins. */
struct interval interval_of(const struct affine *a, ir_ref v, size_t e);
/* of all elements */
struct interval interval_hull(const struct affine *a, ir_ref v);

/* Whether integer i at the server is not linear in others and no table: of open
 * values, or their product with an encrypted one. */
bool interval_is_own(const struct ir_func *f, uint32_t i);
/* its interval from those in the types of its operands, to which the second
 * writes the ones that are proved; false if it is too wide */
bool interval_infer(struct arena *mem, struct ir_func *g, uint32_t i);
void interval_of_operands(struct arena *mem, struct ir_func *g, uint32_t i);

#endif
