/* Random models: valid functions of the tensor level, small enough that most
 * of their tables fit.  Same seed, same model. */
#ifndef CML_TESTS_RANDOM_IR_H
#define CML_TESTS_RANDOM_IR_H

#include "ir/ir.h"

struct dice {
    uint64_t state;
};

uint64_t dice_roll(struct dice *d, uint64_t sides);

enum random_kind {
    RANDOM_INTEGERS, /* functions of integers, exact */
    RANDOM_REALS,    /* reals and integers, quantised */
    RANDOM_LINEAR,   /* linear work on reals only */
    RANDOM_KINDS
};

/* A model with up to three inputs, up to `ops` operations, one to four
 * outputs, which may be inputs, constants, or one value twice; toy parameters
 * are asked for. */
struct ir_func *random_ir(struct arena *mem, struct dice *d,
                          enum random_kind kind, unsigned ops);

/* Cells for each input, inside its declared box; every third row a corner. */
const union ir_cell **random_inputs(struct arena *mem, struct dice *d,
                                    const struct ir_func *f);

#endif
