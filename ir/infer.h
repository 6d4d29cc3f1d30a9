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

/* The rule of another op, whose attributes have the same places. */
const char *infer_like(struct infer *x, enum ir_op op);
/* The shape of a matrix product, to *x->out. */
const char *infer_product_shape(struct infer *x, const struct ir_type *a,
                                const struct ir_type *b);

/* Rules of the ciphertext rows of ops.def: infer_cipher.c, */
const char *cipher_glwe(struct infer *x);
const char *cipher_extract(struct infer *x);
const char *cipher_lwe(struct infer *x);
const char *cipher_lwe_mul(struct infer *x);
const char *cipher_lwe_gather(struct infer *x);
const char *cipher_lwe_concat(struct infer *x);
const char *cipher_lwe_trivial(struct infer *x);
const char *cipher_lwe_mul_open(struct infer *x);
const char *cipher_lwe_matmul(struct infer *x);
const char *cipher_lwe_sum(struct infer *x);
const char *cipher_lwe_small(struct infer *x);
const char *cipher_lwe_convert(struct infer *x);
const char *cipher_lwe_pbs(struct infer *x);
const char *cipher_lwe_pbs_many(struct infer *x);
const char *cipher_lwe_bit_lut(struct infer *x);
const char *cipher_lwe_decrypt(struct infer *x);
/* infer_leveled.c */
const char *cipher_to_ggsw(struct infer *x);
const char *cipher_ggsw_forest(struct infer *x);
const char *cipher_ggsw_lut(struct infer *x);
const char *cipher_ggsw_encrypt(struct infer *x);
const char *cipher_glwe_expand(struct infer *x);
const char *cipher_ggsw_products(struct infer *x);
const char *cipher_glwe_answer(struct infer *x);
const char *cipher_glwe_decrypt(struct infer *x);

#endif
