/* Decision trees from files of other libraries.
 *
 * A reader takes any bytes and gives trees that the IR takes (ir/forest.h), or
 * one line that says what is wrong.  All compare as `x >= threshold goes
 * right`: thresholds are moved to the double that makes this the library's own
 * comparison for every double x.
 */
#ifndef CML_FRONTEND_TREES_H
#define CML_FRONTEND_TREES_H

#include "ir/forest.h"

enum {
    TREES_MAX_TREES = 1 << 16,
    TREES_MAX_LEAVES = 1 << 22, /* numbers in them */
    TREES_MAX_VALUES = 1 << 22, /* of a JSON document */
};

struct trees {
    struct arena *mem;
    char why[200]; /* after a mistake */
    uint32_t features, outputs;
    bool scalar; /* one output, and no axis */
    size_t nodes, leaves, roots;
    size_t node_room, leaf_room, root_room;
    double (*node)[IR_NODE_FIELDS];
    double *leaf; /* `outputs` each */
    int64_t *root;
};

/* A node as files have it. */
struct trees_node {
    bool is_leaf, missing_right;
    uint32_t feature;
    double at;
    int64_t left, right;  /* of the array of nodes */
    const double *values; /* of a leaf: all outputs; NULL: */
    double value;         /* of one output */
};

bool trees_fail(struct trees *t, const char *fmt, ...) CML_PRINTF(2, 3);
/* before the first tree; 0 outputs: a number */
bool trees_begin(struct trees *t, double features, double outputs);
/* the tree of node 0; leaves times weight, into output k */
bool trees_add(struct trees *t, const struct trees_node *node, size_t n,
               uint32_t k, double weight);
/* one value an output, whatever x is */
bool trees_constant(struct trees *t, const double *value);

/* x < t of floats, x <= t with a float x, x <= t of doubles */
double trees_less_float(double t);
double trees_float_at_most(double t);
double trees_at_most(double t);

/* false after a mistake, which is in t->why */
bool trees_xgboost(struct trees *t, const char *text, size_t n);
bool trees_lightgbm(struct trees *t, const char *text, size_t n);
bool trees_sklearn(struct trees *t, const char *text, size_t n);

/* ---- trees_json.c */
struct json;
/* JSON or UBJSON; NULL after a mistake */
const struct json *trees_document(struct trees *t, const char *text, size_t n);
/* the list of numbers, or truths, of a member; *n: how many it has to have, or
 * SIZE_MAX, and then how many it has */
const double *trees_numbers(struct trees *t, const struct json *j,
                            const char *key, size_t *n);

#endif
