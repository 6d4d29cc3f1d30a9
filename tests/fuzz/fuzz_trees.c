/* Any bytes as a model of XGBoost (JSON, UBJSON), LightGBM or scikit-learn.
 *
 * Nothing crashes or leaks; a refusal has a reason; trees that are read are a
 * forest of the IR.  Built with clang and CML_FUZZ this is a libFuzzer target,
 * otherwise it replays files.
 */
#include "frontend/trees.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The constants of an op, and whether the IR takes them. */
static void
check_forest(struct trees *t)
{
    struct ir_func *f = ir_func_new(t->mem, "fuzz");
    const uint32_t n[2] = { (uint32_t)t->nodes, IR_NODE_FIELDS };
    const uint32_t l[2] = { (uint32_t)t->leaves, t->outputs };
    const uint32_t r[1] = { (uint32_t)t->roots };
    struct ir_type type = ir_type_of(IR_REAL, 2, n);
    const struct ir_type x = ir_type_of(IR_REAL, 1, &t->features);
    union ir_cell *cell = arena_new(t->mem, union ir_cell,
                                    t->nodes * IR_NODE_FIELDS
                                        + t->leaves * t->outputs + t->roots);
    union ir_attrs as = { 0 };
    struct ir_forest forest;

    if (t->nodes == 0)
        return;
    for (size_t i = 0; i < ir_count(&type); i++)
        cell[i].r = (&t->node[0][0])[i];
    as.forest.nodes = ir_blob_add(f, NULL, IR_PARAM, &type, cell)->name;
    type = ir_type_of(IR_REAL, t->scalar ? 1 : 2, l);
    for (size_t i = 0; i < ir_count(&type); i++)
        cell[i].r = t->leaf[i];
    as.forest.leaves = ir_blob_add(f, NULL, IR_PARAM, &type, cell)->name;
    type = ir_type_of(IR_INT, 1, r);
    for (size_t i = 0; i < t->roots; i++)
        cell[i].i = t->root[i];
    as.forest.roots = ir_blob_add(f, NULL, IR_PARAM, &type, cell)->name;
    if (ir_forest_open(t->mem, f, &as, &x, &forest))
        abort();
}

/* CML_READER=xgboost fuzzes that one. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const char *name;
        bool (*read)(struct trees *t, const char *text, size_t n);
    } readers[] = { { "xgboost", trees_xgboost },
                    { "lightgbm", trees_lightgbm },
                    { "sklearn", trees_sklearn } };
    const char *only = getenv("CML_READER");

    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        struct arena mem = { 0 };
        struct trees t = { .mem = &mem };
        char *text = arena_string(&mem, (const char *)data, size);
        const bool ok = (only && strcmp(only, readers[i].name) != 0)
                        || readers[i].read(&t, text, size);

        if (ok != (*t.why == 0))
            abort();
        if (ok)
            check_forest(&t);
        arena_free(&mem);
    }
    return 0;
}
