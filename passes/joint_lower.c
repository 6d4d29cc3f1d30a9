/* Answers as tables of bits, lang-spec/crypto.md 17.7:
 *
 *     client    number of the row = sum_e weight_e (x_e - lo_e), its bits
 *     server    bits to GGSWs                   glwe.to_ggsw
 *               the row of the table            ggsw.lut
 *     client    digits, their sum
 */
#include "passes/joint.h"

#include "passes/leveled_emit.h"

#include <string.h>

/* ---- work */

static bool
alike(const union ir_cell *row, size_t cells)
{
    return memcmp(row, row + cells, cells * sizeof *row) == 0;
}

/* between rings of 2^within rows */
static double
between(const union ir_cell *row, size_t width, uint32_t bits, uint32_t within)
{
    const size_t half = width << bits >> 1;
    double n;

    if (bits == within)
        return 0;
    n = between(row, width, bits - 1, within);
    return alike(row, half)
               ? n
               : n + 1 + between(row + half, width, bits - 1, within);
}

/* if a row has up to 2^log2_stride coefficients */
static double
products(const union ir_cell *table, uint32_t bits, size_t width,
         uint32_t log2_stride)
{
    const uint32_t room = IR_LOG2_LEVELED - log2_stride;
    const uint32_t within = bits < room ? bits : room;

    return within + between(table, width, bits, within);
}

double
leveled_table_products(const union ir_cell *table, uint32_t bits, size_t width)
{
    uint32_t log2_stride = 0;

    while ((size_t)1 << log2_stride < width)
        log2_stride++;
    return products(table, bits, width, log2_stride);
}

/* ---- the table as a tree that selects by all bits */

static void
least_of(int64_t *least, const struct joint *j)
{
    memcpy(least, j->value, j->width * sizeof *least);
    for (size_t i = 0; i < j->rows * j->width; i++)
        if (j->value[i] < least[i % j->width])
            least[i % j->width] = j->value[i];
}

static void
shape_of(struct leveled_shape *s, struct arena *mem, const struct joint *j)
{
    const size_t rows = (size_t)1 << j->bits;
    bool *inner = arena_new(mem, bool, j->bits + 1);
    union ir_cell *cell = arena_new(mem, union ir_cell, rows * j->width);

    *s = (struct leveled_shape){
        .slots = j->bits,
        .inner = inner,
        .pair = arena_new(mem, bool, j->bits + 1),
        .open = true,
        .leaves = rows,
        .trees = 1,
        .outputs = j->width,
        .first_leaf = arena_new(mem, size_t, 2),
        .leaf = arena_new(mem, int64_t, rows * j->width),
        .offset = arena_new(mem, int64_t, j->width),
        .chain = j->bits,
    };
    memset(inner, true, j->bits);
    s->first_leaf[1] = rows;
    least_of(s->offset, j);
    for (size_t i = 0; i < rows * j->width; i++) {
        s->leaf[i] = j->value[i] - s->offset[i % j->width];
        s->most = s->leaf[i] > s->most ? s->leaf[i] : s->most;
        cell[i].i = s->leaf[i];
    }
    for (uint32_t c = 0; c < LEVELED_STRIDES; c++)
        s->products[c] = products(cell, j->bits, j->width, c);
}

/* ---- client */

/* weight (x - lo), summed over the parts of one input */
static ir_ref
share_of(struct leveled_emit *l, const struct joint *j, ir_ref x,
         uint32_t source)
{
    union ir_cell *index = arena_new(l->mem, union ir_cell, j->parts);
    union ir_cell *weight = arena_new(l->mem, union ir_cell, j->parts);
    union ir_cell *lo = arena_new(l->mem, union ir_cell, j->parts);
    size_t n = 0;

    for (size_t p = 0; p < j->parts; p++)
        if (j->part[p].source.id == source) {
            index[n].i = j->part[p].element;
            lo[n].i = j->part[p].lo;
            weight[n++].i = j->part[p].weight;
        }
    x = pass_gathered(l->g, l->at, x, n, index);
    x = ir_build2(l->g, IR_sub, l->at, x,
                  pass_matrix(l->g, l->at, IR_CONST, n, 0, lo));
    return ir_build2(l->g, IR_matmul, l->at, x,
                     pass_matrix(l->g, l->at, IR_CONST, n, 0, weight));
}

static ir_ref
number_of_row(struct leveled_emit *l, const struct joint *j, const ir_ref *map)
{
    uint32_t last = UINT32_MAX;
    ir_ref sum = { 0 };

    for (size_t p = 0; p < j->parts; p++) {
        const uint32_t source = j->part[p].source.id;
        ir_ref own;

        if (source == last) /* parts are in the order of inputs */
            continue;
        own = share_of(l, j, map[source], source);
        sum =
            last == UINT32_MAX ? own : ir_build2(l->g, IR_add, l->at, sum, own);
        last = source;
    }
    return sum;
}

/* Slot i has the bit whose GGSW is made in that place. */
static void
send_bits(struct leveled_emit *l, const struct joint *j, const ir_ref *map)
{
    union ir_cell *power = arena_new(l->mem, union ir_cell, j->bits);
    union ir_cell *two = arena_new(l->mem, union ir_cell, j->bits);
    ir_ref x = number_of_row(l, j, map);

    for (uint32_t i = 0; i < j->bits; i++) {
        power[i].i = (int64_t)1 << l->number[i];
        two[i].i = 2;
    }
    x = ir_build2(l->g, IR_floor_div, l->at, x,
                  pass_matrix(l->g, l->at, IR_CONST, j->bits, 0, power));
    x = ir_build2(l->g, IR_mod, l->at, x,
                  pass_matrix(l->g, l->at, IR_CONST, j->bits, 0, two));
    leveled_send(l, x);
}

/* ---- server */

static ir_ref
table(struct leveled_emit *l, ir_ref ggsws)
{
    union ir_attrs as = {
        .ggsw_lut = { .table =
                          pass_integers(l->g, IR_PARAM, l->s->leaves, l->width,
                                        leveled_digits(l->mem, l->s, l->sums)),
                      .log2_delta = 64 - l->sums->bits }
    };

    return ir_build(l->g, IR_ggsw_lut, l->at, &ggsws, 1, &as);
}

static ir_ref
lower(struct leveled_emit *l, const struct joint *j, const ir_ref *map)
{
    const uint32_t m = l->p->keys.steps;

    l->width = l->sums->digits * (uint32_t)j->width;
    l->place = arena_new(l->mem, uint32_t, j->bits + 1);
    l->number = arena_new(l->mem, uint32_t, j->bits + 1);
    for (uint32_t i = 0; i < j->bits; i++)
        l->place[i] = (i >> m << IR_LOG2_LEVELED)
                      + ((i & ((1u << m) - 1)) << (IR_LOG2_LEVELED - m));
    l->packs = ((size_t)j->bits + (1u << m) - 1) >> m;
    leveled_number(l);
    send_bits(l, j, map);
    return leveled_answered(l, table(l, leveled_expansion(l, l->s->inner)),
                            &j->decrypt->type);
}

/* An answer, whose price is added to *us; {0} and the status 6 if it has none.
 */
static ir_ref
answer(struct pass_ctx *cx, const struct ir_func *f, uint32_t i,
       struct ir_func *g, const ir_ref *map, double *us)
{
    const struct leveled_keys before = leveled_keys_of(ir_expansion_keys(g));
    struct joint *j = arena_new(cx->scratch, struct joint, 1);
    struct leveled_shape *s = arena_new(cx->scratch, struct leveled_shape, 1);
    struct leveled_plan *p = arena_new(cx->scratch, struct leveled_plan, 1);
    struct leveled_emit l = {
        .g = g, .mem = cx->scratch, .at = f->ins[i].at, .s = s, .p = p
    };

    cx->status = 6;
    if (!joint_of(j, cx->scratch, f, i))
        return (ir_ref){ 0 };
    joint_compute(j, cx->scratch, f);
    shape_of(s, cx->scratch, j);
    if (!leveled_search(p, cx->scratch, f, s, before.steps ? &before : NULL))
        return (ir_ref){ 0 };
    *us += p->cost;
    l.sums = &p->sums;
    cx->status = 0;
    return lower(&l, j, map);
}

struct ir_func *
joint_lower(struct pass_ctx *cx, const struct ir_func *f, double *us)
{
    struct pass_ctx inner = { cx->scratch, cx->scratch, cx->diag, 0, 0 };
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_like(cx->scratch, f);

    *us = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const uint32_t first = g->n;

        if (ins->op == IR_decrypt)
            map[i] = answer(&inner, f, i, g, map, us);
        else if (!pass_encrypted(&ins->type) || ins->type.open)
            map[i] = ir_copy(g, ins, map);
        if (inner.status)
            return NULL;
        for (uint32_t k = first; k < g->n; k++)
            g->ins[k].from = ins->from ? ins->from : i + 1;
    }
    inner.out = cx->out; /* constants that only the circuit had */
    return pass_dce(&inner, g);
}
