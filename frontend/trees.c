/* Trees in the order of the IR, and thresholds; see trees.h. */
#include "frontend/trees.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

bool
trees_fail(struct trees *t, const char *fmt, ...)
{
    va_list args;

    if (*t->why)
        return false;
    va_start(args, fmt);
    vsnprintf(t->why, sizeof t->why, fmt, args);
    va_end(args);
    return false;
}

bool
trees_begin(struct trees *t, double features, double outputs)
{
    if (!(features >= 1 && features <= (double)IR_MAX_CELLS))
        return trees_fail(t, "a model of %g features", features);
    if (!(outputs >= 0 && outputs <= (double)IR_FOREST_OUTPUTS))
        return trees_fail(t, "a model of %g outputs, there are at most %d",
                          outputs, IR_FOREST_OUTPUTS);
    t->features = (uint32_t)features;
    t->scalar = outputs < 1;
    t->outputs = t->scalar ? 1 : (uint32_t)outputs;
    return true;
}

/* ---- arrays that grow */

static void *
grown(struct trees *t, void *old, size_t n, size_t *room, size_t size)
{
    void *more;

    if (n < *room)
        return old;
    *room = *room ? 2 * *room : 64;
    more = arena_alloc(t->mem, *room, size);
    if (n)
        memcpy(more, old, n * size);
    return more;
}

static bool
new_root(struct trees *t, int64_t child)
{
    if (t->roots == TREES_MAX_TREES)
        return trees_fail(t, "more than %d trees", TREES_MAX_TREES);
    t->root = grown(t, t->root, t->roots, &t->root_room, sizeof *t->root);
    t->root[t->roots++] = child;
    return true;
}

/* a leaf of zeros as a child */
static bool
new_leaf(struct trees *t, int64_t *child)
{
    if (t->leaves >= TREES_MAX_LEAVES / t->outputs)
        return trees_fail(t, "the leaves hold more than 2^22 numbers");
    t->leaf = grown(t, t->leaf, t->leaves, &t->leaf_room,
                    t->outputs * sizeof *t->leaf);
    memset(t->leaf + t->leaves * t->outputs, 0, t->outputs * sizeof *t->leaf);
    *child = -1 - (int64_t)t->leaves++;
    return true;
}

static double *
leaf(struct trees *t, int64_t child)
{
    return t->leaf + (size_t)(-1 - child) * t->outputs;
}

/* ---- one tree */

struct adding {
    struct trees *t;
    const struct trees_node *node;
    size_t n;
    bool *seen;
    uint32_t k;
    double weight;
};

static bool
add_leaf(struct adding *a, const struct trees_node *from, int64_t *child)
{
    struct trees *t = a->t;
    bool finite = true;

    if (!new_leaf(t, child))
        return false;
    for (uint32_t k = 0; k < t->outputs; k++) {
        double *to = &leaf(t, *child)[k];

        if (from->values)
            *to = a->weight * from->values[k];
        else if (k == a->k)
            *to = a->weight * from->value;
        finite = finite && isfinite(*to);
    }
    return finite || trees_fail(t, "a leaf is not a finite number");
}

static bool
add_node(struct adding *a, int64_t i, unsigned depth, int64_t *child)
{
    struct trees *t = a->t;
    const struct trees_node *from = a->node + i;
    int64_t kid[2] = { 0, 0 };
    size_t own;

    if (i < 0 || (uint64_t)i >= a->n)
        return trees_fail(t, "a child is node %lld of %zu", (long long)i, a->n);
    if (a->seen[i])
        return trees_fail(t,
                          "node %lld of a tree has two parents, or is above "
                          "itself",
                          (long long)i);
    a->seen[i] = true;
    if (from->is_leaf)
        return add_leaf(a, from, child);
    if (depth == IR_FOREST_DEPTH)
        return trees_fail(t, "a tree is more than %d nodes deep",
                          IR_FOREST_DEPTH);
    if (from->feature >= t->features)
        return trees_fail(t, "a node compares feature %u of %u", from->feature,
                          t->features);
    if (!isfinite(from->at))
        return trees_fail(t, "a threshold is not a finite number");
    if (t->nodes == IR_FOREST_NODES)
        return trees_fail(t, "more than 2^20 nodes");
    t->node = grown(t, t->node, t->nodes, &t->node_room, sizeof *t->node);
    own = t->nodes++;
    if (!add_node(a, from->left, depth + 1, &kid[0])
        || !add_node(a, from->right, depth + 1, &kid[1]))
        return false;
    t->node[own][IR_FEATURE] = from->feature;
    t->node[own][IR_THRESHOLD] = from->at;
    t->node[own][IR_LEFT] = (double)kid[0];
    t->node[own][IR_RIGHT] = (double)kid[1];
    t->node[own][IR_MISSING] = from->missing_right;
    *child = (int64_t)own;
    return true;
}

bool
trees_add(struct trees *t, const struct trees_node *node, size_t n, uint32_t k,
          double weight)
{
    struct adding a = { t, node, n, arena_new(t->mem, bool, n + 1), k, weight };
    int64_t child = 0;

    if (k >= t->outputs)
        return trees_fail(t, "a tree of class %u of %u", k, t->outputs);
    return add_node(&a, 0, 0, &child) && new_root(t, child);
}

bool
trees_constant(struct trees *t, const double *value)
{
    const struct trees_node node = { .is_leaf = true, .values = value };

    return trees_add(t, &node, 1, 0, 1);
}

/* ---- thresholds */

double
trees_less_float(double t)
{
    return isfinite(t) ? ir_float_threshold((float)t) : t;
}

/* x > t: x is at least the next float */
double
trees_float_at_most(double t)
{
    const float f = (float)t;

    if (!isfinite(t) || !isfinite(f))
        return t;
    return ir_float_threshold((double)f > t ? f : nextafterf(f, INFINITY));
}

double
trees_at_most(double t)
{
    return nextafter(t, (double)INFINITY);
}
