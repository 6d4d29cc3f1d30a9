/* Rules of selections without bootstraps, lang-spec/crypto.md 17. */
#include "ir/infer.h"

static const struct ir_blob *
integers(const struct infer *x, const char *name, size_t rank)
{
    const struct ir_blob *b = ir_blob_find(x->f, name, false);

    return b && b->type.base == IR_INT && b->type.rank == rank ? b : NULL;
}

/* ceil(count / N) ring ciphertexts, all of whose coefficients are messages */
static bool
whole_rings(const struct ir_type *t)
{
    return t->base == IR_GLWE && t->rank == 1
           && t->dim[0] % (1u << IR_LOG2_LEVELED) == 0;
}

static bool
is_gadget(int64_t levels, int64_t log2_base)
{
    return levels >= 1 && levels <= 32 && log2_base >= 1 && log2_base <= 32
           && levels * log2_base <= 64;
}

/* Operand j holds level j + 1 of the bits, halved for every step of the
 * expansion. */
const char *
cipher_to_ggsw(struct infer *x)
{
    const uint32_t m = x->as->glwe_to_ggsw.log2_slots;
    const uint32_t b = x->as->glwe_to_ggsw.log2_base;
    const struct ir_blob *slots = integers(x, x->as->glwe_to_ggsw.slots, 1);
    const struct ir_blob *keys = integers(x, x->as->glwe_to_ggsw.keys, 2);

    if (x->nin == 0 || m < 1 || m > IR_LOG2_LEVELED || b < 1
        || (uint64_t)b * x->nin + m > 64)
        return infer_say(x, "levels and slots need 1 to 64 bits");
    for (size_t j = 0; j < x->nin; j++)
        if (!whole_rings(infer_in(x, j))
            || !ir_same_shape(infer_in(x, j), infer_in(x, 0))
            || infer_in(x, j)->log2_delta != 64 - m - b * (j + 1))
            return infer_say(x, "level %zu is no bits in slots", j + 1);
    if (!slots || !keys || keys->type.dim[0] != m || keys->type.dim[1] != 2)
        return infer_say(x, "slots have places, and a gadget each step");
    for (size_t i = 0; i < m; i++)
        if (!is_gadget(keys->cell[2 * i].i, keys->cell[2 * i + 1].i))
            return infer_say(x, "a gadget has levels of at most 64 bits");
    if (x->nin > 16
        || !is_gadget(x->as->glwe_to_ggsw.switch_levels,
                      x->as->glwe_to_ggsw.switch_log2_base))
        return infer_say(x, "a gadget has at most 64 bits, a GGSW 16 levels");
    *x->out = *infer_in(x, 0);
    x->out->base = IR_GGSW;
    x->out->ranged = false;
    x->out->log2_delta = 0;
    x->out->dim[0] = slots->type.dim[0];
    return NULL;
}

/* The leaves of a forest of these blobs; NULL: it is none. */
static const struct ir_blob *
forest_of(struct infer *x, const char *nodes, const char *leaves,
          const char *roots)
{
    const struct ir_blob *n = integers(x, nodes, 2);
    const struct ir_blob *l = integers(x, leaves, 2);
    const struct ir_blob *r = integers(x, roots, 1);

    return n && n->type.dim[1] == 4 && r && l
                   && l->type.dim[1] <= IR_LEVELED_COEFS
               ? l
               : NULL;
}

const char *
cipher_ggsw_forest(struct infer *x)
{
    const struct ir_blob *leaves =
        forest_of(x, x->as->ggsw_forest.nodes, x->as->ggsw_forest.leaves,
                  x->as->ggsw_forest.roots);

    if (!leaves)
        return infer_say(x,
                         "a forest has nodes of 4, roots, and leaves of at "
                         "most %d",
                         IR_LEVELED_COEFS);
    if (x->nin < 1 || x->nin > 2 || !whole_rings(infer_in(x, 0))
        || (x->nin == 2
            && (infer_in(x, 1)->base != IR_GGSW || infer_in(x, 1)->rank != 1)))
        return infer_say(x, "a forest takes bits, and those that select");
    *x->out = *infer_in(x, 0);
    x->out->ranged = false;
    x->out->dim[0] = leaves->type.dim[1];
    return NULL;
}

/* A row of the table for each value of the bits, the lowest first. */
const char *
cipher_ggsw_lut(struct infer *x)
{
    const struct ir_type *in = infer_in(x, 0);
    const struct ir_blob *table = integers(x, x->as->ggsw_lut.table, 2);

    if (in->base != IR_GGSW || in->rank != 1 || in->dim[0] > IR_LEVELED_BITS)
        return infer_say(x, "a table is read by 1 to %d bits", IR_LEVELED_BITS);
    if (!table || table->type.dim[0] != 1u << in->dim[0]
        || table->type.dim[1] > IR_LEVELED_COEFS
        || x->as->ggsw_lut.log2_delta > 63)
        return infer_say(x,
                         "a table has a row of at most %d integers for each "
                         "value of its bits",
                         IR_LEVELED_COEFS);
    *x->out = *in;
    x->out->base = IR_GLWE;
    x->out->ranged = false;
    x->out->log2_delta = (uint8_t)x->as->ggsw_lut.log2_delta;
    x->out->dim[0] = table->type.dim[1];
    return NULL;
}

/* Rows of polynomials of the ring. */
const char *
cipher_ggsw_encrypt(struct infer *x)
{
    const struct ir_type *in = infer_in(x, 0);
    const uint32_t levels = x->as->ggsw_encrypt.levels;
    const uint32_t keep = x->as->ggsw_encrypt.keep_bits;

    if (in->base != IR_INT || in->enc || in->rank != 2
        || in->dim[1] != 1u << IR_LOG2_LEVELED)
        return infer_say(x, "polynomials of %d integers are encrypted",
                         1 << IR_LOG2_LEVELED);
    if (!is_gadget(levels, x->as->ggsw_encrypt.log2_base) || levels > 16
        || x->as->ggsw_encrypt.log2_base < 2 || keep < 1 || keep > 64)
        return infer_say(x, "a gadget has at most 64 bits, a GGSW 16 levels, a "
                            "word 1 to 64 bits");
    *x->out = *in;
    x->out->base = IR_GGSW;
    x->out->enc = true;
    x->out->ranged = false;
    return NULL;
}

/* Each ring ciphertext to 2^steps, whose messages are 2^steps as large. */
const char *
cipher_glwe_expand(struct infer *x)
{
    const uint32_t m = x->as->glwe_expand.log2_slots;
    const uint32_t steps = x->as->glwe_expand.steps;
    const struct ir_blob *keys = integers(x, x->as->glwe_expand.keys, 2);

    if (!whole_rings(infer_in(x, 0)))
        return infer_say(x, "ring ciphertexts are expanded");
    if (steps < 1 || steps > m || m > IR_LOG2_LEVELED
        || infer_in(x, 0)->log2_delta + steps > 63
        || (uint64_t)infer_in(x, 0)->dim[0] << steps > IR_MAX_CELLS)
        return infer_say(x, "slots need 1 to 63 bits");
    if (!keys || keys->type.dim[0] != steps || keys->type.dim[1] != 2)
        return infer_say(x, "each step has a gadget");
    for (size_t i = 0; i < steps; i++)
        if (!is_gadget(keys->cell[2 * i].i, keys->cell[2 * i + 1].i))
            return infer_say(x, "a gadget has levels of at most 64 bits");
    *x->out = *infer_in(x, 0);
    x->out->ranged = false;
    x->out->dim[0] <<= steps;
    x->out->log2_delta = (uint8_t)(x->out->log2_delta + steps);
    return NULL;
}

static bool
is_made_by(const struct infer *x, size_t i, enum ir_op op)
{
    return x->f->ins[x->ref[i].id].op == op;
}

const char *
cipher_ggsw_products(struct infer *x)
{
    const struct ir_blob *leaves =
        forest_of(x, x->as->ggsw_products.nodes, x->as->ggsw_products.leaves,
                  x->as->ggsw_products.roots);

    if (!leaves)
        return infer_say(x,
                         "a forest has nodes of 4, roots, and leaves of at "
                         "most %d",
                         IR_LEVELED_COEFS);
    if (!whole_rings(infer_in(x, 0)) || !is_made_by(x, 1, IR_ggsw_encrypt)
        || (!is_made_by(x, 0, IR_glwe_expand)
            && !is_made_by(x, 0, IR_glwe_encrypt)))
        return infer_say(x, "products take bits, and polynomials of bits");
    *x->out = *infer_in(x, 0);
    x->out->ranged = false;
    x->out->dim[0] = leaves->type.dim[1];
    return NULL;
}

const char *
cipher_glwe_answer(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_GLWE)
        return infer_say(x, "not a glwe");
    *x->out = *infer_in(x, 0);
    return NULL;
}

const char *
cipher_glwe_decrypt(struct infer *x)
{
    if (infer_in(x, 0)->base != IR_GLWE)
        return infer_say(x, "not a glwe");
    *x->out = ir_type_of(IR_INT, infer_in(x, 0)->rank, infer_in(x, 0)->dim);
    x->out->ranged = true;
    x->out->ilo = x->as->glwe_decrypt.lo;
    x->out->ihi = x->as->glwe_decrypt.hi;
    return NULL;
}
