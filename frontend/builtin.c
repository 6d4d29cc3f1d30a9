/* Calls: a fn is written out in the names of its own place, a function of the
 * language is a row of builtin.def or an op of one variable. */
#include "frontend/inner.h"

#include <string.h>

enum { MAX_ARGS = 8 };

/* The arguments of a call. */
struct args {
    const struct ast *call;
    const struct ast *at[MAX_ARGS]; /* positional */
    const struct ast *axis;         /* or NULL */
    enum ir_op op;
    ir_ref x; /* the first, evaluated */
};

static ir_ref
refuse(struct fe *fe, const struct args *g, const char *what)
{
    diag_error(fe->diag, g->call->at, E_type, "%s %s", g->call->text, what);
    return FE_NONE;
}

/* ---- along an axis */

/* The axis, counted from the front. */
static bool
read_axis(struct fe *fe, const struct args *g, uint32_t *axis)
{
    const int64_t rank = fe_type(fe, g->x)->rank;
    int64_t n;

    if (rank == 0) {
        refuse(fe, g, "takes a tensor with axes");
        return false;
    }
    if (!fe_integer(fe, g->axis, -rank, rank - 1, &n))
        return false;
    *axis = (uint32_t)(n < 0 ? n + rank : n);
    return true;
}

/* op of x along the axis, or of all elements */
static ir_ref
along(struct fe *fe, const struct args *g, enum ir_op op, ir_ref x)
{
    union ir_attrs as = { 0 };
    uint32_t n;

    if (fe_is_none(x))
        return x;
    if (g->axis) {
        if (!read_axis(fe, g, &as.sum.axis)) /* the same place in all */
            return FE_NONE;
        return fe_build(fe, op, g->call->at, &x, 1, &as);
    }
    n = (uint32_t)ir_count(fe_type(fe, x));
    x = fe_reshape(fe, g->call->at, x, 1, &n);
    return fe_build(fe, op, g->call->at, &x, 1, &as);
}

static ir_ref
reduction(struct fe *fe, const struct args *g)
{
    return along(fe, g, g->op,
                 g->op == IR_mean ? fe_real(fe, g->call->at, g->x) : g->x);
}

static ir_ref
negated(struct fe *fe, const struct args *g, ir_ref x)
{
    return fe_build(fe, IR_neg, g->call->at, &x, 1, NULL);
}

static ir_ref
least(struct fe *fe, const struct args *g)
{
    return along(fe, g, g->op, negated(fe, g, g->x));
}

/* of one tensor: along an axis; of two: element by element */
static ir_ref
extreme(struct fe *fe, const struct args *g)
{
    const bool min = g->op == IR_minimum;
    ir_ref in[2] = { g->x, FE_NONE };

    if (!g->at[1])
        return min ? negated(fe, g, along(fe, g, IR_max, negated(fe, g, g->x)))
                   : along(fe, g, IR_max, g->x);
    if (g->axis)
        return refuse(fe, g, "of two values has no axis");
    in[1] = fe_expr(fe, g->at[1]);
    fe_join(fe, g->call->at, &in[0], &in[1]);
    return fe_build(fe, min ? IR_minimum : IR_maximum, g->call->at, in, 2,
                    NULL);
}

static ir_ref
softmax(struct fe *fe, const struct args *g)
{
    const ir_ref x = fe_real(fe, g->call->at, g->x);
    const uint32_t rank = fe_type(fe, x)->rank;
    union ir_attrs as = { 0 };

    if (rank == 0)
        return refuse(fe, g, "takes a tensor with axes");
    as.softmax.axis = rank - 1;
    if (g->axis && !read_axis(fe, g, &as.softmax.axis))
        return FE_NONE;
    return fe_build(fe, IR_softmax, g->call->at, &x, 1, &as);
}

/* ---- shapes */

static ir_ref
clip(struct fe *fe, const struct args *g)
{
    const bool integer = fe_type(fe, g->x)->base == IR_INT;
    union ir_attrs as = { 0 };
    double lo, hi;

    if (!fe_number(fe, g->at[1], &lo) || !fe_number(fe, g->at[2], &hi))
        return FE_NONE;
    if (!(lo <= hi)) {
        diag_error(fe->diag, g->call->at, E_range,
                   "the lower bound %g is above the upper one, %g", lo, hi);
        return FE_NONE;
    }
    if (integer
        && (lo < -0x1p52 || hi > 0x1p52 || lo < (double)(int64_t)lo
            || lo > (double)(int64_t)lo || hi < (double)(int64_t)hi
            || hi > (double)(int64_t)hi))
        return refuse(fe, g, "of an integer has integer bounds of 52 bits");
    as.clip.lo = lo;
    as.clip.hi = hi;
    return fe_build(fe, IR_clip, g->call->at, &g->x, 1, &as);
}

static ir_ref
power_of_two(struct fe *fe, const struct args *g, int64_t n)
{
    const struct ir_type t = ir_type_of(IR_INT, 0, NULL);
    const union ir_cell cell = { .i = (int64_t)1 << n };

    return fe_literal(fe, g->call->at, &t, &cell);
}

/* (x + 2^(n-1)) // 2^n * 2^n */
static ir_ref
cut(struct fe *fe, const struct args *g)
{
    ir_ref in[2] = { g->x, FE_NONE };
    int64_t n;

    if (fe_type(fe, g->x)->base != IR_INT)
        return refuse(fe, g, "takes integers");
    if (!fe_integer(fe, g->at[1], 0, 61, &n))
        return FE_NONE;
    if (g->op == IR_round && n > 0) {
        in[1] = power_of_two(fe, g, n - 1);
        in[0] = fe_build(fe, IR_add, g->call->at, in, 2, NULL);
    }
    in[1] = power_of_two(fe, g, n);
    in[0] = fe_build(fe, IR_floor_div, g->call->at, in, 2, NULL);
    in[1] = power_of_two(fe, g, n);
    return fe_build(fe, IR_mul, g->call->at, in, 2, NULL);
}

/* One length may be -1, and follows from the others. */
static ir_ref
reshape(struct fe *fe, const struct args *g)
{
    const bool list = g->at[1]->kind == AST_array && !g->at[2];
    const struct ast *a = list ? g->at[1]->kid : g->at[1];
    const size_t count = ir_count(fe_type(fe, g->x));
    uint32_t dim[IR_MAX_RANK];
    size_t rank = 0, rest = count, open = IR_MAX_RANK;

    for (; a; a = a->next, rank++) {
        int64_t n;

        if (rank == IR_MAX_RANK)
            return refuse(fe, g, "makes at most six axes");
        if (!fe_integer(fe, a, -1, FE_MAX_ELEMENTS, &n))
            return FE_NONE;
        if (n < 1 && (n == 0 || open < IR_MAX_RANK))
            return refuse(fe, g, "takes positive lengths, and -1 once");
        if (n < 0)
            open = rank;
        dim[rank] = n < 0 ? 1 : (uint32_t)n;
        rest = n < 0 ? rest : rest % (size_t)n ? 0 : rest / (size_t)n;
    }
    if (open < IR_MAX_RANK && rest)
        dim[open] = (uint32_t)rest;
    return fe_reshape(fe, g->call->at, g->x, rank, dim);
}

static ir_ref
flatten(struct fe *fe, const struct args *g)
{
    const uint32_t n = (uint32_t)ir_count(fe_type(fe, g->x));

    return fe_reshape(fe, g->call->at, g->x, 1, &n);
}

static ir_ref
transpose(struct fe *fe, const struct args *g)
{
    const struct ir_type *from = fe_type(fe, g->x);
    struct ir_type to = *from;
    const size_t n = ir_count(from);
    union ir_cell *index = arena_new(fe->scratch, union ir_cell, n);

    for (size_t i = 0; i < from->rank; i++)
        to.dim[i] = from->dim[from->rank - 1u - i];
    for (size_t i = 0; i < n; i++) {
        size_t rest = i, at = 0;

        /* the last axis of `to` is the first of `from` */
        for (size_t d = from->rank; d-- > 0;) {
            size_t own = 1;

            for (size_t j = from->rank - d; j < from->rank; j++)
                own *= from->dim[j];
            at += rest % to.dim[d] * own;
            rest /= to.dim[d];
        }
        index[i].i = (int64_t)at;
    }
    return from->rank < 2 ? g->x : fe_gather(fe, g->call->at, g->x, &to, index);
}

static ir_ref
file(struct fe *fe, const struct args *g)
{
    const struct fe_constant c = fe_file(fe, g->call, NULL);

    return c.cell ? fe_literal(fe, g->call->at, &c.type, c.cell) : FE_NONE;
}

/* ---- the table */

static const struct {
    const char *name;
    size_t least, most;
    bool axis;
    ir_ref (*handler)(struct fe *fe, const struct args *g);
    enum ir_op op;
} table[] = {
#define B(name, least, most, axis, handler, op, signature, meaning) \
    { #name, least, most, axis, handler, op },
#include "frontend/builtin.def"
};

enum { NTABLE = sizeof table / sizeof *table };

/* Functions of one variable, and whether they take integers as they are. */
static const struct {
    const char *name;
    enum ir_op op;
} unary[] = {
#define F(name, expr) { #name, IR_##name },
#define B(name, expr, infer)
#define A(op, kind, field)
#define T(name, nin, infer, traits, attrs)
#define C(family, name, nin, infer, traits, attrs)
#include "ir/ops.def"
};

enum { NUNARY = sizeof unary / sizeof *unary };

static size_t
find_row(const char *name)
{
    size_t i = 0;

    while (i < NTABLE && strcmp(table[i].name, name) != 0)
        i++;
    return i;
}

static size_t
find_unary(const char *name)
{
    size_t i = 0;

    while (i < NUNARY && strcmp(unary[i].name, name) != 0)
        i++;
    return i;
}

bool
fe_is_builtin(const char *name)
{
    return find_row(name) < NTABLE || find_unary(name) < NUNARY;
}

/* ---- arguments */

static ir_ref
wrong_count(struct fe *fe, const struct ast *a, size_t least, size_t most)
{
    if (least == most)
        diag_error(fe->diag, a->at, E_arguments,
                   "%s takes %zu argument%s, not %zu", a->text, least,
                   least == 1 ? "" : "s", ast_kids(a));
    else
        diag_error(fe->diag, a->at, E_arguments,
                   "%s takes %zu to %zu arguments, not %zu", a->text, least,
                   most, ast_kids(a));
    return FE_NONE;
}

static bool
sort_args(struct fe *fe, struct args *g, size_t row)
{
    size_t n = 0;

    for (const struct ast *k = g->call->kid; k; k = k->next) {
        if (k->kind != AST_named) {
            if (n < MAX_ARGS)
                g->at[n] = k;
            n++;
        } else if (table[row].axis && strcmp(k->text, "axis") == 0
                   && !g->axis) {
            g->axis = k->kid;
        } else {
            diag_error(fe->diag, k->at, E_arguments,
                       "%s has no argument '%s', or has it already",
                       g->call->text, k->text);
            return false;
        }
    }
    if (n >= table[row].least && n <= table[row].most)
        return true;
    wrong_count(fe, g->call, table[row].least, table[row].most);
    return false;
}

/* of one variable: integers stay integers where the op keeps them */
static ir_ref
one_variable(struct fe *fe, const struct ast *a, enum ir_op op)
{
    struct ir_type t;
    ir_ref v;

    if (ast_kids(a) != 1 || a->kid->kind == AST_named)
        return wrong_count(fe, a, 1, 1);
    v = fe_expr(fe, a->kid);
    if (!fe_is_none(v)
        && ir_infer(fe->scratch, fe->f, op, &v, 1, NULL, NULL, &t))
        v = fe_real(fe, a->at, v);
    return fe_build(fe, op, a->at, &v, 1, NULL);
}

/* ---- fn */

/* Arguments are evaluated where the call stands, the body with the names that
 * its definition sees. */
static ir_ref
call_fn(struct fe *fe, const struct ast *a, const struct fe_name *n)
{
    const struct fe_name *const caller = fe->names, *inside = n->next;
    const char *const outer = fe->calling;
    const struct ast *p = n->fn->kid->next;
    ir_ref v;

    if (ast_kids(n->fn) - 1 != ast_kids(a))
        return wrong_count(fe, a, ast_kids(n->fn) - 1, ast_kids(n->fn) - 1);
    for (const struct ast *k = a->kid; k; k = k->next, p = p->next) {
        struct fe_name *parameter;

        fe->names = caller;
        v = fe_expr(fe, k);
        fe->names = inside;
        parameter = fe_define(fe, p->at, p->text);
        parameter->kind = FE_VALUE;
        parameter->value = v;
        inside = fe->names;
    }
    fe->names = inside;
    fe->calling = n->text;
    v = fe_expr(fe, n->fn->kid);
    fe->calling = outer;
    fe->names = caller;
    return v;
}

static ir_ref
unknown(struct fe *fe, const struct ast *a)
{
    const char *best = NULL;
    size_t least_edits = 3;

    if (fe->calling && strcmp(fe->calling, a->text) == 0) {
        diag_error(fe->diag, a->at, E_recursion, "'%s' calls itself", a->text);
        return FE_NONE;
    }
    for (size_t i = 0; i < NTABLE; i++)
        fe_nearest(&best, &least_edits, a->text, table[i].name);
    for (size_t i = 0; i < NUNARY; i++)
        fe_nearest(&best, &least_edits, a->text, unary[i].name);
    diag_error(fe->diag, a->at, E_unknown_name, "there is no function '%s'",
               a->text);
    if (best)
        diag_help(fe->diag, "'%s' was meant?", best);
    else
        fe_suggest(fe, a->text);
    return FE_NONE;
}

ir_ref
fe_call(struct fe *fe, const struct ast *a)
{
    const struct fe_name *n = fe_find(fe, a->text);
    const size_t row = find_row(a->text), op = find_unary(a->text);
    struct args g = { .call = a };

    if (n && n->kind == FE_FN)
        return call_fn(fe, a, n);
    if (n && n->kind == FE_FOREST)
        return fe_forest_call(fe, a, n);
    if (op < NUNARY)
        return one_variable(fe, a, unary[op].op);
    if (row == NTABLE)
        return unknown(fe, a);
    if (!sort_args(fe, &g, row))
        return FE_NONE;
    g.op = table[row].op;
    if (table[row].handler == file)
        return file(fe, &g);
    g.x = fe_expr(fe, g.at[0]);
    return fe_is_none(g.x) ? FE_NONE : table[row].handler(fe, &g);
}
