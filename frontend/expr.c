/* Expressions to operations.
 *
 * Integers become reals where a real is wanted; nothing else converts by
 * itself.  A wrong expression is FE_NONE and silent wherever it is used.
 */
#include "frontend/inner.h"

#include <string.h>

const struct ir_type *
fe_type(const struct fe *fe, ir_ref v)
{
    return &ir_at(fe->f, v)->type;
}

/* ---- one more operation */

static bool
too_large(struct fe *fe, struct span at, const struct ir_type *t)
{
    uint64_t n = 1;

    for (size_t i = 0; i < t->rank && n <= FE_MAX_ELEMENTS; i++)
        n *= t->dim[i];
    if (n > FE_MAX_ELEMENTS)
        diag_error(fe->diag, at, E_too_large,
                   "this tensor has more than 2^26 elements");
    else if (fe->f->n >= FE_MAX_OPS)
        diag_error(fe->diag, at, E_too_large,
                   "the model has more than 2^20 operations");
    else
        return false;
    return true;
}

static ir_ref
build(struct fe *fe, enum ir_op op, struct span at, const ir_ref *in,
      size_t nin, const union ir_attrs *as, const struct ir_type *type)
{
    struct ir_type t;
    const char *why;

    for (size_t i = 0; i < nin; i++)
        if (fe_is_none(in[i]))
            return FE_NONE;
    why = ir_infer(fe->scratch, fe->f, op, in, nin, as, type, &t);
    if (why) {
        diag_error(fe->diag, at, strstr(why, "shape") ? E_shape : E_type, "%s",
                   why);
        return FE_NONE;
    }
    if (too_large(fe, at, &t))
        return FE_NONE;
    return ir_build_typed(fe->f, op, at, in, nin, as, type);
}

ir_ref
fe_build(struct fe *fe, enum ir_op op, struct span at, const ir_ref *in,
         size_t nin, const union ir_attrs *as)
{
    return build(fe, op, at, in, nin, as, NULL);
}

ir_ref
fe_build_typed(struct fe *fe, enum ir_op op, struct span at, ir_ref in,
               const union ir_attrs *as, const struct ir_type *type)
{
    return build(fe, op, at, &in, 1, as, type);
}

ir_ref
fe_real(struct fe *fe, struct span at, ir_ref v)
{
    if (fe_is_none(v) || fe_type(fe, v)->base == IR_REAL)
        return v;
    return fe_build(fe, IR_to_real, at, &v, 1, NULL);
}

void
fe_join(struct fe *fe, struct span at, ir_ref *a, ir_ref *b)
{
    if (fe_is_none(*a) || fe_is_none(*b)
        || fe_type(fe, *a)->base == fe_type(fe, *b)->base)
        return;
    *a = fe_real(fe, at, *a);
    *b = fe_real(fe, at, *b);
}

ir_ref
fe_reshape(struct fe *fe, struct span at, ir_ref v, size_t rank,
           const uint32_t *dim)
{
    struct ir_type t = ir_type_of(IR_REAL, rank, dim);

    if (fe_is_none(v) || ir_same_shape(fe_type(fe, v), &t))
        return v;
    return fe_build_typed(fe, IR_reshape, at, v, NULL, &t);
}

/* Private, unless a const is being computed. */
ir_ref
fe_literal(struct fe *fe, struct span at, const struct ir_type *type,
           const union ir_cell *cell)
{
    return ir_constant(fe->f, at, NULL,
                       fe->computing == FE_CONST || fe->library ? IR_CONST
                                                                : IR_PARAM,
                       type, cell);
}

ir_ref
fe_integer_literal(struct fe *fe, struct span at, int64_t v)
{
    const struct ir_type t = ir_type_of(IR_INT, 0, NULL);

    return fe_literal(fe, at, &t, &(union ir_cell){ .i = v });
}

static ir_ref
number(struct fe *fe, const struct ast *a)
{
    const bool real = a->kind == AST_real;
    const struct ir_type t = ir_type_of(real ? IR_REAL : IR_INT, 0, NULL);
    union ir_cell cell;

    if (real)
        cell.r = a->number;
    else
        cell.i = a->whole;
    return fe_literal(fe, a->at, &t, &cell);
}

/* ---- names */

static ir_ref
secret(struct fe *fe, const struct ast *a, const struct fe_name *param)
{
    diag_error(fe->diag, a->at, E_secret,
               "'%s' is private, and what stands here is public", a->text);
    diag_note(fe->diag, param->at,
              strcmp(param->text, a->text) == 0 ? "it is a param"
                                                : "it comes from this param");
    return FE_NONE;
}

static ir_ref
known(struct fe *fe, const struct ast *a, const struct fe_name *n)
{
    union ir_attrs as = { 0 };

    if (!n->blob)
        return FE_NONE;
    if (fe->computing == FE_VALUE) {
        as.constant.data = n->blob->name;
        return ir_build(fe->f, IR_constant, a->at, NULL, 0, &as);
    }
    if (n->kind == FE_PARAM && fe->computing == FE_CONST)
        return secret(fe, a, n);
    return fe_literal(fe, a->at, &n->blob->type, n->blob->cell);
}

/* A value of the model where a constant is computed: one that is known, too. */
static ir_ref
from_outside(struct fe *fe, const struct ast *a, const struct fe_name *n)
{
    const struct fe_name *param;
    struct fe_constant c;

    if (fe_is_none(n->value))
        return FE_NONE;
    if (!fe_known(fe, n->of, n->value, &c, &param)) {
        diag_error(fe->diag, a->at, E_not_constant,
                   "'%s' is not known to the compiler", a->text);
        return FE_NONE;
    }
    if (param && fe->computing == FE_CONST)
        return secret(fe, a, param);
    return fe_literal(fe, a->at, &c.type, c.cell);
}

static ir_ref
name(struct fe *fe, const struct ast *a)
{
    const struct fe_name *n = fe_find(fe, a->text);

    if (!n) {
        diag_error(fe->diag, a->at, E_unknown_name, "'%s' is not defined",
                   a->text);
        fe_suggest(fe, a->text);
        return FE_NONE;
    }
    if (n->kind == FE_CONST || n->kind == FE_PARAM)
        return known(fe, a, n);
    if (n->kind == FE_FN || n->kind == FE_FOREST) {
        diag_error(fe->diag, a->at, E_type, "'%s' is a function: %s(..)",
                   a->text, a->text);
        return FE_NONE;
    }
    return n->of == fe->f ? n->value : from_outside(fe, a, n);
}

/* ---- arrays */

/* The number of a literal, with its signs. */
static bool
literal(const struct ast *a, double *real, int64_t *whole, bool *is_real)
{
    bool minus = false;

    for (; a->kind == AST_unary && *a->text == '-'; a = a->kid)
        minus = !minus;
    if (a->kind != AST_whole && a->kind != AST_real && a->kind != AST_truth)
        return false;
    *is_real = a->kind == AST_real;
    *real = minus ? -a->number : a->number;
    *whole = minus ? -a->whole : a->whole;
    return true;
}

/* Whether all leaves are literals. */
static bool
is_dense(const struct ast *a, bool *any_real)
{
    bool is_real;
    double r;
    int64_t w;

    if (a->kind != AST_array) {
        if (!literal(a, &r, &w, &is_real))
            return false;
        *any_real = *any_real || is_real;
        return true;
    }
    for (const struct ast *k = a->kid; k; k = k->next)
        if (!is_dense(k, any_real))
            return false;
    return true;
}

/* Fills the cells of a nest of literals; false if it is ragged. */
static bool
fill(const struct ast *a, const struct ir_type *t, size_t axis,
     union ir_cell **to)
{
    bool is_real;
    double r;
    int64_t w;

    if (axis == t->rank) {
        if (!literal(a, &r, &w, &is_real))
            return false;
        if (t->base == IR_REAL)
            (*to)->r = r;
        else
            (*to)->i = w;
        ++*to;
        return true;
    }
    if (a->kind != AST_array || ast_kids(a) != t->dim[axis])
        return false;
    for (const struct ast *k = a->kid; k; k = k->next)
        if (!fill(k, t, axis + 1, to))
            return false;
    return true;
}

static ir_ref
ragged(struct fe *fe, struct span at)
{
    diag_error(fe->diag, at, E_shape,
               "the rows of this array have different lengths, or it has more "
               "than %d axes",
               IR_MAX_RANK);
    return FE_NONE;
}

static ir_ref
dense(struct fe *fe, const struct ast *a, bool real)
{
    struct ir_type t = ir_type_of(real ? IR_REAL : IR_INT, 0, NULL);
    union ir_cell *cell, *at;
    uint64_t n = 1;

    for (const struct ast *k = a; k->kind == AST_array; k = k->kid) {
        if (t.rank == IR_MAX_RANK)
            return ragged(fe, a->at);
        t.dim[t.rank++] = (uint32_t)ast_kids(k);
        n *= ast_kids(k);
        if (n > FE_MAX_ELEMENTS)
            return ragged(fe, a->at);
    }
    at = cell = arena_new(fe->scratch, union ir_cell, n);
    if (!fill(a, &t, 0, &at))
        return ragged(fe, a->at);
    return fe_literal(fe, a->at, &t, cell);
}

/* A concat has at most 2^16 - 1 operands. */
ir_ref
fe_concat(struct fe *fe, struct span at, const ir_ref *in, size_t n)
{
    ir_ref part[2];

    if (n <= UINT16_MAX)
        return fe_build(fe, IR_concat, at, in, n, NULL);
    part[0] = fe_concat(fe, at, in, n / 2);
    part[1] = fe_concat(fe, at, in + n / 2, n - n / 2);
    return fe_concat(fe, at, part, 2);
}

ir_ref
fe_stack(struct fe *fe, struct span at, ir_ref *in, size_t n)
{
    bool real = false;

    for (size_t i = 0; i < n; i++) {
        if (fe_is_none(in[i]))
            return FE_NONE;
        real = real || fe_type(fe, in[i])->base == IR_REAL;
    }
    for (size_t i = 0; i < n; i++) {
        struct ir_type t = *fe_type(fe, in[i]);

        if (t.rank == IR_MAX_RANK)
            return ragged(fe, at);
        memmove(t.dim + 1, t.dim, t.rank * sizeof *t.dim);
        t.dim[0] = 1;
        if (real)
            in[i] = fe_real(fe, at, in[i]);
        in[i] = fe_reshape(fe, at, in[i], t.rank + 1u, t.dim);
    }
    return fe_concat(fe, at, in, n);
}

static ir_ref
stacked(struct fe *fe, const struct ast *a)
{
    const size_t n = ast_kids(a);
    ir_ref *in = arena_new(fe->scratch, ir_ref, n);
    size_t i = 0;

    for (const struct ast *k = a->kid; k; k = k->next)
        in[i++] = fe_expr(fe, k);
    return fe_stack(fe, a->at, in, n);
}

static ir_ref
array(struct fe *fe, const struct ast *a)
{
    bool real = false;

    return is_dense(a, &real) ? dense(fe, a, real) : stacked(fe, a);
}

/* ---- all of them */

static ir_ref
expression(struct fe *fe, const struct ast *a)
{
    switch ((int)a->kind) {
    case AST_none: return FE_NONE;
    case AST_whole:
    case AST_truth:
    case AST_real: return number(fe, a);
    case AST_name: return name(fe, a);
    case AST_array: return array(fe, a);
    case AST_each: return fe_each(fe, a);
    case AST_binary: return fe_binary(fe, a);
    case AST_chain: return fe_chain(fe, a);
    case AST_index: return fe_is_bits(a) ? fe_bits(fe, a) : fe_index(fe, a);
    case AST_call: return fe_call(fe, a);
    case AST_choice: return fe_choice(fe, a);
    case AST_unary: return fe_unary(fe, a);
    case AST_string:
        diag_error(fe->diag, a->at, E_type,
                   "a string is the name of a file, a column or a label");
        return FE_NONE;
    case AST_named:
        diag_error(fe->diag, a->at, E_arguments, "'%s =' does not belong here",
                   a->text);
        return FE_NONE;
    }
    bug("an expression of kind %d", (int)a->kind);
}

ir_ref
fe_expr(struct fe *fe, const struct ast *a)
{
    ir_ref v = FE_NONE;

    if (fe->depth++ < FE_MAX_DEPTH)
        v = expression(fe, a);
    else
        diag_error(fe->diag, a->at, E_nesting,
                   "this is nested more than %d deep, fn included",
                   FE_MAX_DEPTH);
    fe->depth--;
    return v;
}
