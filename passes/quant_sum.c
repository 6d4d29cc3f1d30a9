/* Bringing the scales of two values together. */
#include "passes/quant.h"

#include <math.h>
#include <string.h>

enum { FINEST = 128 };

static const struct ir_ins *
op(const struct quantizer *z, uint32_t i)
{
    return &z->f->ins[i];
}

static bool
same_scales(const struct quant *a, const struct quant *b)
{
    return a->nscale == b->nscale
           && memcmp(a->scale, b->scale, a->nscale * sizeof *a->scale) == 0;
}

/* How far a multiple of t may be from a, of a: an eighth at most. */
static double
slack(double most)
{
    const double quarter = most > 0 ? fmin(0.25 / most, 0x1p-3) : 0;

    return fmax(quarter, 0x1p-7);
}

static bool
near_multiple(double a, double t, double allowed)
{
    return fabs(rint(a / t) * t - a) <= allowed * a;
}

double
quant_common(double a, double b, double most_a, double most_b)
{
    const double low = fmin(a, b);
    const double allowed_a = slack(most_a), allowed_b = slack(most_b);

    for (int k = 1; k < FINEST; k++)
        if (near_multiple(a, low / k, allowed_a)
            && near_multiple(b, low / k, allowed_b))
            return low / k;
    return low / (double)FINEST;
}

ir_ref
quant_multiply(struct quantizer *z, struct span at, ir_ref v,
               const struct ir_type *shape, const double *factor)
{
    if (quant_all_equal(factor, ir_count(shape), 1)
        && ir_same_shape(shape, &ir_at(z->g, v)->type))
        return v;
    return ir_build2(z->g, IR_mul, at, v,
                     quant_integers(z, at, shape, factor, NULL));
}

/* one scale an entry of t */
ir_ref
quant_rescale(struct quantizer *z, uint32_t i, const struct quant *q, size_t n,
              const double *t)
{
    const struct ir_type *shape = &op(z, i)->type;
    double *factor = quant_reals(z, ir_count(shape));

    for (size_t e = 0; e < ir_count(shape); e++)
        factor[e] = rint(quant_scale_at(q, e) / t[e % n]);
    return quant_multiply(z, op(z, i)->at, q->v, shape, factor);
}

ir_ref
quant_equalise(struct quantizer *z, uint32_t i, const struct quant *q,
               double *scale)
{
    double t = q->scale[0];

    for (size_t c = 1; c < q->nscale; c++)
        t = quant_common(q->scale[c], t, 0, 0);
    *scale = t;
    return q->nscale == 1 ? q->v : quant_rescale(z, i, q, 1, scale);
}

struct quant
quant_spread(struct quantizer *z, const struct quant *q,
             const struct ir_type *from, const struct ir_type *to)
{
    const size_t n = ir_count(to);
    struct quant s = *q;

    if (q->nscale == 1 || ir_same_shape(from, to)
        || (q->nscale == ir_channels(from) && q->nscale == ir_channels(to)))
        return s;
    s.nscale = n;
    s.scale = quant_reals(z, n);
    for (size_t e = 0; e < n; e++)
        s.scale[e] = quant_scale_at(q, ir_broadcast_index(to, from, e));
    return s;
}

/* The largest integer of q that the data of calibration reach. */
static double
largest(const struct quant *q, const struct ir_type *t)
{
    double most = 0, least = q->scale[0];

    for (size_t e = 0; e < ir_count(t) && q->offset; e++)
        most = fmax(most, fabs(q->offset[e]));
    for (size_t c = 0; c < q->nscale; c++)
        least = fmin(least, q->scale[c]);
    return t->ranged ? (fmax(fabs(t->lo), fabs(t->hi)) + most) / least : 0;
}

static void
sum_offsets(struct quantizer *z, uint32_t i, const struct quant *a,
            const struct quant *b)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type;
    const double sign = ins->op == IR_sub ? -1 : 1;
    double *offset = quant_reals(z, ir_count(t));

    for (size_t e = 0; e < ir_count(t); e++) {
        const struct ir_type *ta = &op(z, ins->in[0].id)->type;
        const struct ir_type *tb = &op(z, ins->in[1].id)->type;

        offset[e] = quant_offset_at(a, ir_broadcast_index(t, ta, e))
                    + sign * quant_offset_at(b, ir_broadcast_index(t, tb, e));
    }
    z->q[i].offset = offset;
}

void
quant_sum(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *ta = &op(z, ins->in[0].id)->type;
    const struct ir_type *tb = &op(z, ins->in[1].id)->type;
    const struct quant *a = quant_integer(z, ins->in[0].id);
    const struct quant *b = quant_integer(z, ins->in[1].id);
    const struct quant x = quant_spread(z, a, ta, &ins->type);
    const struct quant y = quant_spread(z, b, tb, &ins->type);
    const size_t n = x.nscale > y.nscale ? x.nscale : y.nscale;
    const double most_x = largest(a, ta), most_y = largest(b, tb);
    struct quant *q = &z->q[i];
    ir_ref vx = x.v, vy = y.v;

    q->nscale = n;
    q->scale = quant_reals(z, n);
    if (same_scales(&x, &y)) {
        memcpy(q->scale, x.scale, n * sizeof *q->scale);
    } else {
        for (size_t c = 0; c < n; c++)
            q->scale[c] = quant_common(quant_scale_at(&x, c),
                                       quant_scale_at(&y, c), most_x, most_y);
        vx = quant_rescale(z, i, &x, n, q->scale);
        vy = quant_rescale(z, i, &y, n, q->scale);
    }
    q->v = ir_build2(z->g, (enum ir_op)ins->op, ins->at, vx, vy);
    if (a->offset || b->offset)
        sum_offsets(z, i, a, b);
}
