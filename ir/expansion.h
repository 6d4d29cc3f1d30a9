/* Expansions of packed slots, lang-spec/crypto.md (81): what glwe.expand and
 * glwe.to_ggsw have in common, and the keys that those of a program share.
 */
#ifndef CML_IR_EXPANSION_H
#define CML_IR_EXPANSION_H

#include "ir/ir.h"

struct ir_expansion {
    uint32_t log2_slots, steps;  /* steps 0: there is none */
    const union ir_cell *gadget; /* [steps][2]: levels, log2 of the base */
    uint32_t switch_levels, switch_log2_base; /* of the key of S^2, or 0 */
};

/* of an op; steps 0: it expands nothing */
struct ir_expansion ir_expansion_of(const struct ir_func *f,
                                    const struct ir_ins *ins);
/* What all of a program take: the verifier sees to it that each has the first
 * steps of one list, of equally many slots. */
struct ir_expansion ir_expansion_keys(const struct ir_func *f);

#endif
