/* The circuit behind an answer, computed for all integers that the client may
 * send: by batches of rows, an op at a time; see joint.h.
 */
#include "passes/joint.h"

#include <string.h>

enum {
    MAX_BITS = 20, /* of the number of a row */
    MAX_CELLS = 1 << 20,
    LANES = 64, /* rows of a batch */
};
/* integers that all rows may take to compute: about a second's worth */
static const double most_steps = 0x1p31;

/* ---- what an answer depends on */

struct cone {
    const struct ir_func *f;
    bool *in;
    bool **used; /* of a source: its elements */
};

/* Where integers begin: what is before is read, or real. */
static bool
is_source(const struct ir_func *f, const struct ir_ins *ins)
{
    if (ins->op == IR_constant || pass_encrypted(&ins->type))
        return false;
    for (size_t j = 0; j < ins->nin; j++)
        if (ir_at(f, ins->in[j])->type.base != IR_INT)
            return true;
    return ins->nin == 0;
}

/* An exact function of integers; all of the client's are. */
static bool
is_exact(const struct ir_ins *ins)
{
    if (ins->type.base != IR_INT || ins->type.open)
        return false;
    if (!ins->type.enc)
        return true;
    switch ((int)ins->op) {
    case IR_encrypt:
    case IR_add:
    case IR_sub:
    case IR_neg:
    case IR_mul:
    case IR_matmul:
    case IR_gather:
    case IR_reshape:
    case IR_concat:
    case IR_sum:
    case IR_low_bit:
    case IR_proved: return true;
    case IR_lut: return ins->as.lut.approx == 0;
    }
    return false;
}

static void
use(struct cone *c, const struct ir_ins *user, uint32_t v)
{
    const struct ir_ins *ins = &c->f->ins[v];
    const struct ir_blob *index =
        user->op == IR_gather ? ir_data(c->f, user->as.gather.index) : NULL;

    c->in[v] = true;
    if (c->used[v])
        for (size_t e = 0; e < ir_count(index ? &index->type : &ins->type); e++)
            c->used[v][index ? index->cell[e].w : e] = true;
}

static bool
find_cone(struct cone *c, struct arena *mem, uint32_t decrypt)
{
    const struct ir_func *f = c->f;

    c->in = arena_new(mem, bool, f->n);
    c->used = arena_new(mem, bool *, f->n);
    for (uint32_t i = 0; i < decrypt; i++)
        if (is_source(f, &f->ins[i]))
            c->used[i] = arena_new(mem, bool, ir_count(&f->ins[i].type));
    use(c, &f->ins[decrypt], f->ins[decrypt].in[0].id);
    for (uint32_t i = decrypt; i-- > 0;) {
        const struct ir_ins *ins = &f->ins[i];

        if (!c->in[i])
            continue;
        if (!is_exact(ins) || (c->used[i] && !ins->type.ranged))
            return false;
        for (size_t j = 0; j < ins->nin && !c->used[i]; j++)
            use(c, ins, ins->in[j].id);
    }
    return true;
}

bool
joint_of(struct joint *out, struct arena *mem, const struct ir_func *f,
         uint32_t i)
{
    struct cone c = { .f = f };
    int64_t rows = 1;

    *out = (struct joint){ .decrypt = &f->ins[i],
                           .width = ir_count(&f->ins[i].type),
                           .part = arena_new(mem, struct joint_part,
                                             MAX_BITS + 1) };
    if (out->width > IR_LEVELED_COEFS || !find_cone(&c, mem, i))
        return false;
    for (uint32_t v = 0; v < i; v++)
        for (size_t e = 0; c.used[v] && e < ir_count(&f->ins[v].type); e++) {
            const struct ir_type *t = &f->ins[v].type;

            if (!c.used[v][e] || t->ihi == t->ilo)
                continue;
            if (out->parts == MAX_BITS || t->ihi - t->ilo >= MAX_CELLS)
                return false;
            out->part[out->parts++] = (struct joint_part){
                { v }, (uint32_t)e, t->ilo, t->ihi - t->ilo + 1, rows
            };
            rows *= t->ihi - t->ilo + 1;
            if (rows > MAX_CELLS || rows * (int64_t)out->width > MAX_CELLS)
                return false;
        }
    out->rows = (size_t)rows;
    out->bits = ir_bits(1, rows);
    return out->bits > 0;
}

/* ---- a batch of rows */

struct batch {
    const struct joint *j;
    struct arena *mem;
    const struct ir_func *f;
    union ir_cell ***at; /* [op][element]: LANES cells; NULL: not in the cone */
    union ir_cell **
        *x; /* [op][2 element + operand]: what an element is made of */
    uint32_t ops;
};

static const struct ir_type *
operand(const struct batch *b, const struct ir_ins *ins, size_t j)
{
    return &b->f->ins[ins->in[j].id].type;
}

static bool
is_element_wise(const struct ir_ins *ins)
{
    switch ((int)ins->op) {
    case IR_add:
    case IR_sub:
    case IR_mul:
    case IR_neg:
    case IR_less:
    case IR_low_bit: return true;
    }
    return false;
}

static union ir_cell **
operands(const struct batch *b, struct arena *mem, const struct ir_ins *ins)
{
    const size_t n = ir_count(&ins->type);
    union ir_cell **x = arena_new(mem, union ir_cell *, 2 * n);

    for (size_t e = 0; e < n; e++)
        for (size_t k = 0; k < ins->nin; k++)
            x[2 * e + k] =
                b->at[ins->in[k].id]
                     [ir_broadcast_index(&ins->type, operand(b, ins, k), e)];
    return x;
}

/* Those that only move point at what they moved. */
static bool
moves(struct batch *b, const struct ir_ins *ins, union ir_cell **to)
{
    size_t n = 0;

    switch ((int)ins->op) {
    case IR_gather:
        for (size_t e = 0; e < ir_count(&ins->type); e++)
            to[e] = b->at[ins->in[0].id]
                         [ir_data(b->f, ins->as.gather.index)->cell[e].w];
        return true;
    case IR_encrypt:
    case IR_reshape:
    case IR_concat:
        for (size_t k = 0; k < ins->nin; k++) {
            memcpy(to + n, b->at[ins->in[k].id],
                   ir_count(operand(b, ins, k)) * sizeof *to);
            n += ir_count(operand(b, ins, k));
        }
        return true;
    }
    return false;
}

static void
prepare(struct batch *b, struct arena *mem, const struct cone *c)
{
    b->at = arena_new(mem, union ir_cell **, b->ops);
    b->x = arena_new(mem, union ir_cell **, b->ops);
    for (uint32_t i = 0; i < b->ops; i++) {
        const struct ir_ins *ins = &b->f->ins[i];
        const size_t n = ir_count(&ins->type);
        union ir_cell *lanes;

        if (!c->in[i])
            continue;
        b->at[i] = arena_new(mem, union ir_cell *, n);
        if (!c->used[i] && moves(b, ins, b->at[i]))
            continue;
        if (!c->used[i] && is_element_wise(ins))
            b->x[i] = operands(b, mem, ins);
        lanes = arena_new(mem, union ir_cell, n * LANES);
        for (size_t e = 0; e < n; e++) {
            b->at[i][e] = lanes + e * LANES;
            for (size_t l = 0; l < LANES && ins->op == IR_constant; l++)
                b->at[i][e][l] = ir_data(b->f, ins->as.constant.data)->cell[e];
            for (size_t l = 0; l < LANES && c->used[i]; l++)
                b->at[i][e][l].i = ins->type.ilo;
        }
    }
}

/* to <- x op y; inputs that no real one gives may wrap */
static void
lanes_of(enum ir_op op, union ir_cell *to, const union ir_cell *x,
         const union ir_cell *y)
{
    switch ((int)op) {
    case IR_add:
        for (size_t l = 0; l < LANES; l++)
            to[l].w = x[l].w + y[l].w;
        return;
    case IR_sub:
        for (size_t l = 0; l < LANES; l++)
            to[l].w = x[l].w - y[l].w;
        return;
    case IR_mul:
        for (size_t l = 0; l < LANES; l++)
            to[l].w = x[l].w * y[l].w;
        return;
    case IR_neg:
        for (size_t l = 0; l < LANES; l++)
            to[l].w = 0 - x[l].w;
        return;
    case IR_less:
        for (size_t l = 0; l < LANES; l++)
            to[l].i = x[l].i < y[l].i;
        return;
    case IR_low_bit:
        for (size_t l = 0; l < LANES; l++)
            to[l].w = x[l].w & 1;
        return;
    }
}

static void
add_product(union ir_cell *to, const union ir_cell *x, const union ir_cell *y)
{
    for (size_t l = 0; l < LANES; l++)
        to[l].w += x[l].w * y[l].w;
}

static void
matmul(struct batch *b, const struct ir_ins *ins, union ir_cell **to)
{
    const struct ir_type *t = operand(b, ins, 1);
    const size_t inner = t->dim[0], cols = t->rank == 2 ? t->dim[1] : 1;
    const bool weights = ir_at(b->f, ins->in[1])->op == IR_constant;
    union ir_cell **x = b->at[ins->in[0].id], **y = b->at[ins->in[1].id];

    for (size_t i = 0; i < ir_count(&ins->type); i++) {
        memset(to[i], 0, LANES * sizeof **to);
        for (size_t j = 0; j < inner; j++)
            if (!weights || y[j * cols + i % cols][0].i != 0)
                add_product(to[i], x[i / cols * inner + j],
                            y[j * cols + i % cols]);
    }
}

static void
sum(struct batch *b, const struct ir_ins *ins, union ir_cell **to)
{
    const struct ir_around a = ir_around(operand(b, ins, 0), ins->as.sum.axis);
    union ir_cell **x = b->at[ins->in[0].id];

    for (size_t i = 0; i < ir_count(&ins->type); i++) {
        memset(to[i], 0, LANES * sizeof **to);
        for (size_t j = 0; j < a.length; j++)
            lanes_of(IR_add, to[i], to[i],
                     x[i / a.inner * a.length * a.inner + i % a.inner
                       + j * a.inner]);
    }
}

static void
lut(struct batch *b, const struct ir_ins *ins, union ir_cell **to)
{
    const struct ir_blob *table = ir_data(b->f, ins->as.lut.table);
    const int64_t size = table->type.dim[1];
    union ir_cell **x = b->at[ins->in[0].id];

    for (size_t i = 0; i < ir_count(&ins->type); i++) {
        const union ir_cell *row =
            table->cell + i % table->type.dim[0] * (size_t)size;

        for (size_t l = 0; l < LANES; l++) {
            const int64_t at = x[i][l].i + ins->as.lut.offset;

            /* inputs that no real one gives may lead outside */
            to[i][l] = row[at < 0 ? 0 : at < size ? at : size - 1];
        }
    }
}

/* An op of the client, a row at a time. */
static void
evaluate(struct batch *b, const struct ir_ins *ins, union ir_cell **to)
{
    for (size_t l = 0; l < LANES; l++) {
        const struct arena_mark m = arena_mark(b->mem);
        const union ir_cell **in =
            arena_new(b->mem, const union ir_cell *, ins->nin + 1u);
        const union ir_cell *out;

        for (size_t k = 0; k < ins->nin; k++) {
            const size_t n = ir_count(operand(b, ins, k));
            union ir_cell *cell = arena_new(b->mem, union ir_cell, n);

            for (size_t e = 0; e < n; e++)
                cell[e] = b->at[ins->in[k].id][e][l];
            in[k] = cell;
        }
        out = ir_eval_ins(b->mem, b->f, ins, in);
        for (size_t e = 0; e < ir_count(&ins->type); e++)
            to[e][l] = out[e];
        arena_release(b->mem, m);
    }
}

static void
compute(struct batch *b, const struct ir_ins *ins, union ir_cell **to)
{
    union ir_cell **x = b->x[ins - b->f->ins];

    switch ((int)ins->op) {
    case IR_matmul: matmul(b, ins, to); return;
    case IR_sum: sum(b, ins, to); return;
    case IR_lut: lut(b, ins, to); return;
    case IR_proved:
        for (size_t i = 0; i < ir_count(&ins->type); i++)
            for (size_t l = 0; l < LANES; l++)
                to[i][l].i =
                    b->at[ins->in[0].id][i][l].i >> ins->as.proved.shift;
        return;
    case IR_encrypt:
    case IR_constant:
    case IR_gather:
    case IR_reshape:
    case IR_concat: return;
    }
    if (!x)
        evaluate(b, ins, to);
    for (size_t i = 0; x && i < ir_count(&ins->type); i++)
        lanes_of((enum ir_op)ins->op, to[i], x[2 * i], x[2 * i + 1]);
}

static void
set_inputs(struct batch *b, size_t row)
{
    for (size_t p = 0; p < b->j->parts; p++) {
        const struct joint_part *part = &b->j->part[p];
        union ir_cell *to = b->at[part->source.id][part->element];

        for (size_t l = 0; l < LANES; l++) {
            const size_t last = b->j->rows - 1;
            const size_t at = row + l < last ? row + l : last;

            to[l].i =
                part->lo
                + (int64_t)(at / (size_t)part->weight % (size_t)part->values);
        }
    }
}

/* What a row takes to compute: moving is free, and so are weights of 0. */
static double
steps_of(const struct ir_func *f, const struct ir_ins *ins)
{
    const double n = (double)ir_count(&ins->type);
    const struct ir_blob *b;
    double some = 0;

    switch ((int)ins->op) {
    case IR_encrypt:
    case IR_constant:
    case IR_gather:
    case IR_reshape:
    case IR_concat: return 0;
    case IR_sum: return (double)ir_count(&ir_at(f, ins->in[0])->type);
    case IR_matmul: break;
    default:
        return is_element_wise(ins) || ins->op == IR_lut || ins->op == IR_proved
                   ? n
                   : 50 * n;
    }
    if (!pass_constant(f, ins->in[1], &b))
        return n * ir_at(f, ins->in[1])->type.dim[0];
    for (size_t i = 0; i < ir_count(&b->type); i++)
        some += b->cell[i].i != 0;
    return n / (double)ir_channels(&ins->type)
           * (b->type.rank == 2 ? some : n * some);
}

static double
steps(const struct ir_func *f, const struct cone *c, uint32_t ops)
{
    double n = 0;

    for (uint32_t i = 0; i < ops; i++)
        n += c->in[i] && !c->used[i] ? steps_of(f, &f->ins[i]) : 0;
    return n;
}

void
joint_compute(struct joint *j, struct arena *mem, const struct ir_func *f)
{
    const uint32_t decrypt = (uint32_t)(j->decrypt - f->ins);
    const size_t all = (size_t)1 << j->bits;
    struct cone c = { .f = f };
    struct batch b = { .j = j, .mem = mem, .f = f, .ops = decrypt };
    union ir_cell **shown;

    (void)find_cone(&c, mem, decrypt);
    prepare(&b, mem, &c);
    shown = b.at[j->decrypt->in[0].id];
    j->value = arena_new(mem, int64_t, all * j->width);
    for (size_t row = 0; row < j->rows; row += LANES) {
        set_inputs(&b, row);
        for (uint32_t i = 0; i < decrypt; i++)
            if (c.in[i] && !c.used[i])
                compute(&b, &f->ins[i], b.at[i]);
        for (size_t l = 0; l < LANES && row + l < all; l++)
            for (size_t k = 0; k < j->width; k++)
                j->value[(row + l) * j->width + k] = shown[k][l].i;
    }
    for (size_t i = j->rows * j->width; i < all * j->width; i++)
        j->value[i] = j->value[i - j->width];
}

bool
joint_may(struct pass_ctx *cx, const struct ir_func *f)
{
    bool any = false;

    for (uint32_t i = 0; i < f->n; i++) {
        struct joint j;
        struct cone c = { .f = f };

        if (f->ins[i].op != IR_decrypt)
            continue;
        any = true;
        if (!joint_of(&j, cx->scratch, f, i) || !find_cone(&c, cx->scratch, i)
            || steps(f, &c, i) * (double)j.rows > most_steps)
            return false;
    }
    return any;
}
