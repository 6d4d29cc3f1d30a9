/* Rules of the verifier that have files of their own; see verify.c. */
#ifndef CML_IR_VERIFY_H
#define CML_IR_VERIFY_H

#include "ir/ir.h"

/* verify_slots.c: of op i */
bool verify_packed_bits(const struct ir_func *f, uint32_t i);
bool verify_products(const struct ir_func *f, uint32_t i);

#endif
