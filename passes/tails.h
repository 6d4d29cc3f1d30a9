/* Histograms of values for calibrate: see tails.c. */
#ifndef CML_PASSES_TAILS_H
#define CML_PASSES_TAILS_H

#include "ir/ir.h"

struct tails;

/* over the range of t, which has more than one value */
struct tails *tails_new(struct arena *mem, const struct ir_type *t);
void tails_add(struct tails *h, const union ir_cell *cell, size_t n);
/* The range of t without (100 - percent) % of the values at each end. */
void tails_percentile(const struct tails *h, double percent, struct ir_type *t);
/* The range of t whose grid of so many bits has the least square error. */
void tails_least_error(const struct tails *h, unsigned bits, struct ir_type *t);

#endif
