/* Types of forests and of the integers that the client makes for them. */
#include "ir/infer.h"

#include "ir/forest.h"

#include <math.h>

/* [F] to [K], or to a scalar if leaves are numbers */
const char *
infer_forest(struct infer *x)
{
    struct ir_forest t;
    const char *why = ir_forest_open(x->mem, x->f, x->as, infer_in(x, 0), &t);
    struct arena_mark m = arena_mark(x->mem);
    int64_t *lo, *hi;

    if (why)
        return why;
    *x->out = ir_type_of(t.leaves->type.base, t.leaves->type.rank - 1u,
                         t.leaves->type.dim + 1);
    x->out->enc = infer_in(x, 0)->enc;
    if (x->out->base == IR_REAL)
        return NULL;
    lo = arena_new(x->mem, int64_t, t.outputs);
    hi = arena_new(x->mem, int64_t, t.outputs);
    x->out->ranged = ir_forest_bounds(x->mem, &t, infer_in(x, 0), lo, hi);
    for (size_t k = 0; k < t.outputs; k++) {
        x->out->ilo = k && lo[k] > x->out->ilo ? x->out->ilo : lo[k];
        x->out->ihi = k && hi[k] < x->out->ihi ? x->out->ihi : hi[k];
    }
    arena_release(x->mem, m);
    return NULL;
}

static bool
ascends(const union ir_cell *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(row[i].r) || (i && row[i].r < row[i - 1].r))
            return false;
    return true;
}

/* [F] reals to integers 0..C */
const char *
infer_bin(struct infer *x)
{
    const struct ir_blob *cuts = ir_blob_find(x->f, x->as->bin.cuts, false);
    const struct ir_blob *miss = ir_blob_find(x->f, x->as->bin.missing, false);
    const struct ir_type *a = infer_in(x, 0);

    if (a->base != IR_REAL || a->enc || a->rank != 1)
        return infer_say(x, "bin takes a vector of reals of the client");
    if (!cuts || cuts->kind != IR_CONST || cuts->type.base != IR_REAL
        || cuts->type.rank != 2 || cuts->type.dim[0] != a->dim[0])
        return infer_say(x, "bin has a public row of reals for each element");
    if (!miss || miss->kind != IR_CONST || miss->type.base != IR_INT
        || miss->type.rank != 1 || miss->type.dim[0] != a->dim[0])
        return infer_say(x,
                         "bin has a public integer for each missing element");
    for (uint32_t i = 0; i < a->dim[0]; i++)
        if (!ascends(cuts->cell + (size_t)i * cuts->type.dim[1],
                     cuts->type.dim[1])
            || miss->cell[i].i < -1 || miss->cell[i].i > cuts->type.dim[1])
            return infer_say(x,
                             "row %u of a bin does not ascend, or its missing "
                             "element has no place",
                             i);
    *x->out = ir_type_of(IR_INT, 1, a->dim);
    x->out->ranged = true;
    x->out->ilo = 0;
    x->out->ihi = cuts->type.dim[1];
    return NULL;
}
