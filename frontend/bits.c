/* bits(x)[..]: the integer that some bits of an integer make.
 *
 * Bit i of x is floor(x / 2^i) mod 2: two's complement, whose sign goes on
 * without end.  So
 *
 *     bits(x)[i]      floor(x / 2^i) mod 2
 *     bits(x)[i:j]    floor(x / 2^i) mod 2^(j - i)
 *     bits(x)[i:]     floor(x / 2^i), which keeps the sign
 *     bits(x)[i:j:s]  sum over k of 2^k bits(x)[i + k s]
 *
 * Which bits is public.
 */
#include "frontend/inner.h"

#include <string.h>

enum { LAST = 61 };

bool
fe_is_bits(const struct ast *index)
{
    return index->kid->kind == AST_call
           && strcmp(index->kid->text, "bits") == 0;
}

static ir_ref
with(struct fe *fe, const struct ast *a, enum ir_op op, ir_ref x, int64_t y)
{
    const struct ir_type t = ir_type_of(IR_INT, 0, NULL);
    const union ir_cell cell = { .i = y };

    return fe_pair(fe, op, a->at, x,
                   ir_constant(fe->f, a->at, NULL, IR_CONST, &t, &cell));
}

/* bits [from, from + count) */
static ir_ref
field(struct fe *fe, const struct ast *a, ir_ref x, int64_t from, int64_t count)
{
    if (from > 0)
        x = with(fe, a, IR_floor_div, x, (int64_t)1 << from);
    return fe_is_none(x) ? x : with(fe, a, IR_mod, x, (int64_t)1 << count);
}

/* A bound, or what it is when it is left out. */
static bool
bound(struct fe *fe, const struct ast *k, int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    return k->kind == AST_none || fe_integer(fe, k, 0, LAST + 1, out);
}

static ir_ref
spaced(struct fe *fe, const struct ast *a, ir_ref x, int64_t from, int64_t to,
       int64_t step)
{
    ir_ref sum = FE_NONE;
    int64_t k = 0;

    for (int64_t i = from; step > 0 ? i < to : i > to; i += step, k++) {
        ir_ref v = field(fe, a, x, i, 1);

        if (!fe_is_none(v) && k > 0)
            v = with(fe, a, IR_mul, v, (int64_t)1 << k);
        if (fe_is_none(v))
            return v;
        sum = k > 0 ? fe_pair(fe, IR_add, a->at, sum, v) : v;
    }
    return sum;
}

static ir_ref
slice(struct fe *fe, const struct ast *a, const struct ast *k, ir_ref x)
{
    const struct ast *end = ast_kid(k, 1), *by = ast_kid(k, 2);
    int64_t step = 1, from, to;

    if (by->kind != AST_none && !fe_integer(fe, by, -LAST, LAST, &step))
        return FE_NONE;
    if (!bound(fe, k->kid, 0, &from) || !bound(fe, end, -1, &to))
        return FE_NONE;
    if (step == 1 && end->kind == AST_none)
        return from > 0 ? with(fe, a, IR_floor_div, x, (int64_t)1 << from) : x;
    if (step == 0 || (step > 0 ? from >= to : from <= to)
        || (step > 1 && end->kind == AST_none)
        || (step < 0 && k->kid->kind == AST_none)) {
        diag_error(fe->diag, k->at, E_index,
                   "this slice holds no bits, or has no end: they are counted "
                   "from 0, the lowest");
        diag_help(fe->diag, "bits(x)[2:5] are three; bits(x)[2:] all from 2 "
                            "on; bits(x)[7::-1] eight, the highest first");
        return FE_NONE;
    }
    return step == 1 ? field(fe, a, x, from, to - from)
                     : spaced(fe, a, x, from, to, step);
}

ir_ref
fe_bits(struct fe *fe, const struct ast *a)
{
    const struct ast *call = a->kid, *k = call->next;
    ir_ref x;
    int64_t i;

    if (ast_kids(call) != 1 || call->kid->kind == AST_named) {
        diag_error(fe->diag, call->at, E_arguments,
                   "bits takes 1 argument, not %zu", ast_kids(call));
        return FE_NONE;
    }
    x = fe_expr(fe, call->kid);
    if (fe_is_none(x))
        return x;
    if (fe_type(fe, x)->base != IR_INT) {
        diag_error(fe->diag, call->at, E_type, "bits takes integers");
        return FE_NONE;
    }
    if (k->next || k->kind == AST_all) {
        diag_error(fe->diag, a->at, E_index,
                   "bits(x) has one subscript: which bits, of each element");
        return FE_NONE;
    }
    if (k->kind == AST_slice)
        return slice(fe, a, k, x);
    return fe_integer(fe, k, 0, LAST, &i) ? field(fe, a, x, i, 1) : FE_NONE;
}
