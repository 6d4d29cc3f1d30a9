/* `if c then a else b`.
 *
 * A decision tree is an `if`: where c compares one element of a vector with a
 * constant, and a and b are constants or such trees themselves, the whole is
 * one `forest` of one tree.  Otherwise it is arithmetic, b + c (a - b), which
 * for reals is exact as c a + (1 - c) b.
 *
 * A comparison with what is no number is false, so that it goes to `else`.
 */
#include "frontend/inner.h"

#include "ir/forest.h"

#include <math.h>
#include <string.h>

/* The cells of a value that depends on constants only; NULL: it does not. */
static const union ir_cell *
known(struct fe *fe, ir_ref v)
{
    const struct ir_ins *ins = ir_at(fe->f, v);
    const union ir_cell *in[2];

    if (ins->op == IR_constant)
        return ir_data(fe->f, ins->as.constant.data)->cell;
    if (ins->nin < 1 || ins->nin > 2)
        return NULL;
    for (size_t j = 0; j < ins->nin; j++)
        if (!(in[j] = known(fe, ins->in[j])))
            return NULL;
    return ir_eval_ins(fe->scratch, fe->f, ins, in);
}

/* ---- trees */

struct test {
    ir_ref x; /* a vector */
    size_t feature;
    union ir_cell at; /* right iff x[feature] >= at */
    bool then_right;
};

/* Whether the client can compute v: an input, through public constants.  A tree
 * on what the server has would be no selection without bootstraps. */
static bool
is_client(const struct fe *fe, ir_ref v)
{
    for (;;) {
        const struct ir_ins *ins = ir_at(fe->f, v);
        size_t way = 0, ways = 0;

        if (ins->op == IR_input)
            return true;
        if (ir_has_param(fe->f, ins))
            return false;
        for (size_t j = 0; j < ins->nin; j++) {
            const struct ir_ins *in = ir_at(fe->f, ins->in[j]);

            if (in->op != IR_constant)
                way = j, ways++;
            else if (ir_data(fe->f, in->as.constant.data)->kind != IR_CONST)
                return false;
        }
        if (ways != 1)
            return false;
        v = ins->in[way];
    }
}

/* v as an element of a vector: x[i], or that as a real */
static bool
element(const struct fe *fe, ir_ref v, ir_ref *x, size_t *i)
{
    const struct ir_ins *ins = ir_at(fe->f, v);

    if (ins->op == IR_to_real)
        ins = ir_at(fe->f, ins->in[0]);
    if (ins->op != IR_gather || ins->type.rank > 0
        || fe_type(fe, ins->in[0])->rank != 1 || !is_client(fe, ins->in[0]))
        return false;
    *x = ins->in[0];
    *i = (size_t)ir_data(fe->f, ins->as.gather.index)->cell->i;
    return true;
}

/* x >= c, or x > c, as one threshold */
static union ir_cell
threshold(const struct ir_type *x, const struct ir_type *tc,
          const union ir_cell *c, bool above)
{
    union ir_cell t;

    if (x->base == IR_REAL)
        t.r = above ? nextafter(c->r, (double)INFINITY) : c->r;
    else if (tc->base == IR_INT)
        t.i = c->i + above;
    else
        t.i = (int64_t)fmin(fmax(above ? floor(c->r) + 1 : ceil(c->r), -0x1p53),
                            0x1p53);
    return t;
}

static bool
read_test(struct fe *fe, ir_ref c, struct test *t)
{
    const struct ir_ins *ins = ir_at(fe->f, c);
    const bool less = ins->op == IR_less;
    const union ir_cell *k;
    int left;

    if (!less && ins->op != IR_less_equal)
        return false;
    for (left = 0; left < 2; left++)
        if (element(fe, ins->in[left], &t->x, &t->feature))
            break;
    if (left == 2 || !(k = known(fe, ins->in[1 - left]))
        || ir_count(fe_type(fe, ins->in[1 - left])) != 1)
        return false;
    /* x < k: then is left of k; k < x: then is right of it */
    t->then_right = left == 1;
    t->at = threshold(fe_type(fe, t->x), fe_type(fe, ins->in[1 - left]), k,
                      less == t->then_right);
    return fe_type(fe, t->x)->base == IR_INT || isfinite(t->at.r);
}

/* A branch: one tree of x, or a leaf. */
struct branch {
    const union ir_cell *leaf; /* NULL: */
    struct ir_forest tree;
    size_t nodes, leaves;
};

static bool
read_branch(struct fe *fe, ir_ref v, ir_ref x, struct branch *b)
{
    const struct ir_ins *ins = ir_at(fe->f, v);

    *b = (struct branch){ .leaf = NULL };
    if (fe_type(fe, v)->rank > 1)
        return false;
    b->leaves = 1;
    b->leaf = known(fe, v);
    if (b->leaf)
        return true;
    if (ins->op != IR_forest || ins->in[0].id != x.id)
        return false;
    b->tree = ir_forest_of(fe->f, ins);
    if (!b->tree.leaves)
        return false;
    b->nodes = b->tree.n;
    b->leaves = b->tree.leaves->type.dim[0];
    return b->tree.trees == 1;
}

struct planting {
    struct fe *fe;
    bool real; /* leaves */
    bool compares_real;
    uint32_t width; /* of a leaf */
    union ir_cell *node, *leaf;
    size_t nodes, leaves;
};

static void
put(union ir_cell *c, bool real, int64_t x)
{
    if (real)
        c->r = (double)x;
    else
        c->i = x;
}

/* A branch behind what there is; its root. */
static int64_t
plant(struct planting *p, const struct branch *b, bool leaf_real)
{
    const int64_t first = (int64_t)p->nodes, leaf = (int64_t)p->leaves;
    const union ir_cell *from = b->leaf ? b->leaf : b->tree.leaves->cell;

    for (size_t i = 0; i < b->leaves * p->width; i++) {
        union ir_cell *to = &p->leaf[p->leaves * p->width + i];

        *to = from[i];
        if (p->real && !leaf_real)
            to->r = (double)from[i].i;
    }
    p->leaves += b->leaves;
    if (b->leaf)
        return -1 - leaf;
    for (size_t i = 0; i < b->nodes; i++) {
        const struct ir_node n = ir_forest_node(&b->tree, i);
        union ir_cell *row = p->node + p->nodes++ * IR_NODE_FIELDS;

        put(&row[IR_FEATURE], p->compares_real, (int64_t)n.feature);
        row[IR_THRESHOLD] = n.threshold;
        for (int s = 0; s < 2; s++)
            put(&row[IR_LEFT + s], p->compares_real,
                n.child[s] < 0 ? n.child[s] - leaf : n.child[s] + first);
        put(&row[IR_MISSING], p->compares_real, n.missing_right);
    }
    if (ir_forest_root(&b->tree, 0) < 0)
        return ir_forest_root(&b->tree, 0) - leaf;
    return first + ir_forest_root(&b->tree, 0);
}

static const char *
blob(struct fe *fe, enum ir_base base, size_t rank, uint32_t d0, uint32_t d1,
     const union ir_cell *cell)
{
    const uint32_t dim[2] = { d0, d1 };
    const struct ir_type t = ir_type_of(base, rank, dim);
    const enum ir_blob_kind kind =
        fe->computing == FE_CONST ? IR_CONST : IR_PARAM;

    return ir_blob_add(fe->f, NULL, kind, &t, cell)->name;
}

/* The forest of a test and two branches, or none if they are no tree. */
static bool
as_tree(struct fe *fe, const struct ast *a, ir_ref c, const ir_ref in[2],
        ir_ref *out)
{
    struct planting p = { .fe = fe };
    struct branch b[2];
    struct test t;
    union ir_attrs as = { 0 };
    union ir_cell root = { .i = 0 };
    int64_t child[2];
    bool base[2];

    if (!read_test(fe, c, &t) || !read_branch(fe, in[0], t.x, &b[0])
        || !read_branch(fe, in[1], t.x, &b[1])
        || !ir_same_shape(fe_type(fe, in[0]), fe_type(fe, in[1])))
        return false;
    for (int s = 0; s < 2; s++)
        base[s] = fe_type(fe, in[s])->base == IR_REAL;
    p.real = base[0] || base[1];
    p.compares_real = fe_type(fe, t.x)->base == IR_REAL;
    p.width = (uint32_t)ir_count(fe_type(fe, in[0]));
    p.nodes = 1;
    p.node = arena_new(fe->scratch, union ir_cell,
                       (1 + b[0].nodes + b[1].nodes) * IR_NODE_FIELDS);
    p.leaf = arena_new(fe->scratch, union ir_cell,
                       (b[0].leaves + b[1].leaves) * p.width);
    for (int s = 0; s < 2; s++)
        child[s] = plant(&p, &b[s], base[s]);
    put(&p.node[IR_FEATURE], p.compares_real, (int64_t)t.feature);
    p.node[IR_THRESHOLD] = t.at;
    put(&p.node[IR_LEFT], p.compares_real, child[t.then_right]);
    put(&p.node[IR_RIGHT], p.compares_real, child[!t.then_right]);
    put(&p.node[IR_MISSING], p.compares_real, !t.then_right);
    as.forest.nodes = blob(fe, p.compares_real ? IR_REAL : IR_INT, 2,
                           (uint32_t)p.nodes, IR_NODE_FIELDS, p.node);
    as.forest.leaves =
        blob(fe, p.real ? IR_REAL : IR_INT, fe_type(fe, in[0])->rank + 1u,
             (uint32_t)p.leaves, p.width, p.leaf);
    as.forest.roots = blob(fe, IR_INT, 1, 1, 0, &root);
    *out = fe_build(fe, IR_forest, a->at, &t.x, 1, &as);
    return true;
}

/* ---- arithmetic */

/* b + (a - b) is a, element by element */
static bool
differ_exactly(struct fe *fe, ir_ref a, ir_ref b)
{
    const union ir_cell *x = known(fe, a), *y = known(fe, b);

    if (fe_type(fe, a)->base == IR_INT)
        return true;
    if (!x || !y || !ir_same_shape(fe_type(fe, a), fe_type(fe, b)))
        return false;
    for (size_t i = 0; i < ir_count(fe_type(fe, a)); i++)
        if (y[i].r + (x[i].r - y[i].r) < x[i].r
            || y[i].r + (x[i].r - y[i].r) > x[i].r)
            return false;
    return true;
}

static ir_ref
two(struct fe *fe, const struct ast *a, enum ir_op op, ir_ref x, ir_ref y)
{
    return fe_build(fe, op, a->at, (ir_ref[]){ x, y }, 2, NULL);
}

static ir_ref
arithmetic(struct fe *fe, const struct ast *at, ir_ref c, ir_ref a, ir_ref b)
{
    const struct ir_type t = ir_type_of(IR_REAL, 0, NULL);
    const union ir_cell one = { .r = 1 };
    ir_ref other;

    fe_join(fe, at->at, &a, &b);
    if (fe_type(fe, a)->base == IR_REAL)
        c = fe_real(fe, at->at, c);
    if (differ_exactly(fe, a, b))
        return two(fe, at, IR_add, b,
                   two(fe, at, IR_mul, c, two(fe, at, IR_sub, a, b)));
    other = two(fe, at, IR_sub, fe_literal(fe, at->at, &t, &one), c);
    a = two(fe, at, IR_mul, c, a);
    b = two(fe, at, IR_mul, other, b);
    return two(fe, at, IR_add, a, b);
}

ir_ref
fe_choice(struct fe *fe, const struct ast *a)
{
    const ir_ref c = fe_expr(fe, ast_kid(a, 0));
    const ir_ref then = fe_expr(fe, ast_kid(a, 1));
    const ir_ref in[2] = { then, fe_expr(fe, ast_kid(a, 2)) };
    const struct ir_type *t;
    ir_ref v;

    if (fe_is_none(c) || fe_is_none(in[0]) || fe_is_none(in[1]))
        return FE_NONE;
    t = fe_type(fe, c);
    if (t->base != IR_INT || !t->ranged || t->ilo < 0 || t->ihi > 1) {
        diag_error(fe->diag, ast_kid(a, 0)->at, E_type,
                   "'if' takes a truth: a comparison, or a bool");
        return FE_NONE;
    }
    if (as_tree(fe, a, c, in, &v))
        return v;
    return arithmetic(fe, a, c, in[0], in[1]);
}
