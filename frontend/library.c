/* The functions of library.def: names that stand before those of a model. */
#include "frontend/inner.h"

#include <string.h>

static const char text[] = "model library {\n"
#define L(signature, body) "fn " signature " " body "\n"
#include "frontend/library.def"
                           "}\n";

void
fe_library(struct fe *fe)
{
    const struct source src = { .name = "library",
                                .text = text,
                                .len = sizeof text - 1 };
    struct diag dg = { .src = &src };
    const struct ast *model = fe_parse(fe->scratch, &dg, &src);

    if (!model)
        bug("the library does not parse");
    for (const struct ast *a = model->kid; a; a = a->next) {
        struct fe_name *n = fe_define(fe, a->at, a->text);

        n->kind = FE_FN;
        n->fn = a;
        n->library = true;
    }
}

struct ast *
fe_place(struct fe *fe, const struct ast *a, struct span at)
{
    struct ast *copy = ast_new(fe->scratch, a->kind, at, a->text);

    copy->number = a->number;
    copy->whole = a->whole;
    for (const struct ast *k = a->kid; k; k = k->next)
        ast_add(copy, fe_place(fe, k, at));
    return copy;
}
