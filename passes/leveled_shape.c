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
    bool overflow;
};

/* Leaves of a tree differ by less than a message, and all trees have sums. */
static bool
too_large(int64_t x)
{
    return x > PASS_EXACT || x < -PASS_EXACT;
}

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
        int64_t *to = &s->leaf[s->leaves * s->outputs + k], x;

        for (size_t j = 0; j < h->t->outputs; j++)
            if (__builtin_mul_overflow(h->weights[k * h->t->outputs + j],
                                       leaf[j].i, &x)
                || __builtin_add_overflow(*to, x, to) || too_large(*to))
                h->overflow = true;
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
lower_leaves(struct shaping *h, size_t first)
{
    struct leveled_shape *s = h->s;

    for (size_t k = 0; k < s->outputs; k++) {
        int64_t least = s->leaf[first * s->outputs + k];

        for (size_t i = first; i < s->leaves; i++)
            if (s->leaf[i * s->outputs + k] < least)
                least = s->leaf[i * s->outputs + k];
        if (__builtin_add_overflow(s->offset[k], least, &s->offset[k]))
            h->overflow = true;
        for (size_t i = first; i < s->leaves; i++) {
            int64_t *u = &s->leaf[i * s->outputs + k];

            *u -= least;
            if (*u > s->most)
                s->most = *u;
        }
    }
}

static void
count_products(struct leveled_shape *s, struct arena *mem)
{
    double n = 0;

    for (size_t i = 0; i < s->nodes; i++)
        n += !s->node[i].pair;
    for (size_t i = 0; i < LEVELED_STRIDES; i++)
        s->products[i] = n;
    s->chain = leveled_chain(mem, s->node, s->nodes, s->root, s->trees, s->leaf,
                             s->outputs);
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
    int64_t total;

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
        lower_leaves(&h, s->first_leaf[i]);
        s->first_leaf[i + 1] = s->leaves;
    }
    count_products(s, cx->scratch);
    if (h.overflow || __builtin_mul_overflow(s->most, (int64_t)t.trees, &total)
        || total > PASS_EXACT) {
        diag_error(cx->diag, ins->at, E_integer_overflow,
                   "the leaves of this forest need more than 52 bits");
        diag_help(cx->diag, "smaller leaves, or quantize { leaves N bits; }");
        cx->status = 1;
        return false;
    }
    return true;
}

union ir_cell *
leveled_digits(struct arena *mem, const struct leveled_shape *s,
               const struct leveled_sums *sums)
{
    const size_t n = s->leaves * s->outputs;
    union ir_cell *cell = arena_new(mem, union ir_cell, n * sums->digits);

    for (size_t i = 0; i < n; i++) {
        int64_t u = s->leaf[i];

        for (uint32_t d = 0; d < sums->digits; d++, u /= sums->radix)
            cell[i * sums->digits + d].i =
                d + 1 < sums->digits ? u % sums->radix : u;
    }
    return cell;
}

/* ---- equal subtrees */

/* Numbers of the classes of subtrees that are equal up to one vector that all
 * their leaves have more: a product sees differences, so it has the same error
 * in all of a class.  By a table of what they are made of: open addressing, at
 * most half full. */
struct classes {
    const struct leveled_node *node;
    const int64_t *leaf;
    size_t width, size;
    uint32_t *slot;     /* class, plus one */
    uint32_t *of;       /* [node]: class, plus one */
    uint32_t *leftmost; /* [node]: its first leaf */
    uint32_t *first, n; /* [class]: a node of it */
};

static uint64_t
mixed(uint64_t h, uint64_t x)
{
    h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint32_t
class_of(const struct classes *c, int64_t child)
{
    return child < 0 ? 0 : c->of[child];
}

static uint32_t
first_leaf(const struct classes *c, int64_t child)
{
    return child < 0 ? (uint32_t)~child : c->leftmost[child];
}

/* what the right child's leaves have more than the left one's; as words, which
 * wrap alike */
static uint64_t
step(const struct classes *c, const struct leveled_node *a, size_t i)
{
    const int64_t *right = c->leaf + first_leaf(c, a->child[1]) * c->width;
    const int64_t *left = c->leaf + first_leaf(c, a->child[0]) * c->width;

    return (uint64_t)right[i] - (uint64_t)left[i];
}

static bool
same_class(const struct classes *c, const struct leveled_node *a,
           const struct leveled_node *b)
{
    if (a->slot != b->slot || a->pair != b->pair
        || class_of(c, a->child[0]) != class_of(c, b->child[0])
        || class_of(c, a->child[1]) != class_of(c, b->child[1]))
        return false;
    for (size_t i = 0; i < c->width; i++)
        if (step(c, a, i) != step(c, b, i))
            return false;
    return true;
}

static void
classify(struct classes *c, size_t i)
{
    const struct leveled_node *a = &c->node[i];
    uint64_t h = mixed(a->slot, a->pair);

    for (size_t k = 0; k < 2; k++)
        h = mixed(h, class_of(c, a->child[k]));
    for (size_t k = 0; k < c->width; k++)
        h = mixed(h, step(c, a, k));
    c->leftmost[i] = first_leaf(c, a->child[0]);
    for (;; h++) {
        uint32_t *at = &c->slot[h & (c->size - 1)];

        if (*at && !same_class(c, a, &c->node[c->first[*at - 1]]))
            continue;
        if (!*at) {
            c->first[c->n] = (uint32_t)i;
            *at = ++c->n;
        }
        c->of[i] = *at;
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
    uint32_t *times = arena_new(mem, uint32_t, nodes + 2);
    double sum = 0;

    while (c.size < 2 * nodes)
        c.size *= 2;
    c.slot = arena_new(mem, uint32_t, c.size);
    c.of = arena_new(mem, uint32_t, nodes + 1);
    c.leftmost = arena_new(mem, uint32_t, nodes + 1);
    c.first = arena_new(mem, uint32_t, nodes + 1);
    for (size_t i = nodes; i-- > 0;) /* children have higher numbers */
        classify(&c, i);
    for (size_t t = 0; t < trees; t++)
        count(&c, root[t], times);
    for (size_t t = 0; t < trees; t++)
        sum += longest(&c, root[t], times);
    return sum;
}
