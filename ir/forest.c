/* Forests: what is a valid one, walking, and the range of its sums. */
#include "ir/forest.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A field of a node as an integer; INT64_MIN if it is none. */
static int64_t
whole(const struct ir_forest *t, size_t node, enum ir_forest_field field)
{
    const union ir_cell *c = &t->nodes->cell[node * IR_NODE_FIELDS + field];

    if (t->nodes->type.base == IR_INT)
        return c->i;
    if (!(fabs(c->r) <= 0x1p53) || c->r > rint(c->r) || c->r < rint(c->r))
        return INT64_MIN;
    return (int64_t)c->r;
}

struct ir_node
ir_forest_node(const struct ir_forest *t, size_t i)
{
    return (struct ir_node){
        .feature = (size_t)whole(t, i, IR_FEATURE),
        .threshold = t->nodes->cell[i * IR_NODE_FIELDS + IR_THRESHOLD],
        .child = { whole(t, i, IR_LEFT), whole(t, i, IR_RIGHT) },
        .missing_right = whole(t, i, IR_MISSING) != 0,
    };
}

int64_t
ir_forest_root(const struct ir_forest *t, size_t tree)
{
    return t->roots->cell[tree].i;
}

const union ir_cell *
ir_forest_leaf(const struct ir_forest *t, int64_t child)
{
    return t->leaves->cell + (size_t)(-1 - child) * t->outputs;
}

static size_t
leaves_of(const struct ir_forest *t)
{
    return t->leaves->type.dim[0];
}

static bool
find(const struct ir_func *f, const union ir_attrs *as, struct ir_forest *t)
{
    t->nodes = ir_blob_find(f, as->forest.nodes, false);
    t->leaves = ir_blob_find(f, as->forest.leaves, false);
    t->roots = ir_blob_find(f, as->forest.roots, false);
    if (!t->nodes || !t->leaves || !t->roots)
        return false;
    t->n = t->nodes->type.dim[0];
    t->trees = t->roots->type.dim[0];
    t->outputs = t->leaves->type.rank == 2 ? t->leaves->type.dim[1] : 1;
    return true;
}

struct ir_forest
ir_forest_of(const struct ir_func *f, const struct ir_ins *ins)
{
    struct ir_forest t;

    if (!find(f, &ins->as, &t))
        bug("a forest without its nodes");
    return t;
}

/* ---- what is valid */

static const char *
shapes(const struct ir_forest *t, const struct ir_type *x)
{
    const struct ir_type *n = &t->nodes->type, *l = &t->leaves->type;
    const struct ir_type *r = &t->roots->type;

    if (x->rank != 1)
        return "a forest takes a vector of features";
    if (n->rank != 2 || n->dim[1] != IR_NODE_FIELDS || n->base > IR_INT
        || n->dim[0] > IR_FOREST_NODES)
        return "the nodes of a forest are rows of 5 numbers, at most 2^20";
    if (n->base != x->base)
        return "real and integer do not mix in a forest";
    if (l->rank < 1 || l->rank > 2 || l->base > IR_INT
        || t->outputs > IR_FOREST_OUTPUTS)
        return "the leaves of a forest are numbers, or rows of at most 1024";
    if (r->rank != 1 || r->base != IR_INT)
        return "the roots of a forest are a vector of integers";
    for (size_t i = 0; l->base == IR_REAL && i < ir_count(l); i++)
        if (!isfinite(t->leaves->cell[i].r))
            return "a leaf of the forest is not finite";
    return NULL;
}

/* A child of a node at this depth; `depth` counts the nodes above each, plus
 * one: 0 is not reached yet. */
static const char *
child(const struct ir_forest *t, int64_t c, int64_t above, uint8_t depth,
      uint8_t *reached)
{
    if (c < 0)
        return c >= -(int64_t)leaves_of(t) ? NULL
                                           : "a leaf of the forest is missing";
    if (c <= above || (uint64_t)c >= t->n)
        return "a child is a leaf or a node of a higher index";
    if (reached[c])
        return "a node of the forest has two parents";
    if (depth == IR_FOREST_DEPTH)
        return "a tree of the forest is more than 63 nodes deep";
    reached[c] = (uint8_t)(depth + 1);
    return NULL;
}

static const char *
fields(const struct ir_forest *t, size_t i, const struct ir_type *x)
{
    const int64_t feature = whole(t, i, IR_FEATURE);
    const int64_t missing = whole(t, i, IR_MISSING);

    if (feature < 0 || feature >= (int64_t)x->dim[0])
        return "a node compares a feature that x does not have";
    if (t->nodes->type.base == IR_REAL
        && !isfinite(t->nodes->cell[i * IR_NODE_FIELDS + IR_THRESHOLD].r))
        return "a threshold of the forest is not finite";
    if (missing != 0 && missing != 1)
        return "where a missing value goes is 0 or 1";
    return NULL;
}

/* Parents come before their children, so one sweep sees all. */
static const char *
nodes(struct arena *mem, const struct ir_forest *t, const struct ir_type *x)
{
    uint8_t *reached = arena_new(mem, uint8_t, t->n);
    const char *why = NULL;

    for (size_t i = 0; i < t->trees && !why; i++)
        why = child(t, ir_forest_root(t, i), -1, 0, reached);
    for (size_t i = 0; i < t->n && !why; i++) {
        const int64_t at = (int64_t)i;

        why = reached[i] ? fields(t, i, x) : "a node belongs to no tree";
        for (int s = 0; s < 2 && !why; s++)
            why = child(t, whole(t, i, s ? IR_RIGHT : IR_LEFT), at, reached[i],
                        reached);
    }
    return why;
}

const char *
ir_forest_open(struct arena *mem, const struct ir_func *f,
               const union ir_attrs *as, const struct ir_type *x,
               struct ir_forest *t)
{
    struct arena_mark m = arena_mark(mem);
    const char *why;

    if (!find(f, as, t))
        return "there is no such forest";
    why = shapes(t, x);
    why = why ? why : nodes(mem, t, x);
    arena_release(mem, m);
    return why;
}

/* ---- walking */

int64_t
ir_forest_walk(const struct ir_forest *t, size_t tree, const union ir_cell *x)
{
    const bool real = t->nodes->type.base == IR_REAL;
    int64_t c = ir_forest_root(t, tree);

    while (c >= 0) {
        const struct ir_node n = ir_forest_node(t, (size_t)c);
        const union ir_cell v = x[n.feature];

        if (real && isnan(v.r))
            c = n.child[n.missing_right];
        else
            c = n.child[real ? v.r >= n.threshold.r : v.i >= n.threshold.i];
    }
    return c;
}

/* Between t and the float below, whose middle goes to the even one. */
double
ir_float_threshold(float t)
{
    const double below =
        t > -FLT_MAX ? (double)nextafterf(t, -INFINITY) : -0x1p128;
    const double middle = below + ((double)t - below) / 2;

    return (float)middle >= t ? middle : nextafter(middle, (double)INFINITY);
}

/* ---- bounds */

struct bounds {
    const struct ir_forest *t;
    int64_t *from, *to; /* of each feature on the path; NULL: anything */
    int64_t *lo, *hi;   /* of the tree */
    bool any;           /* a leaf was reached */
};

static void
reach(struct bounds *b, int64_t c)
{
    struct ir_node n;

    if (c < 0) {
        const union ir_cell *leaf = ir_forest_leaf(b->t, c);

        for (size_t k = 0; k < b->t->outputs; k++) {
            if (!b->any || leaf[k].i < b->lo[k])
                b->lo[k] = leaf[k].i;
            if (!b->any || leaf[k].i > b->hi[k])
                b->hi[k] = leaf[k].i;
        }
        b->any = true;
        return;
    }
    n = ir_forest_node(b->t, (size_t)c);
    if (!b->from) {
        reach(b, n.child[0]);
        reach(b, n.child[1]);
        return;
    }
    if (b->from[n.feature] < n.threshold.i) {
        const int64_t was = b->to[n.feature];

        if (was >= n.threshold.i)
            b->to[n.feature] = n.threshold.i - 1;
        reach(b, n.child[0]);
        b->to[n.feature] = was;
    }
    if (b->to[n.feature] >= n.threshold.i) {
        const int64_t was = b->from[n.feature];

        if (was < n.threshold.i)
            b->from[n.feature] = n.threshold.i;
        reach(b, n.child[1]);
        b->from[n.feature] = was;
    }
}

static bool
sum(int64_t *s, int64_t x)
{
    const int64_t limit = (int64_t)1 << 62;

    return !__builtin_add_overflow(*s, x, s) && *s <= limit && *s >= -limit;
}

bool
ir_forest_bounds(struct arena *mem, const struct ir_forest *t,
                 const struct ir_type *x, int64_t *lo, int64_t *hi)
{
    struct arena_mark m = arena_mark(mem);
    struct bounds b = { .t = t,
                        .lo = arena_new(mem, int64_t, t->outputs),
                        .hi = arena_new(mem, int64_t, t->outputs) };
    bool fits = true;

    if (x->base == IR_INT && x->ranged) {
        b.from = arena_new(mem, int64_t, x->dim[0]);
        b.to = arena_new(mem, int64_t, x->dim[0]);
        for (uint32_t i = 0; i < x->dim[0]; i++)
            b.from[i] = x->ilo, b.to[i] = x->ihi;
    }
    memset(lo, 0, t->outputs * sizeof *lo);
    memset(hi, 0, t->outputs * sizeof *hi);
    for (size_t i = 0; i < t->trees && fits; i++) {
        b.any = false;
        reach(&b, ir_forest_root(t, i));
        for (size_t k = 0; k < t->outputs; k++)
            fits = sum(&lo[k], b.lo[k]) && sum(&hi[k], b.hi[k]) && fits;
    }
    arena_release(mem, m);
    return fits;
}

const char *
ir_forest_learned(const struct ir_func *f)
{
    bool any = false, levels = false;

    for (uint32_t i = 0; i < f->n; i++) {
        any = any || f->ins[i].op == IR_ggsw_forest;
        levels = levels || f->ins[i].op == IR_ggsw_products;
    }
    if (levels)
        return "the thresholds of each level of the trees";
    if (!any)
        return NULL;
    return ir_get(f, "thresholds.public", 0) > 0
               ? "the thresholds of forests"
               : "the features that forests compare, and cuts of each, among "
                 "which the thresholds are";
}
