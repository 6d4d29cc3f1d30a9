/* What a forest of integers asks of a plan: its bits, its nodes, its leaves. */
#include "passes/leveled.h"

#include "ir/forest.h"

#include <string.h>

struct shaping {
    struct leveled_shape *s;
    const struct ir_forest *t;
    const struct ir_type *x;
    uint32_t *slot; /* [feature][x - lo]: the slot, plus one, of x >= .. */
    size_t width;   /* integers of a feature */
    bool *inner, *pair;
    const int64_t *weights; /* of the leaves */
};

static bool
is_leaf_pair(const int64_t child[2])
{
    return child[0] < 0 && child[1] < 0;
}

/* The child at which a walk arrives, past nodes whose side is certain. */
static int64_t
settled(const struct shaping *h, int64_t child)
{
    while (child >= 0) {
        const struct ir_node n = ir_forest_node(h->t, (size_t)child);

        if (n.threshold.i <= h->x->ilo)
            child = n.child[1];
        else if (n.threshold.i > h->x->ihi)
            child = n.child[0];
        else
            break;
    }
    return child;
}

/* ---- slots */

static uint32_t *
slot_of(const struct shaping *h, const struct ir_node *n)
{
    return &h->slot[n->feature * h->width
                    + (size_t)(n->threshold.i - h->x->ilo)];
}

static void
mark(struct shaping *h, int64_t child, bool *used)
{
    struct ir_node n;

    child = settled(h, child);
    if (child < 0)
        return;
    n = ir_forest_node(h->t, (size_t)child);
    used[n.feature] = true;
    *slot_of(h, &n) = 1;
    mark(h, n.child[0], used);
    mark(h, n.child[1], used);
}

/* Feature by feature; what is not wanted hides what is. */
static void
number_slots(struct shaping *h, struct arena *mem, const bool *used, bool all)
{
    const size_t features = ir_count(h->x);
    uint32_t *feature = arena_new(mem, uint32_t, features * h->width);
    int64_t *at = arena_new(mem, int64_t, features * h->width);
    size_t n = 0;

    for (size_t f = 0; f < features; f++)
        for (size_t c = 1; c < h->width && used[f]; c++) {
            uint32_t *slot = &h->slot[f * h->width + c];

            if (!all && !*slot)
                continue;
            feature[n] = (uint32_t)f;
            at[n] = h->x->ilo + (int64_t)c;
            *slot = (uint32_t)++n;
        }
    h->s->slots = n;
    h->s->feature = feature;
    h->s->at = at;
    h->s->inner = h->inner = arena_new(mem, bool, n + 1);
    h->s->pair = h->pair = arena_new(mem, bool, n + 1);
}

/* ---- nodes */

static int64_t
add_leaf(struct shaping *h, int64_t child)
{
    const union ir_cell *leaf = ir_forest_leaf(h->t, child);
    struct leveled_shape *s = h->s;

    for (size_t k = 0; k < s->outputs; k++) {
        int64_t *to = &s->leaf[s->leaves * s->outputs + k];

        for (size_t j = 0; j < h->t->outputs; j++)
            *to += h->weights[k * h->t->outputs + j] * leaf[j].i;
    }
    return ~(int64_t)s->leaves++;
}

static int64_t
add_node(struct shaping *h, int64_t child)
{
    struct leveled_shape *s = h->s;
    struct leveled_node *at;
    struct ir_node n;
    const size_t index = s->nodes;

    child = settled(h, child);
    if (child < 0)
        return add_leaf(h, child);
    n = ir_forest_node(h->t, (size_t)child);
    s->nodes++;
    at = &s->node[index];
    at->slot = *slot_of(h, &n) - 1;
    for (size_t c = 0; c < 2; c++) /* in this order: preorder */
        at->child[c] = add_node(h, n.child[c]);
    at->pair = is_leaf_pair(at->child);
    (at->pair ? h->pair : h->inner)[at->slot] = true;
    return (int64_t)index;
}

/* Leaves of a tree begin at 0 in each output; the rest is one number. */
static void
lower_leaves(struct leveled_shape *s, size_t first)
{
    for (size_t k = 0; k < s->outputs; k++) {
        int64_t least = s->leaf[first * s->outputs + k];

        for (size_t i = first; i < s->leaves; i++)
            if (s->leaf[i * s->outputs + k] < least)
                least = s->leaf[i * s->outputs + k];
        s->offset[k] += least;
        for (size_t i = first; i < s->leaves; i++) {
            int64_t *u = &s->leaf[i * s->outputs + k];

            *u -= least;
            if (*u > s->most)
                s->most = *u;
        }
    }
}

bool
leveled_shape(struct leveled_shape *s, struct pass_ctx *cx,
              const struct ir_func *f, const struct ir_ins *ins,
              const int64_t *weights, const int64_t *constants, size_t n)
{
    const struct ir_forest t = ir_forest_of(f, ins);
    const struct ir_type *x = &ir_at(f, ins->in[0])->type;
    struct shaping h = { .s = s, .t = &t, .x = x, .weights = weights };
    bool *used = arena_new(cx->scratch, bool, ir_count(x));

    *s =
        (struct leveled_shape){ .trees = t.trees,
                                .outputs = n,
                                .open = ir_get(f, "thresholds.public", 0) > 0 };
    if (x->ihi - x->ilo >= 1 << 16
        || (uint64_t)(x->ihi - x->ilo + 1) * ir_count(x) > IR_MAX_CELLS) {
        diag_error(cx->diag, ins->at, E_too_wide,
                   "a forest on integers of %u bits", ir_bits(x->ilo, x->ihi));
        diag_help(cx->diag, "inputs of a forest have 2 to 10 bits: "
                            "quantize { ... }, or clip");
        cx->status = 6;
        return false;
    }
    h.width = (size_t)(x->ihi - x->ilo) + 1;
    h.slot = arena_new(cx->scratch, uint32_t, ir_count(x) * h.width);
    for (size_t i = 0; i < t.trees; i++)
        mark(&h, ir_forest_root(&t, i), used);
    number_slots(&h, cx->scratch, used, !s->open);
    s->node = arena_new(cx->scratch, struct leveled_node, t.n + 1);
    s->root = arena_new(cx->scratch, int64_t, t.trees);
    s->leaf = arena_new(cx->scratch, int64_t, (t.n + t.trees) * n);
    s->offset = arena_new(cx->scratch, int64_t, n);
    for (size_t k = 0; k < n; k++)
        s->offset[k] = constants[k];
    s->first_leaf = arena_new(cx->scratch, size_t, t.trees + 1);
    for (size_t i = 0; i < t.trees; i++) {
        s->root[i] = add_node(&h, ir_forest_root(&t, i));
        lower_leaves(s, s->first_leaf[i]);
        s->first_leaf[i + 1] = s->leaves;
    }
    return true;
}

/* ---- equal subtrees */

/* Numbers of the classes of equal subtrees, by a table of what they are made
 * of: open addressing, at most half full. */
struct classes {
    const struct leveled_node *node;
    const int64_t *leaf;
    size_t width, size;
    uint32_t *slot;     /* class, plus one */
    uint32_t *of;       /* [node] */
    uint32_t *first, n; /* [class]: a node of it */
    uint32_t *child;    /* [node][2]: class or number of a leaf's first twin */
};

static uint64_t
mixed(uint64_t h, uint64_t x)
{
    h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static bool
same_child(const struct classes *c, int64_t a, int64_t b)
{
    if (a < 0 && b < 0)
        return memcmp(c->leaf + (size_t)~a * c->width,
                      c->leaf + (size_t)~b * c->width,
                      c->width * sizeof *c->leaf)
               == 0;
    return a >= 0 && b >= 0 && c->of[a] == c->of[b];
}

static uint64_t
hash_child(const struct classes *c, int64_t child)
{
    uint64_t h = 1;

    if (child >= 0)
        return c->of[child] + UINT64_C(2);
    for (size_t i = 0; i < c->width; i++)
        h = mixed(h, (uint64_t)c->leaf[(size_t)~child * c->width + i]);
    return h;
}

static void
classify(struct classes *c, size_t i)
{
    const struct leveled_node *a = &c->node[i];
    uint64_t h =
        mixed(mixed(mixed(a->slot, a->pair), hash_child(c, a->child[0])),
              hash_child(c, a->child[1]));

    for (;; h++) {
        uint32_t *at = &c->slot[h & (c->size - 1)];
        const struct leveled_node *b = *at ? &c->node[c->first[*at - 1]] : NULL;

        if (!b) {
            c->first[c->n] = (uint32_t)i;
            *at = ++c->n;
        } else if (a->slot != b->slot || a->pair != b->pair
                   || !same_child(c, a->child[0], b->child[0])
                   || !same_child(c, a->child[1], b->child[1])) {
            continue;
        }
        c->of[i] = *at - 1;
        return;
    }
}

static void
count(const struct classes *c, int64_t child, uint32_t *times)
{
    if (child < 0)
        return;
    times[c->of[child]]++;
    count(c, c->node[child].child[0], times);
    count(c, c->node[child].child[1], times);
}

static double
longest(const struct classes *c, int64_t child, const uint32_t *times)
{
    double left, right;

    if (child < 0 || c->node[child].pair)
        return 0;
    left = longest(c, c->node[child].child[0], times);
    right = longest(c, c->node[child].child[1], times);
    return times[c->of[child]] + (left > right ? left : right);
}

double
leveled_chain(struct arena *mem, const struct leveled_node *node, size_t nodes,
              const int64_t *root, size_t trees, const int64_t *leaf,
              size_t width)
{
    struct classes c = {
        .node = node, .leaf = leaf, .width = width, .size = 2
    };
    uint32_t *times = arena_new(mem, uint32_t, nodes + 1);
    double sum = 0;

    while (c.size < 2 * nodes)
        c.size *= 2;
    c.slot = arena_new(mem, uint32_t, c.size);
    c.of = arena_new(mem, uint32_t, nodes + 1);
    c.first = arena_new(mem, uint32_t, nodes + 1);
    for (size_t i = nodes; i-- > 0;) /* children have higher numbers */
        classify(&c, i);
    for (size_t t = 0; t < trees; t++)
        count(&c, root[t], times);
    for (size_t t = 0; t < trees; t++)
        sum += longest(&c, root[t], times);
    return sum;
}
