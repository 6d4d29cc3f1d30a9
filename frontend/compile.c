/* Statements: what a model declares becomes names, operations and constants of
 * one function.
 *
 * Names are a list that only grows at its head, so the names that a fn sees are
 * those behind its own.  Checking and lowering are one walk: the types of the
 * IR are the types of the language, and its inference is the checker.
 */
#include "frontend/inner.h"

#include <string.h>

struct fe_name *
fe_find(const struct fe *fe, const char *text)
{
    struct fe_name *n = fe->names;

    while (n && strcmp(n->text, text) != 0)
        n = n->next;
    return n;
}

struct fe_name *
fe_define(struct fe *fe, struct span at, const char *text)
{
    struct fe_name *n = arena_new(fe->scratch, struct fe_name, 1);

    n->next = fe->names;
    n->text = text;
    n->at = at;
    n->of = fe->f;
    n->value = FE_NONE;
    fe->names = n;
    return n;
}

struct fe_name *
fe_declare(struct fe *fe, const struct ast *a, enum fe_kind kind)
{
    const struct fe_name *first = fe->names;
    struct fe_name *n;

    while (first != fe->scope && strcmp(first->text, a->text) != 0)
        first = first->next;
    if (first != fe->scope) {
        diag_error(fe->diag, a->at, E_second_name, "'%s' is defined twice",
                   a->text);
        diag_note(fe->diag, first->at, "the first definition is here");
    }
    n = fe_define(fe, a->at, a->text);
    n->kind = kind;
    return n;
}

/* ---- declared types */

static bool
holds(const struct ir_type *want, const struct ir_type *has)
{
    return !want->ranged
           || (has->ranged && has->ilo >= want->ilo && has->ihi <= want->ihi);
}

ir_ref
fe_as_declared(struct fe *fe, const struct ast *a, ir_ref v)
{
    struct ir_type want, has;

    if (a->kind == AST_none || fe_is_none(v) || !fe_read_type(fe, a, &want))
        return v;
    if (want.base == IR_REAL)
        v = fe_real(fe, a->at, v);
    has = *fe_type(fe, v);
    if (has.base != want.base || !ir_same_shape(&has, &want)) {
        diag_error(fe->diag, a->at, E_declared,
                   "%s is declared, the value is %s", fe_type_text(fe, &want),
                   fe_type_text(fe, &has));
        return FE_NONE;
    }
    if (want.base == IR_REAL || holds(&want, &has))
        return v;
    if (has.ranged)
        diag_error(fe->diag, a->at, E_declared,
                   "the value lies in %lld..%lld, a %s holds %lld..%lld",
                   (long long)has.ilo, (long long)has.ihi, a->text,
                   (long long)want.ilo, (long long)want.ihi);
    else
        diag_error(fe->diag, a->at, E_declared,
                   "the range of this value is not known here");
    diag_help(fe->diag, "clip(value, %lld, %lld) narrows it",
              (long long)want.ilo, (long long)want.ihi);
    return FE_NONE;
}

/* ---- input */

/* `in LOW..HIGH` */
static void
read_range(struct fe *fe, const struct ast *a, struct ir_type *t)
{
    const bool integer = t->base == IR_INT;
    double lo, hi;

    if (a->kind == AST_none || !fe_number(fe, ast_kid(a, 0), &lo)
        || !fe_number(fe, ast_kid(a, 1), &hi))
        return;
    if (!(lo < hi)) {
        diag_error(fe->diag, a->at, E_range, "the range %g..%g is empty", lo,
                   hi);
        return;
    }
    if (integer
        && (lo < -0x1p52 || hi > 0x1p52 || lo > (double)(int64_t)lo
            || lo < (double)(int64_t)lo || hi > (double)(int64_t)hi
            || hi < (double)(int64_t)hi)) {
        diag_error(fe->diag, a->at, E_range,
                   "the range of an integer has integer ends of at most 52 "
                   "bits");
        return;
    }
    if (integer && t->ranged && (lo < (double)t->ilo || hi > (double)t->ihi)) {
        diag_error(fe->diag, a->at, E_range, "the type holds %lld..%lld only",
                   (long long)t->ilo, (long long)t->ihi);
        return;
    }
    t->ranged = true;
    t->lo = lo;
    t->hi = hi;
    t->ilo = integer ? (int64_t)lo : 0;
    t->ihi = integer ? (int64_t)hi : 0;
}

static void
no_repetition(struct fe *fe, const struct ast *a, const char *const *text,
              uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(text[i], text[j]) == 0) {
                diag_error(fe->diag, a->at, E_second_name,
                           "two of these are called '%s'", text[i]);
                return;
            }
}

static void
read_names(struct fe *fe, const struct ast *input, const struct ast *a,
           const struct ir_type *t)
{
    const char *const *text;
    uint32_t n;

    if (a->kind == AST_none || !(text = fe_strings(fe, a, &n)))
        return;
    if (n != ir_count(t)) {
        diag_error(fe->diag, a->at, E_data_shape,
                   "%u names for the %zu elements of '%s'", n, ir_count(t),
                   input->text);
        return;
    }
    no_repetition(fe, a, text, n);
    ir_blob_text(fe->f, input->text, text, n);
}

/* A setting, for the pass `place`; with the whole name, however long. */
static void
set_clear(struct fe *fe, const struct ast *a)
{
    const size_t n = sizeof "clear." + strlen(a->text);
    char *key = arena_new(fe->scratch, char, n);

    snprintf(key, n, "clear.%s", a->text);
    ir_set(fe->f, key, 1, a->at);
}

static void
input(struct fe *fe, const struct ast *a)
{
    struct fe_name *n = fe_declare(fe, a, FE_VALUE);
    union ir_attrs as = { .input = { .name = a->text } };
    const struct ast *type = ast_kid(a, 0);
    const bool clear = type->kind == AST_clear;
    struct ir_type t;

    if (!fe_read_type(fe, clear ? type->kid : type, &t))
        return;
    read_range(fe, ast_kid(a, 1), &t);
    if (t.base == IR_INT && !t.ranged) {
        diag_error(fe->diag, a->at, E_no_range,
                   "the range of the integers of '%s' is not declared",
                   a->text);
        diag_help(fe->diag, "write a width, as in u8, or a range: in 0..100");
        return;
    }
    read_names(fe, a, ast_kid(a, 2), &t);
    if (clear)
        set_clear(fe, a);
    n->value = ir_build_typed(fe->f, IR_input, a->at, NULL, 0, &as, &t);
}

/* ---- const, param */

static void
constant(struct fe *fe, const struct ast *a, enum fe_kind kind)
{
    struct fe_name *n = fe_declare(fe, a, kind);
    const struct ast *type = ast_kid(a, 0), *value = ast_kid(a, 1);
    struct ir_type want;
    const bool forest = fe_is_forest(type);
    const bool typed =
        !forest && type->kind != AST_none && fe_read_type(fe, type, &want);
    struct fe_constant c;

    if (forest) {
        n->kind = FE_FOREST;
        n->forest =
            fe_forest_read(fe, value, kind == FE_PARAM ? IR_PARAM : IR_CONST);
        return;
    }
    if (type->kind != AST_none && !typed)
        return;
    if (fe_is_file(value))
        c = fe_file(fe, value, typed ? &want : NULL);
    else
        c = fe_constant(fe, value, kind);
    if (c.cell && (!typed || fe_fit(fe, value->at, &c, &want)))
        n->blob =
            ir_blob_add(fe->f, a->text, kind == FE_PARAM ? IR_PARAM : IR_CONST,
                        &c.type, c.cell);
}

/* ---- output */

static void
read_labels(struct fe *fe, const struct ast *output, const struct ast *a,
            const struct ir_type *t)
{
    const char *const *text;
    uint32_t n;

    if (a->kind == AST_none || !(text = fe_strings(fe, a, &n)))
        return;
    no_repetition(fe, a, text, n);
    if (t->base != IR_INT || !t->ranged || t->ilo < 0 || t->ihi >= (int64_t)n) {
        diag_error(fe->diag, a->at, E_declared,
                   "%u labels are for an integer of 0..%u", n, n - 1);
        if (t->base == IR_INT && t->ranged)
            diag_note(fe->diag, output->at, "'%s' lies in %lld..%lld",
                      output->text, (long long)t->ilo, (long long)t->ihi);
        else
            diag_help(fe->diag, "argmax gives one");
        return;
    }
    ir_blob_text(fe->f, output->text, text, n);
}

/* `at server`, `at client`: a setting, for the pass `place` */
static void
read_at(struct fe *fe, const struct ast *output, const struct ast *a)
{
    char key[256];
    const bool server = a->kind != AST_none && strcmp(a->text, "server") == 0;

    if (a->kind == AST_none)
        return;
    if (!server && strcmp(a->text, "client") != 0) {
        diag_error(fe->diag, a->at, E_syntax,
                   "unexpected '%s', expected 'client' or 'server'", a->text);
        return;
    }
    snprintf(key, sizeof key, "server.%s", output->text);
    ir_set(fe->f, key, server, a->at);
}

/* `output NAME = value` defines the name; `output NAME` gives out one that is
 * defined. */
static void
output(struct fe *fe, const struct ast *a)
{
    const struct ast *value = ast_kid(a, 1);
    union ir_attrs as = { .output = { .name = a->text } };
    const struct ast again = { .kind = AST_name, .at = a->at, .text = a->text };
    ir_ref v;

    if (value->kind == AST_none) {
        v = fe_as_declared(fe, ast_kid(a, 0), fe_expr(fe, &again));
    } else {
        v = fe_as_declared(fe, ast_kid(a, 0), fe_expr(fe, value));
        fe_declare(fe, a, FE_VALUE)->value = v;
    }
    if (fe_is_none(v))
        return;
    for (uint32_t i = 0; i < fe->f->n; i++)
        if (fe->f->ins[i].op == IR_output
            && strcmp(fe->f->ins[i].as.output.name, a->text) == 0)
            diag_error(fe->diag, a->at, E_second_name,
                       "'%s' is given out twice", a->text);
    read_at(fe, a, ast_kid(a, 2));
    read_labels(fe, a, ast_kid(a, 3), fe_type(fe, v));
    ir_build(fe->f, IR_output, a->at, &v, 1, &as);
}

static void
statement(struct fe *fe, const struct ast *a)
{
    switch ((int)a->kind) {
    case AST_input: input(fe, a); return;
    case AST_param: constant(fe, a, FE_PARAM); return;
    case AST_constant: constant(fe, a, FE_CONST); return;
    case AST_table: constant(fe, a, FE_PARAM); return;
    case AST_fn: fe_define_fn(fe, a, fe_declare(fe, a, FE_FN)); return;
    case AST_let:
    case AST_var:
    case AST_assign:
    case AST_for: fe_step(fe, a); return;
    case AST_output: output(fe, a); return;
    case AST_import: fe_import(fe, a); return;
    case AST_quantize: /* when all names are known */
    case AST_target:
    case AST_none: return;
    }
    bug("a statement of kind %d", (int)a->kind);
}

void
fe_statements(struct fe *fe, const struct ast *file)
{
    for (const struct ast *a = file->kid; a; a = a->next) {
        if (fe->stop && a->kind != AST_import)
            break;
        fe->top = fe->names;
        statement(fe, a);
    }
    fe->top = fe->names;
}

static void
settings(struct fe *fe, const struct ast *a)
{
    if (a->kind == AST_quantize)
        fe_quantize(fe, a);
    if (a->kind == AST_target)
        fe_target(fe, a);
}

static void
check_ends(struct fe *fe, const struct ast *model)
{
    const bool in = ir_inputs(fe->f, NULL, 0) > 0;

    if (fe->diag->errors == 0 && (!in || !ir_outputs(fe->f, NULL, 0)))
        diag_error(fe->diag, model->at, E_no_output, "model '%s' has no %s",
                   model->text, in ? "output" : "input");
}

/* A file of definitions, where a model or one of them will do. */
static bool
is_library(struct fe *fe, const struct ast *file)
{
    if (file->kind != AST_library)
        return false;
    if (!fe->options->library)
        diag_error(fe->diag, file->at, E_import,
                   "this file holds definitions and no model: it is there to "
                   "be imported");
    return true;
}

struct ir_func *
fe_compile(struct arena *mem, struct diag *dg, const struct fe_options *o)
{
    struct arena scratch = { 0 };
    struct fe fe = {
        .mem = mem, .scratch = &scratch, .diag = dg, .options = o
    };
    const struct ast *file = fe_parse(&scratch, dg, dg->src);

    if (file) {
        fe.model = fe.f = ir_func_new(mem, file->text ? file->text : "library");
        fe.file = file;
        fe_import_begin(&fe);
        fe_library(&fe);
        fe.scope = fe.names;
        fe_statements(&fe, file);
        fe.missing = fe_missing(file);
        for (const struct ast *a = file->kid; a && !fe.stop; a = a->next)
            settings(&fe, a);
        if (!is_library(&fe, file))
            check_ends(&fe, file);
    }
    arena_free(&scratch);
    return dg->errors ? NULL : fe.f;
}

bool
fe_print_ast(FILE *out, struct diag *dg)
{
    struct arena mem = { 0 };
    const struct ast *model = fe_parse(&mem, dg, dg->src);

    if (model)
        ast_print(out, model);
    arena_free(&mem);
    return model != NULL;
}
