/* The command line of an emitted program. */
#ifndef CML_RUNTIME_PROGRAM_OPTIONS_H
#define CML_RUNTIME_PROGRAM_OPTIONS_H

#include "runtime/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum verb {
#define V(name, all, client, server, operands, summary) VERB_##name,
#include "runtime/program/verbs.def"
    NVERBS
};

struct options {
    enum verb verb;
    const char **list; /* what -i and bare words gave; free it */
    size_t listed;
#define L(name, letter, arg, verbs, help)
#define O(name, letter, arg, verbs, help) const char *name;
#define N(name, letter, arg, verbs, help) long name;
#define F(name, letter, verbs, help) bool name;
#include "runtime/program/options.def"
};

const char *verb_name(enum verb v);

enum cml_status options_parse(struct options *o, int argc, char *const *argv,
                              struct cml_fault *f);

/* has[v]: the program has the verb */
void options_help(FILE *out, const char *self, const bool *has);
void options_help_verb(FILE *out, const char *self, enum verb v);

#endif
