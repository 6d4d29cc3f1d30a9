/* Options in any place; a bare word is the input.
 *
 *     --name=VALUE   --name VALUE   -n VALUE   --flag   --
 */
#include "frontend/options.h"

#include "frontend/inner.h"

#include <string.h>

enum page { USER, DEVELOPER };

const struct option_row options_table[] = {
#define O(name, spelling, letter, page, arg, help) \
    { spelling, arg, help, letter, (page) == DEVELOPER },
#define F(name, spelling, letter, page, help) \
    { spelling, NULL, help, letter, (page) == DEVELOPER },
#include "frontend/options.def"
};

const size_t options_count = sizeof options_table / sizeof *options_table;

const struct verb_row verbs_table[NVERBS] = {
#define V(name, most, operand, summary) { #name, operand, summary, most },
#include "frontend/verbs.def"
};

/* Length of the option's spelling at the start of arg, or 0. */
static size_t
spelled(const char *arg, const char *name, char letter)
{
    size_t n = 2;

    if (letter && arg[1] == letter && !arg[2])
        return 2;
    if (arg[1] != '-')
        return 0;
    for (; *name; name++, n++)
        if (arg[n] != *name)
            return 0;
    return arg[n] && arg[n] != '=' ? 0 : n;
}

/* The option's value; **argv moves on to its last word. */
static const char *
value(char *const **argv, size_t n)
{
    const char *arg = **argv;

    if (arg[n] == '=')
        return arg + n + 1;
    return (*argv)[1] ? *++*argv : NULL;
}

/* Remembers what may have been meant. */
static const char *
unknown(struct options *o, const char *arg)
{
    size_t least = strlen(arg);

    for (size_t i = 0; i < options_count && arg[1] == '-'; i++)
        fe_nearest(&o->meant, &least, arg + 2, options_table[i].spelling);
    return "unknown option:";
}

static const char *
set(struct options *o, char *const **argv)
{
    size_t n;

#define O(name, spelling, letter, page, arg, help) \
    if ((n = spelled(**argv, spelling, letter))) { \
        o->name = value(argv, n); \
        return o->name ? NULL : "this option needs a value:"; \
    }
#define F(name, spelling, letter, page, help) \
    if ((n = spelled(**argv, spelling, letter))) { \
        o->name = true; \
        return (**argv)[n] ? "this option takes no value:" : NULL; \
    }
#include "frontend/options.def"
    return unknown(o, **argv);
}

/* NVERBS: none */
static enum verb
verb_called(const char *word)
{
    enum verb v = 0;

    while (v < NVERBS && strcmp(word, verbs_table[v].name) != 0)
        v++;
    return v;
}

/* The first word may be a verb: a model of that name is ./report. */
static const char *
operand(struct options *o, const char *arg)
{
    const enum verb v = verb_called(arg);

    if (!o->named && !o->operands && v < NVERBS) {
        o->verb = v;
        o->named = true;
        return NULL;
    }
    if (o->operands >= verbs_table[o->verb].most)
        return o->verb == VERB_explain ? "a second code:"
               : o->operands == 1      ? "a second model:"
                                       : "one operand too many:";
    o->operand[o->operands++] = arg;
    o->input = o->operand[0];
    return NULL;
}

/* The verb lacks its operand. */
static const char *
missing(const struct options *o)
{
    if (o->input || o->help || o->help_passes || o->version
        || o->verb == VERB_explain || !verbs_table[o->verb].most)
        return NULL;
    return o->verb == VERB_fmt           ? "no file is named"
           : o->verb == VERB_new         ? "no name is given"
           : o->verb == VERB_completions ? "no shell is named"
                                         : "no model is named";
}

const char *
options_parse(struct options *o, char *const *argv, const char **bad)
{
    const char *why = NULL;
    bool ended = false;

    *o = (struct options){ .verb = VERB_build };
    for (char *const *arg = argv + 1; *arg && !why; arg++) {
        *bad = *arg;
        if (!ended && strcmp(*arg, "--") == 0)
            ended = true;
        else if (!ended && **arg == '-' && (*arg)[1])
            why = set(o, &arg);
        else
            why = operand(o, *arg);
    }
    if (why)
        return why;
    *bad = "(see cmlc --help)";
    return missing(o);
}

static void
print_options(FILE *out, bool developer)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *o = &options_table[i];
        int width;

        if (o->developer != developer)
            continue;
        width = fprintf(out, "  --%s", o->spelling);
        if (o->arg)
            width += fprintf(out, "=%s", o->arg);
        if (o->letter)
            width += fprintf(out, ", -%c", o->letter);
        fprintf(out, "%*s%s\n", 22 - width, "", o->help);
    }
}

void
options_help(FILE *out)
{
    fputs("usage: cmlc [VERB] OPERAND [OPTION]...\n", out);
    for (enum verb v = 0; v < VERB_completions; v++)
        fprintf(out, "  %-7s %-14s %s\n", verbs_table[v].name,
                verbs_table[v].operand, verbs_table[v].summary);
    print_options(out, false);
    fputs("  cmlc digits.cml && ./digits run -i test.csv\n"
          "  cmlc digits.cml --split -o d      d-client and d-server\n",
          out);
}

void
options_help_developer(FILE *out)
{
    putc('\n', out);
    print_options(out, true);
}
