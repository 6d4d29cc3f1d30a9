/* Time of the runtime's kernels, from measurements, lang-spec/crypto.md 10. */
#ifndef CML_PASSES_COST_H
#define CML_PASSES_COST_H

#include "passes/model.h"

/* What a row costs besides the time of one core, where ways differ in it: work
 * is shared by two threads, the link has 100 Mbit/s, a key serves 100 rows. */
#define COST_THREADS 2
#define COST_US_BYTE 0.08
#define COST_KEY_ROWS 100

/* nanoseconds of one product of a blind rotation, (54), in a batch */
double cost_cmux(struct model_ring r, uint32_t levels);
/* nanoseconds of a keyswitch, (56), in a batch */
double cost_ks(double n_in, double n_out, uint32_t levels);
/* nanoseconds of a word of (57) */
double cost_linear(void);

#endif
