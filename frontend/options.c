/* Options in any place; a bare word is the input.
 *
 *     --name=VALUE   --name VALUE   -n VALUE   --flag   --
 */
#include "frontend/options.h"

#include "frontend/inner.h"

#include <string.h>

static const struct {
    const char *spelling, *arg, *help;
    char letter;
} table[] = {
#define O(name, spelling, letter, arg, help) { spelling, arg, help, letter },
#define F(name, spelling, letter, help) { spelling, NULL, help, letter },
#include "frontend/options.def"
};

enum { NOPTIONS = sizeof table / sizeof *table };

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

    for (size_t i = 0; i < NOPTIONS && arg[1] == '-'; i++)
        fe_nearest(&o->meant, &least, arg + 2, table[i].spelling);
    return "unknown option:";
}

static const char *
set(struct options *o, char *const **argv)
{
    size_t n;

#define O(name, spelling, letter, arg, help) \
    if ((n = spelled(**argv, spelling, letter))) { \
        o->name = value(argv, n); \
        return o->name ? NULL : "this option needs a value:"; \
    }
#define F(name, spelling, letter, help) \
    if ((n = spelled(**argv, spelling, letter))) { \
        o->name = true; \
        return (**argv)[n] ? "this option takes no value:" : NULL; \
    }
#include "frontend/options.def"
    return unknown(o, **argv);
}

static bool
is_verb(const char *word)
{
    static const char *const verbs[] = { "build", "explain", "report" };

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(word, verbs[i]) == 0)
            return true;
    return false;
}

/* The first word may be a verb: a model of that name is ./report. */
static const char *
operand(struct options *o, const char *arg)
{
    if (!o->verb && !o->input && is_verb(arg))
        o->verb = arg;
    else if (!o->input)
        o->input = arg;
    else
        return o->verb && strcmp(o->verb, "explain") == 0 ? "a second code:"
                                                          : "a second model:";
    return NULL;
}

const char *
options_parse(struct options *o, char *const *argv, const char **bad)
{
    const char *why = NULL;
    bool ended = false;

    *o = (struct options){ 0 };
    for (char *const *arg = argv + 1; *arg && !why; arg++) {
        *bad = *arg;
        if (!ended && strcmp(*arg, "--") == 0)
            ended = true;
        else if (!ended && **arg == '-' && (*arg)[1])
            why = set(o, &arg);
        else
            why = operand(o, *arg);
    }
    if (!o->verb)
        o->verb = "build";
    if (why || o->input || o->help || o->help_passes || o->version
        || strcmp(o->verb, "explain") == 0)
        return why;
    *bad = "(see cmlc --help)";
    return "no model is named";
}

void
options_help(FILE *out)
{
    fputs("usage: cmlc MODEL.cml [OPTION]...\n"
          "       cmlc report MODEL.cml|PROGRAM [--json] [--html=FILE]\n"
          "       cmlc explain [CODE]\n\n",
          out);
    for (size_t i = 0; i < NOPTIONS; i++) {
        int width = fprintf(out, "  --%s", table[i].spelling);

        if (table[i].arg)
            width += fprintf(out, "=%s", table[i].arg);
        if (table[i].letter)
            width += fprintf(out, ", -%c", table[i].letter);
        fprintf(out, "%*s%s\n", 24 - width, "", table[i].help);
    }
    fputs("\n  cmlc digits.cml && ./digits run -i test.csv\n"
          "  cmlc digits.cml --split -o d      d-client and d-server\n",
          out);
}
