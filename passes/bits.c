/* Integers bit by bit, from the lowest; lang-spec/crypto.md (48).
 *
 *     b = low_bit(v),    v <- (v - b) / 2 = floor(v / 2)
 *
 * A low_bit is a bootstrap of the least size, whatever the width of v, so that
 * this is the way of integers that are too wide for a table.
 */
#include "passes/pairs.h"

enum { MAX_WIDTH = 62 };

static ir_ref
remove_bit(struct pairs *p, ir_ref *v, struct interval *h)
{
    const ir_ref b = ir_build1(p->g, IR_low_bit, p->at, *v);

    h->lo >>= 1;
    h->hi >>= 1;
    *v = pairs_proved(p, pairs_op(p, IR_sub, *v, b), *h, 1);
    return b;
}

/* sum + 2^i v; of i = 0, v */
static ir_ref
place(struct pairs *p, ir_ref sum, unsigned i, ir_ref v)
{
    if (i == 0)
        return v;
    v = pairs_op(p, IR_mul, v, pairs_number(p, (int64_t)1 << i));
    return pairs_op(p, IR_add, sum, v);
}

/* v <- floor(v / 2^n); what it loses is the result */
ir_ref
bits_remove(struct pairs *p, ir_ref *v, struct interval *h, unsigned n)
{
    ir_ref sum = { 0 };

    for (unsigned i = 0; i < n; i++)
        sum = place(p, sum, i, remove_bit(p, v, h));
    return sum;
}

/* The n bits of v, in 0 .. 2^n - 1, the lowest first: the highest remains. */
static void
split(struct pairs *p, ir_ref v, struct interval h, unsigned n, ir_ref *bit)
{
    for (; n > 1; n--)
        *bit++ = remove_bit(p, &v, &h);
    *bit = v;
}

/* ---- of two */

double
bits_price(struct pairs *p, enum ir_op op, const struct pair *x)
{
    const unsigned a = ir_bits(0, x->ha.hi), b = ir_bits(0, x->hb.hi);
    const unsigned both = a < b ? a : b;

    if (both == 0)
        return 0;
    return (a + b - 2 + both) * pairs_price(p, op == IR_bit_xor ? 0 : 1);
}

/* of two bits: a table of x + y */
static ir_ref
one(struct pairs *p, enum ir_op op, ir_ref x, ir_ref y)
{
    const ir_ref sum = pairs_op(p, IR_add, x, y);

    if (op == IR_bit_xor)
        return pairs_op(p, IR_mod, sum, pairs_number(p, 2));
    return pairs_op(p, IR_less_equal, pairs_number(p, op == IR_bit_and ? 2 : 1),
                    sum);
}

ir_ref
bits_of_two(struct pairs *p, enum ir_op op, const struct pair *pair)
{
    const unsigned na = ir_bits(0, pair->ha.hi), nb = ir_bits(0, pair->hb.hi);
    const unsigned most = na > nb ? na : nb, least = na < nb ? na : nb;
    const unsigned n = op == IR_bit_and ? least : most;
    ir_ref x[MAX_WIDTH + 1] = { { 0 } }, y[MAX_WIDTH + 1] = { { 0 } };
    ir_ref sum = { 0 };

    if (n == 0) { /* both, or one, are 0 */
        sum = pairs_op(p, IR_add, pair->a, pair->b);
        return pairs_op(p, IR_mul, sum, pairs_number(p, 0));
    }
    if (least == 0 && op != IR_bit_and) /* one is 0, and has a shape */
        return pairs_op(p, IR_add, pair->a, pair->b);
    split(p, pair->a, pair->ha, na, x);
    split(p, pair->b, pair->hb, nb, y);
    for (unsigned i = 0; i < n; i++)
        sum = place(p, sum, i,
                    i < least ? one(p, op, x[i], y[i])
                    : i < na  ? x[i]
                              : y[i]);
    return sum;
}

/* ---- relu, and zero, of a wide integer */

/* bits of v as two's complement */
static unsigned
signed_bits(struct interval h)
{
    const int64_t most = h.hi > -1 - h.lo ? h.hi : -1 - h.lo;

    return 1 + ir_bits(0, most > 0 ? most : 0);
}

double
bits_relu_price(struct pairs *p, struct interval h)
{
    return 2 * (signed_bits(h) - 1) * pairs_price(p, 1);
}

/* Its bits, where the sign is not set: what remains is -1 or 0. */
ir_ref
bits_relu(struct pairs *p, ir_ref v, struct interval h)
{
    const unsigned n = signed_bits(h) - 1;
    ir_ref bit[MAX_WIDTH + 1], sum = { 0 };

    for (unsigned i = 0; i < n; i++)
        bit[i] = remove_bit(p, &v, &h);
    v = pairs_plus(p, v, 1);
    for (unsigned i = 0; i < n; i++)
        sum = place(p, sum, i, one(p, IR_bit_and, bit[i], v));
    return sum;
}

double
bits_zero_price(struct pairs *p, struct interval h)
{
    const unsigned n = signed_bits(h);

    return (n + 1) * pairs_price(p, ir_bits(0, n) - 1);
}

/* How many of the bits of v are set: none if v = 0. */
ir_ref
bits_count(struct pairs *p, ir_ref v, struct interval h)
{
    const unsigned n = signed_bits(h);
    ir_ref sum = { 0 };

    for (unsigned i = 0; i < n; i++) {
        const ir_ref b = remove_bit(p, &v, &h);

        sum = i ? pairs_op(p, IR_add, sum, b) : b;
    }
    return sum;
}

/* ---- by powers of two */

/* The exponent if v is a constant power of two. */
static bool
power_of_two(const struct pairs *p, ir_ref v, unsigned *n)
{
    const struct ir_blob *b;

    if (!pass_constant(p->g, v, &b) || ir_count(&b->type) != 1)
        return false;
    for (*n = 0; (int64_t)1 << *n < b->cell[0].i; ++*n)
        ;
    return (int64_t)1 << *n == b->cell[0].i;
}

bool
bits_quotient(struct pairs *p, enum ir_op op, ir_ref v, ir_ref by, ir_ref *out)
{
    const unsigned then = op == IR_mod ? 0 : 1; /* a narrow table follows */
    struct interval h;
    unsigned n, all;

    if (!power_of_two(p, by, &n) || n == 0 || pairs_root(p, v) != v.id
        || pairs_type(p, v)->rank < pairs_type(p, by)->rank
        || !pairs_interval(p, v, &h))
        return false;
    all = ir_bits(h.lo, h.hi);
    if (n >= all
        || (n + then) * pairs_price(p, then ? all - n : 0)
               > pairs_price(p, all))
        return false;
    *out = bits_remove(p, &v, &h, n);
    if (op == IR_floor_div)
        *out = v;
    return true;
}
