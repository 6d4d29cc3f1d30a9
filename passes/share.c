/* Tables of one ciphertext by one bootstrap, lang-spec/crypto.md (39).
 *
 *     lwe.pbs x {t}, lwe.pbs x {u}   =>   lwe.pbs_many x {t, u}, two gathers
 *
 * The results have one delta, the least; those that had a larger one have
 * entries that are so much larger, and get it back by name.
 */
#include "passes/share.h"

#include <string.h>

enum { MOST = 8, MAX_BITS = 16 };

struct group {
    uint32_t member[MOST]; /* ops of f */
    uint32_t n, rows;
    unsigned log2_delta;
};

static bool
can_share(const struct ir_func *f, uint32_t i, uint32_t j)
{
    const struct ir_ins *a = &f->ins[i], *b = &f->ins[j];

    return a->op == IR_lwe_pbs && b->op == IR_lwe_pbs
           && a->in[0].id == b->in[0].id
           && a->as.lwe_pbs.bits == b->as.lwe_pbs.bits
           && a->as.lwe_pbs.offset == b->as.lwe_pbs.offset
           && !a->as.lwe_pbs.approx && !b->as.lwe_pbs.approx
           && a->type.rank < IR_MAX_RANK;
}

static struct group
gather_group(const struct ir_func *f, uint32_t i, const bool *done)
{
    struct group g = { .log2_delta = 63 };

    for (uint32_t j = i; j < f->n && g.n < MOST; j++) {
        const struct ir_ins *ins = &f->ins[j];
        const uint32_t rows =
            ins->op == IR_lwe_pbs
                ? ir_data(f, ins->as.lwe_pbs.table)->type.dim[0]
                : 0;

        if (done[j] || !can_share(f, i, j))
            continue;
        g.member[g.n++] = j;
        g.rows = rows > g.rows ? rows : g.rows;
        if (ins->type.log2_delta < g.log2_delta)
            g.log2_delta = ins->type.log2_delta;
    }
    return g;
}

/* The rows of all tables; one with fewer rows has them in turn. */
static const char *
tables(struct arena *mem, struct ir_func *to, const struct ir_func *f,
       const struct group *g, unsigned bits)
{
    const uint32_t dim[2] = { g->n * g->rows, 1u << bits };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_cell *cell = arena_new(mem, union ir_cell, ir_count(&t));

    for (uint32_t m = 0; m < g->n; m++) {
        const struct ir_ins *ins = &f->ins[g->member[m]];
        const struct ir_blob *b = ir_data(f, ins->as.lwe_pbs.table);
        const unsigned up = ins->type.log2_delta - g->log2_delta;

        for (uint32_t r = 0; r < g->rows; r++)
            for (uint32_t x = 0; x < dim[1]; x++)
                cell[(m * g->rows + r) * dim[1] + x].w =
                    b->cell[r % b->type.dim[0] * dim[1] + x].w << up;
    }
    return ir_blob_add(to, NULL, IR_PARAM, &t, cell)->name;
}

/* Output m of `many`, as the op that it replaces had it. */
static ir_ref
output(struct arena *mem, struct ir_func *to, const struct ir_ins *ins,
       ir_ref many, uint32_t m)
{
    struct ir_type t = ir_type_of(IR_INT, ins->type.rank, ins->type.dim);
    const size_t n = ir_count(&t);
    union ir_cell *cell = arena_new(mem, union ir_cell, n);
    union ir_attrs as = { 0 };
    ir_ref v;

    for (size_t e = 0; e < n; e++)
        cell[e].i = (int64_t)(m * n + e);
    as.lwe_gather.index = ir_blob_add(to, NULL, IR_CONST, &t, cell)->name;
    v = ir_build(to, IR_lwe_gather, ins->at, &many, 1, &as);
    if (ir_at(to, v)->type.log2_delta == ins->type.log2_delta)
        return v;
    for (size_t e = 0; e < n; e++)
        cell[e].i = 1;
    as.lwe_mul_clear.data = ir_blob_add(to, NULL, IR_CONST, &t, cell)->name;
    return ir_build_typed(to, IR_lwe_mul_clear, ins->at, &v, 1, &as,
                          &ins->type);
}

static void
share(struct arena *mem, struct ir_func *to, const struct ir_func *f,
      const struct group *g, ir_ref *map)
{
    const struct ir_ins *first = &f->ins[g->member[0]];
    const unsigned bits = first->as.lwe_pbs.bits;
    const union ir_attrs as = { .lwe_pbs_many = {
                                    .table = tables(mem, to, f, g, bits),
                                    .offset = first->as.lwe_pbs.offset,
                                    .bits = bits,
                                    .log2_delta = g->log2_delta,
                                    .outputs = g->n } };
    const ir_ref many =
        ir_build(to, IR_lwe_pbs_many, first->at, &map[first->in[0].id], 1, &as);

    to->ins[many.id].from = first->from;
    for (uint32_t m = 0; m < g->n; m++) {
        const struct ir_ins *ins = &f->ins[g->member[m]];
        uint32_t made = to->n;

        map[g->member[m]] = output(mem, to, ins, many, m);
        while (made < to->n)
            to->ins[made++].from = ins->from;
    }
}

struct ir_func *
share_bootstraps(struct pass_ctx *cx, const struct ir_func *f)
{
    struct ir_func *to = ir_func_like(cx->scratch, f);
    struct pass_ctx inner = { cx->out, cx->scratch, cx->diag, 0, 0 };
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    bool *done = arena_new(cx->scratch, bool, f->n), any = false;

    for (uint32_t i = 0; i < f->n; i++) {
        struct group g;

        if (done[i])
            continue;
        g = gather_group(f, i, done);
        if (g.n > 1
            && f->ins[i].as.lwe_pbs.bits + ir_bits(1, g.n) <= MAX_BITS) {
            share(cx->scratch, to, f, &g, map);
            for (uint32_t m = 0; m < g.n; m++)
                done[g.member[m]] = any = true;
            continue;
        }
        map[i] = ir_copy(to, &f->ins[i], map);
    }
    return any ? pass_dce(&inner, to) : NULL;
}
