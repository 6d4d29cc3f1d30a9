/* Which points of a feature become the cuts of its integers. */
#ifndef CML_PASSES_CUTS_H
#define CML_PASSES_CUTS_H

#include "ir/arena.h"

#include <stddef.h>

struct cuts_wish {
    const double *want; /* thresholds, ascending, all different */
    const size_t *uses; /* how many nodes have each */
    size_t n;
    const double *data; /* values of the feature, ascending */
    size_t rows;
    size_t room; /* cuts there shall be */
};

/* room cuts, ascending: every threshold if there is room, and decoys where the
 * data lie; else those that the fewest rows of data tell apart are one, which
 * is the most used of them.  to[i] is the cut of want[i], counted from 1: x >=
 * it iff so many cuts are reached.  Returns how many thresholds moved. */
size_t cuts_choose(struct arena *mem, const struct cuts_wish *w, double *cut,
                   size_t *to);

#endif
