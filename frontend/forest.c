/* `param f : forest = xgboost("model.json")`, and f(x). */
#include "frontend/inner.h"

#include "frontend/trees.h"

#include <math.h>
#include <string.h>

struct fe_forest {
    enum ir_blob_kind kind;
    struct trees t;
    union ir_attrs real, integer; /* for x of these; NULL names: not yet */
};

static const struct {
    const char *name;
    bool (*read)(struct trees *t, const char *text, size_t n);
} readers[] = {
    { "xgboost", trees_xgboost },
    { "lightgbm", trees_lightgbm },
    { "sklearn", trees_sklearn },
};

enum { NREADERS = sizeof readers / sizeof *readers };

bool
fe_is_forest(const struct ast *type)
{
    return type->kind == AST_type && strcmp(type->text, "forest") == 0
           && !type->kid;
}

const struct fe_forest *
fe_forest_read(struct fe *fe, const struct ast *call, enum ir_blob_kind kind)
{
    struct fe_forest *f = arena_new(fe->scratch, struct fe_forest, 1);
    const char *text;
    size_t i = 0, n;

    while (
        i < NREADERS
        && (call->kind != AST_call || strcmp(readers[i].name, call->text) != 0))
        i++;
    if (i == NREADERS) {
        diag_error(fe->diag, call->at, E_type,
                   "a forest comes from a file: xgboost(\"F\"), "
                   "lightgbm(\"F\") or sklearn(\"F\")");
        return NULL;
    }
    text = fe_contents(fe, call, &n);
    if (!text)
        return NULL;
    f->kind = kind;
    f->t.mem = fe->scratch;
    if (readers[i].read(&f->t, text, n))
        return f;
    diag_error(fe->diag, call->at, E_data, "%s: %s", call->kid->text, f->t.why);
    return NULL;
}

/* ---- as constants of the function */

static const char *
add_blob(struct fe *fe, const char *name, const char *part,
         enum ir_blob_kind kind, const struct ir_type *t,
         const union ir_cell *cell)
{
    char text[256];

    snprintf(text, sizeof text, "%.200s.%s", name, part);
    return ir_blob_add(fe->f, ir_blob_find(fe->f, text, false) ? NULL : text,
                       kind, t, cell)
        ->name;
}

/* The nodes for x of a base: an integer is >= t iff it is >= ceil(t). */
static const char *
add_nodes(struct fe *fe, const char *name, const struct fe_forest *f,
          enum ir_base base)
{
    const uint32_t dim[2] = { (uint32_t)f->t.nodes, IR_NODE_FIELDS };
    const struct ir_type t = ir_type_of(base, 2, dim);
    union ir_cell *cell = arena_new(fe->scratch, union ir_cell, ir_count(&t));

    for (size_t i = 0; i < ir_count(&t); i++) {
        const double x = (&f->t.node[0][0])[i];

        if (base == IR_REAL)
            cell[i].r = x;
        else
            cell[i].i = (int64_t)fmin(fmax(ceil(x), -0x1p53), 0x1p53);
    }
    return add_blob(fe, name, base == IR_REAL ? "nodes" : "nodes.int", f->kind,
                    &t, cell);
}

static union ir_attrs
add_forest(struct fe *fe, const char *name, const struct fe_forest *f,
           enum ir_base base)
{
    const uint32_t dim[2] = { (uint32_t)f->t.leaves, f->t.outputs };
    const uint32_t trees = (uint32_t)f->t.roots;
    struct ir_type t = ir_type_of(IR_REAL, f->t.scalar ? 1 : 2, dim);
    union ir_cell *cell = arena_new(fe->scratch, union ir_cell, ir_count(&t));
    union ir_attrs as = { 0 };

    for (size_t i = 0; i < ir_count(&t); i++)
        cell[i].r = f->t.leaf[i];
    as.forest.nodes = add_nodes(fe, name, f, base);
    as.forest.leaves = add_blob(fe, name, "leaves", f->kind, &t, cell);
    t = ir_type_of(IR_INT, 1, &trees);
    cell = arena_new(fe->scratch, union ir_cell, trees);
    for (uint32_t i = 0; i < trees; i++)
        cell[i].i = f->t.root[i];
    as.forest.roots = add_blob(fe, name, "roots", f->kind, &t, cell);
    return as;
}

/* Of a forest that compares nothing. */
static ir_ref
constant(struct fe *fe, struct span at, const struct fe_forest *f)
{
    const struct ir_type t = ir_type_of(IR_REAL, !f->t.scalar, &f->t.outputs);
    union ir_cell *cell = arena_new(fe->scratch, union ir_cell, f->t.outputs);

    for (size_t i = 0; i < f->t.leaves * f->t.outputs; i++)
        cell[i % f->t.outputs].r += f->t.leaf[i];
    return ir_constant(fe->f, at, NULL, f->kind, &t, cell);
}

ir_ref
fe_forest_call(struct fe *fe, const struct ast *a, const struct fe_name *n)
{
    const struct fe_forest *f = n->forest;
    uint32_t count;
    union ir_attrs as;
    ir_ref x;

    if (ast_kids(a) != 1 || a->kid->kind == AST_named) {
        diag_error(fe->diag, a->at, E_arguments,
                   "a forest takes one value, a vector of features");
        return FE_NONE;
    }
    x = fe_expr(fe, a->kid);
    if (fe_is_none(x) || !f)
        return FE_NONE;
    count = (uint32_t)ir_count(fe_type(fe, x));
    if (count != f->t.features) {
        diag_error(fe->diag, a->at, E_shape,
                   "'%s' compares %u features, the value has %u", a->text,
                   f->t.features, count);
        return FE_NONE;
    }
    if (fe->computing == FE_CONST && f->kind == IR_PARAM) {
        diag_error(fe->diag, a->at, E_secret,
                   "'%s' is private, and what stands here is public", a->text);
        return FE_NONE;
    }
    if (f->t.nodes == 0)
        return constant(fe, a->at, f);
    x = fe_reshape(fe, a->at, x, 1, &count);
    as = add_forest(fe, a->text, f, (enum ir_base)fe_type(fe, x)->base);
    return fe_build(fe, IR_forest, a->at, &x, 1, &as);
}
