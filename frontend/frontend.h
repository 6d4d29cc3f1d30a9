/* The front end: CML text to IR. */
#ifndef CML_FRONTEND_FRONTEND_H
#define CML_FRONTEND_FRONTEND_H

#include "ir/ir.h"

struct fe_options {
    const char *folder;     /* of the model: data is read below it */
    const char *allow_path; /* and below this one, or NULL */
};

/* The model's function; NULL after messages to dg. */
struct ir_func *fe_compile(struct arena *mem, struct diag *dg,
                           const struct fe_options *o);

/* The syntax tree as canonical CML; false after messages to dg. */
bool fe_print_ast(FILE *out, struct diag *dg);

#endif
