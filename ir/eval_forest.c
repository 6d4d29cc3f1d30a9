/* Forests, and the integers that the client makes for them. */
#include "ir/eval.h"

#include "ir/forest.h"

#include <math.h>

/* trees in their order, from 0: the backend adds alike */
void
eval_forest(struct eval *e)
{
    const struct ir_forest t = ir_forest_of(e->f, e->ins);
    const bool real = e->ins->type.base == IR_REAL;

    for (size_t i = 0; i < t.trees; i++) {
        const union ir_cell *leaf =
            ir_forest_leaf(&t, ir_forest_walk(&t, i, e->in[0]));

        for (size_t k = 0; k < t.outputs; k++)
            if (real)
                e->out[k].r += leaf[k].r;
            else
                e->out[k].w += leaf[k].w;
    }
}

/* A missing element that is refused is 0 here; the client says so. */
void
eval_bin(struct eval *e)
{
    const struct ir_blob *cuts = ir_data(e->f, e->ins->as.bin.cuts);
    const struct ir_blob *missing = ir_data(e->f, e->ins->as.bin.missing);
    const size_t c = cuts->type.dim[1];

    for (size_t i = 0; i < e->n; i++) {
        const double x = e->in[0][i].r;

        for (size_t j = 0; j < c; j++)
            e->out[i].i += x >= cuts->cell[i * c + j].r;
        if (isnan(x) && missing->cell[i].i > 0)
            e->out[i].i = missing->cell[i].i;
    }
}
