/* Answers in digits, where one sum has too much noise or too many bits. */
#ifndef CML_PASSES_ANSWERS_H
#define CML_PASSES_ANSWERS_H

#include "passes/inner.h"

enum { ANSWERS_MOST = 3 };

/* Whether some answer of tables may be too much for any parameters: log2 of its
 * range times the norm of its weights. */
bool answers_are_hard(struct pass_ctx *cx, const struct ir_func *f);

/* f, after `range`, with every such answer in so many digits; NULL if that
 * changes nothing or has a message. */
struct ir_func *answers_split(struct pass_ctx *cx, const struct ir_func *f,
                              unsigned digits);

#endif
