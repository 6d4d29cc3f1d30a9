/* The back end: ciphertext-level IR to LLVM, and from there to a program.
 *
 * The object defines a manifest (runtime/manifest.def), the client's two
 * functions, a function a step of the circuit, and a main.
 */
#ifndef CML_BACKEND_BACKEND_H
#define CML_BACKEND_BACKEND_H

#include "ir/ir.h"

struct be_module;

/* A client has no weights and no tables, a server no client functions. */
enum be_role { BE_ALL, BE_CLIENT, BE_SERVER };

/* report: a text that the object carries in BE_REPORT, or NULL */
#define BE_REPORT ".cmlc.report"
struct be_module *be_new(const struct ir_func *f, const struct source *src,
                         enum be_role role, const char *report);
void be_optimise(struct be_module *m);
void be_free(struct be_module *m);

/* false after errno is set, or LLVM's reason is on stderr */
bool be_print(const struct be_module *m, FILE *out);
bool be_object(const struct be_module *m, const char *path);

struct be_link {
    const char *cc;       /* NULL: CC of the environment, or cc */
    const char *runtime;  /* libcmlrt.a */
    const char *link_arg; /* one more argument, or NULL */
    bool verbose;         /* print the command */
};

/* Runs the linking driver; 0, or its exit status, or -1 with errno set. */
int be_link(const char *object, const char *output, const struct be_link *how);

#endif
