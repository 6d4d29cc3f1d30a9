/* Shared by the files of the evaluator; see eval.c. */
#ifndef CML_IR_EVAL_H
#define CML_IR_EVAL_H

#include "ir/ir.h"

struct eval {
    struct arena *mem;
    const struct ir_func *f;
    const struct ir_ins *ins;
    const union ir_cell *const *in;
    union ir_cell *out;
    size_t n; /* cells of out */
};

static inline const struct ir_type *
eval_type(const struct eval *e, size_t i)
{
    return &e->f->ins[e->ins->in[i].id].type;
}

/* eval_forest.c */
void eval_forest(struct eval *e);
void eval_bin(struct eval *e);

/* eval_leveled.c */
void eval_to_ggsw(struct eval *e);
void eval_ggsw_forest(struct eval *e);
void eval_ggsw_lut(struct eval *e);

/* eval_slots.c */
void eval_glwe_expand(struct eval *e);
void eval_ggsw_products(struct eval *e);

#endif
