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
    double *x = quant_reals(z, n);

    if (!pass_constant(z->f, v, blob))
        bug("a clear operand of the circuit is no constant");
    for (size_t i = 0; i < n; i++)
        if ((*blob)->type.base == IR_REAL)
            x[i] = (*blob)->cell[i].r;
        else
            x[i] = exactly(z, z->f->ins[v.id].at, (*blob)->cell[i].i);
    return x;
}

ir_ref
quant_integers(struct quantizer *z, struct span at, const struct ir_type *t,
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

/* ---- the rules */

/* v repeated to the shape of op i, by a factor of one */
static ir_ref
spread(struct quantizer *z, uint32_t i, ir_ref v)
{
    const struct ir_type *shape = &op(z, i)->type;
    double *one = quant_reals(z, ir_count(shape));

    for (size_t e = 0; e < ir_count(shape); e++)
        one[e] = 1;
    return quant_multiply(z, op(z, i)->at, v, shape, one);
}

/* x + c, x - c, c - x: an offset, or an integer if both are integers */
static void
sum_with_clear(struct quantizer *z, uint32_t i, size_t clear)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type;
    const struct ir_blob *b;
    const double *c = clear_values(z, ins->in[clear], &b);
    const struct quant *x = quant_integer(z, ins->in[1 - clear].id);
    const struct quant own =
        quant_spread(z, x, type_of(z, ins->in[1 - clear]), t);
    struct quant *q = &z->q[i];
    const bool minus_x = ins->op == IR_sub && clear == 0;
    const double sign_c = ins->op == IR_sub && clear == 1 ? -1 : 1;
    double *offset = quant_reals(z, ir_count(t));

    q->nscale = own.nscale;
    q->scale = own.scale;
    q->v = own.v;
    if (minus_x)
        q->v = ir_build1(z->g, IR_neg, ins->at, q->v);
    q->v = spread(z, i, q->v);
    for (size_t e = 0; e < ir_count(t); e++) {
        const size_t at_c =
            ir_broadcast_index(t, type_of(z, ins->in[clear]), e);
        const size_t at_x =
            ir_broadcast_index(t, type_of(z, ins->in[1 - clear]), e);

        offset[e] =
            sign_c * c[at_c] + (minus_x ? -1 : 1) * quant_offset_at(x, at_x);
    }
    if (t->base == IR_INT)
        q->v = ir_build2(z->g, IR_add, ins->at, q->v,
                         quant_integers(z, ins->at, t, offset, NULL));
    else if (!quant_all_equal(offset, ir_count(t), 0))
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
        q->offset = quant_reals(z, ir_count(&ins->type));
        for (size_t e = 0; e < ir_count(&ins->type); e++)
            q->offset[e] = -x->offset[e];
    }
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
    z->q[i].offset = quant_reals(z, ir_count(&ins->type));
    for (size_t e = 0; e < ir_count(&ins->type); e++)
        for (size_t j = 0; j < inner; j++) {
            const size_t l = e / cols * inner + j, r = j * cols + e % cols;

            z->q[i].offset[e] +=
                clear == 1 ? x->offset[l] * w[r] : w[l] * x->offset[r];
        }
}

/* x with scales that only differ along the axis that is summed, the last, or
 * with one. */
static struct quant
of_inner(struct quantizer *z, uint32_t ix)
{
    const struct quant *x = quant_integer(z, ix);
    const size_t inner = ir_channels(&op(z, ix)->type);
    struct quant own = *x;
    bool same = true;

    for (size_t e = inner; e < x->nscale && same; e++)
        same = !(x->scale[e] < x->scale[e % inner])
               && !(x->scale[e] > x->scale[e % inner]);
    if (x->nscale > 1 && same) {
        own.nscale = inner;
    } else if (x->nscale > 1) {
        own.nscale = 1;
        own.scale = quant_reals(z, 1);
        own.v = quant_equalise(z, ix, x, own.scale);
    }
    return own;
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
    const struct quant *x = quant_integer(z, ix);
    struct quant own = *x, *q = &z->q[i];
    const size_t n = ir_count(tw);
    const size_t cols = clear == 1 && tw->rank == 2 ? tw->dim[1] : 1;
    double *folded = quant_reals(z, n), scale = 1;
    struct quant_weights sw;
    ir_ref in[2];

    memcpy(folded, w, n * sizeof *w);
    if (clear == 1)
        own = of_inner(z, ix);
    else
        own.v = quant_equalise(z, ix, x, &scale);
    if (clear == 1 && own.nscale == 1)
        scale = own.scale[0];
    for (size_t e = 0; e < n && clear == 1 && own.nscale > 1; e++)
        folded[e] *= own.scale[e / cols];
    sw = quant_weights(z, i, b, folded, cols, scale);
    q->nscale = sw.nscale;
    q->scale = quant_reals(z, q->nscale);
    for (size_t c = 0; c < q->nscale; c++)
        q->scale[c] = sw.scale[c] * scale;
    in[clear] = quant_integers(z, ins->at, tw, sw.integer, b);
    in[1 - clear] = own.v;
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

/* Whether elements of op i are not summed with each other before a table or
 * decryption, so that each may have a scale of its own. */
static bool
stays_apart(const struct quantizer *z, uint32_t i)
{
    for (uint32_t u = z->user[i]; u; i = u, u = z->user[i]) {
        const struct ir_ins *ins = op(z, u);

        if (ins->op == IR_decrypt
            || ((ir_ops[ins->op].traits & IR_MAP)
                && !(ir_ops[ins->op].traits & IR_LINEAR) && ins->op != IR_mul
                && ins->op != IR_div))
            return true;
        if (!(ir_ops[ins->op].traits & IR_MAP) && ins->op != IR_gather
            && ins->op != IR_reshape)
            return false;
    }
    return false;
}

/* x * c where the scale takes the size of c, the integer its sign. */
static void
scale_by(struct quantizer *z, uint32_t i, const struct quant *x,
         const double *c, const struct ir_type *tc)
{
    const struct ir_type *t = &op(z, i)->type;
    struct quant *q = &z->q[i];
    const bool channels = by_channel(tc, t);
    const size_t n = !channels                  ? ir_count(t)
                     : ir_count(tc) > x->nscale ? ir_count(tc)
                                                : x->nscale;
    double *sign = quant_reals(z, ir_count(t));

    q->nscale = n;
    q->scale = quant_reals(z, n);
    for (size_t e = 0; e < ir_count(t); e++) {
        const double f = c[ir_broadcast_index(t, tc, e)];

        if (e < n)
            q->scale[e] = quant_scale_at(x, e) * (f > 0 || f < 0 ? fabs(f) : 1);
        sign[e] = (f > 0) - (f < 0);
    }
    q->v = quant_multiply(z, op(z, i)->at, x->v, t, sign);
}

/* x * c where c becomes integers */
static void
weighted(struct quantizer *z, uint32_t i, const struct quant *x,
         const double *c, size_t clear, const struct ir_blob *b)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type, *tc = type_of(z, ins->in[clear]);
    const size_t n = ir_count(tc);
    const bool channels = by_channel(tc, t) && n > 1;
    const struct quant_weights sw =
        quant_weights(z, i, b, c, channels ? n : 1, x->scale[0]);
    struct quant *q = &z->q[i];

    q->nscale = sw.nscale > x->nscale ? sw.nscale : x->nscale;
    q->scale = quant_reals(z, q->nscale);
    for (size_t e = 0; e < q->nscale; e++)
        q->scale[e] = quant_scale_at(x, e) * sw.scale[e % sw.nscale];
    q->v = ir_build2(z->g, IR_mul, ins->at, x->v,
                     quant_integers(z, ins->at, tc, sw.integer, b));
}

/* x * c, x / c */
static void
scaled(struct quantizer *z, uint32_t i, size_t clear)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type, *tc = type_of(z, ins->in[clear]);
    const struct ir_type *tx = type_of(z, ins->in[1 - clear]);
    const struct ir_blob *b;
    const double *values = clear_values(z, ins->in[clear], &b);
    const struct quant *x = quant_integer(z, ins->in[1 - clear].id);
    const struct quant own = quant_spread(z, x, tx, t);
    const size_t n = ir_count(tc);
    double *c = quant_reals(z, n), *offset;

    for (size_t e = 0; e < n; e++)
        c[e] = ins->op == IR_div ? 1 / values[e] : values[e];
    if (t->base == IR_REAL && (by_channel(tc, t) || stays_apart(z, i)))
        scale_by(z, i, &own, c, tc);
    else
        weighted(z, i, &own, c, clear, b);
    if (!x->offset)
        return;
    z->q[i].offset = offset = quant_reals(z, ir_count(t));
    for (size_t e = 0; e < ir_count(t); e++)
        offset[e] = c[ir_broadcast_index(t, tc, e)]
                    * x->offset[ir_broadcast_index(t, tx, e)];
}

/* gather, reshape: scales a channel stay so if channels do, else each element
 * takes its own along */
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
    if (x->nscale > 1 && (!keeps || x->nscale > ch)) {
        q->nscale = n;
        q->scale = quant_reals(z, n);
        for (size_t e = 0; e < n; e++)
            q->scale[e] =
                quant_scale_at(x, index ? (size_t)index->cell[e].i : e);
    }
    q->v = ir_build_typed(z->g, (enum ir_op)ins->op, ins->at, &v, 1, &ins->as,
                          &ins->type);
    if (!x->offset)
        return;
    q->offset = quant_reals(z, n);
    for (size_t e = 0; e < n; e++)
        q->offset[e] = x->offset[index ? (size_t)index->cell[e].i : e];
}

/* The element of x at the begin of the axis, for element e of its sums. */
static size_t
first_along(const struct ir_around *a, size_t e)
{
    return e / a->inner * a->inner * a->length + e % a->inner;
}

/* Whether what is summed along an axis has one scale each time. */
static bool
one_scale_along(const struct quant *x, const struct ir_around *a)
{
    for (size_t e = 0; e < a->outer * a->inner; e++) {
        const size_t from = first_along(a, e);

        for (size_t j = 1; j < a->length; j++) {
            const double ratio = quant_scale_at(x, from + j * a->inner)
                                 / quant_scale_at(x, from);

            if (ratio < 1 || ratio > 1)
                return false;
        }
    }
    return true;
}

/* sum and mean along an axis */
static void
reduced(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const uint32_t from = ins->in[0].id;
    const struct ir_type *t = &op(z, from)->type;
    const struct ir_around a = ir_around(t, ins->as.sum.axis);
    const struct quant *x = quant_integer(z, from);
    struct quant *q = &z->q[i], own = *x;
    const double share = ins->op == IR_mean ? 1 / (double)a.length : 1;
    const size_t n = ir_count(&ins->type);
    union ir_attrs as = { .sum = { .axis = ins->as.sum.axis } };

    if (x->nscale > 1 && !one_scale_along(x, &a)) {
        own.nscale = 1;
        own.scale = quant_reals(z, 1);
        own.v = quant_equalise(z, from, x, own.scale);
    }
    q->nscale = own.nscale > 1 ? n : 1;
    q->scale = quant_reals(z, q->nscale);
    for (size_t e = 0; e < q->nscale; e++)
        q->scale[e] = share * quant_scale_at(&own, first_along(&a, e));
    q->v = ir_build(z->g, IR_sum, ins->at, &own.v, 1, &as);
    if (!x->offset)
        return;
    q->offset = quant_reals(z, n);
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
        double *rounded = quant_reals(z, ir_count(t));

        for (size_t e = 0; e < ir_count(t); e++) {
            rounded[e] = rint(c[e] / scale);
            offset[e] = c[e] - rounded[e] * scale;
        }
        return quant_integers(z, op(z, v)->at, t, rounded, NULL);
    }
    x = quant_integer(z, v);
    for (size_t e = 0; e < ir_count(t); e++)
        offset[e] = quant_offset_at(x, e);
    t1 = scale;
    return quant_rescale(z, v, x, 1, &t1);
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
            scale = scale > 0 ? quant_common(scale, x->scale[c], 0, 0)
                              : x->scale[c];
    }
    q->offset = quant_reals(z, ir_count(&ins->type));
    for (size_t j = 0; j < ins->nin; j++) {
        const uint32_t v = ins->in[j].id;

        in[j] = joined_part(z, v, scale, q->offset + at);
        at += ir_count(&op(z, v)->type);
    }
    if (quant_all_equal(q->offset, at, 0))
        q->offset = NULL;
    q->nscale = 1;
    q->scale = quant_reals(z, 1);
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
        quant_sum(z, i);
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
