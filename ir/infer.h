/* Shared by the files of type inference; see infer.c. */
#ifndef CML_IR_INFER_H
#define CML_IR_INFER_H

#include "ir/ir.h"

struct infer {
    struct arena *mem;
    const struct ir_func *f;
    enum ir_op op;
    const ir_ref *ref;
    size_t nin;
    const union ir_attrs *as;
    const struct ir_type *given;
    struct ir_type *out;
};

static inline const struct ir_type *
infer_in(const struct infer *x, size_t i)
{
    return &x->f->ins[x->ref[i].id].type;
}

/* A phrase of a message. */
const char *infer_say(const struct infer *x, const char *fmt, ...)
    CML_PRINTF(2, 3);

/* infer_forest.c */
const char *infer_forest(struct infer *x);
const char *infer_bin(struct infer *x);

/* infer_leveled.c */
const char *to_ggsw(struct infer *x);
const char *ggsw_forest(struct infer *x);
const char *glwe_answer(struct infer *x);
const char *glwe_decrypt(struct infer *x);

#endif
