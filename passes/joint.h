/* What is decrypted as one table: of all integers that the client sends for it,
 * if their values together are few.
 */
#ifndef CML_PASSES_JOINT_H
#define CML_PASSES_JOINT_H

#include "passes/inner.h"

/* An integer of the client, of value lo .. lo + values - 1, which counts
 * `weight` in the number of a row. */
struct joint_part {
    ir_ref source; /* of the client, in f */
    uint32_t element;
    int64_t lo, values, weight;
};

struct joint {
    const struct ir_ins *decrypt;
    struct joint_part *part;
    size_t parts, rows, width; /* rows: those that occur, of 2^bits */
    uint32_t bits;
    int64_t *value; /* [2^bits][width], once computed; what is beyond the last
                       row repeats it */
};

/* The integers that decrypt i depends on.  False if there are others than exact
 * functions of encrypted ones, or too many values. */
bool joint_of(struct joint *out, struct arena *mem, const struct ir_func *f,
              uint32_t i);
void joint_compute(struct joint *j, struct arena *mem, const struct ir_func *f);

/* Whether all answers of f might be such tables. */
bool joint_may(struct pass_ctx *cx, const struct ir_func *f);
/* f with them, at the level of ciphertexts, and *us of a row, as leveled_plan.c
 * prices it; NULL: there are none. */
struct ir_func *joint_lower(struct pass_ctx *cx, const struct ir_func *f,
                            double *us);

#endif
