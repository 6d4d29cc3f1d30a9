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

/* The GGSWs of the bits of a row's number. */
static ir_ref
bits_of(struct leveled_emit *l, const struct joint *j, const ir_ref *map)
{
    const uint32_t m = l->p->keys.steps;

    l->place = arena_new(l->mem, uint32_t, j->bits + 1);
    l->number = arena_new(l->mem, uint32_t, j->bits + 1);
    for (uint32_t i = 0; i < j->bits; i++)
        l->place[i] = (i >> m << IR_LOG2_LEVELED)
                      + ((i & ((1u << m) - 1)) << (IR_LOG2_LEVELED - m));
    l->packs = ((size_t)j->bits + (1u << m) - 1) >> m;
    leveled_number(l);
    send_bits(l, j, map);
    return leveled_expansion(l, l->s->inner);
}

/* ---- answers */

struct lowering {
    struct pass_ctx *cx;
    const struct ir_func *f;
    struct ir_func *g;
    const ir_ref *map;
    double us;
    /* of the answers so far: what they depend on, and the GGSWs of that */
    struct read {
        struct joint j;
        struct leveled_plan p;
        ir_ref ggsws;
    } *read;
    size_t n;
};

static bool
same_parts(const struct joint *a, const struct joint *b)
{
    return a->parts == b->parts
           && memcmp(a->part, b->part, a->parts * sizeof *a->part) == 0;
}

/* By the GGSWs of an answer that depends on the same integers, if there is one
 * and they do; false: there is no plan. */
static bool
plan(struct lowering *w, struct read *r, const struct leveled_shape *s)
{
    const struct leveled_keys keys = leveled_keys_of(ir_expansion_keys(w->g));

    for (size_t i = 0; i < w->n; i++) {
        r->p = w->read[i].p;
        r->ggsws = w->read[i].ggsws;
        if (same_parts(&r->j, &w->read[i].j) && leveled_again(&r->p, w->f, s))
            return true;
    }
    r->ggsws = (ir_ref){ 0 };
    return leveled_search(&r->p, w->cx->scratch, w->f, s,
                          keys.steps ? &keys : NULL);
}

/* {0} and the status 6 if it is no table, or has no plan */
static ir_ref
answer(struct lowering *w, uint32_t i)
{
    struct read *r = &w->read[w->n];
    struct leveled_shape *s =
        arena_new(w->cx->scratch, struct leveled_shape, 1);
    struct leveled_emit l = { .g = w->g,
                              .mem = w->cx->scratch,
                              .at = w->f->ins[i].at,
                              .s = s,
                              .p = &r->p,
                              .sums = &r->p.sums };

    w->cx->status = 6;
    if (!joint_of(&r->j, w->cx->scratch, w->f, i))
        return (ir_ref){ 0 };
    joint_compute(&r->j, w->cx->scratch, w->f);
    shape_of(s, w->cx->scratch, &r->j);
    if (!plan(w, r, s))
        return (ir_ref){ 0 };
    w->cx->status = 0;
    w->us += r->p.cost;
    l.width = l.sums->digits * (uint32_t)r->j.width;
    if (r->ggsws.id == 0)
        r->ggsws = bits_of(&l, &r->j, w->map);
    w->n++;
    return leveled_answered(&l, table(&l, r->ggsws), &r->j.decrypt->type);
}

struct ir_func *
joint_lower(struct pass_ctx *cx, const struct ir_func *f, double *us)
{
    struct pass_ctx inner = { cx->scratch, cx->scratch, cx->diag, 0, 0 };
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct lowering w = { .cx = &inner,
                          .f = f,
                          .g = ir_func_like(cx->scratch, f),
                          .map = map,
                          .read = arena_new(cx->scratch, struct read, f->n) };

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const uint32_t first = w.g->n;

        if (ins->op == IR_decrypt)
            map[i] = answer(&w, i);
        else if (!pass_encrypted(&ins->type) || ins->type.open)
            map[i] = ir_copy(w.g, ins, map);
        if (inner.status)
            return NULL;
        for (uint32_t k = first; k < w.g->n; k++)
            w.g->ins[k].from = ins->from ? ins->from : i + 1;
    }
    *us = w.us;
    inner.out = cx->out; /* constants that only the circuit had */
    return pass_dce(&inner, w.g);
}
