/* Several tables of one ciphertext by one bootstrap. */
#ifndef CML_PASSES_SHARE_H
#define CML_PASSES_SHARE_H

#include "passes/inner.h"

enum share_how { SHARE_INTERLEAVED, SHARE_PRODUCTS };

/* f with lwe.pbs_many wherever tables have one operand, built in cx->out; NULL
 * if there is nothing to share. */
struct ir_func *share_bootstraps(struct pass_ctx *cx, const struct ir_func *f,
                                 enum share_how how);

#endif
