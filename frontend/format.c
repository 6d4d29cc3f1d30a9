/* `cmlc fmt`: the canonical layout, comments kept.
 *
 * Works on tokens, so it knows no statement: blanks between tokens and the
 * indentation follow from brackets.  Line ends within a statement stay where
 * they are, a block stays on one line if it was written on one, and comments
 * behind neighbouring lines are aligned.  The result has the same tree, which
 * is checked, and is its own layout.
 */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "frontend/inner.h"

#include "frontend/grammar.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 4, COMMENT = -1 };

struct item {
    const char *text;
    size_t len;
    int kind;          /* a token, or COMMENT */
    uint32_t newlines; /* before it, in the source */
    uint32_t partner;  /* of an opening bracket: where it is closed */
    bool broken;       /* of an opening brace: its block has lines */
    bool subscript;    /* of an opening bracket, and of a ':' within one */
    bool sign;         /* an operator of one operand */
};

struct items {
    struct item *at;
    uint32_t n;
};

static bool
is(const struct item *t, const char *text)
{
    return t->kind != COMMENT && t->len == strlen(text)
           && memcmp(t->text, text, t->len) == 0;
}

/* Whether any of the words, which are separated by blanks, is the item. */
static bool
is_one(const struct item *t, const char *words)
{
    for (size_t n; *words; words += n + (words[n] != 0)) {
        n = strcspn(words, " ");
        if (t->kind != COMMENT && t->len == n && memcmp(t->text, words, n) == 0)
            return true;
    }
    return false;
}

/* ---- reading */

static void
add(struct items *list, int kind, const char *begin, const char *end,
    uint32_t newlines)
{
    struct item *t = &list->at[list->n++];

    *t = (struct item){
        begin, (size_t)(end - begin), kind, newlines, 0, false, false, false
    };
}

/* Comments between two tokens; returns the line ends behind the last. */
static uint32_t
add_comments(struct items *list, const char *at, const char *end)
{
    uint32_t newlines = 0;

    for (; at < end; at++) {
        const char *begin = at, *stop;

        newlines += *at == '\n';
        if (*at != '#')
            continue;
        while (at < end && *at != '\n')
            at++;
        for (stop = at--; strchr(" \t\r", stop[-1]);)
            stop--;
        add(list, COMMENT, begin, stop, newlines);
        newlines = 0;
    }
    return newlines;
}

static struct items
read_items(struct arena *mem, struct diag *dg)
{
    const char *text = dg->src->text, *last = text;
    struct parser ps = { .base = text,
                         .cur = text,
                         .end = text + dg->src->len,
                         .diag = dg,
                         .mem = mem };
    /* a token or a comment has a character, and ends in another's begin */
    struct items list = { arena_new(mem, struct item, dg->src->len + 2), 0 };
    CML_YYSTYPE value;
    struct span at;
    int kind;

    do {
        uint32_t newlines;

        kind = cml_yylex(&value, &at, &ps);
        newlines = add_comments(&list, last, text + at.begin);
        last = text + at.end;
        if (kind != T_END)
            add(&list, kind, text + at.begin, last, newlines);
    } while (kind != T_END);
    return list;
}

/* ---- brackets and signs */

static bool
ends_operand(const struct item *t)
{
    return t->kind == T_IDENT || t->kind == T_WHOLE || t->kind == T_REAL
           || t->kind == T_STRING || is_one(t, "true false ) ] ...");
}

/* The grammar has been checked: brackets match. */
static void
mark(struct arena *mem, struct items *list)
{
    uint32_t *open = arena_new(mem, uint32_t, list->n + 1), depth = 0;
    const struct item *before = NULL; /* the token */
    bool model = false;               /* the block that opens first is one */

    for (uint32_t i = 0; i < list->n; i++) {
        struct item *t = &list->at[i];

        for (uint32_t d = 0; d < depth && t->newlines; d++)
            list->at[open[d]].broken = true;
        if (t->kind == COMMENT)
            continue;
        if (is_one(t, "( [ {")) {
            t->subscript = is(t, "[") && before && ends_operand(before);
            t->broken = model && depth == 0;
            open[depth++] = i;
        } else if (is_one(t, ") ] }") && depth > 0) {
            list->at[open[--depth]].partner = i;
        } else if (is(t, ":")) {
            t->subscript = depth > 0 && list->at[open[depth - 1]].subscript;
        } else if (is_one(t, "- ~")) {
            t->sign = !before || !ends_operand(before);
        }
        model = model || t->kind == T_MODEL;
        before = t;
    }
}

/* ---- blanks */

static bool
is_exponent(const struct items *list, uint32_t i)
{
    return is(&list->at[i], "^") && i + 1 < list->n && list->at[i + 1].sign;
}

/* Whether a blank stands between the token i - 1 and i on one line. */
static bool
spaced(const struct items *list, uint32_t i)
{
    const struct item *a = &list->at[i - 1], *b = &list->at[i];

    if (is_one(b, "; , ) ] ..") || is_one(a, "( [ ..") || a->sign)
        return false;
    if ((is(a, ":") || is(b, ":")) && !is(a, ","))
        return !a->subscript && !b->subscript;
    if (is(b, "("))
        return a->kind != T_IDENT;
    if (is(b, "["))
        return !b->subscript;
    return !is_exponent(list, i) && !is_exponent(list, i - 1); /* 2^-64 */
}

/* ---- lines */

struct line {
    size_t indent, width; /* width: of the code, in columns */
    const char *code;
    const struct item *comment; /* behind the code */
};

struct writer {
    const struct items *list;
    struct arena *mem;
    struct line *line;
    uint32_t lines;
    uint32_t depth;  /* of open blocks that have lines */
    uint32_t inside; /* brackets open within the statement */
    uint32_t flat;   /* the '}' of a block on one line, or 0 */
    bool within;     /* a statement */
};

static bool
breaks(const struct writer *w, uint32_t i)
{
    const struct item *a, *b = &w->list->at[i];

    if (i == 0)
        return false;
    a = b - 1;
    if (a->kind == COMMENT || b->newlines > 0)
        return true;
    if (b->kind == COMMENT || w->flat)
        return false;
    if (is(a, "{") || is(b, "}"))
        return !is(a, "{") || a->broken;
    return (is(a, "}") && !is_one(b, "; , ) else")) || is(a, ";");
}

/* As many columns as there are characters. */
static size_t
columns(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static size_t
indent(const struct writer *w, const struct item *first)
{
    uint32_t steps = w->depth, inside = w->inside;

    if (is(first, "}"))
        return STEP * (steps - (steps > 0));
    if (w->within && is_one(first, ") ]"))
        return STEP * (steps + inside - (inside > 0));
    return STEP * (steps + (inside ? inside : w->within));
}

/* How the item changes where the next line begins. */
static void
follow(struct writer *w, uint32_t i)
{
    const struct item *t = &w->list->at[i];

    if (t->kind == COMMENT)
        return;
    if (is(t, "{")) {
        if (!t->broken)
            w->flat = t->partner;
        w->depth += t->broken;
    } else if (is(t, "}")) {
        if (w->flat == i)
            w->flat = 0;
        else if (!w->flat)
            w->depth -= w->depth > 0;
    } else if (is_one(t, "( [")) {
        w->inside++;
    } else if (is_one(t, ") ]")) {
        w->inside -= w->inside > 0;
    }
    w->within = !is_one(t, "; { }");
    if (!w->within)
        w->inside = 0;
}

/* From item i to the end of its line; returns the first of the next. */
static uint32_t
put_line(struct writer *w, uint32_t i)
{
    struct line *l = &w->line[w->lines++];
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    uint32_t first = i;

    if (!out)
        out_of_memory();
    *l = (struct line){ .indent = indent(w, &w->list->at[i]) };
    do {
        const struct item *t = &w->list->at[i];

        if (t->kind == COMMENT && i > first) {
            l->comment = t;
        } else {
            if (i > first && spaced(w->list, i))
                putc(' ', out);
            fwrite(t->text, 1, t->len, out);
        }
        follow(w, i++);
    } while (i < w->list->n && !breaks(w, i));
    if (fclose(out) != 0)
        out_of_memory();
    l->code = arena_string(w->mem, text, len);
    l->width = l->indent + columns(l->code);
    free(text);
    return i;
}

/* ---- writing */

/* Comments of neighbouring lines stand in one column. */
static size_t
comment_column(const struct line *l, uint32_t i, uint32_t n)
{
    size_t most = 0;

    while (i > 0 && l[i - 1].comment)
        i--;
    for (; i < n && l[i].comment; i++)
        most = l[i].width > most ? l[i].width : most;
    return most + 2;
}

static void
write_lines(FILE *out, const struct writer *w)
{
    for (uint32_t i = 0; i < w->lines; i++) {
        const struct line *l = &w->line[i];

        if (l->code && *l->code)
            fprintf(out, "%*s%s", (int)l->indent, "", l->code);
        if (l->comment)
            fprintf(out, "%*s%.*s",
                    (int)(comment_column(w->line, i, w->lines) - l->width), "",
                    (int)l->comment->len, l->comment->text);
        putc('\n', out);
    }
}

/* A blank line stays, one of several, but not at the edge of a block. */
static bool
wants_blank(const struct items *list, uint32_t i)
{
    const struct item *t = &list->at[i];

    return i > 0 && t->newlines > 1 && !is(t, "}") && !is(t - 1, "{");
}

static void
layout(FILE *out, struct arena *mem, struct diag *dg)
{
    struct items list = read_items(mem, dg);
    struct writer w = { .list = &list,
                        .mem = mem,
                        .line = arena_new(mem, struct line, 2 * list.n + 1) };

    mark(mem, &list);
    for (uint32_t i = 0; i < list.n;) {
        if (wants_blank(&list, i))
            w.lines++; /* an empty line */
        i = put_line(&w, i);
    }
    write_lines(out, &w);
}

/* ---- the whole */

static char *
tree_text(const struct source *src)
{
    struct arena mem = { 0 };
    struct diag dg = { .src = src };
    const struct ast *model = fe_parse(&mem, &dg, src);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        out_of_memory();
    if (model)
        ast_print(out, model);
    if (fclose(out) != 0)
        out_of_memory();
    arena_free(&mem);
    return text;
}

char *
fe_format(struct diag *dg, size_t *len)
{
    struct arena mem = { 0 };
    struct source again = { .name = dg->src->name };
    char *text = NULL, *had, *has;
    FILE *out;

    if (!fe_parse(&mem, dg, dg->src)) {
        arena_free(&mem);
        return NULL;
    }
    out = open_memstream(&text, len);
    if (!out)
        out_of_memory();
    layout(out, &mem, dg);
    if (fclose(out) != 0)
        out_of_memory();
    again.text = text;
    again.len = *len;
    had = tree_text(dg->src);
    has = tree_text(&again);
    if (strcmp(had, has) != 0)
        bug("fmt changed what %s says", dg->src->name);
    free(had);
    free(has);
    arena_free(&mem);
    return text;
}
