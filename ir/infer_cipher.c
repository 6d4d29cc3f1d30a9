/* Rules of ciphertexts.  Those that only move elements are those of integers.
 */
#include "ir/infer.h"

#include <string.h>

static const char *
cipher(struct infer *x, enum ir_base base)
{
    *x->out = *infer_in(x, 0);
    x->out->base = (uint8_t)base;
    x->out->enc = true;
    x->out->ranged = false;
    return NULL;
}

/* Sets are chosen late and stand in the type alone. */
static uint8_t
given_set(const struct infer *x)
{
    return x->given ? x->given->set : 0;
}

const char *
cipher_glwe(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_INT)
        return infer_say(x, "only integers are encrypted");
    if (infer_in(x, 0)->enc || x->as->glwe_encrypt.log2_delta > 63)
        return infer_say(x, "no room for this message");
    cipher(x, IR_GLWE);
    x->out->set = given_set(x);
    x->out->log2_delta = (uint8_t)x->as->glwe_encrypt.log2_delta;
    return NULL;
}

const char *
cipher_extract(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_GLWE)
        return infer_say(x, "glwe.extract takes a glwe");
    return cipher(x, IR_LWE);
}

const char *
cipher_lwe(struct infer *x)
{
    for (size_t i = 0; i < x->nin; i++)
        if (infer_in(x, i)->base != IR_LWE
            || !ir_same_shape(infer_in(x, i), infer_in(x, 0)))
            return infer_say(x, "%s takes lwe of one shape",
                             ir_ops[x->op].name);
    return cipher(x, IR_LWE);
}

/* The result may be given another exponent: its messages are then those of the
 * product, or sum, over a power of two, or times one. */
const char *
cipher_lwe_mul(struct infer *x)
{
    const char *why = cipher_lwe(x);

    if (!why && x->given && x->given->base == IR_LWE)
        x->out->log2_delta = x->given->log2_delta;
    return why;
}

/* Integers that the server knows, as ciphertexts without noise. */
const char *
cipher_lwe_trivial(struct infer *x)
{
    const struct ir_type *a = infer_in(x, 0);

    if (a->base != IR_INT || !a->open)
        return infer_say(x, "lwe.trivial takes open integers");
    if (x->as->lwe_trivial.log2_delta > 63)
        return infer_say(x, "no room for this message");
    *x->out = ir_type_of(IR_LWE, a->rank, a->dim);
    x->out->enc = true;
    x->out->set = given_set(x);
    x->out->log2_delta = (uint8_t)x->as->lwe_trivial.log2_delta;
    return NULL;
}

/* Ciphertexts times integers that the server knows, one each. */
const char *
cipher_lwe_mul_open(struct infer *x)
{
    const struct ir_type *a = infer_in(x, 0), *b = infer_in(x, 1);

    if (a->base != IR_LWE || b->base != IR_INT || !b->open || !b->ranged)
        return infer_say(x, "lwe.mul_open takes an lwe and open integers of a "
                            "known range");
    if (!ir_same_shape(a, b))
        return infer_say(x, "lwe.mul_open takes operands of one shape");
    return cipher(x, IR_LWE);
}

const char *
cipher_lwe_gather(struct infer *x)
{
    return infer_in(x, 0)->base == IR_LWE ? infer_like(x, IR_gather)
                                          : infer_say(x, "not an lwe");
}

const char *
cipher_lwe_concat(struct infer *x)
{
    return x->nin && infer_in(x, 0)->base == IR_LWE
               ? infer_like(x, IR_concat)
               : infer_say(x, "not an lwe");
}

const char *
cipher_lwe_matmul(struct infer *x)
{
    const struct ir_blob *b =
        ir_blob_find(x->f, x->as->lwe_matmul_clear.weights, false);
    const struct ir_type *a = infer_in(x, 0);

    if (!b || b->type.base != IR_INT)
        return infer_say(x, "there are no weights @%s",
                         x->as->lwe_matmul_clear.weights);
    if (a->base != IR_LWE)
        return infer_say(x, "not an lwe");
    *x->out = *a;
    x->out->ranged = false;
    return infer_product_shape(x, a, &b->type);
}

const char *
cipher_lwe_sum(struct infer *x)
{
    return infer_in(x, 0)->base == IR_LWE ? infer_like(x, IR_sum)
                                          : infer_say(x, "not an lwe");
}

const char *
cipher_lwe_small(struct infer *x)
{
    cipher_lwe(x);
    if (infer_in(x, 0)->base != IR_LWE || infer_in(x, 0)->key != IR_BIG)
        return infer_say(x, "a keyswitch starts from the big key");
    x->out->key = IR_SMALL;
    x->out->set = given_set(x);
    return NULL;
}

const char *
cipher_lwe_convert(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_LWE || infer_in(x, 0)->key != IR_BIG)
        return infer_say(x, "a conversion starts from the big key");
    cipher_lwe(x);
    x->out->set = given_set(x);
    return NULL;
}

const char *
cipher_lwe_pbs(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_LWE || infer_in(x, 0)->key != IR_SMALL)
        return infer_say(x, "a bootstrap starts from the small key");
    if (x->as->lwe_pbs.log2_delta > 63)
        return infer_say(x, "no room for this message");
    cipher(x, IR_LWE);
    x->out->key = IR_BIG;
    x->out->log2_delta = (uint8_t)x->as->lwe_pbs.log2_delta;
    return NULL;
}

/* the outputs along a new first axis */
const char *
cipher_lwe_pbs_many(struct infer *x)
{
    const char *why = cipher_lwe_pbs(x);
    struct ir_type *t = x->out;

    if (why)
        return why;
    if (t->rank == IR_MAX_RANK)
        return infer_say(x, "there is no room for another axis");
    if (x->as->lwe_pbs_many.outputs < 1 || x->as->lwe_pbs_many.outputs > 256)
        return infer_say(x, "1 to 256 outputs share a bootstrap");
    memmove(t->dim + 1, t->dim, t->rank * sizeof *t->dim);
    t->dim[0] = x->as->lwe_pbs_many.outputs;
    t->rank++;
    return NULL;
}

const char *
cipher_lwe_bit_lut(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_LWE || infer_in(x, 0)->key != IR_BIG)
        return infer_say(x, "a wide table starts from the big key");
    if (x->as->lwe_bit_lut.log2_delta > 63)
        return infer_say(x, "no room for this message");
    cipher(x, IR_LWE);
    x->out->key = IR_BIG;
    x->out->log2_delta = (uint8_t)x->as->lwe_bit_lut.log2_delta;
    return NULL;
}

const char *
cipher_lwe_decrypt(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_LWE || infer_in(x, 0)->key != IR_BIG)
        return infer_say(x, "decryption takes an lwe under the big key");
    *x->out = ir_type_of(IR_INT, infer_in(x, 0)->rank, infer_in(x, 0)->dim);
    x->out->ranged = true;
    x->out->ilo = x->as->lwe_decrypt.lo;
    x->out->ihi = x->as->lwe_decrypt.hi;
    return NULL;
}
