/* Random forests, plainly evaluated, and what a compiler makes of them for the
 * two leveled pipelines: records of the ABI and messages of the client. */
#ifndef CML_TESTS_GROVE_H
#define CML_TESTS_GROVE_H

#include "runtime/abi.h"
#include "runtime/inner.h"

enum { GROVE_FEATURES = 57, GROVE_BITS = 6, GROVE_POINTS = 63 };

/* x[feature] >= point ? right : left; a child < 0 is leaf -child - 1 */
struct grove_node {
    int64_t feature, point, left, right;
};

struct grove {
    int64_t trees, nodes, leaves, coefs;
    int64_t log2_delta;
    struct grove_node *node;
    int64_t *root;
    int64_t *leaf; /* [leaves][coefs] */
};

/* Trees of so many levels, some ending early; every digit of a leaf below
 * 2^leaf_bits. */
struct grove_kind {
    int64_t trees, depth, coefs, leaf_bits, out_bits;
    double early;  /* probability that a node below the second is a leaf */
    int64_t nodes; /* of a tree, 0: any */
};
void grove_grow(struct grove *g, const struct grove_kind *k, uint64_t seed);
void grove_free(struct grove *g);

/* sums of leaves of the trees, coefs numbers */
void grove_clear(const struct grove *g, int64_t *sum, const int64_t *x);
/* features of a row; worst: all bits of all thermometers 1 */
void grove_row(int64_t *x, uint64_t seed, bool worst);

/* ---- either pipeline: steps over a row */
struct grove_gadget {
    uint32_t levels, log2_base;
};

struct grove_plan {
    struct cmlrt_set set; /* with its leveled keys */
    struct grove_gadget gg;
    bool direct;                 /* pipeline D */
    size_t glwes, ggsws, groups; /* of the input, and the values */
    /* X */
    struct cmlrt_expand expand;
    struct cmlrt_load_glwe thermometer;
    struct cmlrt_forest forest;
    /* D */
    struct cmlrt_load_ggsw load;
    struct cmlrt_spread spread;
    struct cmlrt_products products;
    unsigned keep;
    /* of each message: which feature and point, where */
    struct grove_bit *bit;
    size_t bits;
    int64_t *made[5]; /* arrays of the records */
};

struct grove_bit {
    int64_t feature, point; /* feature < 0: always 1 */
    size_t glwe, at;        /* X: of the first level; D: GGSW or T */
    bool leaf;
};

/* Digits of keys: base b from b0 at the first step to b1 at the last. */
struct grove_options {
    unsigned b0, b1;
    struct grove_gadget gs, gg;
    unsigned log2_n;
    int t_glwe;
    int64_t n3; /* D: slots of a group */
    unsigned keep;
    int64_t groups; /* of the sum */
};
void grove_expand(struct grove_plan *p, const struct grove *g,
                  const struct grove_options *o);
void grove_direct(struct grove_plan *p, const struct grove *g,
                  const struct grove_options *o);
void grove_plan_free(struct grove_plan *p);

/* The row's words: encrypted with s, or phases if s is NULL. */
void grove_encrypt(uint64_t *words, const struct grove_plan *p,
                   const struct cmlrt_secret *s, const uint8_t *seed,
                   uint64_t first, const int64_t *x);

/* Values of a row. */
struct grove_values {
    uint64_t *ggsw, *glwe, *part, *sum;
};
void grove_values_new(struct grove_values *v, const struct grove_plan *p,
                      bool plain);
void grove_values_free(struct grove_values *v);

/* The circuit; items of each step are cut in `cuts` ranges, of an expansion to
 * rings in fewer, as each makes the way to its first item; run by pool or in
 * one environment. */
void grove_run(struct grove_values *v, const struct grove_plan *p,
               struct cmlrt_env *env, struct cmlrt_pool *pool,
               const uint64_t *words, int64_t cuts);

#endif
