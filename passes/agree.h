/* How well a compiled model answers as its reals do, on the rows of
 * calibration. */
#ifndef CML_PASSES_AGREE_H
#define CML_PASSES_AGREE_H

#include "ir/ir.h"

struct agree;

/* f before all passes, with the answers of its rows, in mem; NULL if some input
 * has no rows. */
struct agree *agree_new(struct arena *mem, const struct ir_func *f);

/* A phrase of what g, f after all passes, answers: "98 of 100 calibration rows
 * answered as by reals", or how far its reals are.  Without the error of
 * `rounding approx`.  Empty if g is too large to be tried here. */
void agree_phrase(char *text, size_t size, const struct agree *a,
                  const struct ir_func *g);

#endif
