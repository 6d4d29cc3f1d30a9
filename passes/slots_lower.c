/* A forest whose thresholds are public becomes products of packed bits.
 *
 *     client    polynomials of bits, a level each    ggsw.encrypt
 *               bits of nodes between leaves         glwe.encrypt
 *     server    those to rings                       glwe.expand
 *               trees, summed                        ggsw.products
 */
#include "passes/slots.h"

enum { RING = 1 << IR_LOG2_LEVELED };

struct lowering {
    struct ir_func *g;
    struct arena *mem;
    struct span at;
    const struct slots_shape *p;
    ir_ref bits; /* [slots], then 0 and 1 */
};

/* [rows][N] of the bits, by index; rows 0: [N] */
static ir_ref
packed(struct lowering *l, size_t rows, const union ir_cell *index)
{
    union ir_attrs as = { .gather = { .index = pass_integers(
                                          l->g, IR_CONST, rows ? rows : RING,
                                          rows ? RING : 0, index) } };

    return ir_build(l->g, IR_gather, l->at, &l->bits, 1, &as);
}

static union ir_cell *
zeros(struct lowering *l, size_t n)
{
    union ir_cell *index = arena_new(l->mem, union ir_cell, n);

    for (size_t i = 0; i < n; i++)
        index[i].i = (int64_t)l->p->s->slots;
    return index;
}

/* (89): 1 + sum of bits at their places, of every GGSW */
static ir_ref
polynomials(struct lowering *l)
{
    const struct slots_shape *p = l->p;
    union ir_cell *index = zeros(l, (size_t)p->ggsws * RING);

    for (size_t g = 0; g < p->ggsws; g++)
        index[g * RING].i = (int64_t)p->s->slots + 1;
    for (uint32_t d = 0; d < p->levels; d++)
        for (uint32_t i = 0; i < p->s->slots; i++)
            if (p->level[d].number[i])
                index[slots_inner(&p->level[d], i)].i = i;
    return packed(l, p->ggsws, index);
}

/* Bit i of those between leaves is slot i of one ring ciphertext. */
static ir_ref
pairs(struct lowering *l, const struct slots_plan *plan)
{
    const struct slots_shape *p = l->p;
    union ir_cell *index = zeros(l, RING);
    union ir_attrs as = { .glwe_encrypt = { .log2_delta = 64 - plan->sums.bits
                                                          - p->steps } };
    union ir_attrs to = { .glwe_expand = { .log2_slots = p->log2_slots,
                                           .steps = p->steps } };
    ir_ref x;

    for (uint32_t i = 0; i < p->s->slots; i++)
        if (p->pair[i])
            index[(size_t)(p->pair[i] - 1) * (RING >> p->log2_slots)].i = i;
    x = packed(l, 0, index);
    x = ir_build(l->g, IR_glwe_encrypt, l->at, &x, 1, &as);
    if (p->steps == 0)
        return x;
    to.glwe_expand.keys = leveled_gadgets(l->mem, l->g, &plan->keys);
    return ir_build(l->g, IR_glwe_expand, l->at, &x, 1, &to);
}

ir_ref
slots_lower(struct arena *mem, struct ir_func *g, struct span at, ir_ref bits,
            const struct slots_shape *p, const struct slots_plan *plan)
{
    struct lowering l = { g, mem, at, p, bits };
    union ir_attrs as = { .ggsw_encrypt = { .levels = plan->gg.levels,
                                            .log2_base = plan->gg.log2_base,
                                            .keep_bits = plan->keep_bits } };
    const struct slots_forest f = slots_cells(mem, p, &plan->sums);
    union ir_attrs forest = { 0 };
    ir_ref in[2];

    in[1] = polynomials(&l);
    in[1] = ir_build(g, IR_ggsw_encrypt, at, &in[1], 1, &as);
    in[0] = pairs(&l, plan);
    forest.ggsw_products.nodes =
        pass_integers(l.g, IR_PARAM, f.nodes, 4, f.node);
    forest.ggsw_products.leaves =
        pass_integers(l.g, IR_PARAM, f.leaves, f.width, f.leaf);
    forest.ggsw_products.roots =
        pass_integers(l.g, IR_PARAM, f.trees, 0, f.root);
    return ir_build(g, IR_ggsw_products, at, in, 2, &forest);
}
