/* Calls: a fn is written out in the names of its own place, a function of the
 * language is a row of builtin.def or an op of one variable. */
#include "frontend/builtin.h"

#include <string.h>

/* ---- arguments, which builtin.def names: "x n? * axis?" */

/* The next name of a list: its length, and whether it may be left out. */
static size_t
next_name(const char **at, bool *optional)
{
    size_t n;

    *at += strspn(*at, " ");
    n = strcspn(*at, " ?");
    *optional = (*at)[n] == '?';
    return n;
}

const struct ast *
fe_argument(const struct args *g, const char *name)
{
    const char *at = g->names;
    bool optional;
    size_t n;

    for (size_t i = 0; (n = next_name(&at, &optional)) > 0;
         at += n + optional) {
        if (*at == '*')
            continue;
        if (strlen(name) == n && strncmp(at, name, n) == 0)
            return g->at[i];
        i++;
    }
    return NULL;
}

ir_ref
fe_refuse(struct fe *fe, const struct args *g, const char *what)
{
    diag_error(fe->diag, g->call->at, E_type, "%s %s", g->call->text, what);
    return FE_NONE;
}

/* ---- along an axis */

bool
fe_axis(struct fe *fe, const struct args *g, uint32_t *axis)
{
    const int64_t rank = fe_type(fe, g->x)->rank;
    int64_t n;

    if (rank == 0) {
        fe_refuse(fe, g, "takes a tensor with axes");
        return false;
    }
    if (!fe_integer(fe, fe_argument(g, "axis"), -rank, rank - 1, &n))
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
    if (fe_argument(g, "axis")) {
        if (!fe_axis(fe, g, &as.sum.axis)) /* the same place in all */
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
    if (fe_argument(g, "axis"))
        return fe_refuse(fe, g, "of two values has no axis");
    in[1] = fe_expr(fe, g->at[1]);
    fe_join(fe, g->call->at, &in[0], &in[1]);
    return fe_build(fe, min ? IR_minimum : IR_maximum, g->call->at, in, 2,
                    NULL);
}

/* A number of the language's own: public. */
static ir_ref
public_integers(struct fe *fe, const struct args *g, const struct ir_type *t,
                const union ir_cell *cell, enum ir_blob_kind kind)
{
    return ir_constant(fe->f, g->call->at, NULL, kind, t, cell);
}

static ir_ref
op2(struct fe *fe, const struct args *g, enum ir_op op, ir_ref a, ir_ref b)
{
    return fe_build(fe, op, g->call->at, (ir_ref[]){ a, b }, 2, NULL);
}

/* sum_i i [rank_i = r], r < k */
static ir_ref
topk(struct fe *fe, const struct args *g)
{
    const union ir_attrs first = { .rank = { .axis = 0 } };
    struct ir_type t;
    union ir_cell *cell;
    uint32_t n;
    int64_t k;
    ir_ref v;

    if (fe_type(fe, g->x)->rank != 1 || fe_argument(g, "axis"))
        return fe_refuse(fe, g, "takes a vector");
    n = fe_type(fe, g->x)->dim[0];
    if (!fe_integer(fe, g->at[1], 1, n, &k))
        return FE_NONE;
    v = fe_build(fe, IR_rank, g->call->at, &g->x, 1, &first);
    cell = arena_new(fe->scratch, union ir_cell, n);
    for (uint32_t i = 0; i < n; i++)
        cell[i].i = i;
    t = ir_type_of(IR_INT, 2, (uint32_t[]){ (uint32_t)k, 1 });
    v = op2(fe, g, IR_equal, v, public_integers(fe, g, &t, cell, IR_CONST));
    t = ir_type_of(IR_INT, 1, &n);
    return op2(fe, g, IR_matmul, v, public_integers(fe, g, &t, cell, IR_CONST));
}

/* 2 <x, y - c> - |y|^2, which is larger the nearer y is to x.  The middle c of
 * the points adds the same to all, and takes much of their range. */
static ir_ref
nearness(struct fe *fe, const struct args *g, ir_ref y)
{
    const bool real = fe_type(fe, y)->base == IR_REAL;
    const struct ir_type t = ir_type_of(real ? IR_REAL : IR_INT, 0, NULL);
    const union ir_attrs rows = { .sum = { .axis = 1 } };
    const union ir_attrs all = { .sum = { .axis = 0 } };
    struct args turned = { .call = g->call };
    union ir_cell two = { .i = 2 }, n = { .i = fe_type(fe, y)->dim[0] };
    ir_ref s = op2(fe, g, IR_mul, y, y), c;

    if (real) {
        two.r = 2;
        n.r = fe_type(fe, y)->dim[0];
    }
    s = fe_build(fe, IR_sum, g->call->at, &s, 1, &rows);
    c = fe_build(fe, IR_sum, g->call->at, &y, 1, &all);
    c = op2(fe, g, real ? IR_div : IR_floor_div, c,
            public_integers(fe, g, &t, &n, IR_CONST));
    turned.x = op2(fe, g, IR_sub, y, c);
    c = public_integers(fe, g, &t, &two, IR_CONST);
    c = op2(fe, g, IR_mul, fe_b_transpose(fe, &turned), c);
    return op2(fe, g, IR_sub, op2(fe, g, IR_matmul, g->x, c), s);
}

/* [points, classes]: 1 where a point has the label; as private as the labels */
static ir_ref
label_matrix(struct fe *fe, const struct args *g, ir_ref labels, uint32_t n)
{
    const struct ir_ins *ins = ir_at(fe->f, labels);
    const struct ir_blob *b;
    union ir_cell *cell;
    struct ir_type t;
    int64_t most = 0;

    if (ins->op != IR_constant || ins->type.base != IR_INT
        || ins->type.rank != 1 || ins->type.dim[0] != n)
        return fe_refuse(fe, g,
                         "takes a label, an integer, for each point: a "
                         "param, which stays private, or a const");
    b = ir_data(fe->f, ins->as.constant.data);
    for (uint32_t i = 0; i < n; i++) {
        if (b->cell[i].i < 0 || b->cell[i].i > 999)
            return fe_refuse(fe, g, "takes labels from 0 to 999");
        most = b->cell[i].i > most ? b->cell[i].i : most;
    }
    t = ir_type_of(IR_INT, 2, (uint32_t[]){ n, (uint32_t)most + 1 });
    cell = arena_new(fe->scratch, union ir_cell, ir_count(&t));
    for (uint32_t i = 0; i < n; i++)
        cell[i * ((size_t)most + 1) + (size_t)b->cell[i].i].i = 1;
    return public_integers(fe, g, &t, cell, b->kind);
}

/* argmax(sum of the labels of points of rank below k) */
static ir_ref
knn(struct fe *fe, const struct args *g)
{
    const struct ir_type scalar = ir_type_of(IR_INT, 0, NULL);
    const union ir_attrs first = { .rank = { .axis = 0 } };
    struct args own = *g;
    ir_ref y = fe_expr(fe, g->at[1]), labels = fe_expr(fe, g->at[2]), v;
    union ir_cell k;
    uint32_t n;

    if (fe_is_none(y) || fe_is_none(labels))
        return FE_NONE;
    fe_join(fe, g->call->at, &own.x, &y);
    if (fe_type(fe, own.x)->rank != 1 || fe_type(fe, y)->rank != 2
        || fe_type(fe, own.x)->dim[0] != fe_type(fe, y)->dim[1])
        return fe_refuse(fe, g,
                         "takes a vector, and a matrix with a point of as "
                         "many numbers in each row");
    n = fe_type(fe, y)->dim[0];
    if (!fe_integer(fe, g->at[3], 1, n, &k.i))
        return FE_NONE;
    labels = label_matrix(fe, g, labels, n);
    if (fe_is_none(labels))
        return FE_NONE;
    v = nearness(fe, &own, y);
    v = fe_build(fe, IR_rank, g->call->at, &v, 1, &first);
    if (fe_is_none(v))
        return v;
    v = op2(fe, g, IR_less, v, public_integers(fe, g, &scalar, &k, IR_CONST));
    v = op2(fe, g, IR_matmul, v, labels);
    return fe_build(fe, IR_argmax, g->call->at, &v, 1, &first);
}

static ir_ref
softmax(struct fe *fe, const struct args *g)
{
    const ir_ref x = fe_real(fe, g->call->at, g->x);
    const uint32_t rank = fe_type(fe, x)->rank;
    union ir_attrs as = { 0 };

    if (rank == 0)
        return fe_refuse(fe, g, "takes a tensor with axes");
    as.softmax.axis = rank - 1;
    if (fe_argument(g, "axis") && !fe_axis(fe, g, &as.softmax.axis))
        return FE_NONE;
    return fe_build(fe, IR_softmax, g->call->at, &x, 1, &as);
}

/* ---- numbers */

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
        return fe_refuse(fe, g, "of an integer has integer bounds of 52 bits");
    as.clip.lo = lo;
    as.clip.hi = hi;
    return fe_build(fe, IR_clip, g->call->at, &g->x, 1, &as);
}

/* (x + 2^(n-1)) // 2^n * 2^n */
static ir_ref
cut(struct fe *fe, const struct args *g)
{
    ir_ref in[2] = { g->x, FE_NONE };
    int64_t n;

    if (fe_type(fe, g->x)->base != IR_INT)
        return fe_refuse(fe, g, "takes integers");
    if (!fe_integer(fe, g->at[1], 0, 61, &n))
        return FE_NONE;
    if (g->op == IR_round && n > 0) {
        in[1] = fe_integer_literal(fe, g->call->at, (int64_t)1 << (n - 1));
        in[0] = fe_build(fe, IR_add, g->call->at, in, 2, NULL);
    }
    in[1] = fe_integer_literal(fe, g->call->at, (int64_t)1 << n);
    in[0] = fe_build(fe, IR_floor_div, g->call->at, in, 2, NULL);
    in[1] = fe_integer_literal(fe, g->call->at, (int64_t)1 << n);
    return fe_build(fe, IR_mul, g->call->at, in, 2, NULL);
}

/* With subscripts, it does not come here: bits.c */
static ir_ref
bits(struct fe *fe, const struct args *g)
{
    fe_refuse(fe, g, "wants to know which: bits(x)[0], bits(x)[2:5]");
    return FE_NONE;
}

static ir_ref
file(struct fe *fe, const struct args *g)
{
    const struct fe_constant c = fe_file(fe, g->call, NULL);

    return c.cell ? fe_literal(fe, g->call->at, &c.type, c.cell) : FE_NONE;
}

/* ---- the table */

static const struct {
    const char *name, *arguments;
    ir_ref (*handler)(struct fe *fe, const struct args *g);
    enum ir_op op;
} table[] = {
#define B(name, arguments, handler, op, signature, meaning) \
    { #name, arguments, handler, op },
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

/* ---- a call */

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

/* The place of a named argument, or of positional number n; MAX_ARGS if there
 * is none. */
static size_t
place_of(const struct args *g, const struct ast *k, size_t n)
{
    const char *at = g->names;
    bool optional, by_name = false;
    size_t i = 0, len;

    for (; (len = next_name(&at, &optional)) > 0; at += len + optional) {
        if (*at == '*') {
            by_name = true;
            continue;
        }
        if (k->kind == AST_named
                ? strlen(k->text) == len && strncmp(at, k->text, len) == 0
                : i == n && !by_name)
            return i;
        i++;
    }
    return MAX_ARGS;
}

/* How many arguments there must be, and may be without a name. */
static void
count_names(const struct args *g, size_t *least, size_t *most)
{
    const char *at = g->names;
    bool optional, by_name = false;
    size_t len;

    *least = *most = 0;
    for (; (len = next_name(&at, &optional)) > 0; at += len + optional) {
        by_name = by_name || *at == '*';
        *most += !by_name;
        *least += !optional && !by_name;
    }
}

/* Values without a name beyond the list belong to `many`, if it ends so. */
static bool
sort_args(struct fe *fe, struct args *g)
{
    size_t n = 0, least, most, i;
    const bool many = strstr(g->names, "..") != NULL;

    count_names(g, &least, &most);
    for (const struct ast *k = g->call->kid; k; k = k->next) {
        i = place_of(g, k, n);
        n += k->kind != AST_named;
        if (i == MAX_ARGS && k->kind != AST_named) {
            if (many)
                continue;
            wrong_count(fe, g->call, least, most);
            return false;
        }
        if (i == MAX_ARGS || g->at[i]) {
            diag_error(fe->diag, k->at, E_arguments,
                       "%s has no argument '%s', or has it already",
                       g->call->text, k->text ? k->text : "of this place");
            return false;
        }
        g->at[i] = k->kind == AST_named ? k->kid : k;
    }
    for (i = 0; i < least; i++)
        if (!g->at[i]) {
            wrong_count(fe, g->call, least, most);
            return false;
        }
    return true;
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
        return fe_call_fn(fe, a, n);
    if (n && n->kind == FE_FOREST)
        return fe_forest_call(fe, a, n);
    if (op < NUNARY)
        return one_variable(fe, a, unary[op].op);
    if (row == NTABLE)
        return unknown(fe, a);
    g.op = table[row].op;
    g.names = table[row].arguments;
    if (!sort_args(fe, &g))
        return FE_NONE;
    if (table[row].op == IR_constant) /* nothing of the model is evaluated */
        return table[row].handler(fe, &g);
    g.x = fe_expr(fe, g.at[0]);
    return fe_is_none(g.x) ? FE_NONE : table[row].handler(fe, &g);
}
