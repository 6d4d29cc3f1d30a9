/* What forests and tables of bits have in common when they are lowered: bits in
 * slots, their GGSWs, and an answer in digits.
 */
#ifndef CML_PASSES_LEVELED_EMIT_H
#define CML_PASSES_LEVELED_EMIT_H

#include "passes/leveled.h"

struct leveled_emit {
    struct ir_func *g;
    struct arena *mem;
    struct span at;
    const struct leveled_shape *s;
    const struct leveled_plan *p;
    const struct leveled_sums *sums;
    uint32_t width;    /* coefficients of a leaf */
    ir_ref bits;       /* [slots] of 0 and 1, then 0 and 1 */
    uint32_t *place;   /* of a slot among those that are expanded */
    uint32_t *ring;    /* its bit between leaves: N ring + coefficient */
    uint32_t *sent;    /* the same, before it was expanded */
    uint32_t *number;  /* of a slot's GGSW */
    const char *slots; /* of the GGSWs: a param */
    size_t packs, rings, wanted;
};

/* the client's bits, one a slot */
void leveled_send(struct leveled_emit *l, ir_ref bits);
/* rings whole ring ciphertexts; slot i goes to coefficient place[i] of all */
ir_ref leveled_placed(struct leveled_emit *l, size_t rings,
                      const uint32_t *place, const bool *sent);
ir_ref leveled_encrypted(struct leveled_emit *l, ir_ref bits,
                         uint32_t log2_delta);
/* GGSWs of the slots that are inner, at place[], in the order in which they are
 * made: by pack, then by the slot with its bits reversed. */
void leveled_number(struct leveled_emit *l);
/* those GGSWs */
ir_ref leveled_expansion(struct leveled_emit *l, const bool *expanded);
/* sums of digits to the integers that they make, of this type */
ir_ref leveled_answered(struct leveled_emit *l, ir_ref x,
                        const struct ir_type *type);

#endif
