/* Trees as products of packed bits, lang-spec/crypto.md (90): a prefix is a
 * list of GGSWs, from a root on, and all nodes that are reached through it add
 * to the same sparse polynomials.
 *
 *     S_P = Delta C_P + sum_r W_P,r T_r + sum_g GGSW(M_g) [x] S_P.g
 */
#ifndef CML_IR_SLOTS_H
#define CML_IR_SLOTS_H

#include "ir/ir.h"

/* The constants of a ggsw.products: nodes { what, where, left, right }; what 0:
 * a coefficient of a polynomial, 1: one of a ring ciphertext, between leaves.
 */
struct slots_forest {
    const union ir_cell *node, *leaf, *root;
    size_t nodes, leaves, trees, width;
};
struct slots_forest slots_forest_of(const struct ir_func *f,
                                    const struct ir_ins *ins);

/* weight X^exponent, 0 <= exponent < N, of ring ciphertext `ring` */
struct slots_term {
    uint32_t prefix, ring, exponent;
    int64_t weight; /* modulo 2^64, not 0 */
};

struct slots_prefix {
    uint32_t ggsw; /* the last of the list; not used in the root, prefix 0 */
    uint32_t up;   /* its parent */
    size_t mono, monos, constant, constants, child, children;
};

struct slots_trie {
    struct slots_prefix *prefix; /* children behind their parents */
    struct slots_term *mono, *constant;
    uint32_t *child; /* prefixes */
    size_t prefixes, monos, constants;
    uint32_t depth; /* GGSWs of the longest list */
};

/* Terms that are made before like ones are added: two a left turn. */
enum { SLOTS_MOST_TERMS = 1 << 20 };

/* False: there are more terms than that. */
bool slots_trie(struct slots_trie *out, struct arena *mem,
                const struct slots_forest *f);

#endif
