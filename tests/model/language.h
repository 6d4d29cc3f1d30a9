/* What a model of CML means: an interpreter of the syntax tree.
 *
 * Slow and obvious, by lang-spec/language.md: values are tensors of numbers, a
 * statement is done when it is met, a fn is called.  It shares the parser with
 * the compiler, and nothing behind it.  Trees it cannot read end in bug(). */
#ifndef CML_TESTS_MODEL_LANGUAGE_H
#define CML_TESTS_MODEL_LANGUAGE_H

#include "frontend/ast.h"
#include "tests/model/tensor.h"

/* The outputs, in order, of a row of inputs; how many. */
size_t language_run(struct arena *mem, const struct ast *model,
                    const union ir_cell *const *in, struct tensor *out,
                    size_t most);

/* ---- shared with functions.c */
struct language {
    struct arena *mem;
    struct named *names;
};

struct tensor language_value(struct language *l, const struct ast *a);
/* operator of two values, by its sign */
struct tensor language_operator(struct language *l, const char *sign,
                                struct tensor a, struct tensor b);
/* bits(x)[..], an index */
struct tensor language_bits(struct language *l, const struct ast *a);
/* a function of the language that is not written in it; false if none */
bool language_builtin(struct language *l, const struct ast *call,
                      struct tensor *out);

#endif
