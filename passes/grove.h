/* A forest while it is changed: trees of nodes instead of rows of numbers. */
#ifndef CML_PASSES_GROVE_H
#define CML_PASSES_GROVE_H

#include "ir/forest.h"

struct grove_node {
    struct grove_node *kid[2]; /* left, right; both NULL: a leaf */
    uint32_t feature;
    bool missing_right;
    double at;     /* right iff x[feature] >= at; integers are exact */
    double *real;  /* of a leaf, one an output; */
    int64_t *leaf; /* the same as integers, when they are known */
};

struct grove {
    struct arena *mem;
    size_t trees, outputs;
    uint32_t features;
    bool scalar; /* leaves are numbers, not rows of them */
    struct grove_node **root;
    bool overflow; /* a sum of leaves left 62 bits */
};

struct grove grove_read(struct arena *mem, const struct ir_forest *t,
                        uint32_t features);
/* f on every node that compares */
void grove_each(const struct grove *g,
                void (*f)(struct grove_node *n, void *arg), void *arg);
/* the same on leaves */
void grove_leaves(const struct grove *g,
                  void (*f)(struct grove_node *n, void *arg), void *arg);

/* Cuts branches that no x with x[f] >= from and x[f] < to reaches, and nodes
 * whose children are equal. */
void grove_prune(struct grove *g, double from, double to);

/* Of integer leaves: trees of equal splits become one, whose leaves are the
 * sums, until there are no more; the least value of every tree is taken out.
 * total[] receives these minima and the trees that are one leaf. */
void grove_join(struct grove *g, double from, double to, int64_t *total);

/* As blobs of g, all params: nodes of integers, leaves, roots.  A grove without
 * trees gets one of a node with two equal leaves. */
union ir_attrs grove_write(const struct grove *g, struct ir_func *f);

#endif
