/* Functions of two encrypted values become functions of one.
 *
 *     max(a, b)  = b + relu(a - b)        min(a, b) = a - relu(a - b)
 *     a < b      = (a - b) < 0            and so the other comparisons
 *     a b        = floor((a + b)^2 / 4) - floor((a - b)^2 / 4)
 *     a & b      bit by bit: [x + y = 2] of two bits; | and ^ likewise
 *     any of it  = F(a + n b), F a table of pairs, where 0 <= a < n
 *
 * whichever costs least; max over an axis is a tree of max, ranks along one are
 * sums of comparisons (order.c), and a product of matrices sums products.
 * Quotients by 2^n of what is too wide for a table lose their low bits one by
 * one (bits.c).
 *
 * In `a op a` and f(a) op g(a) there is one value, the root, and nothing to do.
 */
#include "passes/pairs.h"

#include <math.h>
#include <string.h>

/* ---- building */

const struct ir_type *
pairs_type(const struct pairs *p, ir_ref v)
{
    return &ir_at(p->g, v)->type;
}

ir_ref
pairs_op(struct pairs *p, enum ir_op op, ir_ref a, ir_ref b)
{
    return ir_build2(p->g, op, p->at, a, b);
}

ir_ref
pairs_number(struct pairs *p, int64_t x)
{
    const struct ir_type t = ir_type_of(IR_INT, 0, NULL);
    const union ir_cell cell = { .i = x };

    return ir_constant(p->g, p->at, NULL, IR_PARAM, &t, &cell);
}

static ir_ref
zero(struct pairs *p, enum ir_base base)
{
    const struct ir_type t = ir_type_of(base, 0, NULL);
    const union ir_cell cell = { 0 };

    return ir_constant(p->g, p->at, NULL, IR_PARAM, &t, &cell);
}

ir_ref
pairs_plus(struct pairs *p, ir_ref v, int64_t x)
{
    return x ? pairs_op(p, IR_add, v, pairs_number(p, x)) : v;
}

ir_ref
pairs_proved(struct pairs *p, ir_ref v, struct interval h, unsigned shift)
{
    const union ir_attrs as = { .proved = {
                                    .shift = shift, .lo = h.lo, .hi = h.hi } };

    return ir_build(p->g, IR_proved, p->at, &v, 1, &as);
}

ir_ref
pairs_gather(struct pairs *p, ir_ref v, const struct ir_type *shape,
             const union ir_cell *index)
{
    const struct ir_type t = ir_type_of(IR_INT, shape->rank, shape->dim);
    const union ir_attrs as = {
        .gather = { .index =
                        ir_blob_add(p->g, NULL, IR_CONST, &t, index)->name }
    };

    return ir_build(p->g, IR_gather, p->at, &v, 1, &as);
}

/* ---- what is known */

static bool
all_ranged(const struct affine *a, ir_ref v)
{
    const size_t n = ir_count(&ir_at(a->f, v)->type);

    for (size_t e = 0; e < n; e++)
        for (uint32_t t = 0; t < a->rows[v.id][e].n; t++) {
            const uint32_t o = a->rows[v.id][e].origin[t];

            if (!ir_at(a->f, a->origin[o].op)->type.ranged)
                return false;
        }
    return true;
}

/* Exact where the integer is linear in what has a range. */
bool
pairs_interval(struct pairs *p, ir_ref v, struct interval *h)
{
    const struct ir_type *t = pairs_type(p, v);
    const int64_t limit = (int64_t)1 << 52;
    const struct affine *a;
    ir_ref bad;

    if (t->base != IR_INT)
        return false;
    a = affine_new(p->cx->scratch, p->g, &bad);
    if (a && all_ranged(a, v))
        *h = interval_hull(a, v);
    else if (t->ranged)
        *h = (struct interval){ t->ilo, t->ihi };
    else
        return false;
    return h->lo >= -limit && h->hi <= limit;
}

static bool
is_clear(const struct pairs *p, ir_ref v)
{
    return !pass_encrypted(pairs_type(p, v));
}

/* As in quantize: linear in the encrypted operand. */
static bool
is_linear(const struct pairs *p, const struct ir_ins *ins)
{
    if (ir_ops[ins->op].traits & IR_LINEAR)
        return true;
    if (ins->op == IR_mul || ins->op == IR_matmul)
        return is_clear(p, ins->in[0]) || is_clear(p, ins->in[1]);
    return ins->op == IR_div && is_clear(p, ins->in[1]);
}

/* As source and meet of quantize.c. */
static uint32_t
source(const struct pairs *p, uint32_t v)
{
    const struct ir_ins *ins = &p->g->ins[v];
    uint32_t from = v;

    if (!(ir_ops[ins->op].traits & IR_MAP) || !is_linear(p, ins))
        return v;
    for (size_t j = 0; j < ins->nin; j++)
        if (!is_clear(p, ins->in[j])) {
            if (from != v)
                return v;
            from = ins->in[j].id;
        }
    return ir_same_shape(&p->g->ins[from].type, &ins->type) ? from : v;
}

static bool
meet(const struct pairs *p, uint32_t *a, uint32_t b)
{
    while (*a != b) {
        uint32_t *later = *a > b ? a : &b;
        const uint32_t from = source(p, *later);

        if (from == *later)
            return false;
        *later = from;
    }
    return true;
}

/* The value that op i of g is a function of, as quantize will see it; itself,
 * if it is none. */
static uint32_t
find_root(const struct pairs *p, uint32_t i)
{
    const struct ir_ins *ins = &p->g->ins[i];
    uint32_t root = i;
    bool any = false;

    if (!(ir_ops[ins->op].traits & IR_MAP) || is_clear(p, (ir_ref){ i }))
        return i;
    for (size_t j = 0; j < ins->nin; j++) {
        const uint32_t v = ins->in[j].id;

        if (is_clear(p, ins->in[j]))
            continue;
        if (root == i)
            root = p->root[v];
        else if (root != p->root[v]
                 && (is_linear(p, ins) || !meet(p, &root, p->root[v])))
            return i;
        any = any || root != v;
    }
    if (!ir_same_shape(&p->g->ins[root].type, &ins->type))
        return i;
    return any || !is_linear(p, ins) ? root : i;
}

uint32_t
pairs_root(struct pairs *p, ir_ref v)
{
    if (p->cap <= v.id) {
        uint32_t *old = p->root;

        p->cap = 2 * (p->g->n + 32);
        p->root = arena_new(p->cx->scratch, uint32_t, p->cap);
        if (old)
            memcpy(p->root, old, p->known * sizeof *old);
    }
    for (; p->known <= v.id; p->known++)
        p->root[p->known] = find_root(p, p->known);
    return p->root[v.id];
}

double
pairs_price_of(const struct pairs *p, unsigned bits, double norm2)
{
    const struct search_event e = { .c_br = norm2,
                                    .table = true,
                                    .tau = ldexp(1, -((int)bits + 2)),
                                    .count = 1,
                                    .min_log2_n = bits };
    const struct search_problem one = {
        .event = &e,
        .n = 1,
        .log2_pfail = ir_get(p->g, "log2_pfail", -128),
        .level = (int)ir_get(p->g, "security", 132),
    };
    struct ir_params s;
    size_t ignored;

    return search_params(&s, &one, &ignored) ? s.cost : (double)INFINITY;
}

/* It reads one result of a table. */
double
pairs_price(struct pairs *p, unsigned bits)
{
    if (bits > ENCODE_MAX_EXACT)
        return (double)INFINITY;
    if (!(p->price[bits] > 0))
        p->price[bits] = pairs_price_of(p, bits, 1);
    return p->price[bits];
}

/* ---- tables of pairs */

/* bits of a + n b; above all limits if that is not known */
static unsigned
packed_bits(const struct pair *x)
{
    const unsigned a = ir_bits(x->ha.lo, x->ha.hi);
    const unsigned b = ir_bits(x->hb.lo, x->hb.hi);

    if (!x->known || a + b > 20)
        return 64;
    return ir_bits(0,
                   (x->ha.hi - x->ha.lo + 1) * (x->hb.hi - x->hb.lo + 1) - 1);
}

static ir_ref
packed(struct pairs *p, const struct pair *x)
{
    const int64_t n = x->ha.hi - x->ha.lo + 1;
    ir_ref a = pairs_plus(p, x->a, -x->ha.lo), size = pairs_number(p, n);
    ir_ref b = pairs_op(p, IR_mul, pairs_plus(p, x->b, -x->hb.lo), size);
    const struct interval h = { 0, n * (x->hb.hi - x->hb.lo + 1) - 1 };
    ir_ref t = pairs_op(p, IR_add, a, b);

    if (!pairs_type(p, t)->ranged || pairs_type(p, t)->ilo < h.lo
        || pairs_type(p, t)->ihi > h.hi)
        t = pairs_proved(p, t, h, 0); /* more is known of sums than inferred */
    size = pairs_number(p, n);
    a = pairs_plus(p, pairs_op(p, IR_mod, t, size), x->ha.lo);
    b = pairs_plus(p, pairs_op(p, IR_floor_div, t, size), x->hb.lo);
    return pairs_op(p, x->op, a, b);
}

/* ---- differences */

static struct interval
largest(const struct pair *x, bool min)
{
    const struct interval a = x->ha, b = x->hb;

    return min ? (struct interval){ a.lo < b.lo ? a.lo : b.lo,
                                    a.hi < b.hi ? a.hi : b.hi }
               : (struct interval){ a.lo > b.lo ? a.lo : b.lo,
                                    a.hi > b.hi ? a.hi : b.hi };
}

/* relu(v); a table of v, where it is one, has slope 1 (form.h) */
static ir_ref
positive(struct pairs *p, ir_ref v)
{
    struct interval h;

    if (!pairs_interval(p, v, &h))
        return ir_build1(p->g, IR_relu, p->at, v);
    if (h.hi <= 0) /* it has no bits that the sign could clear */
        return pairs_op(p, IR_mul, v, pairs_number(p, 0));
    if (pairs_price(p, ir_bits(h.lo, h.hi) - (h.lo < 0))
        > bits_relu_price(p, h))
        return bits_relu(p, v, h);
    return ir_build1(p->g, IR_relu, p->at, v);
}

static ir_ref
extreme(struct pairs *p, const struct pair *x)
{
    const bool min = x->op == IR_minimum;
    ir_ref d = positive(p, pairs_op(p, IR_sub, x->a, x->b));

    d = min ? pairs_op(p, IR_sub, x->a, d) : pairs_op(p, IR_add, x->b, d);
    return x->known ? pairs_proved(p, d, largest(x, min), 0) : d;
}

static ir_ref
comparison(struct pairs *p, const struct pair *x)
{
    ir_ref d = pairs_op(p, IR_sub, x->a, x->b);
    const enum ir_base base = (enum ir_base)pairs_type(p, d)->base;
    struct interval h;

    if (base == IR_REAL && x->op != IR_equal && x->op != IR_not_equal)
        return pairs_proved(p, pairs_op(p, x->op, d, zero(p, base)),
                            (struct interval){ 0, 1 }, 0); /* compare.h */
    if (!pairs_interval(p, d, &h) || h.lo >= 0 || h.hi <= 0)
        return pairs_op(p, x->op, d, zero(p, base));
    if (x->op == IR_equal || x->op == IR_not_equal) {
        if (bits_zero_price(p, h) < pairs_price(p, ir_bits(h.lo, h.hi) - 1))
            d = bits_count(p, d, h);
        return pairs_op(p, x->op, d, zero(p, base));
    }
    if (x->op == IR_less_equal) {
        d = pairs_plus(p, d, -1);
        h.lo--, h.hi--;
    }
    compare_narrow(p, &d, &h);
    return pairs_op(p, IR_less, d, zero(p, base));
}

/* ---- products of integers */

static struct interval
corners(const struct pair *x)
{
    const int64_t c[4] = { x->ha.lo * x->hb.lo, x->ha.lo * x->hb.hi,
                           x->ha.hi * x->hb.lo, x->ha.hi * x->hb.hi };
    struct interval h = { c[0], c[0] };

    for (int i = 1; i < 4; i++) {
        h.lo = c[i] < h.lo ? c[i] : h.lo;
        h.hi = c[i] > h.hi ? c[i] : h.hi;
    }
    return h;
}

static ir_ref
quarter(struct pairs *p, ir_ref t)
{
    t = pairs_op(p, IR_mul, t, t);
    return pairs_op(p, IR_floor_div, t, pairs_number(p, 4));
}

/* a + b and a - b are both even or both odd, so the floors lose the same */
static ir_ref
quarters(struct pairs *p, const struct pair *x)
{
    const ir_ref s = quarter(p, pairs_op(p, IR_add, x->a, x->b));
    const ir_ref d = quarter(p, pairs_op(p, IR_sub, x->a, x->b));

    return pairs_op(p, IR_sub, s, d);
}

static struct product_plan
better(struct product_plan a, struct product_plan b)
{
    return b.tables < a.tables ? b : a;
}

/* one way, if its tables are within the bound */
static struct product_plan
directly(const struct pairs *p, unsigned tables, unsigned bits,
         enum product_way way)
{
    return (struct product_plan){ bits <= p->widest ? tables : UNPLANNABLE, 0,
                                  way };
}

static struct product_plan plan(struct pairs *p, unsigned a, unsigned b);

static struct product_plan
plan_split(struct pairs *p, unsigned a, unsigned b, enum product_way way)
{
    struct product_plan best = { UNPLANNABLE, 0, way };

    for (unsigned low = 1; low < a && low <= ENCODE_MAX_EXACT; low++) {
        const struct product_plan split = {
            low + plan(p, low, b).tables + plan(p, a - low, b).tables, low, way
        };

        best = better(best, split);
    }
    return best;
}

static struct product_plan
plan(struct pairs *p, unsigned a, unsigned b)
{
    /* times the highest bit, a table of pairs needs no padding: slope 1 in
     * form.h */
    const unsigned pair = a + b - (a == 1 || b == 1);
    struct product_plan best = directly(p, 2, 1 + (a > b ? a : b), QUARTERS);

    if (a > PAIRS_WIDEST || b > PAIRS_WIDEST)
        return best;
    if (p->plan[a][b].way)
        return p->plan[a][b];
    best = better(best, directly(p, 1, pair, PACKED));
    best = better(best, a >= b ? plan_split(p, a, b, SPLIT_A)
                               : plan_split(p, b, a, SPLIT_B));
    return p->plan[a][b] = best;
}

/* All tables of a program have the parameters of the widest: the bound on
 * widths with which they cost least. */
static void
choose_widest(struct pairs *p, unsigned a, unsigned b)
{
    double least = (double)INFINITY;
    unsigned best = ENCODE_MAX_EXACT;

    for (unsigned bits = 1; bits <= ENCODE_MAX_EXACT; bits++) {
        double price;

        memset(p->plan, 0, sizeof p->plan);
        p->widest = bits;
        price = plan(p, a, b).tables * pairs_price(p, bits);
        if (price < least)
            least = price, best = bits;
    }
    memset(p->plan, 0, sizeof p->plan);
    p->widest = best;
}

static ir_ref planned(struct pairs *p, struct pair *x);

/* 2^low (high b) + (rest b) */
static ir_ref
split(struct pairs *p, const struct pair *x, unsigned low)
{
    const struct interval rest = { 0, ((int64_t)1 << low) - 1 };
    struct pair high = *x, part = *x;
    ir_ref v;

    part.a = bits_remove(p, &high.a, &high.ha, low);
    part.a = pairs_proved(p, part.a, rest, 0);
    part.ha = rest;
    v = planned(p, &high);
    v = pairs_op(p, IR_mul, v, pairs_number(p, (int64_t)1 << low));
    return pairs_op(p, IR_add, v, planned(p, &part));
}

/* of a and b from 0 on */
static ir_ref
planned(struct pairs *p, struct pair *x)
{
    const unsigned a = ir_bits(0, x->ha.hi), b = ir_bits(0, x->hb.hi);
    const struct product_plan best = plan(p, a, b);
    struct pair turned = { x->op, x->b, x->a, true, x->hb, x->ha };
    ir_ref v;

    if (a == 0 || b == 0) {
        v = pairs_op(p, IR_add, x->a, x->b);
        return pairs_op(p, IR_mul, v, pairs_number(p, 0));
    }
    switch (best.way) {
    case PACKED: v = packed(p, a == 1 ? &turned : x); break;
    case QUARTERS: v = quarters(p, x); break;
    case SPLIT_A: v = split(p, x, best.low); break;
    case SPLIT_B: v = split(p, &turned, best.low); break;
    case UNPLANNED: bug("a product without a plan");
    }
    return pairs_proved(p, v, corners(x), 0);
}

/* a b = (a - a0)(b - b0) + a0 b + b0 a - a0 b0 */
static ir_ref
product(struct pairs *p, const struct pair *x)
{
    const int64_t a0 = x->ha.lo, b0 = x->hb.lo;
    struct pair from0 = *x;
    ir_ref v;

    from0.a = pairs_plus(p, x->a, -a0);
    from0.b = pairs_plus(p, x->b, -b0);
    from0.ha = (struct interval){ 0, x->ha.hi - a0 };
    from0.hb = (struct interval){ 0, x->hb.hi - b0 };
    choose_widest(p, ir_bits(0, from0.ha.hi), ir_bits(0, from0.hb.hi));
    v = planned(p, &from0);
    if (a0)
        v = pairs_op(p, IR_add, v,
                     pairs_op(p, IR_mul, x->b, pairs_number(p, a0)));
    if (b0)
        v = pairs_op(p, IR_add, v,
                     pairs_op(p, IR_mul, from0.a, pairs_number(p, b0)));
    return pairs_proved(p, v, corners(x), 0);
}

/* ---- which */

static ir_ref
refused(struct pairs *p, const struct pair *x)
{
    diag_error(p->cx->diag, p->at, E_two_encrypted,
               "%s of two encrypted values is not supported yet%s",
               ir_ops[x->op].name,
               pairs_type(p, x->a)->base == IR_REAL
                   ? " for reals: integers have it"
                   : ": together they have more bits than a table");
    p->cx->status = 1;
    return x->a;
}

ir_ref
pairs_of_two(struct pairs *p, enum ir_op op, ir_ref a, ir_ref b)
{
    struct pair x = { .op = op, .a = a, .b = b };

    x.known = pairs_interval(p, a, &x.ha) && pairs_interval(p, b, &x.hb);
    switch ((int)op) {
    case IR_minimum:
    case IR_maximum: return extreme(p, &x);
    case IR_less:
    case IR_less_equal:
    case IR_equal:
    case IR_not_equal: return comparison(p, &x);
    case IR_mul: return x.known ? product(p, &x) : refused(p, &x);
    case IR_bit_and:
    case IR_bit_or:
    case IR_bit_xor:
        if (x.known && pairs_price(p, packed_bits(&x)) > bits_price(p, op, &x))
            return bits_of_two(p, op, &x);
        break;
    }
    return packed_bits(&x) <= ENCODE_MAX_EXACT ? packed(p, &x) : refused(p, &x);
}

/* ---- over an axis, and of matrices */

static struct ir_type
with_length(struct ir_type t, uint32_t axis, size_t n)
{
    t.dim[axis] = (uint32_t)n;
    return t;
}

/* v at places [from, from + n) of an axis */
static ir_ref
slice(struct pairs *p, ir_ref v, uint32_t axis, size_t from, size_t n)
{
    const struct ir_type t = *pairs_type(p, v);
    const struct ir_around a = ir_around(&t, axis);
    const struct ir_type to = with_length(t, axis, n);
    union ir_cell *index =
        arena_new(p->cx->scratch, union ir_cell, ir_count(&to));
    size_t i = 0;

    for (size_t o = 0; o < a.outer; o++)
        for (size_t j = from; j < from + n; j++)
            for (size_t k = 0; k < a.inner; k++, i++)
                index[i].i = (int64_t)((o * a.length + j) * a.inner + k);
    return pairs_gather(p, v, &to, index);
}

/* the largest of v's halves; the rest of an odd length is last's turn */
static ir_ref
tree(struct pairs *p, ir_ref v, uint32_t axis)
{
    const size_t n = pairs_type(p, v)->dim[axis];
    ir_ref m, last;

    if (n == 1)
        return v;
    m = slice(p, v, axis, 0, n / 2);
    m = pairs_of_two(p, IR_maximum, m, slice(p, v, axis, n / 2, n / 2));
    m = tree(p, m, axis);
    if (n % 2 == 0)
        return m;
    last = slice(p, v, axis, n - 1, 1);
    return pairs_of_two(p, IR_maximum, m, last);
}

ir_ref
pairs_shaped(struct pairs *p, ir_ref v, const struct ir_type *like)
{
    struct ir_type t = *pairs_type(p, v);

    t.rank = like->rank;
    memcpy(t.dim, like->dim, sizeof t.dim);
    return ir_build_typed(p->g, IR_reshape, p->at, &v, 1, NULL, &t);
}

/* a[m,k] b[k,n]: products in [m,n,k], and their sums */
static ir_ref
matrices(struct pairs *p, const struct ir_type *out, ir_ref a, ir_ref b)
{
    const struct ir_type *tb = pairs_type(p, b);
    const size_t inner = tb->dim[0], cols = tb->rank == 2 ? tb->dim[1] : 1;
    struct ir_type t = *out;
    union ir_attrs as = { .sum = { .axis = out->rank } };
    union ir_cell *left, *right;
    ir_ref v;

    t.dim[t.rank++] = (uint32_t)inner;
    left = arena_new(p->cx->scratch, union ir_cell, ir_count(&t));
    right = arena_new(p->cx->scratch, union ir_cell, ir_count(&t));
    for (size_t i = 0; i < ir_count(&t); i++) {
        const size_t j = i % inner, c = i / inner % cols, r = i / inner / cols;

        left[i].i = (int64_t)(r * inner + j);
        right[i].i = (int64_t)(j * cols + c);
    }
    v = pairs_gather(p, a, &t, left);
    b = pairs_gather(p, b, &t, right);
    v = pairs_type(p, v)->open || pairs_type(p, b)->open
            ? pairs_op(p, IR_mul, v, b)
            : pairs_of_two(p, IR_mul, v, b);
    return ir_build(p->g, IR_sum, p->at, &v, 1, &as);
}

static bool
two_encrypted(struct pairs *p, const struct ir_ins *ins, const ir_ref *in)
{
    const unsigned traits = ir_ops[ins->op].traits;
    uint32_t root;

    if (ins->nin != 2 || is_clear(p, in[0]) || is_clear(p, in[1])
        || (traits & IR_LINEAR))
        return false;
    if (ins->op == IR_matmul)
        return true;
    if (!(traits & IR_MAP))
        return false;
    root = pairs_root(p, in[0]);
    return !meet(p, &root, pairs_root(p, in[1]))
           || !ir_same_shape(pairs_type(p, (ir_ref){ root }), &ins->type);
}

/* Whether the server computes it as it is: of open integers, or a product of
 * which one factor is open. */
static bool
is_direct(const struct pairs *p, const struct ir_ins *ins, const ir_ref *in)
{
    if (ins->op == IR_mul)
        return pairs_type(p, in[0])->open || pairs_type(p, in[1])->open;
    for (size_t j = 0; j < ins->nin; j++)
        if (pairs_type(p, in[j])->base != IR_INT
            || (!is_clear(p, in[j]) && !pairs_type(p, in[j])->open))
            return false;
    return true;
}

/* x / y = x (1 / y), a function of y that the server knows */
static ir_ref
inverted(struct pairs *p, ir_ref y)
{
    const struct ir_type t = ir_type_of(IR_REAL, 0, NULL);
    const union ir_cell one = { .r = 1 };
    const ir_ref x = ir_constant(p->g, p->at, NULL, IR_PARAM, &t, &one);

    return pairs_op(p, IR_div, x, y);
}

static ir_ref
of_encrypted(struct pairs *p, const struct ir_ins *ins, const ir_ref *in)
{
    if (ins->op == IR_matmul)
        return matrices(p, &ins->type, in[0], in[1]);
    if (ins->op == IR_div && pairs_type(p, in[1])->open)
        return pairs_op(p, IR_mul, in[0], inverted(p, in[1]));
    return pairs_of_two(p, (enum ir_op)ins->op, in[0], in[1]);
}

static ir_ref
step(struct pairs *p, const struct ir_ins *ins, const ir_ref *map)
{
    ir_ref in[2] = { { 0 }, { 0 } }, v;

    p->at = ins->at;
    for (size_t j = 0; j < ins->nin && j < 2; j++)
        in[j] = map[ins->in[j].id];
    if (!pass_encrypted(&ins->type) || (ir_ops[ins->op].traits & IR_BORDER)
        || (ins->nin <= 2 && is_direct(p, ins, in)))
        return ir_copy_infer(p->g, ins, map);
    if (ins->op == IR_rank)
        return order_ranks(p, in[0], ins->as.rank.axis);
    if (ins->op == IR_argmax)
        return order_argmax(p, in[0], ins->as.argmax.axis);
    if (ins->op == IR_max)
        return pairs_shaped(p, tree(p, in[0], ins->as.max.axis), &ins->type);
    if (two_encrypted(p, ins, in))
        return of_encrypted(p, ins, in);
    if ((ins->op == IR_floor_div || ins->op == IR_mod)
        && bits_quotient(p, (enum ir_op)ins->op, in[0], in[1], &v))
        return v;
    return ir_copy_infer(p->g, ins, map);
}

struct ir_func *
pass_pairs(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct pairs p = { .cx = cx, .g = ir_func_like(cx->scratch, f) };
    struct pass_ctx inner = { cx->scratch, cx->scratch, cx->diag, 0, 0 };

    for (uint32_t i = 0; i < f->n && !cx->status; i++)
        map[i] = step(&p, &f->ins[i], map);
    if (cx->status)
        return NULL;
    inner.out = cx->out; /* parts are built where they are used */
    return pass_cse(&inner, p.g);
}
