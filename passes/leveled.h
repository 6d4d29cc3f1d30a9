/* Selections without bootstraps: forests on inputs of the client,
 * lang-spec/crypto.md 17.
 *
 * The client sends bits [x_f >= c] in slots of ring ciphertexts.  The server
 * expands each slot to a GGSW, which selects between subtrees; a node with two
 * leaves takes its bit as it came.  Leaves are digits in coefficients of their
 * own, so that each sum has few bits.
 */
#ifndef CML_PASSES_LEVELED_H
#define CML_PASSES_LEVELED_H

#include "ir/expansion.h"
#include "passes/inner.h"
#include "passes/model.h"

enum {
    LEVELED_DIGITS = 4, /* sums a score that the client may see */
    LEVELED_STRIDES = 7,
};

/* bits of the first automorphism gadget */
#define LEVELED_FIRST 46.0

/* leveled_noise.c: gadgets, and what they add to the variance */
struct leveled_keys {
    uint32_t steps; /* of an expansion: log2 of the slots; 0: there is none */
    struct model_gadget step[IR_LOG2_LEVELED]; /* of automorphisms */
    struct model_gadget ss;                    /* the key of s^2 */
};
struct model_ring leveled_ring(void);
/* bases from first to last, and as many levels as hide their rounding */
void leveled_grade(struct leveled_keys *k, uint32_t first, uint32_t last);
double leveled_v_auto(struct model_gadget g, double sigma2);
double leveled_v_body(const struct leveled_keys *k, double sigma2);
/* of a coefficient after all steps, not of the mean one */
double leveled_v_expand(const struct leveled_keys *k, double sigma2);
double leveled_v_mask(const struct leveled_keys *k, double v_body,
                      double sigma2);
/* of a product by a GGSW, of bit 1 */
double leveled_v_cmux(const struct leveled_keys *k, struct model_gadget g,
                      double v_body, double v_mask);
struct leveled_keys leveled_keys_of(struct ir_expansion x);
/* of a glwe.to_ggsw */
struct model_gadget leveled_gadget_of(const struct ir_ins *ins);
/* the variance of a ggsw.lut whose selectors have types with variances */
double leveled_v_lut(const struct ir_func *f, const struct ir_ins *ins);
/* the variance of a ggsw.forest whose selectors have types with variances */
double leveled_v_forest(struct arena *mem, const struct ir_func *f,
                        const struct ir_ins *ins, double sigma2);

/* leveled_shape.c: what a forest of integers asks for */
struct leveled_node {
    uint32_t slot;
    bool pair;        /* both children are leaves */
    int64_t child[2]; /* a node behind this one, or ~leaf */
};
struct leveled_shape {
    /* slot s is the bit x[feature[s]] >= at[s]; all integers of the features
     * in use or, if thresholds are public, those of the forest */
    size_t slots;
    const uint32_t *feature;
    const int64_t *at;
    const bool *inner, *pair; /* its GGSW, or the bit as it is, is wanted */
    bool open;                /* thresholds are public */
    struct leveled_node *node;
    size_t nodes, leaves, trees, outputs;
    int64_t *root;
    size_t *first_leaf; /* [trees + 1] */
    int64_t *leaf;      /* [leaves][outputs], from 0 on in each tree */
    int64_t *offset;    /* [outputs]: what the leaves have lost */
    int64_t most;       /* the largest leaf */
    double chain;       /* (87) */
    /* products, if a leaf has up to 2^i coefficients */
    double products[LEVELED_STRIDES];
};
/* The leaves are weights [n][outputs of the op] times its own, plus constants.
 */
bool leveled_shape(struct leveled_shape *out, struct pass_ctx *cx,
                   const struct ir_func *f, const struct ir_ins *forest,
                   const int64_t *weights, const int64_t *constants, size_t n);
/* (87): products in series that the sum of all trees has at worst, of each tree
 * its longest path; equal subtrees add in amplitude. */
double leveled_chain(struct arena *mem, const struct leveled_node *node,
                     size_t nodes, const int64_t *root, size_t trees,
                     const int64_t *leaf, size_t width);

/* leveled_plan.c: the cheapest way to do it */
struct leveled_sums {
    uint32_t digits; /* a score; 0: there are none */
    int64_t radix;
    int64_t most;  /* the largest sum of a digit */
    uint32_t bits; /* of that sum */
    double log2_pfail;
    double limit; /* variance of a sum that (91) leaves to the forest */
};
/* by digits; returns the variance of fresh rows */
double leveled_sums(struct leveled_sums sums[LEVELED_DIGITS + 1],
                    const struct ir_func *f, const struct leveled_shape *s);
/* [leaves][outputs digits], lowest digits first */
union ir_cell *leveled_digits(struct arena *mem, const struct leveled_shape *s,
                              const struct leveled_sums *sums);
struct leveled_plan {
    struct leveled_keys keys;
    struct model_gadget gg;
    struct leveled_sums sums;
    /* bits between leaves: steps that make room for a leaf, 0: they come so */
    uint32_t spread;
    double ms, cost; /* cost: us of a row, as in leveled_plan.c */
};
/* keys: NULL, or those that another forest has.  False: there is none. */
bool leveled_search(struct leveled_plan *out, struct arena *mem,
                    const struct ir_func *f, const struct leveled_shape *shape,
                    const struct leveled_keys *keys);
/* The sums of a further table that is read by the GGSWs of plan *p; what it
 * costs beside them.  False: they are too noisy. */
bool leveled_again(struct leveled_plan *p, const struct ir_func *f,
                   const struct leveled_shape *shape);
/* As leveled_search; false after a message. */
bool leveled_plan(struct leveled_plan *out, struct pass_ctx *cx,
                  const struct ir_func *f, const struct ir_ins *forest,
                  const struct leveled_shape *shape,
                  const struct leveled_keys *keys);
/* of the first steps only */
struct leveled_keys leveled_first(struct leveled_keys k, uint32_t steps);
/* bits between leaves that a ring ciphertext has when it is sent */
uint32_t leveled_bits_a_ring(const struct leveled_plan *p, uint32_t width);
/* of a ggsw.lut: between rings, but for halves that are alike, and within */
double leveled_table_products(const union ir_cell *table, uint32_t bits,
                              size_t width);
/* ms of one core, by the op */
double leveled_ms(const struct ir_func *f, const struct ir_ins *ins);
/* microseconds of one core */
#define LEVELED_US_TERM 0.5 /* weight X^exponent times a ciphertext */
double leveled_us_keyswitch(uint32_t levels);
double leveled_us_product(uint32_t levels);
double leveled_us_spread(const struct leveled_keys *k); /* of all slots */

/* leveled_lower.c: the gadgets as a constant [steps][2]; its name */
const char *leveled_gadgets(struct arena *mem, struct ir_func *g,
                            const struct leveled_keys *k);
/* What is decrypted is linear in the results of a forest.  The
 * integers, in g; map: of values of f.  {0} after a message. */
struct affine;
ir_ref leveled_lower(struct pass_ctx *cx, const struct ir_func *f,
                     const struct affine *a, const struct ir_ins *decrypt,
                     struct ir_func *g, const ir_ref *map);

#endif
