/* Orders the ops by level, so that those of one level, which are independent,
 * stand side by side: the backend makes each a parallel step.
 *
 *     what the client computes first; the circuit, level by level; the answers
 *     and what the client computes of them
 *
 * Ops of one rank keep their order: inputs, outputs and answers do so.
 */
#include "passes/inner.h"

#include <stdlib.h>

struct place {
    uint32_t rank, op;
};

static int
by_rank(const void *x, const void *y)
{
    const struct place *a = x, *b = y;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->op < b->op ? -1 : a->op > b->op;
}

/* 0 before encryption, UINT32_MAX from decryption on, else the level */
static uint32_t
rank_of(const struct ir_func *f, uint32_t i, const struct place *place)
{
    const struct ir_ins *ins = &f->ins[i];
    uint32_t most = 0;

    if (ins->op == IR_output || ins->op == IR_lwe_decrypt)
        return UINT32_MAX;
    for (size_t j = 0; j < ins->nin; j++)
        if (place[ins->in[j].id].rank > most)
            most = place[ins->in[j].id].rank;
    if (most == UINT32_MAX || !ir_ops[ins->op].cipher)
        return most;
    return most + 1;
}

struct ir_func *
pass_schedule(struct pass_ctx *cx, const struct ir_func *f)
{
    struct place *place = arena_new(cx->scratch, struct place, f->n);
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_like(cx->out, f);

    for (uint32_t i = 0; i < f->n; i++)
        place[i] = (struct place){ rank_of(f, i, place), i };
    if (f->n)
        qsort(place, f->n, sizeof *place, by_rank);
    for (uint32_t i = 0; i < f->n; i++)
        map[place[i].op] = ir_copy(g, &f->ins[place[i].op], map);
    return g;
}
