/* What a function means: the oracle for passes and for the backend.
 *
 * Ciphertexts are their phases, 64-bit torus words without noise, so that a
 * message that leaves its space shows as a wrong answer here as well.
 */
#include "ir/eval.h"

#include <math.h>
#include <string.h>

/* The integer that a double holds. */
static int64_t
whole(double x)
{
    return x >= -0x1p62 && x <= 0x1p62 ? (int64_t)x : 0;
}

/* clang-format off */
#define F(name, expr) \
    static double map_##name(double x, double y) { (void)y; return expr; }
#define B(name, expr, infer) \
    static double map_##name(double x, double y) { return expr; }
#define T(name, nin, infer, traits, attrs)
#define C(family, name, nin, infer, traits, attrs)
#include "ir/ops.def"

static double (*const maps[IR_NOPS])(double x, double y) = {
#define F(name, expr) [IR_##name] = map_##name,
#define B(name, expr, infer) [IR_##name] = map_##name,
#define T(name, nin, infer, traits, attrs)
#define C(family, name, nin, infer, traits, attrs)
#include "ir/ops.def"
};
/* clang-format on */

static union ir_cell
operand(const struct eval *e, size_t which, size_t i)
{
    if (which >= e->ins->nin)
        return (union ir_cell){ 0 };
    return e
        ->in[which][ir_broadcast_index(&e->ins->type, eval_type(e, which), i)];
}

/* add sub mul neg of cells; integers and phases wrap alike */
static union ir_cell
ring(enum ir_op op, bool real, union ir_cell a, union ir_cell b)
{
    union ir_cell c;

    if (real)
        c.r = op == IR_add   ? a.r + b.r
              : op == IR_sub ? a.r - b.r
              : op == IR_mul ? a.r * b.r
                             : -a.r;
    else
        c.w = op == IR_add   ? a.w + b.w
              : op == IR_sub ? a.w - b.w
              : op == IR_mul ? a.w * b.w
                             : 0 - a.w;
    return c;
}

static void
ring_op(struct eval *e, enum ir_op op)
{
    for (size_t i = 0; i < e->n; i++)
        e->out[i] = ring(op, e->ins->type.base == IR_REAL, operand(e, 0, i),
                         operand(e, 1, i));
}

/* The rows of ops.def that integers have too: a double holds 53 bits only. */
static int64_t
of_integers(enum ir_op op, int64_t x, int64_t y)
{
    const int64_t by = y < 1 ? 1 : y; /* as proved; an input may lie */

    switch ((int)op) {
    case IR_minimum: return x < y ? x : y;
    case IR_maximum: return x > y ? x : y;
    case IR_less: return x < y;
    case IR_less_equal: return x <= y;
    case IR_equal: return x == y;
    case IR_not_equal: return x != y;
    case IR_floor_div: return x / by - (x % by < 0);
    case IR_mod: return x % by + (x % by < 0 ? by : 0);
    case IR_bit_and: return x & y;
    case IR_bit_or: return x | y;
    case IR_bit_xor: return x ^ y;
    case IR_abs: return (int64_t)(x < 0 ? 0 - (uint64_t)x : (uint64_t)x);
    case IR_relu: return x > 0 ? x : 0;
    case IR_sign: return (x > 0) - (x < 0);
    case IR_floor:
    case IR_ceil:
    case IR_round: return x;
    }
    bug("%s of integers", ir_ops[op].name);
}

static void
map(struct eval *e)
{
    const enum ir_op op = (enum ir_op)e->ins->op;
    const bool real = eval_type(e, 0)->base == IR_REAL;

    for (size_t i = 0; i < e->n; i++) {
        const union ir_cell x = operand(e, 0, i), y = operand(e, 1, i);

        if (!real)
            e->out[i].i = of_integers(op, x.i, y.i);
        else if (e->ins->type.base == IR_REAL)
            e->out[i].r = maps[op](x.r, y.r);
        else
            e->out[i].i = maps[op](x.r, y.r) > 0; /* a comparison */
    }
}

static union ir_cell
clipped(union ir_cell x, double lo, double hi, bool real)
{
    if (real) {
        x.r = x.r < lo ? lo : x.r;
        x.r = x.r > hi ? hi : x.r;
    } else {
        x.i = x.i < (int64_t)lo ? (int64_t)lo : x.i;
        x.i = x.i > (int64_t)hi ? (int64_t)hi : x.i;
    }
    return x;
}

static void
clip(struct eval *e)
{
    const bool real = e->ins->type.base == IR_REAL;

    for (size_t i = 0; i < e->n; i++)
        e->out[i] =
            clipped(e->in[0][i], e->ins->as.clip.lo, e->ins->as.clip.hi, real);
}

static void
gather(struct eval *e, const char *index)
{
    const struct ir_blob *b = ir_data(e->f, index);

    for (size_t i = 0; i < e->n; i++)
        e->out[i] = e->in[0][b->cell[i].i];
}

static void
concat(struct eval *e)
{
    size_t at = 0;

    for (size_t j = 0; j < e->ins->nin; j++) {
        const size_t n = ir_count(eval_type(e, j));

        memcpy(e->out + at, e->in[j], n * sizeof *e->out);
        at += n;
    }
}

static union ir_cell
add(bool real, union ir_cell a, union ir_cell b)
{
    return ring(IR_add, real, a, b);
}

/* rows of a times columns of b, in order of the inner index */
static void
matmul(struct eval *e, const struct ir_type *b, const union ir_cell *y)
{
    const bool real = e->ins->type.base == IR_REAL;
    const size_t inner = b->dim[0], cols = b->rank == 2 ? b->dim[1] : 1;

    for (size_t i = 0; i < e->n; i++) {
        union ir_cell sum = { 0 };

        for (size_t j = 0; j < inner; j++)
            sum = add(real, sum,
                      ring(IR_mul, real, e->in[0][i / cols * inner + j],
                           y[j * cols + i % cols]));
        e->out[i] = sum;
    }
}

/* sum, mean, max and argmax along an axis */
static void
reduce(struct eval *e)
{
    const enum ir_op op = (enum ir_op)e->ins->op;
    const struct ir_around a = ir_around(eval_type(e, 0), e->ins->as.sum.axis);
    const bool real = eval_type(e, 0)->base == IR_REAL;

    for (size_t i = 0; i < e->n; i++) {
        const union ir_cell *x =
            e->in[0] + i / a.inner * a.length * a.inner + i % a.inner;
        union ir_cell best = x[0];
        int64_t where = 0;

        for (size_t j = 1; j < a.length; j++) {
            const union ir_cell y = x[j * a.inner];

            if (op != IR_max && op != IR_argmax)
                best = add(real, best, y);
            else if (real ? y.r > best.r : y.i > best.i)
                best = y, where = (int64_t)j;
        }
        if (op == IR_mean)
            best.r /= (double)a.length;
        if (op == IR_argmax)
            best.i = where;
        e->out[i] = best;
    }
}

/* of an element along an axis: how many come before it */
static void
rank(struct eval *e)
{
    const struct ir_around a = ir_around(eval_type(e, 0), e->ins->as.rank.axis);
    const bool real = eval_type(e, 0)->base == IR_REAL;

    for (size_t i = 0; i < e->n; i++) {
        const size_t own = i / a.inner % a.length;
        const union ir_cell *x = e->in[0] + i - own * a.inner;
        const union ir_cell y = e->in[0][i];

        e->out[i].i = 0;
        for (size_t j = 0; j < a.length; j++) {
            const union ir_cell z = x[j * a.inner];
            const bool more = real ? z.r > y.r : z.i > y.i;
            const bool less = real ? z.r < y.r : z.i < y.i;

            e->out[i].i += more || (!less && j < own);
        }
    }
}

static void
softmax(struct eval *e)
{
    const struct ir_around a =
        ir_around(eval_type(e, 0), e->ins->as.softmax.axis);

    for (size_t o = 0; o < a.outer * a.inner; o++) {
        const size_t at = o / a.inner * a.length * a.inner + o % a.inner;
        const union ir_cell *x = e->in[0] + at;
        union ir_cell *y = e->out + at;
        double top = x[0].r, sum = 0;

        for (size_t j = 1; j < a.length; j++)
            top = x[j * a.inner].r > top ? x[j * a.inner].r : top;
        for (size_t j = 0; j < a.length; j++)
            sum += y[j * a.inner].r = exp(x[j * a.inner].r - top);
        for (size_t j = 0; j < a.length; j++)
            y[j * a.inner].r /= sum;
    }
}

static double
scale_of(const struct ir_blob *b, size_t i)
{
    return b->cell[i % ir_count(&b->type)].r;
}

/* A value that no integer stands for (not a number) becomes lo. */
static void
quant(struct eval *e)
{
    const struct ir_blob *b = ir_data(e->f, e->ins->as.quant.scale);
    const double lo = (double)e->ins->as.quant.lo;
    const double hi = (double)e->ins->as.quant.hi;

    for (size_t i = 0; i < e->n; i++) {
        double v = rint(e->in[0][i].r / scale_of(b, i));

        v = v >= lo ? v : lo;
        v = v <= hi ? v : hi;
        e->out[i].i = (int64_t)v;
    }
}

static void
dequant(struct eval *e)
{
    const struct ir_blob *b = ir_data(e->f, e->ins->as.dequant.scale);

    for (size_t i = 0; i < e->n; i++)
        e->out[i].r = (double)e->in[0][i].i * scale_of(b, i);
}

static void
lut(struct eval *e)
{
    const struct ir_blob *b = ir_data(e->f, e->ins->as.lut.table);
    const size_t size = b->type.dim[1];

    for (size_t i = 0; i < e->n; i++) {
        const uint64_t at = e->in[0][i].w + (uint64_t)e->ins->as.lut.offset;

        if (at >= size)
            bug("%zu is outside table @%s", (size_t)at, b->name);
        e->out[i] = b->cell[i % b->type.dim[0] * size + at];
    }
}

/* An input may lie about its range: the nearest entry. */
static void
choose(struct eval *e)
{
    const struct ir_blob *b = ir_data(e->f, e->ins->as.select.table);
    const bool real = eval_type(e, 0)->base == IR_REAL;
    const int64_t size = b->type.dim[1];

    for (size_t i = 0; i < e->n; i++) {
        const int64_t x = real ? whole(rint(e->in[0][i].r)) : e->in[0][i].i;
        const int64_t at = x < 0 ? 0 : x < size ? x : size - 1;
        const union ir_cell c =
            b->cell[i % b->type.dim[0] * (size_t)size + (size_t)at];

        e->out[i] = c;
        if (e->ins->type.base == IR_REAL && b->type.base == IR_INT)
            e->out[i].r = (double)c.i;
    }
}

/* The message has the whole torus. */
static void
bit_lut(struct eval *e)
{
    const struct ir_blob *b = ir_data(e->f, e->ins->as.lwe_bit_lut.table);
    const unsigned in = eval_type(e, 0)->log2_delta;
    const uint64_t offset = (uint64_t)e->ins->as.lwe_bit_lut.offset << in;

    for (size_t i = 0; i < e->n; i++) {
        const union ir_cell *row =
            b->cell + i % b->type.dim[0] * b->type.dim[1];
        const uint64_t x = e->in[0][i].w + offset;

        e->out[i].w = row[x >> in].w << e->ins->as.lwe_bit_lut.log2_delta;
    }
}

static void
low_bit(struct eval *e)
{
    for (size_t i = 0; i < e->n; i++)
        e->out[i].w = e->in[0][i].w & 1;
}

/* A pass has proved this; here it is asked. */
static void
proved(struct eval *e)
{
    const unsigned shift = e->ins->as.proved.shift;

    for (size_t i = 0; i < e->n; i++) {
        const int64_t x = e->in[0][i].i, y = x >> shift;

        if ((int64_t)((uint64_t)y << shift) != x || y < e->ins->as.proved.lo
            || y > e->ins->as.proved.hi)
            bug("%lld is not what was proved", (long long)x);
        e->out[i].i = y;
    }
}

/* lang-spec/crypto.md (6): the index is the phase's box, and in the upper
 * half of the torus the table is negated. */
static void
pbs(struct eval *e)
{
    const struct ir_blob *b = ir_data(e->f, e->ins->as.lwe_pbs.table);
    const unsigned in = eval_type(e, 0)->log2_delta;
    const size_t size = b->type.dim[1];

    const bool many = e->ins->op == IR_lwe_pbs_many;
    const size_t outputs = many ? e->ins->as.lwe_pbs_many.outputs : 1;
    const size_t rows = b->type.dim[0] / outputs, n = e->n / outputs;

    for (size_t i = 0; i < e->n; i++) {
        const union ir_cell *row =
            b->cell + (i / n * rows + i % n % rows) * size;
        const uint64_t x = e->in[0][i % n].w
                           + ((uint64_t)e->ins->as.lwe_pbs.offset << in)
                           + (1ull << (in - 1));
        const uint64_t at = x >> in;
        const uint64_t w = at < size ? row[at].w : 0 - row[at - size].w;

        e->out[i].w = w << e->ins->as.lwe_pbs.log2_delta;
    }
}

static void
decrypt(struct eval *e)
{
    const unsigned d = eval_type(e, 0)->log2_delta;
    const uint64_t lo = (uint64_t)e->ins->as.lwe_decrypt.lo; /* the same
                                                                   in both */

    for (size_t i = 0; i < e->n; i++)
        e->out[i].w = lo + ((e->in[0][i].w - (lo << d) + (1ull << d) / 2) >> d);
}

static void
clear_operand(struct eval *e, enum ir_op op, unsigned shift)
{
    const struct ir_blob *b = ir_data(e->f, e->ins->as.lwe_add_clear.data);

    for (size_t i = 0; i < e->n; i++)
        e->out[i] = ring(op, false, e->in[0][i],
                         (union ir_cell){ .w = b->cell[i].w << shift });
}

static void
shift(struct eval *e)
{
    for (size_t i = 0; i < e->n; i++)
        e->out[i].w = e->in[0][i].w << e->ins->type.log2_delta;
}

static void
to_real(struct eval *e)
{
    for (size_t i = 0; i < e->n; i++)
        e->out[i].r = (double)e->in[0][i].i;
}

static void
copy(struct eval *e, const union ir_cell *from)
{
    if (e->n)
        memcpy(e->out, from, e->n * sizeof *e->out);
}

static void
product(struct eval *e, const char *weights)
{
    const struct ir_blob *b = ir_data(e->f, weights);

    matmul(e, &b->type, b->cell);
}

/* Of the ciphertext level, by phases. */
static void
dispatch_cipher(struct eval *e)
{
    const struct ir_ins *ins = e->ins;

    switch ((int)ins->op) {
    case IR_lwe_add: ring_op(e, IR_add); return;
    case IR_lwe_sub: ring_op(e, IR_sub); return;
    case IR_lwe_neg: ring_op(e, IR_neg); return;
    case IR_lwe_gather: gather(e, ins->as.lwe_gather.index); return;
    case IR_lwe_concat: concat(e); return;
    case IR_lwe_matmul_clear:
        product(e, ins->as.lwe_matmul_clear.weights);
        return;
    case IR_lwe_sum: reduce(e); return;
    case IR_lwe_trivial:
    case IR_glwe_encrypt: shift(e); return;
    case IR_lwe_mul_open: ring_op(e, IR_mul); return;
    case IR_glwe_extract:
    case IR_lwe_keyswitch:
    case IR_lwe_convert:
    case IR_lwe_answer:
    case IR_glwe_answer: copy(e, e->in[0]); return;
    case IR_lwe_add_clear:
        clear_operand(e, IR_add, eval_type(e, 0)->log2_delta);
        return;
    case IR_lwe_mul_clear: clear_operand(e, IR_mul, 0); return;
    case IR_lwe_pbs:
    case IR_lwe_pbs_many: pbs(e); return;
    case IR_lwe_bit_lut: bit_lut(e); return;
    case IR_lwe_decrypt:
    case IR_glwe_decrypt: decrypt(e); return;
    case IR_glwe_to_ggsw: eval_to_ggsw(e); return;
    case IR_ggsw_forest: eval_ggsw_forest(e); return;
    case IR_ggsw_lut: eval_ggsw_lut(e); return;
    case IR_ggsw_encrypt: copy(e, e->in[0]); return;
    case IR_glwe_expand: eval_glwe_expand(e); return;
    case IR_ggsw_products: eval_ggsw_products(e); return;
    }
    bug("%s has no value of its own", ir_ops[ins->op].name);
}

static void
dispatch(struct eval *e)
{
    const struct ir_ins *ins = e->ins;

    switch ((int)ins->op) {
    case IR_constant:
        copy(e, ir_data(e->f, ins->as.constant.data)->cell);
        return;
    case IR_add: ring_op(e, IR_add); return;
    case IR_sub: ring_op(e, IR_sub); return;
    case IR_mul: ring_op(e, IR_mul); return;
    case IR_neg:
        ring_op(e, IR_neg);
        return;
        /* clang-format off */
#define F(name, expr) case IR_##name:
#define B(name, expr, infer) case IR_##name:
#define T(name, nin, infer, traits, attrs)
#define C(family, name, nin, infer, traits, attrs)
#include "ir/ops.def"
        map(e); return;
    /* clang-format on */
    case IR_clip: clip(e); return;
    case IR_gather: gather(e, ins->as.gather.index); return;
    case IR_concat: concat(e); return;
    case IR_matmul: matmul(e, eval_type(e, 1), e->in[1]); return;
    case IR_sum:
    case IR_mean:
    case IR_max:
    case IR_argmax: reduce(e); return;
    case IR_softmax: softmax(e); return;
    case IR_to_real: to_real(e); return;
    case IR_quant: quant(e); return;
    case IR_dequant: dequant(e); return;
    case IR_lut: lut(e); return;
    case IR_forest: eval_forest(e); return;
    case IR_bin: eval_bin(e); return;
    case IR_rank: rank(e); return;
    case IR_select: choose(e); return;
    case IR_low_bit: low_bit(e); return;
    case IR_proved: proved(e); return;
    case IR_named:
    case IR_reshape:
    case IR_encrypt:
    case IR_disclose:
    case IR_decrypt:
    case IR_output: copy(e, e->in[0]); return;
    }
    dispatch_cipher(e);
}

const union ir_cell *
ir_eval_ins(struct arena *mem, const struct ir_func *f,
            const struct ir_ins *ins, const union ir_cell *const *in)
{
    struct eval e = { mem, f, ins, in, NULL, ir_count(&ins->type) };

    e.out = arena_new(mem, union ir_cell, e.n);
    dispatch(&e);
    return e.out;
}

void
ir_eval(struct arena *mem, const struct ir_func *f,
        const union ir_cell *const *in, const union ir_cell **out,
        const union ir_cell **keep)
{
    const union ir_cell **value = arena_new(mem, const union ir_cell *, f->n);
    size_t nin = 0, nout = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const union ir_cell **arg =
            arena_new(mem, const union ir_cell *, ins->nin);

        for (size_t j = 0; j < ins->nin; j++)
            arg[j] = value[ins->in[j].id];
        value[i] =
            ins->op == IR_input ? in[nin++] : ir_eval_ins(mem, f, ins, arg);
        if (ins->op == IR_output)
            out[nout++] = value[i];
        if (keep)
            keep[i] = value[i];
    }
}
