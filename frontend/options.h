/* The command line of cmlc. */
#ifndef CML_FRONTEND_OPTIONS_H
#define CML_FRONTEND_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct options {
    const char *input;
    const char *topic; /* of `cmlc explain TOPIC` */
#define O(name, letter, arg, help) const char *name;
#define F(name, letter, help) bool name;
#include "frontend/options.def"
};

/* NULL, or what is wrong with the argument *bad. */
const char *options_parse(struct options *o, char *const *argv,
                          const char **bad);

void options_help(FILE *out);

#endif
