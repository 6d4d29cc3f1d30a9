/* The sign of a wide integer by a narrow one: what the weights have in common
 * is divided out, and low bits are removed one by one, exactly,
 *
 *     [v < 0] = [floor(v / 2^n) < 0],
 *
 * as many as make it cheapest with the table of (43) that follows.
 *
 * A comparison of reals has its integers after `quantize` only, where it asks
 * here: the real is monotone in the integer, so there is a first integer t at
 * which the comparison changes, and [v < t] is the sign of v - t.
 */
#include "passes/compare.h"

#include "passes/pairs.h"

#include <math.h>

/* How many low bits to remove before a sign is taken: what is left has the sign
 * of the whole, and a table of (43).  The first bit is in front of all others.
 */
static unsigned
spare_bits(struct pairs *p, struct interval h, double *price)
{
    const unsigned all = ir_bits(h.lo, h.hi);
    unsigned best = 0;

    *price = (double)INFINITY;
    for (unsigned n = 0; n + 1 < all; n++) {
        const double own = (n + 1) * pairs_price(p, all - n - 1);

        if (own < *price)
            *price = own, best = n;
    }
    return best;
}

double
compare_price(struct pairs *p, struct interval h)
{
    const unsigned all = ir_bits(h.lo, h.hi);
    double price;
    const unsigned n = spare_bits(p, h, &price);

    if (n == 0 || all < 2)
        return price;
    return n * pairs_price_of(p, 0, ldexp(1, 2 * ((int)all - 2)))
           + pairs_price(p, all - n - 1);
}

/* The power of two in all weights of v; rest[e]: what is above a multiple of
 * it. */
static unsigned
common_twos(struct pairs *p, ir_ref v, union ir_cell *rest)
{
    const size_t n = ir_count(pairs_type(p, v));
    const struct affine *a;
    unsigned twos = ENCODE_MAX_BITS;
    bool any = false;
    ir_ref bad;

    a = affine_new(p->cx->scratch, p->g, &bad);
    if (!a)
        return 0;
    for (size_t e = 0; e < n; e++)
        for (uint32_t t = 0; t < a->rows[v.id][e].n; t++) {
            const uint64_t w = (uint64_t)a->rows[v.id][e].weight[t];
            const unsigned own = (unsigned)__builtin_ctzll(w);

            twos = own < twos ? own : twos;
            any = true;
        }
    if (!any)
        return 0;
    for (size_t e = 0; e < n; e++)
        rest[e].i = a->rows[v.id][e].constant & (((int64_t)1 << twos) - 1);
    return twos;
}

void
compare_halve(struct pairs *p, ir_ref *v, struct interval *h,
              union ir_cell *rest)
{
    const struct ir_type *t = pairs_type(p, *v);
    const struct ir_type own = ir_type_of(IR_INT, t->rank, t->dim);
    const unsigned twos = common_twos(p, *v, rest);

    if (!twos)
        return;
    *v = pairs_op(p, IR_sub, *v,
                  ir_constant(p->g, p->at, NULL, IR_PARAM, &own, rest));
    h->lo >>= twos;
    h->hi >>= twos;
    *v = pairs_proved(p, *v, *h, twos);
}

void
compare_narrow(struct pairs *p, ir_ref *v, struct interval *h)
{
    double ignored;

    compare_halve(
        p, v, h,
        arena_new(p->cx->scratch, union ir_cell, ir_count(pairs_type(p, *v))));
    bits_remove(p, v, h, spare_bits(p, *h, &ignored));
}

/* ---- of reals */

static bool
holds(const struct comparison *c, size_t e, int64_t v)
{
    const double x =
        (double)v * c->scale[e % c->nscale] + (c->offset ? c->offset[e] : 0);
    const double left = c->right ? c->limit[e] : x;
    const double right = c->right ? x : c->limit[e];

    return c->op == IR_less ? left < right : left <= right;
}

/* the first v in [lo, hi + 1] of which it holds, or holds no more */
static int64_t
first(const struct comparison *c, size_t e, struct interval h)
{
    int64_t lo = h.lo, hi = h.hi + 1;

    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;

        if (holds(c, e, mid) == c->right)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* [v < 0] of an integer, as quantize has it: a function of reals */
static ir_ref
negative(struct pairs *p, ir_ref v)
{
    const struct ir_type t = ir_type_of(IR_REAL, 0, NULL);
    const union ir_cell one = { .r = 1 }, zero = { .r = 0 };
    const char *scale = ir_blob_add(p->g, NULL, IR_CONST, &t, &one)->name;
    const union ir_attrs in = { .dequant = { .scale = scale } };
    const union ir_attrs out = { .quant = { .scale = scale, .hi = 1 } };

    v = ir_build(p->g, IR_dequant, p->at, &v, 1, &in);
    v = pairs_op(p, IR_less, v,
                 ir_constant(p->g, p->at, NULL, IR_PARAM, &t, &zero));
    v = ir_build1(p->g, IR_to_real, p->at, v);
    return ir_build(p->g, IR_quant, p->at, &v, 1, &out);
}

bool
compare_reals(struct pass_ctx *cx, struct ir_func *g, struct span at,
              const struct comparison *c, ir_ref *out)
{
    struct pairs *p = arena_new(cx->scratch, struct pairs, 1);
    const struct ir_type *t = &ir_at(g, c->v)->type;
    const struct ir_type own = ir_type_of(IR_INT, t->rank, t->dim);
    union ir_cell *limit =
        arena_new(cx->scratch, union ir_cell, ir_count(&own));
    struct interval h;
    ir_ref v = c->v;

    *p = (struct pairs){ .cx = cx, .g = g, .at = at };
    if (!pairs_interval(p, v, &h))
        return false;
    for (size_t e = 0; e < ir_count(&own); e++)
        limit[e].i = first(c, e, h);
    v = pairs_op(p, IR_sub, v, ir_constant(g, at, NULL, IR_PARAM, &own, limit));
    if (!pairs_interval(p, v, &h))
        return false;
    if (h.lo < 0 && h.hi >= 0)
        compare_narrow(p, &v, &h);
    v = negative(p, v);
    if (c->right)
        v = pairs_op(p, IR_sub, pairs_number(p, 1), v);
    *out = v;
    return true;
}
