/* Random integer models: valid functions of the tensor level, small enough
 * that most of their tables fit.  Same seed, same model. */
#ifndef CML_TESTS_RANDOM_IR_H
#define CML_TESTS_RANDOM_IR_H

#include "ir/ir.h"

struct dice {
    uint64_t state;
};

uint64_t dice_roll(struct dice *d, uint64_t sides);

/* A model with one or two inputs, up to `ops` operations, one to three
 * outputs; toy parameters are asked for. */
struct ir_func *random_ir(struct arena *mem, struct dice *d, unsigned ops);

/* Cells for each input, inside its declared box; every third row a corner. */
const union ir_cell **random_inputs(struct arena *mem, struct dice *d,
                                    const struct ir_func *f);

#endif
