/* What a forest can lose without a change of its sums; see grove.h.
 *
 * Equal trees must become one: their ciphertexts would be the same, and add
 * their noise in amplitude (lang-spec/crypto.md). */
#include "passes/grove.h"

#include "passes/inner.h"

#include <stdlib.h>
#include <string.h>

static struct grove_node *
read_node(const struct grove *g, const struct ir_forest *t, int64_t c)
{
    struct grove_node *n = arena_new(g->mem, struct grove_node, 1);
    struct ir_node from;

    if (c < 0) {
        const union ir_cell *leaf = ir_forest_leaf(t, c);
        const bool whole = t->leaves->type.base == IR_INT;

        if (whole)
            n->leaf = arena_new(g->mem, int64_t, t->outputs);
        n->real = arena_new(g->mem, double, t->outputs);
        for (size_t k = 0; k < t->outputs; k++) {
            n->real[k] = whole ? (double)leaf[k].i : leaf[k].r;
            if (whole)
                n->leaf[k] = leaf[k].i;
        }
        return n;
    }
    from = ir_forest_node(t, (size_t)c);
    n->feature = (uint32_t)from.feature;
    n->missing_right = from.missing_right;
    n->at = t->nodes->type.base == IR_INT ? (double)from.threshold.i
                                          : from.threshold.r;
    n->kid[0] = read_node(g, t, from.child[0]);
    n->kid[1] = read_node(g, t, from.child[1]);
    return n;
}

struct grove
grove_read(struct arena *mem, const struct ir_forest *t, uint32_t features)
{
    struct grove g = {
        mem,  t->trees, t->outputs, features, t->leaves->type.rank == 1,
        NULL, false
    };

    g.root = arena_new(mem, struct grove_node *, t->trees);
    for (size_t i = 0; i < t->trees; i++)
        g.root[i] = read_node(&g, t, ir_forest_root(t, i));
    return g;
}

static void
visit(struct grove_node *n, bool leaves,
      void (*f)(struct grove_node *n, void *arg), void *arg)
{
    if (n->kid[0]) {
        visit(n->kid[0], leaves, f, arg);
        visit(n->kid[1], leaves, f, arg);
    }
    if (leaves == !n->kid[0])
        f(n, arg);
}

void
grove_each(const struct grove *g, void (*f)(struct grove_node *n, void *arg),
           void *arg)
{
    for (size_t i = 0; i < g->trees; i++)
        visit(g->root[i], false, f, arg);
}

void
grove_leaves(const struct grove *g, void (*f)(struct grove_node *n, void *arg),
             void *arg)
{
    for (size_t i = 0; i < g->trees; i++)
        visit(g->root[i], true, f, arg);
}

/* ---- order */

static int
compare(double x, double y)
{
    return (x > y) - (x < y);
}

/* A total order of leaves, and, of splits, of trees; 0: equal. */
static int
order(const struct grove *g, const struct grove_node *a,
      const struct grove_node *b, bool splits)
{
    int c = 0;

    if (!a->kid[0] || !b->kid[0]) {
        c = (a->kid[0] != NULL) - (b->kid[0] != NULL);
        if (c || splits)
            return c;
        if (a->leaf)
            return memcmp(a->leaf, b->leaf, g->outputs * sizeof *a->leaf);
        for (size_t k = 0; k < g->outputs && !c; k++)
            c = compare(a->real[k], b->real[k]);
        return c;
    }
    c = (a->feature > b->feature) - (a->feature < b->feature);
    c = c ? c : a->missing_right - b->missing_right;
    c = c ? c : compare(a->at, b->at);
    c = c ? c : order(g, a->kid[0], b->kid[0], splits);
    return c ? c : order(g, a->kid[1], b->kid[1], splits);
}

/* ---- pruning */

/* from[f] <= x[f] < to[f] here */
static struct grove_node *
pruned(const struct grove *g, struct grove_node *n, double *from, double *to)
{
    const uint32_t f = n->feature;
    double was;

    if (!n->kid[0])
        return n;
    if (n->at <= from[f])
        return pruned(g, n->kid[1], from, to);
    if (n->at >= to[f])
        return pruned(g, n->kid[0], from, to);
    was = to[f];
    to[f] = n->at;
    n->kid[0] = pruned(g, n->kid[0], from, to);
    to[f] = was;
    was = from[f];
    from[f] = n->at;
    n->kid[1] = pruned(g, n->kid[1], from, to);
    from[f] = was;
    return order(g, n->kid[0], n->kid[1], false) ? n : n->kid[0];
}

void
grove_prune(struct grove *g, double from, double to)
{
    double *lo = arena_new(g->mem, double, g->features);
    double *hi = arena_new(g->mem, double, g->features);

    for (uint32_t i = 0; i < g->features; i++)
        lo[i] = from, hi[i] = to;
    for (size_t i = 0; i < g->trees; i++)
        g->root[i] = pruned(g, g->root[i], lo, hi);
}

/* ---- joining */

static int64_t
sum(struct grove *g, int64_t x, int64_t y)
{
    const int64_t limit = (int64_t)1 << 62;

    if (__builtin_add_overflow(x, y, &x) || x > limit || x < -limit) {
        g->overflow = true;
        return 0;
    }
    return x;
}

/* a += b, of equal splits */
static void
add(struct grove *g, struct grove_node *a, const struct grove_node *b)
{
    if (a->kid[0]) {
        add(g, a->kid[0], b->kid[0]);
        add(g, a->kid[1], b->kid[1]);
        return;
    }
    for (size_t k = 0; k < g->outputs; k++)
        a->leaf[k] = sum(g, a->leaf[k], b->leaf[k]);
}

struct keyed {
    const struct grove *g;
    struct grove_node *tree;
    size_t place; /* the order does not hang on qsort */
};

static int
by_splits(const void *x, const void *y)
{
    const struct keyed *a = x, *b = y;
    const int c = order(a->g, a->tree, b->tree, true);

    return c ? c : (a->place > b->place) - (a->place < b->place);
}

/* Trees of equal splits side by side, and joined; whether there were some. */
static bool
join_equal(struct grove *g)
{
    struct keyed *key = arena_new(g->mem, struct keyed, g->trees);
    size_t n = 0;

    for (size_t i = 0; i < g->trees; i++)
        key[i] = (struct keyed){ g, g->root[i], i };
    if (g->trees)
        qsort(key, g->trees, sizeof *key, by_splits);
    for (size_t i = 0; i < g->trees; i++) {
        if (n && order(g, g->root[n - 1], key[i].tree, true) == 0)
            add(g, g->root[n - 1], key[i].tree);
        else
            g->root[n++] = key[i].tree;
    }
    if (n == g->trees)
        return false;
    g->trees = n;
    return true;
}

struct least {
    int64_t *at;
    size_t outputs;
    bool any;
};

static void
find_least(struct grove_node *n, void *arg)
{
    struct least *l = arg;

    for (size_t k = 0; k < l->outputs; k++)
        if (!l->any || n->leaf[k] < l->at[k])
            l->at[k] = n->leaf[k];
    l->any = true;
}

static void
take_least(struct grove_node *n, void *arg)
{
    const struct least *l = arg;

    for (size_t k = 0; k < l->outputs; k++)
        n->leaf[k] -= l->at[k];
}

void
grove_join(struct grove *g, double from, double to, int64_t *total)
{
    struct least l = { arena_new(g->mem, int64_t, g->outputs), g->outputs,
                       false };
    size_t n = 0;

    do
        grove_prune(g, from, to);
    while (join_equal(g) && !g->overflow);
    for (size_t i = 0; i < g->trees; i++) {
        l.any = false;
        visit(g->root[i], true, find_least, &l);
        visit(g->root[i], true, take_least, &l);
        for (size_t k = 0; k < g->outputs; k++)
            total[k] = sum(g, total[k], l.at[k]);
        if (g->root[i]->kid[0])
            g->root[n++] = g->root[i];
    }
    g->trees = n;
}

/* ---- writing */

struct writer {
    const struct grove *g;
    union ir_cell *node, *leaf, *root;
    size_t nodes, leaves;
};

static void
count(struct grove_node *n, void *arg)
{
    struct writer *w = arg;

    if (n->kid[0])
        w->nodes++;
    else
        w->leaves++;
}

/* Parents before their children. */
static int64_t
put(struct writer *w, const struct grove_node *n)
{
    union ir_cell *row;
    int64_t own;

    if (!n->kid[0]) {
        for (size_t k = 0; k < w->g->outputs; k++)
            w->leaf[w->leaves * w->g->outputs + k].i = n->leaf[k];
        return -1 - (int64_t)w->leaves++;
    }
    own = (int64_t)w->nodes++;
    row = w->node + own * IR_NODE_FIELDS;
    row[IR_FEATURE].i = n->feature;
    row[IR_THRESHOLD].i = (int64_t)n->at;
    row[IR_LEFT].i = put(w, n->kid[0]);
    row[IR_RIGHT].i = put(w, n->kid[1]);
    return own;
}

/* A tree that compares and does not care. */
static struct grove
with_a_tree(const struct grove *g)
{
    struct grove own = *g;
    struct grove_node *n = arena_new(g->mem, struct grove_node, 2);

    own.root = arena_new(g->mem, struct grove_node *, 1);
    *own.root = n;
    own.trees = 1;
    n[0].kid[0] = n[0].kid[1] = &n[1];
    n[1].leaf = arena_new(g->mem, int64_t, g->outputs);
    return own;
}

union ir_attrs
grove_write(const struct grove *g, struct ir_func *f)
{
    const struct grove own = g->trees ? *g : with_a_tree(g);
    struct writer w = { .g = &own };
    union ir_attrs as = { 0 };
    uint32_t dim[2];
    struct ir_type t;

    grove_each(&own, count, &w);
    grove_leaves(&own, count, &w);
    w.node = arena_new(g->mem, union ir_cell, w.nodes * IR_NODE_FIELDS);
    w.leaf = arena_new(g->mem, union ir_cell, w.leaves * g->outputs);
    w.root = arena_new(g->mem, union ir_cell, own.trees);
    dim[0] = (uint32_t)w.leaves, dim[1] = (uint32_t)g->outputs;
    w.nodes = w.leaves = 0;
    for (size_t i = 0; i < own.trees; i++)
        w.root[i].i = put(&w, own.root[i]);
    t = ir_type_of(IR_INT, g->scalar ? 1 : 2, dim);
    as.forest.leaves = ir_blob_add(f, NULL, IR_PARAM, &t, w.leaf)->name;
    dim[0] = (uint32_t)w.nodes, dim[1] = IR_NODE_FIELDS;
    t = ir_type_of(IR_INT, 2, dim);
    as.forest.nodes = ir_blob_add(f, NULL, IR_PARAM, &t, w.node)->name;
    dim[0] = (uint32_t)own.trees;
    t = ir_type_of(IR_INT, 1, dim);
    as.forest.roots = ir_blob_add(f, NULL, IR_PARAM, &t, w.root)->name;
    return as;
}
