/* Linear work on quantised values.
 *
 *     real = scale * v + offset
 *
 * Every rule below keeps this equation, but for the rounding of weights
 * (real constants become integers of the asked width) and of the ratio of two
 * scales that meet in a sum.
 */
#include "passes/quant.h"

#include <math.h>
#include <string.h>

static const struct ir_ins *
op(const struct quantizer *z, uint32_t i)
{
    return &z->f->ins[i];
}

static const struct ir_type *
type_of(const struct quantizer *z, ir_ref v)
{
    return &z->f->ins[v.id].type;
}

static double *
reals(struct quantizer *z, size_t n)
{
    return arena_new(z->cx->scratch, double, n);
}

static double
scale_at(const struct quant *q, size_t element)
{
    return q->scale[quant_channel(q, element)];
}

static double
offset_at(const struct quant *q, size_t element)
{
    return q->offset ? q->offset[element] : 0;
}

/* An integer of the source as a double, which holds 53 bits. */
static double
exactly(struct quantizer *z, struct span at, int64_t v)
{
    if (v < -PASS_EXACT || v > PASS_EXACT) {
        diag_error(z->cx->diag, at, E_integer_overflow,
                   "an integer of this constant needs more than 52 bits");
        z->cx->status = 1;
    }
    return (double)v;
}

/* Cells of a clear operand as reals. */
static const double *
clear_values(struct quantizer *z, ir_ref v, const struct ir_blob **blob)
{
    const size_t n = ir_count(type_of(z, v));
    double *x = reals(z, n);

    if (!pass_constant(z->f, v, blob))
        bug("a clear operand of the circuit is no constant");
    for (size_t i = 0; i < n; i++)
        if ((*blob)->type.base == IR_REAL)
            x[i] = (*blob)->cell[i].r;
        else
            x[i] = exactly(z, z->f->ins[v.id].at, (*blob)->cell[i].i);
    return x;
}

/* An integer constant of the server with the shape of t; what is made of the
 * blob `of` is called OF.int. */
static ir_ref
integers(struct quantizer *z, struct span at, const struct ir_type *t,
         const double *x, const struct ir_blob *of)
{
    char name[256];
    const struct ir_type type = ir_type_of(IR_INT, t->rank, t->dim);
    const size_t n = ir_count(&type);
    union ir_cell *cell = arena_new(z->cx->scratch, union ir_cell, n);

    for (size_t i = 0; i < n; i++)
        cell[i].i = quant_round(z, at, x[i]);
    snprintf(name, sizeof name, "%s.int", of ? of->name : "");
    return ir_constant(z->g, at,
                       of && !ir_blob_find(z->g, name, false) ? name : NULL,
                       IR_PARAM, &type, cell);
}

static bool
all_equal(const double *x, size_t n, double value)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] < value || x[i] > value)
            return false;
    return true;
}

/* ---- bringing scales together */

static bool
same_scales(const struct quant *a, const struct quant *b)
{
    return a->nscale == b->nscale
           && memcmp(a->scale, b->scale, a->nscale * sizeof *a->scale) == 0;
}

/* t such that both a / t and b / t are near integers: within 2^-7, or at the
 * finest, min / 2^7 */
static double
common(double a, double b)
{
    const double low = a < b ? a : b;
    double t = low;

    for (int g = 0; g < 7; g++, t = low / exp2(g)) {
        const double x = fabs(rint(a / t) * t - a) / a;
        const double y = fabs(rint(b / t) * t - b) / b;

        if (x <= 0x1p-7 && y <= 0x1p-7)
            break;
    }
    return t;
}

/* v times one integer factor an element, if any is not 1 */
static ir_ref
multiply(struct quantizer *z, struct span at, ir_ref v,
         const struct ir_type *shape, const double *factor)
{
    if (all_equal(factor, ir_count(shape), 1)
        && ir_same_shape(shape, &ir_at(z->g, v)->type))
        return v;
    return ir_build2(z->g, IR_mul, at, v, integers(z, at, shape, factor, NULL));
}

/* v on the grid of t, one scale an entry of t */
static ir_ref
rescale(struct quantizer *z, uint32_t i, const struct quant *q, size_t n,
        const double *t)
{
    const struct ir_type *shape = &op(z, i)->type;
    double *factor = reals(z, ir_count(shape));

    for (size_t e = 0; e < ir_count(shape); e++)
        factor[e] = rint(scale_at(q, e) / t[e % n]);
    return multiply(z, op(z, i)->at, q->v, shape, factor);
}

/* One scale for all channels. */
static ir_ref
equalise(struct quantizer *z, uint32_t i, struct quant *q, double *scale)
{
    double t = q->scale[0];

    for (size_t c = 1; c < q->nscale; c++)
        t = common(q->scale[c], t);
    *scale = t;
    return q->nscale == 1 ? q->v : rescale(z, i, q, 1, scale);
}

/* ---- the rules */

/* a + b, a - b of integers; channels fall back to one scale when the shapes
 * differ */
static void
sum_of_two(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const uint32_t ia = ins->in[0].id, ib = ins->in[1].id;
    struct quant *a = quant_integer(z, ia), *b = quant_integer(z, ib);
    struct quant *q = &z->q[i];
    const bool aligned =
        ir_channels(&op(z, ia)->type) == ir_channels(&op(z, ib)->type);
    const size_t n = !aligned                ? 1
                     : a->nscale > b->nscale ? a->nscale
                                             : b->nscale;
    ir_ref va = a->v, vb = b->v;

    q->nscale = n;
    q->scale = reals(z, n);
    if (aligned && same_scales(a, b)) {
        memcpy(q->scale, a->scale, n * sizeof *q->scale);
    } else {
        struct quant x = *a, y = *b;

        if (!aligned) {
            x.scale = reals(z, 1), y.scale = reals(z, 1);
            x.v = equalise(z, ia, a, x.scale);
            y.v = equalise(z, ib, b, y.scale);
            x.nscale = y.nscale = 1;
        }
        for (size_t c = 0; c < n; c++)
            q->scale[c] = common(scale_at(&x, c), scale_at(&y, c));
        va = rescale(z, ia, &x, n, q->scale);
        vb = rescale(z, ib, &y, n, q->scale);
    }
    q->v = ir_build2(z->g, (enum ir_op)ins->op, ins->at, va, vb);
    if (a->offset || b->offset) {
        const double sign = ins->op == IR_sub ? -1 : 1;

        q->offset = reals(z, ir_count(&ins->type));
        for (size_t e = 0; e < ir_count(&ins->type); e++)
            q->offset[e] =
                offset_at(a, ir_broadcast_index(&ins->type,
                                                type_of(z, ins->in[0]), e))
                + sign
                      * offset_at(b, ir_broadcast_index(&ins->type,
                                                        type_of(z, ins->in[1]),
                                                        e));
    }
}

/* v repeated to the shape of op i, by a factor of one */
static ir_ref
spread(struct quantizer *z, uint32_t i, ir_ref v)
{
    const struct ir_type *shape = &op(z, i)->type;
    double *one = reals(z, ir_count(shape));

    for (size_t e = 0; e < ir_count(shape); e++)
        one[e] = 1;
    return multiply(z, op(z, i)->at, v, shape, one);
}

/* x + c, x - c, c - x: an offset, or an integer if both are integers */
static void
sum_with_clear(struct quantizer *z, uint32_t i, size_t clear)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type;
    const struct ir_blob *b;
    const double *c = clear_values(z, ins->in[clear], &b);
    struct quant *x = quant_integer(z, ins->in[1 - clear].id), *q = &z->q[i];
    const bool minus_x = ins->op == IR_sub && clear == 0;
    const double sign_c = ins->op == IR_sub && clear == 1 ? -1 : 1;
    double *offset = reals(z, ir_count(t));
    double scale;

    q->nscale = x->nscale;
    q->scale = x->scale;
    q->v = x->v;
    if (ir_channels(type_of(z, ins->in[1 - clear])) != ir_channels(t)
        && x->nscale > 1) {
        q->v = equalise(z, ins->in[1 - clear].id, x, &scale);
        q->nscale = 1;
        q->scale = reals(z, 1);
        *q->scale = scale;
    }
    if (minus_x)
        q->v = ir_build1(z->g, IR_neg, ins->at, q->v);
    q->v = spread(z, i, q->v);
    for (size_t e = 0; e < ir_count(t); e++) {
        const size_t at_c =
            ir_broadcast_index(t, type_of(z, ins->in[clear]), e);
        const size_t at_x =
            ir_broadcast_index(t, type_of(z, ins->in[1 - clear]), e);

        offset[e] = sign_c * c[at_c] + (minus_x ? -1 : 1) * offset_at(x, at_x);
    }
    if (t->base == IR_INT)
        q->v = ir_build2(z->g, IR_add, ins->at, q->v,
                         integers(z, ins->at, t, offset, NULL));
    else if (!all_equal(offset, ir_count(t), 0))
        q->offset = offset;
}

static void
negate(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    struct quant *x = quant_integer(z, ins->in[0].id), *q = &z->q[i];

    q->nscale = x->nscale;
    q->scale = x->scale;
    q->v = ir_build1(z->g, IR_neg, ins->at, x->v);
    if (x->offset) {
        q->offset = reals(z, ir_count(&ins->type));
        for (size_t e = 0; e < ir_count(&ins->type); e++)
            q->offset[e] = -x->offset[e];
    }
}

/* Weights as integers of the asked width: w = scale * W, one scale or one a
 * column.  Integer weights are exact. */
static double *
round_weights(struct quantizer *z, const struct ir_blob *b, const double *w,
              size_t cols, size_t *nscale, double *rounded)
{
    const unsigned bits = quant_bits(z, b->name, "weights", 8);
    const double top = bits > 1 ? (double)((1 << (bits - 1)) - 1) : 1;
    const size_t n = ir_count(&b->type);
    char key[256];
    double *scale;

    snprintf(key, sizeof key, "per_channel.%s", b->name);
    *nscale = ir_get(z->f, key, ir_get(z->f, "per_channel.weights", 0)) > 0
                  ? cols
                  : 1;
    scale = reals(z, *nscale);
    for (size_t i = 0; i < n; i++)
        if (fabs(w[i]) / top > scale[i % *nscale])
            scale[i % *nscale] = fabs(w[i]) / top;
    for (size_t c = 0; c < *nscale; c++)
        if (b->type.base == IR_INT || !(scale[c] > 0))
            scale[c] = 1;
    for (size_t i = 0; i < n; i++)
        rounded[i] = rint(w[i] / scale[i % *nscale]);
    return scale;
}

/* offset of x @ w or w @ x */
static void
product_offset(struct quantizer *z, uint32_t i, const struct quant *x,
               const double *w, size_t clear)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *right = type_of(z, ins->in[1]);
    const size_t inner = right->dim[0];
    const size_t cols = right->rank == 2 ? right->dim[1] : 1;

    if (!x->offset)
        return;
    z->q[i].offset = reals(z, ir_count(&ins->type));
    for (size_t e = 0; e < ir_count(&ins->type); e++)
        for (size_t j = 0; j < inner; j++) {
            const size_t l = e / cols * inner + j, r = j * cols + e % cols;

            z->q[i].offset[e] +=
                clear == 1 ? x->offset[l] * w[r] : w[l] * x->offset[r];
        }
}

/* x @ w and w @ x.  A scale a channel of x on the axis that is summed goes
 * into the weights first. */
static void
matmul(struct quantizer *z, uint32_t i, size_t clear)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *tw = type_of(z, ins->in[clear]);
    const uint32_t ix = ins->in[1 - clear].id;
    const struct ir_blob *b;
    const double *w = clear_values(z, ins->in[clear], &b);
    struct quant *x = quant_integer(z, ix), *q = &z->q[i];
    const size_t n = ir_count(tw);
    const bool columns = clear == 1 && tw->rank == 2;
    const size_t cols = columns ? tw->dim[1] : 1;
    double *folded = reals(z, n), *rounded = reals(z, n), scale = 1, *sw;
    ir_ref in[2], v = x->v;

    memcpy(folded, w, n * sizeof *w);
    if (x->nscale == 1) {
        scale = x->scale[0];
    } else if (clear == 1) {
        for (size_t e = 0; e < n; e++)
            folded[e] *= x->scale[e / cols];
    } else {
        v = equalise(z, ix, x, &scale);
    }
    sw = round_weights(z, b, folded, cols, &q->nscale, rounded);
    q->scale = reals(z, q->nscale);
    for (size_t c = 0; c < q->nscale; c++)
        q->scale[c] = sw[c] * scale;
    in[clear] = integers(z, ins->at, tw, rounded, b);
    in[1 - clear] = v;
    q->v = ir_build(z->g, IR_matmul, ins->at, in, 2, NULL);
    product_offset(z, i, x, w, clear);
}

/* Whether c varies along the last axis of the result only. */
static bool
by_channel(const struct ir_type *tc, const struct ir_type *out)
{
    const size_t n = ir_count(tc);

    return n == 1 || (n == ir_channels(tc) && n == ir_channels(out));
}

/* x * c with c one factor or one a channel: the scale takes its size, the
 * integer its sign. */
static void
scale_by(struct quantizer *z, uint32_t i, const struct quant *x, ir_ref v,
         const double *c, const struct ir_type *tc)
{
    const struct ir_type *t = &op(z, i)->type;
    struct quant *q = &z->q[i];
    const size_t n = ir_count(tc) > x->nscale ? ir_count(tc) : x->nscale;
    double *sign = reals(z, ir_count(t));

    q->nscale = n;
    q->scale = reals(z, n);
    for (size_t e = 0; e < n; e++) {
        const double f = fabs(c[e % ir_count(tc)]);

        q->scale[e] = scale_at(x, e) * (f > 0 ? f : 1);
    }
    for (size_t e = 0; e < ir_count(t); e++) {
        const double f = c[e % ir_count(tc)];

        sign[e] = (f > 0) - (f < 0);
    }
    q->v = multiply(z, op(z, i)->at, v, t, sign);
}

/* x * c, x / c */
static void
scaled(struct quantizer *z, uint32_t i, size_t clear)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type, *tc = type_of(z, ins->in[clear]);
    const struct ir_blob *b;
    const double *values = clear_values(z, ins->in[clear], &b);
    struct quant *x = quant_integer(z, ins->in[1 - clear].id), *q = &z->q[i];
    const size_t n = ir_count(tc);
    const bool grows =
        ir_channels(type_of(z, ins->in[1 - clear])) != ir_channels(t);
    double *c = reals(z, n), *rounded = reals(z, n), *sw;
    struct quant own = *x;

    for (size_t e = 0; e < n; e++)
        c[e] = ins->op == IR_div ? 1 / values[e] : values[e];
    if (grows && x->nscale > 1) {
        own.scale = reals(z, 1);
        own.v = equalise(z, ins->in[1 - clear].id, x, own.scale);
        own.nscale = 1;
    }
    if (t->base == IR_REAL && by_channel(tc, t)) {
        scale_by(z, i, &own, own.v, c, tc);
    } else {
        const bool channels = by_channel(tc, t) && n > 1;

        sw = round_weights(z, b, c, channels ? n : 1, &q->nscale, rounded);
        if (q->nscale < own.nscale)
            q->nscale = own.nscale;
        q->scale = reals(z, q->nscale);
        for (size_t e = 0; e < q->nscale; e++)
            q->scale[e] = scale_at(&own, e) * sw[channels ? e % n : 0];
        q->v = ir_build2(z->g, IR_mul, ins->at, own.v,
                         integers(z, ins->at, tc, rounded, b));
    }
    if (!x->offset)
        return;
    q->offset = reals(z, ir_count(t));
    for (size_t e = 0; e < ir_count(t); e++)
        q->offset[e] = c[ir_broadcast_index(t, tc, e)]
                       * x->offset[ir_broadcast_index(
                           t, type_of(z, ins->in[1 - clear]), e)];
}

/* gather, reshape: scales a channel stay only if channels do */
static void
moved(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const uint32_t from = ins->in[0].id;
    struct quant *x = quant_integer(z, from), *q = &z->q[i];
    const struct ir_blob *index =
        ins->op == IR_gather ? ir_data(z->f, ins->as.gather.index) : NULL;
    const size_t n = ir_count(&ins->type), ch = ir_channels(&ins->type);
    bool keeps = ch == ir_channels(&op(z, from)->type);
    ir_ref v = x->v;

    for (size_t e = 0; e < n && index; e++)
        keeps = keeps && (size_t)index->cell[e].i % ch == e % ch;
    q->nscale = x->nscale;
    q->scale = x->scale;
    if (!keeps && x->nscale > 1) {
        q->nscale = 1;
        q->scale = reals(z, 1);
        v = equalise(z, from, x, q->scale);
    }
    q->v = ir_build_typed(z->g, (enum ir_op)ins->op, ins->at, &v, 1, &ins->as,
                          &ins->type);
    if (!x->offset)
        return;
    q->offset = reals(z, n);
    for (size_t e = 0; e < n; e++)
        q->offset[e] = x->offset[index ? (size_t)index->cell[e].i : e];
}

/* sum and mean along an axis */
static void
reduced(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const uint32_t from = ins->in[0].id;
    const struct ir_type *t = &op(z, from)->type;
    const struct ir_around a = ir_around(t, ins->as.sum.axis);
    struct quant *x = quant_integer(z, from), *q = &z->q[i];
    const double share = ins->op == IR_mean ? 1 / (double)a.length : 1;
    union ir_attrs as = { .sum = { .axis = ins->as.sum.axis } };
    ir_ref v = x->v;

    q->nscale = x->nscale;
    q->scale = reals(z, x->nscale);
    memcpy(q->scale, x->scale, x->nscale * sizeof *q->scale);
    if (ins->as.sum.axis == t->rank - 1u && x->nscale > 1) {
        q->nscale = 1;
        v = equalise(z, from, x, q->scale);
    }
    for (size_t c = 0; c < q->nscale; c++)
        q->scale[c] *= share;
    q->v = ir_build(z->g, IR_sum, ins->at, &v, 1, &as);
    if (!x->offset)
        return;
    q->offset = reals(z, ir_count(&ins->type));
    for (size_t e = 0; e < ir_count(t); e++)
        q->offset[e / (a.inner * a.length) * a.inner + e % a.inner] +=
            share * x->offset[e];
}

/* Operands of a concat on one grid; a clear one is rounded to it, its offset is
 * the rest. */
static ir_ref
joined_part(struct quantizer *z, uint32_t v, double scale, double *offset)
{
    const struct ir_type *t = &op(z, v)->type;
    const struct ir_blob *b;
    struct quant *x;
    double t1;

    if (z->q[v].state == QUANT_CLEAR) {
        const double *c = clear_values(z, (ir_ref){ v }, &b);
        double *rounded = reals(z, ir_count(t));

        for (size_t e = 0; e < ir_count(t); e++) {
            rounded[e] = rint(c[e] / scale);
            offset[e] = c[e] - rounded[e] * scale;
        }
        return integers(z, op(z, v)->at, t, rounded, NULL);
    }
    x = quant_integer(z, v);
    for (size_t e = 0; e < ir_count(t); e++)
        offset[e] = offset_at(x, e);
    t1 = scale;
    return rescale(z, v, x, 1, &t1);
}

static void
joined(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    struct quant *q = &z->q[i];
    ir_ref *in = arena_new(z->cx->scratch, ir_ref, ins->nin);
    double scale = 0;
    size_t at = 0;

    for (size_t j = 0; j < ins->nin; j++) {
        struct quant *x = &z->q[ins->in[j].id];

        if (x->state == QUANT_CLEAR)
            continue;
        x = quant_integer(z, ins->in[j].id);
        for (size_t c = 0; c < x->nscale; c++)
            scale = scale > 0 ? common(scale, x->scale[c]) : x->scale[c];
    }
    q->offset = reals(z, ir_count(&ins->type));
    for (size_t j = 0; j < ins->nin; j++) {
        const uint32_t v = ins->in[j].id;

        in[j] = joined_part(z, v, scale, q->offset + at);
        at += ir_count(&op(z, v)->type);
    }
    if (all_equal(q->offset, at, 0))
        q->offset = NULL;
    q->nscale = 1;
    q->scale = reals(z, 1);
    *q->scale = scale;
    q->v = ir_build(z->g, IR_concat, ins->at, in, ins->nin, NULL);
}

/* An encrypted integer read as a real: the same integer. */
static void
read_as_real(struct quantizer *z, uint32_t i)
{
    struct quant *x = quant_integer(z, op(z, i)->in[0].id), *q = &z->q[i];

    q->v = x->v;
    q->nscale = x->nscale;
    q->scale = x->scale;
    q->offset = x->offset;
}

static void
binary(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const bool left = z->q[ins->in[0].id].state == QUANT_CLEAR;
    const bool right = z->q[ins->in[1].id].state == QUANT_CLEAR;
    const size_t clear = left ? 0 : 1;

    if (ins->op == IR_matmul)
        matmul(z, i, clear);
    else if (ins->op == IR_mul || ins->op == IR_div)
        scaled(z, i, clear);
    else if (left || right)
        sum_with_clear(z, i, clear);
    else
        sum_of_two(z, i);
}

static bool
all_finite(const double *x, size_t n)
{
    for (size_t i = 0; x && i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* A division by zero, or factors that leave the doubles. */
static void
check_scales(struct quantizer *z, uint32_t i)
{
    const struct quant *q = &z->q[i];
    bool good = all_finite(q->scale, q->nscale)
                && all_finite(q->offset, ir_count(&op(z, i)->type));

    for (size_t c = 0; c < q->nscale; c++)
        good = good && q->scale[c] > 0;
    if (good)
        return;
    diag_error(z->cx->diag, op(z, i)->at, E_not_finite,
               "a factor or a term of this is not a finite number");
    z->cx->status = 1;
}

void
quant_linear(struct quantizer *z, uint32_t i)
{
    z->q[i].state = QUANT_INTEGER;
    switch ((int)op(z, i)->op) {
    case IR_neg: negate(z, i); break;
    case IR_gather:
    case IR_reshape: moved(z, i); break;
    case IR_concat: joined(z, i); break;
    case IR_sum:
    case IR_mean: reduced(z, i); break;
    case IR_to_real: read_as_real(z, i); break;
    default: binary(z, i); break;
    }
    if (!z->cx->status)
        check_scales(z, i);
    if (z->cx->status)
        quant_wrong(z, i);
}
