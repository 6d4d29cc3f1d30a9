/* Forests whose thresholds are public: products of packed bits,
 * lang-spec/crypto.md 18.
 *
 * The client sends, for the nodes of each level of the trees, polynomials with
 * the bits [x_f >= c] of that level, as GGSWs, and the bits of nodes between
 * leaves in one ring ciphertext, which the server expands to rings of n3 bits.
 */
#ifndef CML_PASSES_SLOTS_H
#define CML_PASSES_SLOTS_H

#include "ir/slots.h"
#include "passes/leveled.h"

/* slots_shape.c: bits by level, and where they are packed */
struct slots_level {
    uint32_t bits;    /* thresholds that nodes of this level have */
    uint32_t *number; /* of a slot of the shape among them, plus one; 0: none */
    uint32_t radix, sigma, first; /* (89), and its first GGSW */
};
struct slots_shape {
    const struct leveled_shape *s;
    struct slots_level level[IR_LEVELED_DEPTH];
    uint32_t levels;
    uint32_t *pair, pairs; /* likewise, of nodes between leaves */
    uint32_t ggsws, log2_slots, steps;
};
/* everything but the places */
void slots_shape(struct slots_shape *p, struct arena *mem,
                 const struct leveled_shape *s);
/* Radices of the fewest GGSWs for `width` coefficients an answer, 2^log2_n3
 * bits a ring; false if there is no room. */
bool slots_pack(struct slots_shape *p, uint32_t width, uint32_t log2_n3);
/* The polynomial and the coefficient of a bit of a level; the ring and the
 * coefficient of one between leaves, expanded: N ggsw + coefficient. */
uint32_t slots_inner(const struct slots_level *l, uint32_t slot);
uint32_t slots_pair(const struct slots_shape *p, uint32_t slot);
/* The constants of its ggsw.products. */
struct slots_forest slots_cells(struct arena *mem, const struct slots_shape *p,
                                const struct leveled_sums *sums);

/* slots_noise.c: what a plan's variance is made of, (93) to (95) */
struct slots_weights {
    double products; /* sum of what multiplies the error of a product */
    double ones;     /* likewise, each times the ones of its GGSW */
    double pairs;    /* likewise, of the expanded bits */
};
struct slots_weights slots_weights(struct arena *mem,
                                   const struct slots_forest *f,
                                   const struct slots_trie *t, size_t ggsws);
double slots_v_row(double sigma2, uint32_t keep_bits);
double slots_v_product(struct model_gadget g, double v_row, double ones);
double slots_v_forest(const struct slots_weights *w, struct model_gadget g,
                      double v_row, double v_pair);
/* the variance of an op of section 18, to *lo and *hi; false: it is another */
bool slots_variance(struct arena *mem, const struct ir_func *f,
                    const struct ir_ins *ins, double sigma2, double *lo,
                    double *hi);

/* slots_plan.c */
struct slots_plan {
    struct leveled_keys keys; /* of the expansion */
    struct model_gadget gg;
    uint32_t keep_bits, log2_n3;
    struct leveled_sums sums;
    double ms, cost;
};
/* The cheapest; false if there is none of a cost below `most`.  p: of the
 * shape, packed at the end as the plan wants it. */
bool slots_plan(struct slots_plan *out, struct arena *mem,
                const struct ir_func *f, struct slots_shape *p, double most);
double slots_ms(const struct ir_func *f, const struct ir_ins *ins);

/* slots_lower.c: the sums of all trees.  bits: [slots] of the shape, then 0 and
 * 1. */
ir_ref slots_lower(struct arena *mem, struct ir_func *g, struct span at,
                   ir_ref bits, const struct slots_shape *p,
                   const struct slots_plan *plan);

#endif
