/* The command line of cmlc. */
#ifndef CML_FRONTEND_OPTIONS_H
#define CML_FRONTEND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum verb {
#define V(name, most, operand, summary) VERB_##name,
#include "frontend/verbs.def"
    NVERBS
};

enum { MAX_OPERANDS = 256 };

struct options {
    enum verb verb;    /* build, if none is named */
    bool named;        /* the verb was */
    const char *input; /* the first operand; NULL: none */
    const char *operand[MAX_OPERANDS];
    size_t operands;
    const char *meant; /* the option nearest to one that is unknown, or NULL */
#define O(name, spelling, letter, page, arg, help) const char *name;
#define F(name, spelling, letter, page, help) bool name;
#include "frontend/options.def"
};

/* NULL, or what is wrong with the argument *bad. */
const char *options_parse(struct options *o, char *const *argv,
                          const char **bad);

void options_help(FILE *out);
void options_help_developer(FILE *out);

/* ---- manual.c: from the same tables */
/* false: there is no such shell */
bool options_completions(FILE *out, const char *shell);
/* in the language of man */
void options_manual(FILE *out, const char *version);

/* ---- tables for both */
struct option_row {
    const char *spelling, *arg, *help;
    char letter;
    bool developer;
};
struct verb_row {
    const char *name, *operand, *summary;
    size_t most;
};
extern const struct option_row options_table[];
extern const size_t options_count;
extern const struct verb_row verbs_table[NVERBS];

#endif
