#include "passes/leveled_emit.h"

enum { RING = 1 << IR_LOG2_LEVELED };

/* ---- client */

void
leveled_send(struct leveled_emit *l, ir_ref bits)
{
    static const union ir_cell ends[2] = { { .i = 0 }, { .i = 1 } };
    ir_ref in[2] = { bits };

    in[1] = pass_matrix(l->g, l->at, IR_CONST, 2, 0, ends);
    l->bits = ir_build(l->g, IR_concat, l->at, in, 2, NULL);
}

ir_ref
leveled_placed(struct leveled_emit *l, size_t rings, const uint32_t *place,
               const bool *sent)
{
    union ir_cell *index = arena_new(l->mem, union ir_cell, rings * RING);

    for (size_t i = 0; i < rings * RING; i++)
        index[i].i = (int64_t)l->s->slots;
    for (size_t i = 0; i < l->s->slots; i++)
        if (sent[i])
            index[place[i]].i = (int64_t)i;
    return pass_gathered(l->g, l->at, l->bits, rings * RING, index);
}

ir_ref
leveled_encrypted(struct leveled_emit *l, ir_ref bits, uint32_t log2_delta)
{
    union ir_attrs as = { .glwe_encrypt = { .log2_delta = log2_delta } };

    return ir_build(l->g, IR_glwe_encrypt, l->at, &bits, 1, &as);
}

/* ---- server */

static uint32_t
reversed(uint32_t x, uint32_t bits)
{
    uint32_t y = 0;

    for (uint32_t i = 0; i < bits; i++)
        y |= (x >> i & 1) << (bits - 1 - i);
    return y;
}

void
leveled_number(struct leveled_emit *l)
{
    const uint32_t m = l->p->keys.steps, stride = RING >> m;
    uint32_t *at = arena_new(l->mem, uint32_t, l->packs << m);
    union ir_cell *slot = arena_new(l->mem, union ir_cell, l->packs << m);

    for (size_t i = 0; i < l->s->slots; i++)
        if (l->s->inner[i])
            at[(size_t)(l->place[i] / RING) << m
               | reversed(l->place[i] % RING / stride, m)] = (uint32_t)i + 1;
    for (size_t k = 0; k < l->packs << m; k++)
        if (at[k]) {
            const uint32_t i = at[k] - 1;

            l->number[i] = (uint32_t)l->wanted;
            slot[l->wanted++].i = (int64_t)(l->place[i] / RING) << m
                                  | l->place[i] % RING / stride;
        }
    l->slots = pass_integers(l->g, IR_PARAM, l->wanted, 0, slot);
}

const char *
leveled_gadgets(struct arena *mem, struct ir_func *g,
                const struct leveled_keys *k)
{
    union ir_cell *cell = arena_new(mem, union ir_cell, 2 * (size_t)k->steps);

    for (size_t q = 0; q < k->steps; q++) {
        cell[2 * q].i = k->step[q].levels;
        cell[2 * q + 1].i = k->step[q].log2_base;
    }
    return pass_integers(g, IR_CONST, k->steps, 2, cell);
}

ir_ref
leveled_expansion(struct leveled_emit *l, const bool *expanded)
{
    const struct leveled_plan *p = l->p;
    const ir_ref bits = leveled_placed(l, l->packs, l->place, expanded);
    union ir_attrs as = { .glwe_to_ggsw = {
                              .slots = l->slots,
                              .log2_slots = p->keys.steps,
                              .log2_base = p->gg.log2_base,
                              .keys = leveled_gadgets(l->mem, l->g, &p->keys),
                              .switch_levels = p->keys.ss.levels,
                              .switch_log2_base = p->keys.ss.log2_base,
                          } };
    ir_ref *level = arena_new(l->mem, ir_ref, p->gg.levels);

    for (uint32_t j = 0; j < p->gg.levels; j++)
        level[j] = leveled_encrypted(
            l, bits, 64 - p->keys.steps - p->gg.log2_base * (j + 1));
    return ir_build(l->g, IR_glwe_to_ggsw, l->at, level, p->gg.levels, &as);
}

/* ---- client again */

/* sum of radix^d digit_d, plus what the leaves have lost */
static ir_ref
scores(struct leveled_emit *l, ir_ref x, const struct ir_type *type)
{
    const struct leveled_sums *p = l->sums;
    const uint32_t dim[2] = { (uint32_t)l->s->outputs, p->digits };
    const struct ir_type matrix = ir_type_of(IR_INT, 2, dim);
    const struct ir_type own = ir_type_of(IR_INT, type->rank, type->dim);
    union ir_cell *power = arena_new(l->mem, union ir_cell, p->digits);
    union ir_cell *offset = arena_new(l->mem, union ir_cell, dim[0]);

    for (uint32_t d = 0; d < p->digits; d++)
        power[d].i = d ? power[d - 1].i * p->radix : 1;
    for (uint32_t k = 0; k < dim[0]; k++)
        offset[k].i = l->s->offset[k];
    x = ir_build_typed(l->g, IR_reshape, l->at, &x, 1, NULL, &matrix);
    x = ir_build2(l->g, IR_matmul, l->at, x,
                  pass_matrix(l->g, l->at, IR_CONST, p->digits, 0, power));
    x = ir_build2(l->g, IR_add, l->at, x,
                  pass_matrix(l->g, l->at, IR_CONST, dim[0], 0, offset));
    return ir_build_typed(l->g, IR_reshape, l->at, &x, 1, NULL, &own);
}

ir_ref
leveled_answered(struct leveled_emit *l, ir_ref x, const struct ir_type *type)
{
    union ir_attrs reply = { .glwe_answer = { .log2_flood = -1,
                                              .word_bits = 64 } };
    union ir_attrs as = { .glwe_decrypt = { .lo = 0, .hi = l->sums->most } };

    x = ir_build(l->g, IR_glwe_answer, l->at, &x, 1, &reply);
    x = ir_build(l->g, IR_glwe_decrypt, l->at, &x, 1, &as);
    return scores(l, x, type);
}
