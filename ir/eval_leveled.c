/* Selections without bootstraps, by phases; a GGSW is its bit. */
#include "ir/eval.h"

void
eval_to_ggsw(struct eval *e)
{
    const struct ir_blob *slots = ir_data(e->f, e->ins->as.glwe_to_ggsw.slots);
    const uint32_t m = e->ins->as.glwe_to_ggsw.log2_slots;

    for (size_t i = 0; i < e->n; i++) {
        const uint64_t at = slots->cell[i].w << (IR_LOG2_LEVELED - m);

        e->out[i].w = e->in[0][at].w >> eval_type(e, 0)->log2_delta;
    }
}

/* The phases of a tree: of its leaf, or selected. */
static void
add_tree(struct eval *e, const union ir_cell *node,
         const struct ir_blob *leaves, int64_t child)
{
    const unsigned delta = e->ins->type.log2_delta;

    while (child >= 0) {
        const union ir_cell *at = node + 4 * child;
        const uint64_t bit =
            at[0].i ? e->in[0][at[1].i].w >> delta : e->in[1][at[1].i].w;

        child = at[bit ? 3 : 2].i;
    }
    for (size_t i = 0; i < e->n; i++)
        e->out[i].w += leaves->cell[(size_t)~child * e->n + i].w << delta;
}

void
eval_ggsw_forest(struct eval *e)
{
    const struct ir_blob *nodes = ir_data(e->f, e->ins->as.ggsw_forest.nodes);
    const struct ir_blob *leaves = ir_data(e->f, e->ins->as.ggsw_forest.leaves);
    const struct ir_blob *roots = ir_data(e->f, e->ins->as.ggsw_forest.roots);

    for (size_t i = 0; i < e->n; i++)
        e->out[i].w = 0;
    for (uint32_t t = 0; t < roots->type.dim[0]; t++)
        add_tree(e, nodes->cell, leaves, roots->cell[t].i);
}

void
eval_ggsw_lut(struct eval *e)
{
    const struct ir_blob *table = ir_data(e->f, e->ins->as.ggsw_lut.table);
    size_t row = 0;

    for (size_t i = 0; i < eval_type(e, 0)->dim[0]; i++)
        row |= (size_t)(e->in[0][i].w & 1) << i;
    for (size_t k = 0; k < e->n; k++)
        e->out[k].w = table->cell[row * e->n + k].w
                      << e->ins->as.ggsw_lut.log2_delta;
}
