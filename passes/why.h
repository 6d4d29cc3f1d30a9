/* Why an integer is as wide as it is: notes for messages. */
#ifndef CML_PASSES_WHY_H
#define CML_PASSES_WHY_H

#include "passes/inner.h"
#include "passes/interval.h"

/* Notes to the error before: that v lies in h, the widest input or table and
 * the largest weights that this is proved from, and who asked for them. */
void why_range(struct pass_ctx *cx, const struct ir_func *f, ir_ref v,
               struct interval h);

/* The same to a listener; at is a place of the source. */
typedef void why_listener(void *arg, struct span at, const char *text);
struct why_chain {
    struct arena *mem;
    why_listener *say;
    void *arg;
};
void why_chain(const struct why_chain *c, const struct ir_func *f, ir_ref v,
               struct interval h);
/* who asked for the bits of a name or, failing that, of its family */
void why_asked(const struct why_chain *c, const struct ir_func *f,
               const char *name, const char *family);
/* the input that the client makes an encrypted value from, or NULL */
const char *why_input(const struct ir_func *f, const struct ir_ins *ins);

/* A table of `bits` bits is wider than the limit: error 6 with notes and
 * help. */
void why_table_too_wide(struct pass_ctx *cx, struct span at,
                        const struct ir_func *f, ir_ref v, struct interval h,
                        unsigned bits, bool approx);

#endif
