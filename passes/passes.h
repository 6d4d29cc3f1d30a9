/* Passes: IR to IR, run from one table (pipeline.def). */
#ifndef CML_PASSES_PASSES_H
#define CML_PASSES_PASSES_H

#include "ir/ir.h"

#include <stdio.h>

struct pass_options {
    struct diag *diag;      /* for mistakes of the user */
    const char *only;       /* comma-separated names, or NULL for all */
    const char *stop_after; /* a name, or NULL */
    const char *dump_after; /* names, "all" or NULL; to dump */
    bool ways;              /* exit code 6: help that was tried, ways.h */
    bool time;              /* a line a pass, to dump */
    FILE *dump;
    /* called after each pass, with both sides still alive; may be NULL */
    void (*watch)(const char *pass, const struct ir_func *before,
                  const struct ir_func *after, void *arg);
    void *arg;
    int *status; /* receives the exit code when the result is NULL */
};

/* Runs the pipeline over f and builds the result in out; NULL after messages
 * to diag. */
struct ir_func *pass_run(struct arena *out, const struct ir_func *f,
                         const struct pass_options *opt);

/* Whether every name in a list is a pass. */
bool pass_names_ok(const char *list);

void pass_help(FILE *out);

#endif
