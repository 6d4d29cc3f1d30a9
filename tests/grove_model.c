/* Groves in the IR; see grove_model.h. */
#include "tests/grove_model.h"

#include "ir/forest.h"

static const char *
blob(struct ir_func *f, enum ir_base base, const uint32_t *dim, size_t rank,
     const union ir_cell *cell)
{
    const struct ir_type t = ir_type_of(base, rank, dim);

    return ir_blob_add(f, NULL, IR_PARAM, &t, cell)->name;
}

/* A missing value goes right at every other node. */
static const char *
nodes(struct ir_func *f, const struct grove *g, bool reals)
{
    const uint32_t dim[2] = { (uint32_t)g->nodes, IR_NODE_FIELDS };
    union ir_cell *cell =
        arena_new(f->mem, union ir_cell, (size_t)g->nodes * IR_NODE_FIELDS);

    for (int64_t i = 0; i < g->nodes; i++) {
        const struct grove_node *n = &g->node[i];
        const int64_t field[IR_NODE_FIELDS] = { [IR_FEATURE] = n->feature,
                                                [IR_THRESHOLD] = n->point,
                                                [IR_LEFT] = n->left,
                                                [IR_RIGHT] = n->right,
                                                [IR_MISSING] = i % 2 };

        for (int k = 0; k < IR_NODE_FIELDS; k++)
            if (reals)
                cell[i * IR_NODE_FIELDS + k].r = (double)field[k];
            else
                cell[i * IR_NODE_FIELDS + k].i = field[k];
    }
    return blob(f, reals ? IR_REAL : IR_INT, dim, 2, cell);
}

static const char *
numbers(struct ir_func *f, const int64_t *x, int64_t rows, int64_t cols,
        bool reals)
{
    const uint32_t dim[2] = { (uint32_t)rows, (uint32_t)cols };
    const size_t n = (size_t)(rows * cols);
    union ir_cell *cell = arena_new(f->mem, union ir_cell, n);

    for (size_t i = 0; i < n; i++)
        if (reals)
            cell[i].r = (double)x[i];
        else
            cell[i].i = x[i];
    return blob(f, reals ? IR_REAL : IR_INT, dim, cols > 1 ? 2 : 1, cell);
}

struct ir_func *
grove_model(struct arena *mem, const struct grove *g, bool reals)
{
    static const struct span at = { 0, 0 };
    const uint32_t features = GROVE_FEATURES;
    struct ir_func *f = ir_func_new(mem, "grove");
    struct ir_type t = ir_type_of(reals ? IR_REAL : IR_INT, 1, &features);
    union ir_attrs as = { .input = { .name = "x" } };
    ir_ref x;

    t.ranged = true;
    t.hi = GROVE_POINTS;
    t.ihi = GROVE_POINTS;
    ir_set(f, "bits.x", GROVE_BITS, at);
    ir_set(f, "bits.leaves", 12, at);
    ir_set(f, "missing", reals, at);
    x = ir_build_typed(f, IR_input, at, NULL, 0, &as, &t);
    as.forest.nodes = nodes(f, g, reals);
    as.forest.leaves = numbers(f, g->leaf, g->leaves, g->coefs, reals);
    as.forest.roots = numbers(f, g->root, g->trees, 1, false);
    x = ir_build(f, IR_forest, at, &x, 1, &as);
    as.output.name = "y";
    ir_build(f, IR_output, at, &x, 1, &as);
    return f;
}
