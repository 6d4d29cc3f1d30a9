/* The syntax tree: a node has a kind, a place, a text and children.
 *
 * Printed, it is CML again (ast_print): the canonical layout, without comments,
 * which parses back to the same tree.
 */
#ifndef CML_FRONTEND_AST_H
#define CML_FRONTEND_AST_H

#include "ir/ir.h"

enum ast_kind {
#define N(kind) AST_##kind,
#include "frontend/ast.def"
};

enum { AST_MAX_DEPTH = 1000 };

struct ast {
    enum ast_kind kind;
    struct span at;
    uint32_t depth;   /* of the tree below */
    const char *text; /* ast.def */
    double number;    /* real, whole, truth */
    int64_t whole;    /* whole, truth */
    struct ast *kid, *last, *next;
};

struct ast *ast_new(struct arena *mem, enum ast_kind kind, struct span at,
                    const char *text);
/* parent with one more child */
struct ast *ast_add(struct ast *parent, struct ast *kid);

/* the i-th child */
const struct ast *ast_kid(const struct ast *a, size_t i);
size_t ast_kids(const struct ast *a);

void ast_print(FILE *out, const struct ast *model);

#endif
