/* Forests: decision trees as three blobs; lang-spec/ir.md, "Forests".
 *
 * nodes [n,5], a row a node:
 *
 *     feature   threshold   left   right   missing_right
 *
 * A node goes right iff x[feature] >= threshold; a NaN goes right iff
 * missing_right.  A child c >= 0 is the node c, of a higher index than its
 * parent, so there are no cycles; c < 0 is the leaf -c - 1.  Every node has one
 * parent or is one root: a forest, not a graph, so that walks are linear.
 */
#ifndef CML_IR_FOREST_H
#define CML_IR_FOREST_H

#include "ir/ir.h"

enum ir_forest_field {
    IR_FEATURE,
    IR_THRESHOLD,
    IR_LEFT,
    IR_RIGHT,
    IR_MISSING,
    IR_NODE_FIELDS
};

enum {
    IR_FOREST_DEPTH = 63, /* nodes on a path */
    IR_FOREST_NODES = 1 << 20,
    IR_FOREST_OUTPUTS = 1024,
};

struct ir_forest {
    const struct ir_blob *nodes, *leaves, *roots;
    size_t n, trees, outputs;
};

/* One node, its threshold as a cell of the base of the blob. */
struct ir_node {
    size_t feature;
    union ir_cell threshold;
    int64_t child[2]; /* left, right */
    bool missing_right;
};

/* The forest of an op, for values of type x: NULL, or what is wrong as a
 * phrase. */
const char *ir_forest_open(struct arena *mem, const struct ir_func *f,
                           const union ir_attrs *as, const struct ir_type *x,
                           struct ir_forest *t);
/* the same of an op that infer has seen */
struct ir_forest ir_forest_of(const struct ir_func *f,
                              const struct ir_ins *ins);
struct ir_node ir_forest_node(const struct ir_forest *t, size_t i);
int64_t ir_forest_root(const struct ir_forest *t, size_t tree);
/* the values of leaf `child` < 0, one an output */
const union ir_cell *ir_forest_leaf(const struct ir_forest *t, int64_t child);

/* The leaf that the values x reach in a tree. */
int64_t ir_forest_walk(const struct ir_forest *t, size_t tree,
                       const union ir_cell *x);

/* What the client of a circuit that selects learns of its forests beside the
 * answers, as a phrase; NULL if it has none. */
const char *ir_forest_learned(const struct ir_func *f);

/* The least double whose nearest float is at least t: x >= it iff the float of
 * x is >= t. */
double ir_float_threshold(float t);

/* The least and the largest sum of every output over the leaves that integers
 * of x.ilo .. x.ihi reach; all leaves if x has no such range or is real.  Of
 * integer leaves; false if a bound needs more than 62 bits. */
bool ir_forest_bounds(struct arena *mem, const struct ir_forest *t,
                      const struct ir_type *x, int64_t *lo, int64_t *hi);

#endif
