/* Random models; see random_ir.h. */
#include "tests/random_ir.h"

#include <string.h>

enum { MAX_POOL = 64, MAX_CELLS = 24 };

struct grower {
    struct ir_func *f;
    struct dice *d;
    enum random_kind kind;
    ir_ref pool[MAX_POOL];
    size_t n;
};

uint64_t
dice_roll(struct dice *d, uint64_t sides)
{
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return (d->state * 0x9e3779b97f4a7c15ull >> 20) % sides;
}

static const struct span at = { 0, 0 };

static uint64_t
roll(struct grower *g, uint64_t sides)
{
    return dice_roll(g->d, sides);
}

static ir_ref
pick(struct grower *g)
{
    return g->pool[roll(g, g->n)];
}

static const struct ir_type *
type(const struct grower *g, ir_ref v)
{
    return &ir_at(g->f, v)->type;
}

static bool
is_real(const struct grower *g, ir_ref v)
{
    return type(g, v)->base == IR_REAL;
}

/* The op if it is valid and small; else v. */
static ir_ref
attempt(struct grower *g, enum ir_op op, const ir_ref *in, size_t n,
        const union ir_attrs *as)
{
    struct ir_type t;

    if (ir_infer(g->f->mem, g->f, op, in, n, as, NULL, &t)
        || ir_count(&t) > MAX_CELLS)
        return in[0];
    return ir_build(g->f, op, at, in, n, as);
}

/* Numbers in [-reach, reach], among them 0; reals in quarters. */
static ir_ref
constant(struct grower *g, const struct ir_type *shape, bool real,
         int64_t reach)
{
    const struct ir_type t =
        ir_type_of(real ? IR_REAL : IR_INT, shape->rank, shape->dim);
    const size_t n = ir_count(&t);
    union ir_cell *cell = arena_new(g->f->mem, union ir_cell, n);

    for (size_t i = 0; i < n; i++)
        if (real)
            cell[i].r =
                ((double)roll(g, 8 * (uint64_t)reach + 1) - 4 * (double)reach)
                / 4;
        else
            cell[i].i = (int64_t)roll(g, 2 * (uint64_t)reach + 1) - reach;
    return ir_constant(g->f, at, NULL, roll(g, 4) ? IR_PARAM : IR_CONST, &t,
                       cell);
}

/* A shape that broadcasts with t: t, its last axes, ones, one axis more. */
static struct ir_type
beside(struct grower *g, const struct ir_type *t)
{
    struct ir_type s = ir_type_of(IR_INT, 0, NULL);
    const size_t skip = t->rank ? roll(g, t->rank + 1u) : 0;

    if (roll(g, 8) == 0 && t->rank < 3)
        s.dim[s.rank++] = 1 + (uint32_t)roll(g, 2);
    for (size_t i = s.rank ? 0 : skip; i < t->rank; i++)
        s.dim[s.rank++] = roll(g, 4) ? t->dim[i] : 1;
    return s;
}

/* Calibration rows of an input that declares no range. */
static void
calibration(struct grower *g, const char *name, struct ir_type t)
{
    const uint32_t rows = 3;
    union ir_cell *cell;

    memmove(t.dim + 1, t.dim, t.rank * sizeof *t.dim);
    t.dim[0] = rows;
    t.rank++;
    t.ranged = false;
    cell = arena_new(g->f->mem, union ir_cell, ir_count(&t));
    for (size_t i = 0; i < ir_count(&t); i++)
        cell[i].r = (double)roll(g, 33) / 8 - 2;
    ir_blob_add(g->f, name, IR_CALIB, &t, cell);
}

static void
input(struct grower *g, const char *name)
{
    const uint32_t dim[2] = { 1 + (uint32_t)roll(g, 3),
                              1 + (uint32_t)roll(g, 4) };
    const bool real = g->kind != RANDOM_INTEGERS && roll(g, 4);
    struct ir_type t = ir_type_of(real ? IR_REAL : IR_INT, roll(g, 3), dim);
    union ir_attrs as = { .input = { .name = name } };
    const bool wide = roll(g, 6) == 0;

    t.ranged = true;
    t.ilo = (int64_t)roll(g, wide ? 200 : 5) - (wide ? 150 : 3);
    t.ihi = t.ilo + (int64_t)roll(g, wide ? 60 : 7);
    if (real) {
        t.lo = (double)roll(g, 17) / 4 - 3;
        t.hi = t.lo + (double)roll(g, 20) / 4;
        t.ranged = roll(g, 5) != 0;
        if (!t.ranged)
            calibration(g, name, t);
    }
    g->pool[g->n++] = ir_build_typed(g->f, IR_input, at, NULL, 0, &as, &t);
}

static ir_ref
unary(struct grower *g, ir_ref v)
{
    static const enum ir_op ops[] = {
        IR_neg,   IR_abs,  IR_relu, IR_sign,    IR_round,
        IR_floor, IR_ceil, /* and of reals */
        IR_sqrt,  IR_exp,  IR_log,  IR_sigmoid, IR_tanh,
        IR_sin,   IR_cos,  IR_erf,  IR_softplus
    };
    const union ir_attrs as = { .clip = { .lo = -2, .hi = 3 } };

    if (roll(g, 6) == 0)
        return attempt(g, IR_clip, &v, 1, &as);
    return attempt(g, ops[roll(g, is_real(g, v) ? 16 : 7)], &v, 1, NULL);
}

static ir_ref
with_constant(struct grower *g, ir_ref v, bool linear)
{
    static const enum ir_op ops[] = { IR_add,       IR_sub,  IR_mul,
                                      IR_div,       IR_pow,  IR_minimum,
                                      IR_maximum,   IR_less, IR_less_equal,
                                      IR_not_equal, IR_equal };
    const enum ir_op op = ops[roll(g, linear ? 4 : 11)];
    const struct ir_type shape = beside(g, type(g, v));
    const ir_ref c = constant(g, &shape, is_real(g, v), roll(g, 9) ? 2 : 40);
    const bool left = roll(g, 3) == 0 && !(linear && op == IR_div);

    return attempt(g, op, left ? (ir_ref[]){ c, v } : (ir_ref[]){ v, c }, 2,
                   NULL);
}

static ir_ref
both(struct grower *g, ir_ref a, ir_ref b, bool linear)
{
    static const enum ir_op ops[] = { IR_add, IR_sub, IR_add,     IR_sub,
                                      IR_mul, IR_div, IR_minimum, IR_equal };
    const bool own = roll(g, 4) == 0; /* x + x, x - x, x x, x / x */
    const size_t some = !linear && (own || a.id == b.id) ? 8 : 4;
    const ir_ref in[2] = { own ? b : a, b };

    return attempt(g, ops[roll(g, some)], in, 2, NULL);
}

/* of two values that are functions of different inputs, perhaps */
static ir_ref
pair(struct grower *g, ir_ref a, ir_ref b)
{
    static const enum ir_op ops[] = {
        IR_minimum,    IR_maximum, IR_less,
        IR_less_equal, IR_equal,   IR_not_equal, /* and of integers */
        IR_mul,        IR_bit_and, IR_bit_or,
        IR_bit_xor,    IR_mod,     IR_floor_div
    };

    return attempt(g, ops[roll(g, is_real(g, a) ? 6 : 12)], (ir_ref[]){ a, b },
                   2, NULL);
}

/* rounded or cut to a multiple, or what that loses */
static ir_ref
parts(struct grower *g, ir_ref v)
{
    const struct ir_type scalar = ir_type_of(IR_INT, 0, NULL);
    const union ir_cell by = { .i = 1 + (int64_t)roll(g, 8) };
    const ir_ref c = ir_constant(g->f, at, NULL, IR_PARAM, &scalar, &by);

    return attempt(g, roll(g, 2) ? IR_mod : IR_floor_div, (ir_ref[]){ v, c }, 2,
                   NULL);
}

static ir_ref
reshaped(struct grower *g, ir_ref v)
{
    const struct ir_type *t = type(g, v);
    const uint32_t n = (uint32_t)ir_count(t);
    uint32_t dim[2] = { 1 + (uint32_t)roll(g, n), 1 };
    struct ir_type to;

    while (n % dim[0])
        dim[0]--;
    dim[1] = n / dim[0];
    if (dim[1] == 1 && roll(g, 2))
        to = ir_type_of((enum ir_base)t->base, 1, dim);
    else
        to = ir_type_of((enum ir_base)t->base, 2, dim);
    return ir_build_typed(g->f, IR_reshape, at, &v, 1, NULL, &to);
}

/* Any elements, or a matrix transposed. */
static ir_ref
moved(struct grower *g, ir_ref v)
{
    const struct ir_type *from = type(g, v);
    const bool turn = from->rank == 2 && roll(g, 2);
    uint32_t dim[2] = { 1 + (uint32_t)roll(g, 3), 1 + (uint32_t)roll(g, 3) };
    size_t rank = roll(g, 3);
    union ir_attrs as;
    union ir_cell *cell;
    struct ir_type t;

    if (turn)
        dim[0] = from->dim[1], dim[1] = from->dim[0], rank = 2;
    t = ir_type_of(IR_INT, rank, dim);
    cell = arena_new(g->f->mem, union ir_cell, ir_count(&t));
    for (size_t i = 0; i < ir_count(&t); i++)
        cell[i].i = turn ? (int64_t)(i % dim[1] * dim[0] + i / dim[1])
                         : (int64_t)roll(g, ir_count(from));
    as.gather.index = ir_blob_add(g->f, NULL, IR_CONST, &t, cell)->name;
    return ir_build(g->f, IR_gather, at, &v, 1, &as);
}

static ir_ref
reduced(struct grower *g, ir_ref v)
{
    const union ir_attrs as = { .sum = { .axis = (uint32_t)roll(
                                             g, type(g, v)->rank + 1u) } };

    return attempt(g, is_real(g, v) && roll(g, 2) ? IR_mean : IR_sum, &v, 1,
                   &as);
}

/* a vector or a matrix on either side */
static ir_ref
product(struct grower *g, ir_ref v)
{
    const struct ir_type *t = type(g, v);
    const bool left = roll(g, 3) == 0, vector = roll(g, 3) == 0;
    uint32_t dim[2];
    struct ir_type w;
    ir_ref c;

    if (t->rank == 0 || t->rank > 2)
        return v;
    dim[left && !vector] = t->dim[left ? 0 : t->rank - 1];
    dim[!left || vector] = 1 + (uint32_t)roll(g, 3);
    w = ir_type_of(IR_INT, vector ? 1 : 2, dim);
    c = constant(g, &w, is_real(g, v), 1);
    return attempt(g, IR_matmul, left ? (ir_ref[]){ c, v } : (ir_ref[]){ v, c },
                   2, NULL);
}

/* two or three parts, one of them perhaps a constant */
static ir_ref
joined(struct grower *g, ir_ref a, ir_ref b)
{
    const bool clear = roll(g, 2);
    const ir_ref in[3] = {
        a, clear ? constant(g, type(g, a), is_real(g, a), 2) : b, a
    };

    return attempt(g, IR_concat, in, 2 + roll(g, 2), NULL);
}

static void
grow(struct grower *g)
{
    const bool linear = g->kind == RANDOM_LINEAR;
    const ir_ref v = pick(g);
    ir_ref r = v;

    switch (roll(g, linear ? 10 : 12)) {
    case 0: r = linear ? attempt(g, IR_neg, &v, 1, NULL) : unary(g, v); break;
    case 1:
    case 2: r = with_constant(g, v, linear); break;
    case 3:
    case 4: r = both(g, v, pick(g), linear); break;
    case 5: r = moved(g, v); break;
    case 6: r = reduced(g, v); break;
    case 7: r = product(g, v); break;
    case 8: r = joined(g, v, pick(g)); break;
    case 9:
        r = is_real(g, v) || g->kind == RANDOM_INTEGERS
                ? reshaped(g, v)
                : attempt(g, IR_to_real, &v, 1, NULL);
        break;
    case 10: r = pair(g, v, pick(g)); break;
    case 11: r = parts(g, v); break;
    }
    if (g->n < MAX_POOL)
        g->pool[g->n++] = r;
}

/* What the client does with a result; or a result that depends on nothing. */
static ir_ref
finished(struct grower *g, ir_ref v)
{
    static const enum ir_op heads[] = { IR_argmax, IR_max, IR_softmax,
                                        IR_sigmoid, IR_rank };
    union ir_attrs as = { 0 };

    if (g->kind == RANDOM_LINEAR)
        return v;
    if (roll(g, 12) == 0)
        return constant(g, type(g, v), is_real(g, v), 5);
    if (roll(g, 3) || type(g, v)->rank == 0)
        return v;
    as.max.axis = (uint32_t)roll(g, type(g, v)->rank);
    return attempt(g, heads[roll(g, 5)], &v, 1, &as);
}

static void
settings(struct grower *g)
{
    ir_set(g->f, "insecure.toy", 1, at);
    if (roll(g, 3) == 0) {
        ir_set(g->f, "per_channel.weights", 1, at);
        ir_set(g->f, "tables.native", 2, at); /* wide ones above */
    }
    ir_set(g->f, "bits.inputs", g->kind == RANDOM_LINEAR ? 16 : 4, at);
    ir_set(g->f, "bits.weights", g->kind == RANDOM_LINEAR ? 16 : 3, at);
    ir_set(g->f, "bits.activations", 1 + (double)roll(g, 4), at);
    if (roll(g, 8) == 0)
        ir_set(g->f, "rounding.approx", 3 + (double)roll(g, 4), at);
}

struct ir_func *
random_ir(struct arena *mem, struct dice *d, enum random_kind kind,
          unsigned ops)
{
    static const char *const ins[] = { "x", "y", "z" };
    static const char *const outs[] = { "p", "q", "r", "s" };
    struct grower g = { .f = ir_func_new(mem, "random"), .d = d, .kind = kind };
    union ir_attrs as;
    const size_t inputs = 1 + dice_roll(d, 3), outputs = 1 + dice_roll(d, 4);

    settings(&g);
    for (size_t i = 0; i < inputs; i++)
        input(&g, ins[i]);
    for (unsigned i = 0; i < ops; i++)
        grow(&g);
    for (size_t i = 0; i < outputs; i++) {
        const ir_ref v = finished(&g, i ? pick(&g) : g.pool[g.n - 1]);

        as.output.name = outs[i];
        ir_build(g.f, IR_output, at, &v, 1, &as);
    }
    return g.f;
}

static union ir_cell
random_cell(struct dice *d, const struct ir_type *t, bool corner)
{
    const uint64_t u = dice_roll(d, 1 << 20);
    union ir_cell c;

    if (t->base == IR_REAL) {
        const double lo = t->ranged ? t->lo : -2, hi = t->ranged ? t->hi : 2;

        c.r = corner ? (u & 1 ? lo : hi) : lo + (hi - lo) * (double)u * 0x1p-20;
    } else if (corner) {
        c.i = u & 1 ? t->ilo : t->ihi;
    } else {
        c.i = t->ilo + (int64_t)(u % ((uint64_t)(t->ihi - t->ilo) + 1));
    }
    return c;
}

const union ir_cell **
random_inputs(struct arena *mem, struct dice *d, const struct ir_func *f)
{
    const size_t n = ir_inputs(f, NULL, 0);
    ir_ref *list = arena_new(mem, ir_ref, n);
    const union ir_cell **in = arena_new(mem, const union ir_cell *, n);
    const bool corner = dice_roll(d, 3) == 0;

    ir_inputs(f, list, n);
    for (size_t i = 0; i < n; i++) {
        const struct ir_type *t = &ir_at(f, list[i])->type;
        union ir_cell *cell = arena_new(mem, union ir_cell, ir_count(t));

        for (size_t e = 0; e < ir_count(t); e++)
            cell[e] = random_cell(d, t, corner);
        in[i] = cell;
    }
    return in;
}
