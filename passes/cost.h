/* Time of the runtime's kernels, from measurements, lang-spec/crypto.md 10. */
#ifndef CML_PASSES_COST_H
#define CML_PASSES_COST_H

#include "passes/model.h"

/* nanoseconds of one product of a blind rotation, (54), in a batch */
double cost_cmux(struct model_ring r, uint32_t levels);
/* nanoseconds of a keyswitch, (56), in a batch */
double cost_ks(double n_in, double n_out, uint32_t levels);
/* nanoseconds of a word of (57) */
double cost_linear(void);

#endif
