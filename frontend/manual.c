/* Completions of three shells and the manual page, from the tables of verbs and
 * options. */
#include "frontend/options.h"

#include <string.h>

static void
put_verbs(FILE *out)
{
    for (enum verb v = 0; v < NVERBS; v++)
        fprintf(out, "%s%s", v ? " " : "", verbs_table[v].name);
}

/* text within '..' of a shell */
static void
quoted(FILE *out, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (strchr(escaped, *text))
            putc('\\', out);
        if (*text == '\'')
            fputs("'\\'", out);
        putc(*text, out);
    }
}

static void
quote(FILE *out, const char *text)
{
    putc('\'', out);
    quoted(out, text, "\\");
    putc('\'', out);
}

static bool
is_file(const struct option_row *o)
{
    return o->arg && strchr("FPD", o->arg[0]) && strcmp(o->arg, "PASS") != 0
           && strcmp(o->arg, "FORM") != 0;
}

static void
bash(FILE *out)
{
    fputs("# bash completion of cmlc\n"
          "_cmlc()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} words='",
          out);
    for (size_t i = 0; i < options_count; i++)
        fprintf(out, "%s--%s%s", i ? " " : "", options_table[i].spelling,
                options_table[i].arg ? "=" : "");
    fputs("'\n    if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"$words ", out);
    put_verbs(out);
    fputs("\"; fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") "
          "$(compgen -f -- \"$cur\"))\n"
          "}\n"
          "complete -o filenames -o nospace -F _cmlc cmlc\n",
          out);
}

static void
zsh(FILE *out)
{
    fputs("#compdef cmlc\n_arguments", out);
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *o = &options_table[i];

        fprintf(out, " \\\n  '--%s%s[", o->spelling, o->arg ? "=" : "");
        quoted(out, o->help, "[]:\\");
        putc(']', out);
        if (o->arg)
            fprintf(out, ":%s:%s", o->arg, is_file(o) ? "_files" : " ");
        putc('\'', out);
    }
    fputs(" \\\n  '1:verb or model:(", out);
    put_verbs(out);
    fputs(") _files' '*:file:_files'\n", out);
}

static void
fish(FILE *out)
{
    for (enum verb v = 0; v < NVERBS; v++) {
        fprintf(out, "complete -c cmlc -n __fish_use_subcommand -a %s -d ",
                verbs_table[v].name);
        quote(out, verbs_table[v].summary);
        putc('\n', out);
    }
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *o = &options_table[i];

        fprintf(out, "complete -c cmlc -l %s", o->spelling);
        if (o->letter)
            fprintf(out, " -s %c", o->letter);
        if (o->arg)
            fputs(is_file(o) ? " -r" : " -x", out);
        fputs(" -d ", out);
        quote(out, o->help);
        putc('\n', out);
    }
}

bool
options_completions(FILE *out, const char *shell)
{
    static const struct {
        const char *name;
        void (*print)(FILE *out);
    } shells[] = { { "bash", bash }, { "fish", fish }, { "zsh", zsh } };

    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print(out);
            return true;
        }
    return false;
}

/* ---- man */

/* '-' is a hyphen to man unless it is escaped; a '.' may not begin a line */
static void
man(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++)
        fputs(*p == '-'                ? "\\-"
              : *p == '.' && p == text ? "\\&."
              : *p == '\\'             ? "\\e"
                                       : (char[]){ *p, 0 },
              out);
}

void
options_manual(FILE *out, const char *version)
{
    fprintf(out,
            ".TH CMLC 1 \"\" \"cmlc %s\"\n"
            ".SH NAME\ncmlc \\- compile a model to programs that infer on "
            "encrypted data\n"
            ".SH SYNOPSIS\n.B cmlc\n[\\fIVERB\\fR] \\fIOPERAND\\fR "
            "[\\fIOPTION\\fR]...\n.SH VERBS\n",
            version);
    for (enum verb v = 0; v < NVERBS; v++) {
        fprintf(out, ".TP\n.B %s", verbs_table[v].name);
        if (*verbs_table[v].operand)
            putc(' ', out);
        man(out, verbs_table[v].operand);
        putc('\n', out);
        man(out, verbs_table[v].summary);
        putc('\n', out);
    }
    fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; i < options_count; i++) {
        const struct option_row *o = &options_table[i];

        fputs(".TP\n\\fB\\-\\-", out);
        man(out, o->spelling);
        if (o->arg)
            fprintf(out, "\\fR=\\fI%s", o->arg);
        fputs("\\fR", out);
        if (o->letter)
            fprintf(out, ", \\fB\\-%c\\fR", o->letter);
        putc('\n', out);
        man(out, o->help);
        putc('\n', out);
    }
    fputs(".SH EXIT STATUS\n"
          "0: done. 1: the model has errors. 2: usage. 3: input or output. "
          "6: no secure\nparameters. 70: a bug of cmlc. 75: a resource "
          "limit.\n",
          out);
}
