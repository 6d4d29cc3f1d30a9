/* Proved intervals of encrypted integers, from their affine forms. */
#ifndef CML_PASSES_INTERVAL_H
#define CML_PASSES_INTERVAL_H

#include "passes/affine.h"

struct interval {
    int64_t lo, hi;
};

/* The exact interval of element e of v over the box of its origins. */
struct interval interval_of(const struct affine *a, ir_ref v, size_t e);
/* of all elements */
struct interval interval_hull(const struct affine *a, ir_ref v);

#endif
