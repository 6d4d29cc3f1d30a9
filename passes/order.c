/* Order along an axis, by comparisons of all pairs:
 *
 *     before(i, j) = [x_i >= x_j], i < j         ties by index
 *     rank_i = n - 1 - i + sum_{j<i} before(j, i) - sum_{j>i} before(i, j)
 *     argmax = sum_i i [rank_i = 0]
 *
 * n (n - 1) / 2 comparisons, sums of them, and one small table an element.
 *
 * Wide integers are cut into digits once, and compared with a borrow from the
 * lowest digit on,
 *
 *     c_0 = [a_0 - b_0 < 0],   c_k = [a_k - b_k - c_(k-1) < 0],
 *
 * the last of which is [a < b]: a small table a digit, where the difference
 * of a pair would lose its low bits one by one.
 */
#include "passes/pairs.h"

#include <math.h>

struct lines {
    struct ir_type type; /* of the value */
    struct ir_around a;
    size_t count; /* lines along the axis */
};

static struct lines
lines_of(const struct pairs *p, ir_ref v, uint32_t axis)
{
    struct lines l = { .type = *pairs_type(p, v) };

    l.a = ir_around(&l.type, axis);
    l.count = l.a.outer * l.a.inner;
    return l;
}

/* element j of line i */
static size_t
place(const struct lines *l, size_t i, size_t j)
{
    return (i / l->a.inner * l->a.length + j) * l->a.inner + i % l->a.inner;
}

static struct ir_type
matrix(size_t rows, size_t cols)
{
    const uint32_t dim[2] = { (uint32_t)rows, (uint32_t)cols };

    return ir_type_of(IR_INT, 2, dim);
}

static ir_ref
constant(struct pairs *p, const struct ir_type *t, const union ir_cell *cell)
{
    return ir_constant(p->g, p->at, NULL, IR_PARAM, t, cell);
}

/* The elements of both sides of all pairs of each line. */
struct sides {
    struct ir_type type; /* [lines, pairs] */
    union ir_cell *left, *right;
};

static struct sides
sides_of(struct pairs *p, const struct lines *l, size_t pairs)
{
    struct sides s = { .type = matrix(l->count, pairs) };
    size_t at = 0;

    s.left = arena_new(p->cx->scratch, union ir_cell, ir_count(&s.type));
    s.right = arena_new(p->cx->scratch, union ir_cell, ir_count(&s.type));
    for (size_t o = 0; o < l->count; o++)
        for (size_t j = 1; j < l->a.length; j++)
            for (size_t i = 0; i < j; i++, at++) {
                s.left[at].i = (int64_t)place(l, o, i);
                s.right[at].i = (int64_t)place(l, o, j);
            }
    return s;
}

static ir_ref
difference(struct pairs *p, ir_ref v, const struct sides *s)
{
    const ir_ref left = pairs_gather(p, v, &s->type, s->left);

    return pairs_op(p, IR_sub, left, pairs_gather(p, v, &s->type, s->right));
}

/* ---- digits */

/* low digits, so many bits each, and what is above them */
struct digits {
    unsigned count, width;
    double price;
};

/* The digits with which the comparisons of so many pairs of n integers of that
 * many bits cost least.  A digit sums bits: 1 + 4 + .. of V_br on each side;
 * the first low bit is in front of all others. */
static struct digits
plan(struct pairs *p, unsigned bits, double n, double pairs)
{
    struct digits best = { .price = (double)INFINITY };

    for (unsigned w = 1; w <= 6; w++) {
        const double norm2 = 2 * (ldexp(1, 2 * (int)w) - 1) / 3 + 1;
        const double one = pairs_price_of(p, w, norm2);

        for (unsigned q = 1; q * w < bits; q++) {
            const unsigned top = bits - q * w;
            const int front = 2 * ((int)bits - 2);
            const double bit = pairs_price_of(p, 0, ldexp(1, front));
            const double last = top > 8
                                    ? (double)INFINITY
                                    : pairs_price_of(p, top, 2.0 * q * w + 1);
            const double price = n * q * w * bit + pairs * (q * one + last);

            if (price < best.price)
                best = (struct digits){ q, w, price };
        }
    }
    return best;
}

/* [d < 0] */
static ir_ref
negative(struct pairs *p, ir_ref d)
{
    return pairs_op(p, IR_less, d, pairs_number(p, 0));
}

/* [left < right] by digits, lowest first, below which there is rest */
static ir_ref
by_digits(struct pairs *p, ir_ref v, struct interval h,
          const union ir_cell *rest, const struct sides *s, struct digits plan)
{
    const size_t n = ir_count(&s->type);
    const struct interval range = { 0, ((int64_t)1 << plan.width) - 1 };
    union ir_cell *borrow = arena_new(p->cx->scratch, union ir_cell, n);
    ir_ref c, d;

    for (size_t e = 0; e < n; e++)
        borrow[e].i = rest[s->left[e].i].i < rest[s->right[e].i].i;
    c = constant(p, &s->type, borrow);
    for (unsigned k = 0; k < plan.count; k++) {
        d = pairs_proved(p, bits_remove(p, &v, &h, plan.width), range, 0);
        c = negative(p, pairs_op(p, IR_sub, difference(p, d, s), c));
    }
    return negative(p, pairs_op(p, IR_sub, difference(p, v, s), c));
}

/* before(i, j) of all pairs of each line: [lines, pairs] */
static ir_ref
comparisons(struct pairs *p, ir_ref v, const struct lines *l, size_t pairs)
{
    const struct sides s = sides_of(p, l, pairs);
    const double n = (double)ir_count(&l->type);
    const double all = (double)(l->count * pairs);
    struct interval h, d;
    ir_ref right;

    if (pairs_interval(p, v, &h)
        && pairs_interval(p, difference(p, v, &s), &d)) {
        union ir_cell *rest =
            arena_new(p->cx->scratch, union ir_cell, ir_count(&l->type));
        struct digits best;
        ir_ref u = v, c;

        compare_halve(p, &u, &h, rest);
        best = plan(p, ir_bits(h.lo, h.hi), n, all);
        if (best.price < all * compare_price(p, d)) {
            c = by_digits(p, u, h, rest, &s, best);
            return pairs_op(p, IR_sub, pairs_number(p, 1), c);
        }
    }
    right = pairs_gather(p, v, &s.type, s.right);
    return pairs_of_two(p, IR_less_equal, right,
                        pairs_gather(p, v, &s.type, s.left));
}

/* [lines, length] */
static ir_ref
ranks(struct pairs *p, ir_ref v, const struct lines *l)
{
    const size_t n = l->a.length, pairs = n * (n - 1) / 2;
    const struct ir_type ts = matrix(pairs, n), tb = matrix(1, n);
    union ir_cell *sign = arena_new(p->cx->scratch, union ir_cell, pairs * n);
    union ir_cell *base = arena_new(p->cx->scratch, union ir_cell, n);
    ir_ref r = comparisons(p, v, l, pairs);
    size_t at = 0;

    for (size_t j = 0; j < n; j++) {
        base[j].i = (int64_t)(n - 1 - j);
        for (size_t i = 0; i < j; i++, at++) {
            sign[at * n + j].i = 1;
            sign[at * n + i].i = -1;
        }
    }
    r = pairs_op(p, IR_matmul, r, constant(p, &ts, sign));
    return pairs_op(p, IR_add, r, constant(p, &tb, base));
}

/* All alike: there is one element a line. */
static ir_ref
nothing(struct pairs *p, ir_ref v, const struct ir_type *t)
{
    union ir_cell *index =
        arena_new(p->cx->scratch, union ir_cell, ir_count(t));

    v = pairs_gather(p, v, t, index);
    return pairs_proved(p, pairs_op(p, IR_less, v, v),
                        (struct interval){ 0, 0 }, 0);
}

ir_ref
order_ranks(struct pairs *p, ir_ref v, uint32_t axis)
{
    const struct lines l = lines_of(p, v, axis);
    const size_t n = ir_count(&l.type);
    union ir_cell *index = arena_new(p->cx->scratch, union ir_cell, n);
    const struct ir_type own = ir_type_of(IR_INT, l.type.rank, l.type.dim);

    if (l.a.length == 1)
        return nothing(p, v, &own);
    for (size_t o = 0; o < l.count; o++)
        for (size_t j = 0; j < l.a.length; j++)
            index[place(&l, o, j)].i = (int64_t)(o * l.a.length + j);
    return pairs_gather(p, ranks(p, v, &l), &own, index);
}

/* of two: whether the second is larger */
static ir_ref
second(struct pairs *p, ir_ref v, const struct lines *l)
{
    const ir_ref first = comparisons(p, v, l, 1);

    return pairs_op(p, IR_sub, pairs_number(p, 1), first);
}

ir_ref
order_argmax(struct pairs *p, ir_ref v, uint32_t axis)
{
    const struct lines l = lines_of(p, v, axis);
    const size_t n = l.a.length;
    struct ir_type out = l.type;
    const struct ir_type t = matrix(l.count, n - 1 ? n - 1 : 1);
    const struct ir_type weights = matrix(n - 1 ? n - 1 : 1, 1);
    union ir_cell *index, *which;
    ir_ref r;

    out.rank--;
    for (uint32_t i = axis; i < out.rank; i++)
        out.dim[i] = l.type.dim[i + 1];
    out = ir_type_of(IR_INT, out.rank, out.dim);
    if (n == 1)
        return nothing(p, v, &out);
    if (n == 2)
        return pairs_shaped(p, second(p, v, &l), &out);
    index = arena_new(p->cx->scratch, union ir_cell, ir_count(&t));
    which = arena_new(p->cx->scratch, union ir_cell, n - 1);
    for (size_t i = 1; i < n; i++) {
        which[i - 1].i = (int64_t)i;
        for (size_t o = 0; o < l.count; o++) /* of the first, nobody asks */
            index[o * (n - 1) + i - 1].i = (int64_t)(o * n + i);
    }
    r = pairs_gather(p, ranks(p, v, &l), &t, index);
    r = pairs_op(p, IR_equal, r, pairs_number(p, 0));
    r = pairs_op(p, IR_matmul, r, constant(p, &weights, which));
    r = pairs_proved(p, r, (struct interval){ 0, (int64_t)n - 1 }, 0);
    return pairs_shaped(p, r, &out);
}
