/* What both searches visit: gadgets of a part, by cost, each with less noise
 * than the one before; and variances and costs with the options of a problem.
 */
#ifndef CML_PASSES_SEARCH_POINTS_H
#define CML_PASSES_SEARCH_POINTS_H

#include "passes/events.h"
#include "passes/search.h"

enum {
    /* a gadget leaves two bits of a word for its ties; kernels.def */
    GADGET_BITS = 62,
    KSK_BITS = 32, /* of a key modulo 2^32 */
};

/* margins closer than this are equal: libm does not decide */
#define SAME (1 - 1e-9)

struct point {
    struct model_gadget g;
    uint32_t low_bits; /* of a key in two limbs, (52), or 0 */
    double v;          /* of one product, or one input word of a keyswitch */
    double cost;       /* of a product, or of a row of a wide table */
};

struct points {
    struct point at[GADGET_BITS];
    size_t n;
};

/* x is no cheaper than what is there: it stays if it has less noise */
void points_add(struct points *to, const struct point *x);
/* of the keyswitch to dimension n */
void points_ks(struct points *to, const struct search_problem *p, uint32_t n);

/* Bound of the noise under the small key.  The words of a key modulo 2^32 must
 * have the noise that (3) asks for there: from n = 1355 on that is more. */
int search_t_small(const struct search_problem *p, double n);
double search_v_small(const struct search_problem *p, double n);
double search_v_ks_of(const struct search_problem *p, struct model_ring r,
                      double v1);
/* in nanoseconds, or units of (54) and (56) */
double search_cmux_cost(const struct search_problem *p, struct model_ring r,
                        uint32_t levels);
double search_ks_cost(const struct search_problem *p, double in, double out,
                      uint32_t levels);
/* of all tables */
double search_ks_cost_all(const struct search_problem *p,
                          const struct events *ev, struct model_ring r,
                          uint32_t n, uint32_t levels);
/* of sums of ciphertexts of so many words, and of what leaves a set of so large
 * a dimension */
double search_linear_cost(const struct search_problem *p, double words,
                          double dimension);

#endif
