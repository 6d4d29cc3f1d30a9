/* Random forests as models of the tensor level. */
#ifndef CML_TESTS_GROVE_MODEL_H
#define CML_TESTS_GROVE_MODEL_H

#include "ir/ir.h"
#include "tests/grove.h"

/* y = forest(x): integers of the grid, or reals that may be missing. */
struct ir_func *grove_model(struct arena *mem, const struct grove *g,
                            bool reals);

#endif
