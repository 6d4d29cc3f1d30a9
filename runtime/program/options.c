/* Options in any place behind the verb, from the tables.
 *
 *     --name=VALUE   --name VALUE   -n VALUE   -nVALUE   --name   -n   --
 */
#include "runtime/program/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind { LIST, TEXT, NUMBER, FLAG };
enum { MANY = 1 << 20, MAX_NUMBER = 1000000000 };

#define ON(verb) (1u << VERB_##verb)

static const struct option {
    const char *name, *arg, *help;
    size_t offset;
    unsigned verbs;
    enum kind kind;
    char letter;
} table[] = {
#define L(name, letter, arg, verbs, help) \
    { #name, arg, help, 0, verbs, LIST, letter },
#define O(name, letter, arg, verbs, help) \
    { #name, arg, help, offsetof(struct options, name), verbs, TEXT, letter },
#define N(name, letter, arg, verbs, help) \
    { #name, arg, help, offsetof(struct options, name), verbs, NUMBER, letter },
#define F(name, letter, verbs, help) \
    { #name, NULL, help, offsetof(struct options, name), verbs, FLAG, letter },
#include "runtime/program/options.def"
};

enum { NOPTIONS = sizeof table / sizeof *table };

static const struct {
    const char *name, *summary;
    size_t operands;
} verbs[NVERBS] = {
#define V(name, all, client, server, operands, summary) \
    { #name, summary, operands },
#include "runtime/program/verbs.def"
};

const char *
verb_name(enum verb v)
{
    return verbs[v].name;
}

/* ---- what was meant */

static size_t
min3(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's distance; words longer than the row are far from all. */
static size_t
distance(const char *a, const char *b)
{
    enum { MOST = 32 };
    size_t row[MOST + 1];
    const size_t n = strlen(b);

    if (n > MOST || strlen(a) > MOST)
        return MOST;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t old = row[j];

            row[j] = min3(old + 1, row[j - 1] + 1,
                          diagonal + (a[i - 1] != b[j - 1]));
            diagonal = old;
        }
    }
    return row[n];
}

static void
nearest(const char **best, size_t *least, const char *word, const char *name)
{
    const size_t d = distance(word, name);

    if (d < *least) {
        *least = d;
        *best = name;
    }
}

static enum cml_status
find_verb(struct options *o, const char *word, struct cml_fault *f)
{
    const char *best = NULL;
    size_t least = 3;

    for (enum verb v = 0; v < NVERBS; v++) {
        if (strcmp(word, verbs[v].name) == 0) {
            o->verb = v;
            return CML_E_ok;
        }
        nearest(&best, &least, word, verbs[v].name);
    }
    (void)cmlrt_fail(f, CML_E_usage, "no verb is called '%s'",
                     cmlrt_quote(word, strlen(word)).text);
    if (best)
        cmlrt_help(f, "'%s' was meant?", best);
    return CML_E_usage;
}

static enum cml_status
unknown(const char *word, enum verb v, struct cml_fault *f)
{
    const char *best = NULL;
    size_t least = 4;

    for (size_t i = 0; i < NOPTIONS && strncmp(word, "--", 2) == 0; i++)
        if (table[i].verbs & 1u << v)
            nearest(&best, &least, word + 2, table[i].name);
    (void)cmlrt_fail(f, CML_E_usage, "%s has no option '%s'", verbs[v].name,
                     cmlrt_quote(word, strlen(word)).text);
    if (best)
        cmlrt_help(f, "--%s was meant?", best);
    return CML_E_usage;
}

/* ---- parsing */

struct words {
    char *const *at;   /* the rest, NULL at its end */
    const char *value; /* that stands in the same word, or NULL */
};

/* Whether the word at hand is this option; finds its value if attached. */
static bool
matches(struct words *w, const struct option *d)
{
    const char *p = *w->at, *name = d->name;

    if (p[1] != '-') {
        w->value = p[2] ? p + 2 : NULL;
        return d->letter && p[1] == d->letter;
    }
    for (p += 2; *name; p++, name++)
        if (*p != (*name == '_' ? '-' : *name))
            return false;
    w->value = *p == '=' ? p + 1 : NULL;
    return *p == '=' || *p == 0;
}

static bool
number(long *out, const char *text)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == 0 && *out > 0
           && *out <= MAX_NUMBER;
}

static enum cml_status
set(struct options *o, const struct option *d, struct words *w,
    struct cml_fault *f)
{
    void *field = (char *)o + d->offset;
    const char *word = *w->at;

    if (d->kind == FLAG) {
        if (w->value)
            return cmlrt_fail(f, CML_E_usage, "'%s' takes no value",
                              cmlrt_quote(word, strlen(word)).text);
        *(bool *)field = true;
        return CML_E_ok;
    }
    if (!w->value)
        w->value = *++w->at;
    if (!w->value)
        return cmlrt_fail(f, CML_E_usage, "'%s' needs a value %s",
                          cmlrt_quote(word, strlen(word)).text, d->arg);
    if (d->kind == LIST)
        o->list[o->listed++] = w->value;
    else if (d->kind == TEXT)
        memcpy(field, &w->value, sizeof w->value);
    else if (!number(field, w->value))
        return cmlrt_fail(f, CML_E_usage, "--%s: '%s' is not a number of 1..%d",
                          d->name, cmlrt_quote(w->value, strlen(w->value)).text,
                          MAX_NUMBER);
    return CML_E_ok;
}

static enum cml_status
option(struct options *o, struct words *w, struct cml_fault *f)
{
    for (size_t i = 0; i < NOPTIONS; i++)
        if ((table[i].verbs & 1u << o->verb) && matches(w, &table[i]))
            return set(o, &table[i], w, f);
    return unknown(*w->at, o->verb, f);
}

static enum cml_status
check(const struct options *o, struct cml_fault *f)
{
    if (o->format && strcmp(o->format, "csv") != 0
        && strcmp(o->format, "json") != 0 && strcmp(o->format, "npy") != 0)
        return cmlrt_fail(f, CML_E_usage,
                          "--format: '%s' is not csv, json or npy",
                          cmlrt_quote(o->format, strlen(o->format)).text);
    if (o->listed <= verbs[o->verb].operands)
        return CML_E_ok;
    return cmlrt_fail(f, CML_E_usage, "%s takes %s", verbs[o->verb].name,
                      verbs[o->verb].operands ? "one file" : "no file");
}

static enum cml_status
parse_words(struct options *o, struct words *w, struct cml_fault *f)
{
    bool only_words = false;

    for (; *w->at; w->at++) {
        const char *word = *w->at;
        enum cml_status s = CML_E_ok;

        if (!only_words && strcmp(word, "--") == 0)
            only_words = true;
        else if (only_words || word[0] != '-' || !word[1])
            o->list[o->listed++] = word;
        else
            s = option(o, w, f);
        if (s != CML_E_ok)
            return s;
    }
    return CML_E_ok;
}

enum cml_status
options_parse(struct options *o, int argc, char *const *argv,
              struct cml_fault *f)
{
    struct words w = { argv + 1, NULL };
    enum cml_status s;

    memset(o, 0, sizeof *o);
    o->verb = VERB_help;
    o->list = calloc((size_t)argc + 1, sizeof *o->list);
    if (!o->list)
        return cmlrt_no_memory(f);
    if (argc < 2) {
        (void)cmlrt_fail(f, CML_E_usage, "a verb is needed");
        cmlrt_help(f, "info, run, keygen, encrypt, eval, decrypt; see help");
        return CML_E_usage;
    }
    if (**w.at != '-') {
        s = find_verb(o, *w.at, f);
        w.at++;
        if (s != CML_E_ok)
            return s;
    }
    s = parse_words(o, &w, f);
    return s == CML_E_ok ? check(o, f) : s;
}

/* ---- help */

void
options_help(FILE *out, const char *self, const bool *has)
{
    fprintf(out, "usage: %s VERB [OPTION]...\n\n", self);
    for (enum verb v = 0; v < NVERBS; v++)
        if (has[v])
            fprintf(out, "  %-9s %s\n", verbs[v].name, verbs[v].summary);
    if (has[VERB_run])
        fprintf(out, "\n  %s run -i rows.csv\n", self);
    if (has[VERB_encrypt])
        fprintf(out, "  %s encrypt -i rows.csv -o input.ct\n", self);
    if (has[VERB_eval])
        fprintf(out, "  %s eval -i input.ct -o output.ct\n", self);
    fprintf(out, "\n%s help VERB tells its options.\n", self);
}

static void
print_option(FILE *out, const struct option *d)
{
    char name[40] = "";
    size_t n = 0;

    for (const char *p = d->name; *p; p++)
        name[n++] = (char)(*p == '_' ? '-' : *p);
    if (d->letter)
        fprintf(out, "  -%c, ", d->letter);
    else
        fputs("      ", out);
    fprintf(out, "--%s%s%-*s %s\n", name, d->arg ? "=" : "",
            (int)(22 - n - (d->arg ? 1 : 0)), d->arg ? d->arg : "", d->help);
}

void
options_help_verb(FILE *out, const char *self, enum verb v)
{
    fprintf(out, "usage: %s %s [OPTION]...%s\n\n%s\n\n", self, verbs[v].name,
            verbs[v].operands ? " FILE" : "", verbs[v].summary);
    for (size_t i = 0; i < NOPTIONS; i++)
        if (table[i].verbs & 1u << v)
            print_option(out, &table[i]);
}
