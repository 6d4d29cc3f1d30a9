/* Nodes, and their way back to text. */
#include "frontend/ast.h"

#include <inttypes.h>
#include <string.h>

struct ast *
ast_new(struct arena *mem, enum ast_kind kind, struct span at, const char *text)
{
    struct ast *a = arena_new(mem, struct ast, 1);

    a->kind = kind;
    a->at = at;
    a->text = text;
    return a;
}

struct ast *
ast_add(struct ast *parent, struct ast *kid)
{
    if (parent->last)
        parent->last->next = kid;
    else
        parent->kid = kid;
    parent->last = kid;
    if (kid->depth >= parent->depth)
        parent->depth = kid->depth + 1;
    return parent;
}

const struct ast *
ast_kid(const struct ast *a, size_t i)
{
    const struct ast *k = a->kid;

    while (i-- > 0)
        k = k->next;
    return k;
}

size_t
ast_kids(const struct ast *a)
{
    size_t n = 0;

    for (const struct ast *k = a->kid; k; k = k->next)
        n++;
    return n;
}

/* ---- printing; a level is how tightly an operator binds */

enum {
    LOOSE = 0,
    EITHER,
    BOTH,
    NOT,
    COMPARISON,
    BIT_OR,
    BIT_XOR,
    BIT_AND,
    SHIFT,
    SUM,
    PRODUCT,
    SIGN,
    POWER,
    TIGHT
};

static const struct {
    const char *text;
    int level;
} operators[] = {
    { "<", COMPARISON },  { "<=", COMPARISON }, { ">", COMPARISON },
    { ">=", COMPARISON }, { "==", COMPARISON }, { "!=", COMPARISON },
    { "+", SUM },         { "-", SUM },         { "*", PRODUCT },
    { "/", PRODUCT },     { "//", PRODUCT },    { "%", PRODUCT },
    { "@", PRODUCT },     { "**", POWER },      { "|", BIT_OR },
    { "^", BIT_XOR },     { "&", BIT_AND },     { "<<", SHIFT },
    { ">>", SHIFT },      { "and", BOTH },      { "or", EITHER },
};

static int
level_of(const struct ast *a)
{
    if (a->kind == AST_unary)
        return *a->text == 'n' ? NOT : SIGN;
    if (a->kind == AST_choice)
        return LOOSE;
    if (a->kind == AST_chain)
        return COMPARISON;
    if (a->kind != AST_binary)
        return TIGHT;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].text, a->text) == 0)
            return operators[i].level;
    return LOOSE;
}

static void print_node(FILE *out, const struct ast *a);

/* a where at least `level` is wanted */
static void
print_at(FILE *out, const struct ast *a, int level)
{
    const bool paren = level_of(a) < level;

    if (paren)
        putc('(', out);
    print_node(out, a);
    if (paren)
        putc(')', out);
}

/* A comparison of a comparison is no chain; ** binds from the right, the others
 * from the left. */
static void
print_binary(FILE *out, const struct ast *a)
{
    const int level = level_of(a);
    const bool tight = level >= POWER;
    /* as in p_fail 2^-64 */
    const bool close = level == BIT_XOR && a->kid->next->kind == AST_unary;

    print_at(out, a->kid, level + (level == POWER || level == COMPARISON));
    fprintf(out, close ? "%s" : " %s ", a->text);
    print_at(out, a->kid->next, tight ? SIGN : level + 1);
}

static void
print_list(FILE *out, const struct ast *first, const char *open,
           const char *close)
{
    fputs(open, out);
    for (const struct ast *k = first; k; k = k->next) {
        print_node(out, k);
        if (k->next)
            fputs(", ", out);
    }
    fputs(close, out);
}

/* with a point or an exponent, so that it is a real again */
static void
print_real(FILE *out, double x)
{
    char text[IR_REAL_TEXT];

    ir_real_text(text, x);
    fputs(text, out);
    if (!strpbrk(text, ".e"))
        fputs(".0", out);
}

static void
print_string(FILE *out, const char *s)
{
    putc('"', out);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            putc('\\', out);
        putc(*s, out);
    }
    putc('"', out);
}

static void
print_slice(FILE *out, const struct ast *a)
{
    const struct ast *from = a->kid, *to = from->next, *step = to->next;

    print_node(out, from);
    putc(':', out);
    print_node(out, to);
    if (step->kind != AST_none) {
        putc(':', out);
        print_node(out, step);
    }
}

static void
print_type(FILE *out, const struct ast *a)
{
    if (a->kind == AST_none)
        return;
    fprintf(out, " : %s", a->kind == AST_clear ? "clear " : "");
    if (a->kind == AST_clear)
        a = a->kid;
    fputs(a->text, out);
    if (a->kid)
        print_list(out, a->kid, "[", "]");
}

/* Statements: their own line, so many levels in. */

static void print_statement(FILE *out, const struct ast *a, int level);

static void
indent(FILE *out, int level)
{
    fprintf(out, "%*s", 4 * level, "");
}

/* word NAME : TYPE, and up to three more behind their own words */
static void
print_defining(FILE *out, const char *word, const struct ast *a, int level,
               const char *const before[3])
{
    const struct ast *k = a->kid->next;

    indent(out, level);
    fprintf(out, "%s %s", word, a->text);
    print_type(out, a->kid);
    for (int i = 0; k && i < 3; k = k->next, i++) {
        if (k->kind == AST_none)
            continue;
        fputs(before[i], out);
        print_node(out, k);
    }
    fputs(";\n", out);
}

static void
print_fn(FILE *out, const struct ast *a, int level)
{
    const struct ast *body = a->kid;

    indent(out, level);
    fprintf(out, "fn %s", a->text);
    print_list(out, body->next, "(", ")");
    if (body->kind != AST_block) {
        fputs(" = ", out);
        print_node(out, body);
        fputs(";\n", out);
        return;
    }
    fputs(" {\n", out);
    for (const struct ast *k = body->kid; k != body->last; k = k->next)
        print_statement(out, k, level + 1);
    indent(out, level + 1);
    fputs("return ", out);
    print_node(out, body->last);
    fputs(";\n", out);
    indent(out, level);
    fputs("}\n", out);
}

static void
print_assign(FILE *out, const struct ast *a, int level)
{
    indent(out, level);
    fputs(a->text, out);
    if (a->kid->next)
        print_list(out, a->kid->next, "[", "]");
    fputs(" = ", out);
    print_node(out, a->kid);
    fputs(";\n", out);
}

/* NAME in FROM..TO */
static void
print_counter(FILE *out, const char *name, const struct ast *from)
{
    fprintf(out, "for %s in ", name);
    print_node(out, from);
    fputs("..", out);
    print_node(out, from->next);
}

static void
print_for(FILE *out, const struct ast *a, int level)
{
    indent(out, level);
    print_counter(out, a->text, a->kid);
    fputs(" {\n", out);
    for (const struct ast *k = a->kid->next->next; k; k = k->next)
        print_statement(out, k, level + 1);
    indent(out, level);
    fputs("}\n", out);
}

static void
print_statement(FILE *out, const struct ast *a, int level)
{
    static const char *const input[] = { " in ", " names ", "" };
    static const char *const value[] = { " = ", "", "" };
    static const char *const output[] = { " = ", " at ", " labels " };

    switch ((int)a->kind) {
    case AST_input: print_defining(out, "input", a, level, input); return;
    case AST_param: print_defining(out, "param", a, level, value); return;
    case AST_constant: print_defining(out, "const", a, level, value); return;
    case AST_table: print_defining(out, "table", a, level, value); return;
    case AST_let: print_defining(out, "let", a, level, value); return;
    case AST_var: print_defining(out, "var", a, level, value); return;
    case AST_output: print_defining(out, "output", a, level, output); return;
    case AST_assign: print_assign(out, a, level); return;
    case AST_for: print_for(out, a, level); return;
    case AST_fn: print_fn(out, a, level); return;
    default: print_node(out, a); return;
    }
}

static void
print_block(FILE *out, const char *word, const struct ast *a)
{
    fprintf(out, "    %s {\n", word);
    for (const struct ast *e = a->kid; e; e = e->next) {
        fputs("       ", out);
        for (const struct ast *w = e->kid; w; w = w->next) {
            putc(' ', out);
            print_node(out, w);
        }
        fputs(";\n", out);
    }
    fputs("    }\n", out);
}

static void
print_choice(FILE *out, const struct ast *a)
{
    fputs("if ", out);
    print_node(out, a->kid);
    fputs(" then ", out);
    print_node(out, a->kid->next);
    fputs(" else ", out);
    print_node(out, a->kid->next->next);
}

/* A file: imports, then a model, or definitions, which stand further left. */
static void
print_file(FILE *out, const struct ast *a)
{
    const bool model = a->kind == AST_model;
    const struct ast *k = a->kid;

    for (; k && k->kind == AST_import; k = k->next) {
        fputs("import ", out);
        print_string(out, k->text);
        fputs(";\n", out);
    }
    if (model)
        fprintf(out, "model %s {\n", a->text);
    for (; k; k = k->next)
        print_statement(out, k, model);
    if (model)
        fputs("}\n", out);
}

static void
print_node(FILE *out, const struct ast *a)
{
    switch (a->kind) {
    case AST_none:
    case AST_block:
    case AST_import: return;
    case AST_model:
    case AST_library: print_file(out, a); return;
    case AST_input:
    case AST_param:
    case AST_constant:
    case AST_table:
    case AST_let:
    case AST_var:
    case AST_output:
    case AST_assign:
    case AST_for:
    case AST_fn: print_statement(out, a, 1); return;
    case AST_quantize: print_block(out, "quantize", a); return;
    case AST_target: print_block(out, "target", a); return;
    case AST_entry: print_list(out, a->kid, "", ""); return;
    case AST_clear:
    case AST_type: print_type(out, a); return;
    case AST_range:
        print_node(out, a->kid);
        fputs("..", out);
        print_node(out, a->kid->next);
        return;
    case AST_named:
        fprintf(out, "%s = ", a->text);
        print_node(out, a->kid);
        return;
    case AST_slice: print_slice(out, a); return;
    case AST_all: fputs("...", out); return;
    case AST_whole: fprintf(out, "%" PRId64, a->whole); return;
    case AST_real: print_real(out, a->number); return;
    case AST_truth: fputs(a->whole ? "true" : "false", out); return;
    case AST_string: print_string(out, a->text); return;
    case AST_name: fputs(a->text, out); return;
    case AST_array: print_list(out, a->kid, "[", "]"); return;
    case AST_each:
        putc('[', out);
        print_node(out, a->kid);
        putc(' ', out);
        print_counter(out, a->text, a->kid->next);
        putc(']', out);
        return;
    case AST_unary:
        fprintf(out, level_of(a) == NOT ? "%s " : "%s", a->text);
        print_at(out, a->kid, level_of(a));
        return;
    case AST_binary: print_binary(out, a); return;
    case AST_chain:
        print_at(out, a->kid, BIT_OR);
        for (const struct ast *k = a->kid->next; k; k = k->next)
            print_node(out, k);
        return;
    case AST_link:
        fprintf(out, " %s ", a->text);
        print_at(out, a->kid, BIT_OR);
        return;
    case AST_index:
        print_at(out, a->kid, TIGHT);
        print_list(out, a->kid->next, "[", "]");
        return;
    case AST_choice: print_choice(out, a); return;
    case AST_call:
        fputs(a->text, out);
        print_list(out, a->kid, "(", ")");
        return;
    }
}

void
ast_print(FILE *out, const struct ast *model)
{
    print_node(out, model);
}
