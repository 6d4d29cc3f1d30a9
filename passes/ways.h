/* Ways out of "does not fit": settings with which the model compiles, each
 * tried and priced. */
#ifndef CML_PASSES_WAYS_H
#define CML_PASSES_WAYS_H

#include "ir/ir.h"

/* Help lines to dg for f, which the pipeline refused with exit code 6. */
void ways_out(struct diag *dg, const struct ir_func *f);

#endif
