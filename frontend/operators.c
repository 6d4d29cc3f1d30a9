/* Operators to operations.
 *
 * Bits of negative integers are those of two's complement, of as many as both
 * operands need:
 *
 *     x & y = signed((x mod 2^n) & (y mod 2^n)),   -2^(n-1) <= x, y < 2^(n-1)
 *     signed(r) = (r + 2^(n-1)) mod 2^n - 2^(n-1)
 */
#include "frontend/inner.h"

#include <string.h>

static const struct {
    const char *text;
    enum ir_op op;
    bool swapped, reals;
} binaries[] = {
    { "+", IR_add, false, false },        { "-", IR_sub, false, false },
    { "*", IR_mul, false, false },        { "/", IR_div, false, true },
    { "//", IR_floor_div, false, false }, { "%", IR_mod, false, false },
    { "@", IR_matmul, false, false },     { "**", IR_pow, false, true },
    { "<", IR_less, false, false },       { "<=", IR_less_equal, false, false },
    { ">", IR_less, true, false },        { ">=", IR_less_equal, true, false },
    { "==", IR_equal, false, false },     { "!=", IR_not_equal, false, false },
    { "&", IR_bit_and, false, false },    { "|", IR_bit_or, false, false },
    { "^", IR_bit_xor, false, false },    { "and", IR_bit_and, false, false },
    { "or", IR_bit_or, false, false },
};

enum { MAX_SHIFT = 61 };

bool
fe_within(const struct fe *fe, ir_ref v, int64_t lo, int64_t hi)
{
    const struct ir_type *t = fe_type(fe, v);

    return t->base == IR_INT && t->ranged && t->ilo >= lo && t->ihi <= hi;
}

ir_ref
fe_pair(struct fe *fe, enum ir_op op, struct span at, ir_ref x, ir_ref y)
{
    fe_join(fe, at, &x, &y);
    return fe_build(fe, op, at, (ir_ref[]){ x, y }, 2, NULL);
}

static ir_ref
with(struct fe *fe, enum ir_op op, const struct ast *a, ir_ref x, int64_t y)
{
    return fe_pair(fe, op, a->at, x, fe_integer_literal(fe, a->at, y));
}

static ir_ref
negated(struct fe *fe, const struct ast *a, ir_ref x)
{
    return fe_build(fe, IR_neg, a->at, &x, 1, NULL);
}

static ir_ref
refuse(struct fe *fe, const struct ast *a, const char *wants)
{
    diag_error(fe->diag, a->at, E_type, "%s takes %s", a->text, wants);
    return FE_NONE;
}

static bool
are_integers(struct fe *fe, const struct ast *a, ir_ref x, ir_ref y)
{
    if (fe_type(fe, x)->base == IR_INT && fe_type(fe, y)->base == IR_INT)
        return true;
    refuse(fe, a, "integers");
    return false;
}

/* ---- bits */

/* the least n with -2^(n-1) <= v < 2^(n-1) */
static unsigned
signed_bits(const struct ir_type *t)
{
    unsigned n = 1;

    while (t->ilo < -((int64_t)1 << (n - 1)) || t->ihi >= (int64_t)1 << (n - 1))
        n++;
    return n;
}

static ir_ref
bitwise(struct fe *fe, const struct ast *a, enum ir_op op, ir_ref x, ir_ref y)
{
    const struct ir_type tx = *fe_type(fe, x), ty = *fe_type(fe, y);
    const int64_t most = (int64_t)1 << 52;
    unsigned n;
    ir_ref v;

    if (!are_integers(fe, a, x, y))
        return FE_NONE;
    if (!fe_within(fe, x, -most, most) || !fe_within(fe, y, -most, most))
        return refuse(fe, a, "integers of a known range of 52 bits");
    if (tx.ilo >= 0 && ty.ilo >= 0)
        return fe_pair(fe, op, a->at, x, y);
    n = signed_bits(&tx) > signed_bits(&ty) ? signed_bits(&tx)
                                            : signed_bits(&ty);
    if (tx.ilo < 0)
        x = with(fe, IR_mod, a, x, (int64_t)1 << n);
    if (ty.ilo < 0)
        y = with(fe, IR_mod, a, y, (int64_t)1 << n);
    v = fe_pair(fe, op, a->at, x, y);
    if (op == IR_bit_and && (tx.ilo >= 0 || ty.ilo >= 0))
        return v;
    v = with(fe, IR_mod, a, with(fe, IR_add, a, v, (int64_t)1 << (n - 1)),
             (int64_t)1 << n);
    return with(fe, IR_sub, a, v, (int64_t)1 << (n - 1));
}

static ir_ref
logical(struct fe *fe, const struct ast *a, enum ir_op op, ir_ref x, ir_ref y)
{
    if (!fe_within(fe, x, 0, 1) || !fe_within(fe, y, 0, 1))
        return refuse(fe, a, "booleans, as comparisons give them");
    return fe_pair(fe, op, a->at, x, y);
}

/* 2^y, of which the range is known */
static ir_ref
power_of_two(struct fe *fe, const struct ast *a, ir_ref y)
{
    const uint32_t dim[2] = { 1, (uint32_t)fe_type(fe, y)->ihi + 1 };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_cell cell[MAX_SHIFT + 1];

    for (size_t i = 0; i <= MAX_SHIFT; i++)
        cell[i].i = (int64_t)1 << i;
    return fe_select(fe, a->at, y, &t, cell);
}

/* x << y and x >> y: products by, and quotients of, a power of two */
static ir_ref
shift(struct fe *fe, const struct ast *a, ir_ref x, ir_ref y)
{
    const struct fe_name *secret;
    struct fe_constant c;

    if (!are_integers(fe, a, x, y))
        return FE_NONE;
    if (!fe_within(fe, y, 0, MAX_SHIFT))
        return refuse(fe, a, "a number of bits of 0..61 on its right");
    if (fe_known(fe, fe->f, y, &c, &secret) && ir_count(&c.type) == 1)
        y = fe_literal(fe, a->at, &c.type,
                       &(union ir_cell){ .i = (int64_t)1 << c.cell->i });
    else
        y = power_of_two(fe, a, y);
    return fe_pair(fe, a->text[0] == '<' ? IR_mul : IR_floor_div, a->at, x, y);
}

/* ---- numbers */

/* x ** 3 of an integer is an integer: products. */
static ir_ref
integer_power(struct fe *fe, const struct ast *a, ir_ref x, int64_t exponent)
{
    ir_ref y = x;

    for (int64_t i = 1; i < exponent; i++)
        y = fe_build(fe, IR_mul, a->at, (ir_ref[]){ y, x }, 2, NULL);
    return y;
}

/* x // y and x % y, rounded down; by a negative y those of -x and -y */
static ir_ref
divide(struct fe *fe, const struct ast *a, enum ir_op op, ir_ref x, ir_ref y)
{
    ir_ref v;

    if (!are_integers(fe, a, x, y))
        return FE_NONE;
    if (fe_within(fe, y, 1, INT64_MAX))
        return fe_pair(fe, op, a->at, x, y);
    if (!fe_within(fe, y, -INT64_MAX, -1))
        return refuse(fe, a, "a divisor whose range does not hold 0");
    v = negated(fe, a, x);
    v = fe_pair(fe, op, a->at, v, negated(fe, a, y));
    return op == IR_mod ? negated(fe, a, v) : v;
}

/* The operator of a, on two values. */
static ir_ref
of_two(struct fe *fe, const struct ast *a, ir_ref x, ir_ref y)
{
    enum ir_op op;
    size_t i = 0;

    if (fe_is_none(x) || fe_is_none(y))
        return FE_NONE;
    if (strcmp(a->text, "<<") == 0 || strcmp(a->text, ">>") == 0)
        return shift(fe, a, x, y);
    while (strcmp(binaries[i].text, a->text) != 0)
        i++;
    op = binaries[i].op;
    if (a->text[0] == 'a' || a->text[0] == 'o')
        return logical(fe, a, op, x, y);
    if (op == IR_bit_and || op == IR_bit_or || op == IR_bit_xor)
        return bitwise(fe, a, op, x, y);
    if (op == IR_floor_div || op == IR_mod)
        return divide(fe, a, op, x, y);
    if (binaries[i].reals) {
        x = fe_real(fe, a->at, x);
        y = fe_real(fe, a->at, y);
    }
    return binaries[i].swapped ? fe_pair(fe, op, a->at, y, x)
                               : fe_pair(fe, op, a->at, x, y);
}

ir_ref
fe_binary(struct fe *fe, const struct ast *a)
{
    const struct ast *right = ast_kid(a, 1);
    const ir_ref x = fe_expr(fe, ast_kid(a, 0));

    if (strcmp(a->text, "**") == 0 && right->kind == AST_whole
        && right->whole >= 1 && right->whole <= 16 && !fe_is_none(x)
        && fe_type(fe, x)->base == IR_INT)
        return integer_power(fe, a, x, right->whole);
    return of_two(fe, a, x, fe_expr(fe, right));
}

/* x < y < z: x < y and y < z, each operand evaluated once */
ir_ref
fe_chain(struct fe *fe, const struct ast *a)
{
    ir_ref left = fe_expr(fe, a->kid), all = FE_NONE;
    uint32_t begin = a->kid->at.begin;

    for (const struct ast *k = a->kid->next; k; k = k->next) {
        const struct ast two = { .text = k->text, .at = { begin, k->at.end } };
        const ir_ref right = fe_expr(fe, k->kid);
        const ir_ref v = of_two(fe, &two, left, right);

        if (fe_is_none(v))
            return v;
        all = k == a->kid->next ? v : fe_pair(fe, IR_bit_and, a->at, all, v);
        left = right;
        begin = k->at.begin;
    }
    return all;
}

/* -x, ~x = -1 - x, not x = 1 - x */
ir_ref
fe_unary(struct fe *fe, const struct ast *a)
{
    const ir_ref x = fe_expr(fe, a->kid);
    const bool not = a->text[0] == 'n';

    if (fe_is_none(x) || a->text[0] == '-')
        return negated(fe, a, x);
    if (not&&!fe_within(fe, x, 0, 1))
        return refuse(fe, a, "a boolean, as comparisons give them");
    if (fe_type(fe, x)->base != IR_INT)
        return refuse(fe, a, "integers");
    return fe_pair(fe, IR_sub, a->at,
                   fe_integer_literal(fe, a->at, not? 1 : -1), x);
}
