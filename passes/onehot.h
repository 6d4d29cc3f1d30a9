/* What `one-hot` would do, for passes before it. */
#ifndef CML_PASSES_ONEHOT_H
#define CML_PASSES_ONEHOT_H

#include "passes/inner.h"

/* Whether no table of f would be left to a bootstrap. */
bool onehot_does_all(struct pass_ctx *cx, const struct ir_func *f);

#endif
