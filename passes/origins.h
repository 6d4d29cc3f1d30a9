/* What the noise of a value consists of: standard deviations by origin.
 *
 * Weights of one origin add in amplitude, and so do those of origins that share
 * their noise (affine.h: mirror).  A product with an integer that the server
 * sees has as much noise as with the largest that it may be, and it is that of
 * the operand's origins.
 */
#ifndef CML_PASSES_ORIGINS_H
#define CML_PASSES_ORIGINS_H

#include "passes/affine.h"

struct origins {
    const struct affine *a;
    double *size;   /* by origin: its weight, times its gain */
    uint32_t *list; /* those that have one */
    uint32_t n;
};

struct origins origins_new(struct arena *mem, const struct affine *a);

/* The origins of a row, instead of those of the row before. */
void origins_set(struct origins *o, const struct affine_row *r);

/* Of origin t of the list: the square of its size.  *ins is its op. */
double origins_norm2(const struct origins *o, uint32_t t,
                     const struct ir_ins **ins);

#endif
