/* The command line of cmlc. */
#ifndef CML_FRONTEND_OPTIONS_H
#define CML_FRONTEND_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct options {
    const char *verb;  /* build (if none is named), explain or report */
    const char *input; /* MODEL, CODE or EXE; NULL: none */
    const char *meant; /* the option nearest to one that is unknown, or NULL */
#define O(name, spelling, letter, arg, help) const char *name;
#define F(name, spelling, letter, help) bool name;
#include "frontend/options.def"
};

/* NULL, or what is wrong with the argument *bad. */
const char *options_parse(struct options *o, char *const *argv,
                          const char **bad);

void options_help(FILE *out);

#endif
