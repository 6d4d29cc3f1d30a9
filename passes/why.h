/* Why an integer is as wide as it is: notes for messages. */
#ifndef CML_PASSES_WHY_H
#define CML_PASSES_WHY_H

#include "passes/inner.h"
#include "passes/interval.h"

/* Notes to the error before: that v lies in h, the widest input or table and
 * the largest weights that this is proved from, and who asked for them. */
void why_range(struct pass_ctx *cx, const struct ir_func *f, ir_ref v,
               struct interval h);

/* A table of `bits` bits is wider than the limit: error 6 with notes and
 * help. */
void why_table_too_wide(struct pass_ctx *cx, struct span at,
                        const struct ir_func *f, ir_ref v, struct interval h,
                        unsigned bits, bool approx);

#endif
