/* Steps: let, var, assignment and for, of a model and of the body of a fn.
 *
 * Everything is written out: a var is a name whose value changes from step to
 * step, a loop is its turns one after the other, a fn is its body in the names
 * of its own place.
 */
#include "frontend/inner.h"

#include <inttypes.h>
#include <string.h>

static void
steps(struct fe *fe, const struct ast *first, const struct ast *end)
{
    for (const struct ast *a = first; a != end; a = a->next)
        fe_step(fe, a);
}

/* A let of reals of whose bits quantize { } speaks: its name stays with it. */
static ir_ref
named(struct fe *fe, const struct ast *a, ir_ref v)
{
    const union ir_attrs as = { .named = { .name = a->text } };

    if (fe_is_none(v) || a->kind != AST_let || fe->calling || fe->computing
        || fe_type(fe, v)->base != IR_REAL || !fe_asks_bits(fe->file, a->text))
        return v;
    return fe_build(fe, IR_named, a->at, &v, 1, &as);
}

static void
define(struct fe *fe, const struct ast *a)
{
    const ir_ref v = named(
        fe, a, fe_as_declared(fe, ast_kid(a, 0), fe_expr(fe, ast_kid(a, 1))));
    struct fe_name *n = fe_declare(fe, a, FE_VALUE);

    n->value = v;
    if (a->kind == AST_var)
        n->type = ast_kid(a, 0);
}

/* ---- assignment */

/* The var that is assigned, or NULL after a message. */
static struct fe_name *
variable(struct fe *fe, const struct ast *a)
{
    struct fe_name *n = fe_find(fe, a->text);

    if (!n) {
        diag_error(fe->diag, a->at, E_unknown_name, "'%s' is not defined",
                   a->text);
        fe_suggest(fe, a->text);
        return NULL;
    }
    if (!n->type) {
        diag_error(fe->diag, a->at, E_assigned,
                   "'%s' is no var, and does not change", a->text);
        diag_note(fe->diag, n->at, "it is defined here");
        return NULL;
    }
    for (const struct fe_name *k = fe->names; k != fe->pure; k = k->next)
        if (k == n)
            return n;
    diag_error(fe->diag, a->at, E_assigned,
               "'%s' is defined outside of this fn, which does not change it",
               a->text);
    diag_help(fe->diag, "return the new value");
    return NULL;
}

/* s[i] = v: the elements of s, those at i from v */
static ir_ref
part_assigned(struct fe *fe, const struct ast *a, ir_ref s, ir_ref v)
{
    ir_ref in[2] = { s, v };
    struct ir_type shape, part, wide;
    union ir_cell *index, *all;
    size_t n;

    fe_join(fe, a->at, &in[0], &in[1]);
    if (fe_is_none(in[0]) || fe_is_none(in[1])
        || !fe_positions(fe, a, s, &part, &index))
        return FE_NONE;
    shape = *fe_type(fe, in[0]);
    n = ir_count(&shape);
    if (!ir_broadcast(&wide, &part, fe_type(fe, in[1]))
        || !ir_same_shape(&wide, &part)) {
        diag_error(fe->diag, a->at, E_shape, "%s does not fit into %s",
                   fe_type_text(fe, fe_type(fe, in[1])),
                   fe_type_text(fe, &part));
        return FE_NONE;
    }
    all = arena_new(fe->scratch, union ir_cell, n);
    for (size_t e = 0; e < n; e++)
        all[e].i = (int64_t)e;
    for (size_t e = 0; e < ir_count(&part); e++)
        all[index[e].i].i =
            (int64_t)(n + ir_broadcast_index(&part, fe_type(fe, in[1]), e));
    return fe_rearrange(fe, a->at, in, 2, &shape, all);
}

static void
assign(struct fe *fe, const struct ast *a)
{
    ir_ref v = fe_expr(fe, a->kid);
    struct fe_name *n = variable(fe, a);
    struct ast type;

    if (!n)
        return;
    if (n->of != fe->f)
        bug("'%s' is assigned among constants", a->text);
    if (a->kid->next)
        v = part_assigned(fe, a, n->value, v);
    type = *n->type;
    type.at = a->at;
    n->value = fe_as_declared(fe, &type, v);
}

/* ---- loops */

/* One turn: NAME is i; false when there are too many. */
static bool
begin_turn(struct fe *fe, const struct ast *a, int64_t i)
{
    struct fe_name *n;

    if (++fe->turns > FE_MAX_TURNS) {
        diag_error(fe->diag, a->at, E_too_large,
                   "all loops together have more than 2^16 turns");
        return false;
    }
    fe->scope = fe->names;
    n = fe_define(fe, a->at, a->text);
    n->kind = FE_VALUE;
    n->value = fe_integer_literal(fe, a->at, i);
    return true;
}

/* The first turn, and how many there are. */
static bool
read_bounds(struct fe *fe, const struct ast *from, int64_t *first, int64_t *n)
{
    const int64_t most = (int64_t)1 << 40;
    int64_t end;

    if (!fe_integer(fe, from, -most, most, first)
        || !fe_integer(fe, from->next, -most, most, &end))
        return false;
    *n = end > *first ? end - *first : 0;
    return true;
}

static void
loop(struct fe *fe, const struct ast *a)
{
    const struct ast *body = ast_kid(a, 2);
    struct fe_name *const outside = fe->names;
    const struct fe_name *const scope = fe->scope;
    const unsigned errors = fe->diag->errors;
    int64_t first, n;

    if (!read_bounds(fe, a->kid, &first, &n))
        return;
    /* a mistake is one in each turn */
    for (int64_t i = 0; i < n && fe->diag->errors == errors; i++) {
        if (begin_turn(fe, a, first + i))
            steps(fe, body, NULL);
        fe->names = outside;
    }
    fe->scope = scope;
}

ir_ref
fe_each(struct fe *fe, const struct ast *a)
{
    const struct ast *from = a->kid->next;
    struct fe_name *const outside = fe->names;
    const struct fe_name *const scope = fe->scope;
    const unsigned errors = fe->diag->errors;
    int64_t first, n;
    ir_ref *in;

    if (!read_bounds(fe, from, &first, &n))
        return FE_NONE;
    if (n < 1 || n > FE_MAX_TURNS) {
        diag_error(fe->diag, from->at, n < 1 ? E_range : E_too_large,
                   "an array has 1 to 2^16 elements, not %" PRId64, n);
        return FE_NONE;
    }
    in = arena_new(fe->scratch, ir_ref, (size_t)n);
    for (int64_t i = 0; i < n && fe->diag->errors == errors; i++) {
        in[i] = begin_turn(fe, a, first + i) ? fe_expr(fe, a->kid) : FE_NONE;
        fe->names = outside;
    }
    fe->scope = scope;
    return fe->diag->errors == errors ? fe_stack(fe, a->at, in, (size_t)n)
                                      : FE_NONE;
}

void
fe_step(struct fe *fe, const struct ast *a)
{
    switch ((int)a->kind) {
    case AST_none: return;
    case AST_let:
    case AST_var: define(fe, a); return;
    case AST_assign: assign(fe, a); return;
    case AST_for: loop(fe, a); return;
    }
    bug("a step of kind %d", (int)a->kind);
}

/* ---- fn */

void
fe_define_fn(struct fe *fe, const struct ast *a, struct fe_name *n)
{
    if (fe_is_builtin(a->text))
        diag_error(fe->diag, a->at, E_second_name,
                   "'%s' is a function of the language", a->text);
    for (const struct ast *p = a->kid->next; p; p = p->next)
        for (const struct ast *q = a->kid->next; q != p; q = q->next) {
            if (strcmp(p->text, q->text) == 0)
                diag_error(fe->diag, p->at, E_second_name,
                           "two parameters are called '%s'", p->text);
            else if (p->kind == AST_name && q->kind == AST_named
                     && q->next == p)
                diag_error(fe->diag, p->at, E_arguments,
                           "'%s' has no default, and stands behind one that "
                           "has",
                           p->text);
        }
    n->fn = a;
}

/* The argument for parameter number i, or its default, or NULL. */
static const struct ast *
argument(const struct ast *call, const struct ast *parameter, size_t i)
{
    size_t at = 0;

    for (const struct ast *k = call->kid; k; k = k->next) {
        if (k->kind == AST_named ? strcmp(k->text, parameter->text) == 0
                                 : at++ == i)
            return k->kind == AST_named ? k->kid : k;
    }
    return parameter->kid;
}

static ir_ref
wrong_count(struct fe *fe, const struct ast *a, const struct ast *fn)
{
    const size_t most = ast_kids(fn) - 1, n = ast_kids(a);
    size_t least = 0;

    for (const struct ast *p = fn->kid->next; p; p = p->next)
        least += p->kind == AST_name;
    if (least == most)
        diag_error(fe->diag, a->at, E_arguments,
                   "%s takes %zu argument%s, not %zu", a->text, least,
                   least == 1 ? "" : "s", n);
    else
        diag_error(fe->diag, a->at, E_arguments,
                   "%s takes %zu to %zu arguments, not %zu", a->text, least,
                   most, n);
    return FE_NONE;
}

/* Whether each argument has a parameter of its own. */
static bool
fits(struct fe *fe, const struct ast *call, const struct ast *fn)
{
    size_t n = 0, i = 0;
    bool missing = false;

    for (const struct ast *k = call->kid; k; k = k->next) {
        const struct ast *p = fn->kid->next;

        n += k->kind != AST_named;
        while (k->kind == AST_named && p && strcmp(p->text, k->text) != 0)
            p = p->next;
        if (!p) {
            diag_error(fe->diag, k->at, E_arguments, "%s has no argument '%s'",
                       call->text, k->text);
            return false;
        }
    }
    for (const struct ast *p = fn->kid->next; p; p = p->next, i++) {
        size_t given = i < n;

        for (const struct ast *k = call->kid; k; k = k->next)
            given += k->kind == AST_named && strcmp(k->text, p->text) == 0;
        if (given > 1) {
            diag_error(fe->diag, call->at, E_arguments,
                       "%s gets its argument '%s' twice", call->text, p->text);
            return false;
        }
        missing = missing || (!given && p->kind == AST_name);
    }
    if (n <= i && !missing)
        return true;
    wrong_count(fe, call, fn);
    return false;
}

static ir_ref
body(struct fe *fe, const struct ast *a)
{
    if (a->kind != AST_block)
        return fe_expr(fe, a);
    steps(fe, a->kid, a->last);
    return fe_expr(fe, a->last);
}

/* Arguments are evaluated where the call stands, the body and defaults with the
 * names that the definition sees. */
ir_ref
fe_call_fn(struct fe *fe, const struct ast *a, const struct fe_name *n)
{
    const struct source *const files = fe->diag->src;
    unsigned errors;
    struct fe was = *fe;
    struct fe_name *inside = n->next;
    const struct ast *fn = n->library ? fe_place(fe, n->fn, a->at) : n->fn;
    size_t i = 0;
    ir_ref v;

    if (!fits(fe, a, fn))
        return FE_NONE;
    for (const struct ast *p = fn->kid->next; p; p = p->next, i++) {
        const struct ast *k = argument(a, p, i);
        const bool given = k != p->kid;
        struct fe_name *parameter;

        fe->names = given ? was.names : inside;
        fe->library = given ? was.library : n->library;
        v = fe_expr(fe, k);
        fe->names = inside;
        parameter = fe_define(fe, p->at, p->text);
        parameter->kind = FE_VALUE;
        parameter->value = v;
        inside = fe->names;
    }
    fe->scope = fe->pure = fe->names = inside;
    fe->calling = n->text;
    fe->library = n->library;
    errors = fe->diag->errors;
    v = body(fe, fn->kid);
    if (fe->diag->errors > errors
        && (n->library
            || src_of(files, fn->at.begin) != src_of(files, a->at.begin)))
        diag_note(fe->diag, a->at, "in this call of '%s'", a->text);
    fe->names = was.names;
    fe->scope = was.scope;
    fe->pure = was.pure;
    fe->calling = was.calling;
    fe->library = was.library;
    return v;
}
