/* The verifier: one function per rule, each about one op. */
#include "ir/verify.h"
#include "ir/expansion.h"

#include <string.h>

enum { MAX_APPROX = 16 }; /* bits that a rounding table reads */

static const struct ir_type *
operand(const struct ir_func *f, uint32_t i, size_t j)
{
    return &f->ins[f->ins[i].in[j].id].type;
}

static const struct ir_blob *
blob(const struct ir_func *f, const char *name)
{
    return ir_blob_find(f, name, false);
}

static bool
operands_come_first(const struct ir_func *f, uint32_t i)
{
    for (size_t j = 0; j < f->ins[i].nin; j++)
        if (f->ins[i].in[j].id >= i)
            return false;
    return true;
}

static bool
operands_are_values(const struct ir_func *f, uint32_t i)
{
    for (size_t j = 0; j < f->ins[i].nin; j++)
        if (ir_ops[f->ins[f->ins[i].in[j].id].op].traits & IR_VOID)
            return false;
    return true;
}

static bool
operand_count(const struct ir_func *f, uint32_t i)
{
    const int want = ir_ops[f->ins[i].op].nin;

    return want < 0 || f->ins[i].nin == want;
}

/* What infer says, but for a range that a pass has proved or calibrated. */
static bool
type_fits(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    struct arena mem = { 0 };
    struct ir_type t, own = ins->type;
    bool fits = !ir_infer(&mem, f, (enum ir_op)ins->op, ins->in, ins->nin,
                          &ins->as, &ins->type, &t);

    arena_free(&mem);
    t.ranged = own.ranged = false;
    return fits && ir_same_type(&t, &own);
}

static bool
range_has_order(const struct ir_func *f, uint32_t i)
{
    const struct ir_type *t = &f->ins[i].type;

    if (!t->ranged)
        return true;
    if (t->base >= IR_GLWE) /* variances */
        return t->lo >= 0 && t->hi >= 0 && t->wide >= 0;
    return t->base == IR_INT ? t->ilo <= t->ihi : t->lo <= t->hi;
}

/* Params never reach the client: neither a clear value that is not a constant
 * itself nor what the client encrypts has a param among its operands or
 * attributes. */
static bool
params_stay(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    bool has_param = false;

    if (ins->op == IR_constant
        || (ins->type.enc && !(ir_ops[ins->op].traits & IR_BORDER)))
        return true;
    has_param = ir_has_param(f, ins);
    for (size_t j = 0; j < ins->nin; j++) {
        const struct ir_ins *in = &f->ins[ins->in[j].id];

        has_param = has_param
                    || (in->op == IR_constant
                        && blob(f, in->as.constant.data)->kind == IR_PARAM);
    }
    return !has_param;
}

static bool
has_border(const struct ir_func *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (ir_ops[f->ins[i].op].traits & IR_BORDER)
            return true;
    return false;
}

/* The client encrypts everything that the circuit takes from it. */
static bool
circuit_operands_are_encrypted(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    if (!ins->type.enc || (ir_ops[ins->op].traits & IR_BORDER))
        return true;
    for (size_t j = 0; j < ins->nin; j++)
        if (!operand(f, i, j)->enc && f->ins[ins->in[j].id].op != IR_constant)
            return false;
    return true;
}

/* Columns are told apart by the names of their inputs. */
static bool
names_are_unique(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    if (ins->op != IR_input && ins->op != IR_output)
        return true;
    for (uint32_t j = 0; j < i; j++) /* the same place in both */
        if (f->ins[j].op == ins->op
            && strcmp(f->ins[j].as.input.name, ins->as.input.name) == 0)
            return false;
    return true;
}

static bool
ciphertexts_end_in_decrypt(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    return ins->op != IR_output || !operand(f, i, 0)->enc;
}

/* Addition needs one scale: the messages are multiples of one Delta. */
static bool
deltas_agree(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    if (!ir_ops[ins->op].cipher || ir_is_bootstrap(ins)
        || ins->op == IR_lwe_bit_lut || ins->op == IR_glwe_encrypt
        || ins->op == IR_lwe_trivial || ins->op == IR_lwe_decrypt
        || ins->op == IR_glwe_decrypt || ins->op == IR_glwe_to_ggsw
        || ins->op == IR_ggsw_forest || ins->op == IR_ggsw_lut
        || ins->op == IR_ggsw_encrypt || ins->op == IR_glwe_expand
        || ins->op == IR_ggsw_products)
        return true;
    for (size_t j = 0; j < ins->nin && operand(f, i, j)->base >= IR_GLWE; j++)
        if ((operand(f, i, j)->log2_delta != ins->type.log2_delta
             && ins->op != IR_lwe_mul_clear && ins->op != IR_lwe_add_clear)
            || (operand(f, i, j)->set != ins->type.set
                && ins->op != IR_lwe_keyswitch && ins->op != IR_lwe_convert)
            || (operand(f, i, j)->key != ins->type.key
                && ins->op != IR_lwe_keyswitch))
            return false;
    return true;
}

/* Of a lut: an entry for every integer that may come, and rows that the places
 * of the last axis, or all elements, have in turn. */
static bool
table_covers(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in;
    const struct ir_blob *b;
    int64_t lo, hi;

    if (ins->op != IR_lut)
        return true;
    in = operand(f, i, 0);
    b = blob(f, ins->as.lut.table);
    if (ins->as.lut.approx > MAX_APPROX
        || (b->type.dim[0] != 1 && b->type.dim[0] != ir_channels(in)
            && b->type.dim[0] != ir_count(in)))
        return false;
    return !in->ranged
           || (!__builtin_add_overflow(in->ilo, ins->as.lut.offset, &lo)
               && !__builtin_add_overflow(in->ihi, ins->as.lut.offset, &hi)
               && lo >= 0 && hi < b->type.dim[1]);
}

/* The ops of the runtime on ciphertexts, but one, are for those of the big
 * key. */
static bool
small_key_is_for_tables(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    for (size_t j = 0; j < ins->nin; j++)
        if (operand(f, i, j)->base == IR_LWE
            && (operand(f, i, j)->key == IR_SMALL) != ir_is_bootstrap(ins))
            return false;
    return true;
}

/* What joins two sets is a switch that they have. */
static bool
sets_are_joined(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const uint32_t to = ins->type.set;

    if (to > f->sets.more)
        return false;
    if (ins->op == IR_lwe_bit_lut)
        return ir_from_set(f, ins) == to;
    if (ins->op == IR_lwe_convert)
        return ir_switch_of(f, ir_from_set(f, ins), to, true) != NULL;
    return ins->op != IR_lwe_keyswitch || ir_from_set(f, ins) == to
           || ir_switch_of(f, ir_from_set(f, ins), to, false) != NULL;
}

/* A wide table: the message has the whole torus. */
static bool
wide_table_has_its_size(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_blob *b;

    if (ins->op != IR_lwe_bit_lut)
        return true;
    b = blob(f, ins->as.lwe_bit_lut.table);
    return b && b->type.base == IR_INT && b->type.rank == 2
           && ins->as.lwe_bit_lut.bits >= 1 && ins->as.lwe_bit_lut.bits <= 16
           && b->type.dim[1] == 1u << ins->as.lwe_bit_lut.bits
           && operand(f, i, 0)->log2_delta == 64 - ins->as.lwe_bit_lut.bits
           && ir_count(&ins->type) % b->type.dim[0] == 0;
}

/* A table has 2^bits entries a row, and a padding bit above the message. */
static bool
table_has_its_size(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_blob *b;

    if (!ir_is_bootstrap(ins))
        return true;
    if (ins->op == IR_lwe_pbs && ins->as.lwe_pbs.approx > MAX_APPROX)
        return false;
    b = blob(f, ins->as.lwe_pbs.table);
    return b && b->type.base == IR_INT && b->type.rank == 2
           && ins->as.lwe_pbs.bits <= 20
           && b->type.dim[1] == 1u << ins->as.lwe_pbs.bits
           && operand(f, i, 0)->log2_delta == 63 - ins->as.lwe_pbs.bits
           && ir_count(&ins->type) % b->type.dim[0] == 0
           && (ins->op == IR_lwe_pbs
               || (b->type.dim[0] % ins->as.lwe_pbs_many.outputs == 0
                   && ins->as.lwe_pbs_many.products
                          <= (ins->as.lwe_pbs_many.log2_delta > 0)));
}

static bool
clear_operand_fits(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_blob *b;

    if (ins->op != IR_lwe_add_clear && ins->op != IR_lwe_mul_clear)
        return true;
    b = blob(f, ins->as.lwe_add_clear.data); /* the same place in both */
    return b && b->type.base == IR_INT
           && ir_count(&b->type) == ir_count(&ins->type);
}

/* Decryption separates hi - lo + 1 messages on the torus. */
static bool
messages_fit(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    if (ins->op != IR_lwe_decrypt && ins->op != IR_glwe_decrypt)
        return true; /* the attributes have the same places */
    return ins->as.lwe_decrypt.lo <= ins->as.lwe_decrypt.hi
           && ir_bits(ins->as.lwe_decrypt.lo, ins->as.lwe_decrypt.hi)
                      + operand(f, i, 0)->log2_delta
                  <= 64;
}

/* An answer is rounded and flooded: nothing but decryption can use it, and
 * nothing else is decrypted. */
static bool
answers_are_decrypted(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    for (size_t j = 0; j < ins->nin; j++)
        if ((f->ins[ins->in[j].id].op == IR_lwe_answer)
                != (ins->op == IR_lwe_decrypt)
            || (f->ins[ins->in[j].id].op == IR_glwe_answer)
                   != (ins->op == IR_glwe_decrypt))
            return false;
    return true;
}

/* Bits to expand have a slot each, in the order in which expansions make them:
 * by pack, and there by the slot with its bits reversed. */
static bool
slots_exist(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const uint32_t m = ins->as.glwe_to_ggsw.log2_slots;
    const struct ir_blob *b;
    int64_t slots, last = -1;

    if (ins->op != IR_glwe_to_ggsw)
        return true;
    b = blob(f, ins->as.glwe_to_ggsw.slots);
    slots = operand(f, i, 0)->dim[0] >> (IR_LOG2_LEVELED - m);
    for (size_t k = 0; k < ir_count(&b->type); k++) {
        const int64_t slot = b->cell[k].i;
        int64_t at = slot >> m;

        if (slot < 0 || slot >= slots)
            return false;
        for (uint32_t bit = 0; bit < m; bit++)
            at = at << 1 | (slot >> bit & 1);
        if (at <= last)
            return false;
        last = at;
    }
    return true;
}

/* A program has one set of keys for all expansions: this one's are the first of
 * a list, or another's are the first of its own. */
static bool
expansions_share_keys(const struct ir_func *f, uint32_t i)
{
    const struct ir_expansion a = ir_expansion_of(f, &f->ins[i]);

    for (uint32_t j = 0; j < i && a.steps; j++) {
        const struct ir_expansion b = ir_expansion_of(f, &f->ins[j]);
        const uint32_t both = a.steps < b.steps ? a.steps : b.steps;

        if (b.steps
            && (a.log2_slots != b.log2_slots
                || memcmp(a.gadget, b.gadget, 2 * both * sizeof *a.gadget) != 0
                || (a.switch_levels && b.switch_levels
                    && (a.switch_levels != b.switch_levels
                        || a.switch_log2_base != b.switch_log2_base))))
            return false;
    }
    return true;
}

/* A child of a node, or a root: a leaf, or a node behind it that no other has.
 * depth: of the nodes that have been reached, 1 for roots. */
static bool
child_fits(int64_t child, int64_t above, int64_t leaves, int64_t nodes,
           uint8_t under, uint8_t *depth)
{
    if (child < 0)
        return child >= -leaves;
    if (child <= above || child >= nodes || depth[child]
        || under == IR_LEVELED_DEPTH)
        return false;
    depth[child] = (uint8_t)(under + 1);
    return true;
}

/* A node { what, where, left, right } chooses by a bit that exists; a pair,
 * what 1, has leaves. */
static bool
node_fits(const struct ir_func *f, uint32_t i, const union ir_cell *node)
{
    const bool pair = node[0].i == 1;
    const int64_t bits = pair ? operand(f, i, 0)->dim[0]
                         : f->ins[i].nin == 2
                             ? (int64_t)ir_count(operand(f, i, 1))
                             : 0;

    return node[0].i >= 0 && node[0].i <= 1 && node[1].i >= 0
           && node[1].i < bits && !(pair && (node[2].i >= 0 || node[3].i >= 0));
}

static bool
is_a_forest(const struct ir_func *f, uint32_t i, uint8_t *depth)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_blob *nodes = blob(f, ins->as.ggsw_forest.nodes);
    const struct ir_blob *roots = blob(f, ins->as.ggsw_forest.roots);
    const int64_t leaves = blob(f, ins->as.ggsw_forest.leaves)->type.dim[0];
    const int64_t n = nodes->type.dim[0];

    for (uint32_t t = 0; t < roots->type.dim[0]; t++)
        if (!child_fits(roots->cell[t].i, -1, leaves, n, 0, depth))
            return false;
    for (int64_t k = 0; k < n; k++) {
        const union ir_cell *node = nodes->cell + 4 * k;

        if (!depth[k] || !node_fits(f, i, node)
            || !child_fits(node[2].i, k, leaves, n, depth[k], depth)
            || !child_fits(node[3].i, k, leaves, n, depth[k], depth))
            return false;
    }
    return true;
}

static bool
forest_has_its_nodes(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    struct arena mem = { 0 };
    bool fits;

    /* the attributes of ggsw.products have the same places */
    if (ins->op != IR_ggsw_forest && ins->op != IR_ggsw_products)
        return true;
    fits =
        is_a_forest(f, i,
                    arena_new(&mem, uint8_t,
                              blob(f, ins->as.ggsw_forest.nodes)->type.dim[0]));
    arena_free(&mem);
    return fits;
}

static bool
answer_has_words(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];

    return (ins->op != IR_lwe_answer && ins->op != IR_glwe_answer)
           || ((ins->as.lwe_answer.word_bits == 32
                || ins->as.lwe_answer.word_bits == 64)
               && ins->as.lwe_answer.log2_flood >= -1
               && ins->as.lwe_answer.log2_flood < 64
               && ins->type.key == IR_BIG);
}

static bool
scale_fits(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_blob *b;
    size_t n;

    if (ins->op != IR_quant && ins->op != IR_dequant)
        return true;
    b = blob(f, ins->as.dequant.scale); /* the same place in both */
    n = b ? ir_count(&b->type) : 0;
    if (!b || b->type.base != IR_REAL || b->kind != IR_CONST
        || (n != 1 && n != ir_channels(&ins->type)
            && n != ir_count(&ins->type)))
        return false;
    for (size_t c = 0; c < n; c++)
        if (!(b->cell[c].r > 0))
            return false;
    return true;
}

/* In order: a rule may rely on those above it. */
static const struct {
    const char *name;
    bool (*holds)(const struct ir_func *f, uint32_t i);
} rules[] = {
    { "operands come before their user", operands_come_first },
    { "an operand has a result", operands_are_values },
    { "the op takes another number of operands", operand_count },
    { "the type is the one its operands give", type_fits },
    { "a range has lo <= hi", range_has_order },
    { "an output is decrypted", ciphertexts_end_in_decrypt },
    { "operands have one key, one set and one delta", deltas_agree },
    { "a set exists, and the switch between two", sets_are_joined },
    { "a ciphertext under the small key is bootstrapped",
      small_key_is_for_tables },
    { "a table has 2^bits entries and a padding bit", table_has_its_size },
    { "a wide table has 2^bits entries and takes the whole torus",
      wide_table_has_its_size },
    { "a clear operand has an element for each ciphertext",
      clear_operand_fits },
    { "messages fit above delta", messages_fit },
    { "bits to expand have slots, in order", slots_exist },
    { "expansions have one set of keys", expansions_share_keys },
    { "a forest is of trees whose nodes select by bits that exist",
      forest_has_its_nodes },
    { "polynomials of bits have the noise of their words", verify_packed_bits },
    { "products of bits have coefficients of their own", verify_products },
    { "answers are decrypted, and nothing else", answers_are_decrypted },
    { "an answer has words of 32 or 64 bits", answer_has_words },
    { "what the circuit takes is encrypted or constant",
      circuit_operands_are_encrypted },
    { "a table has an entry for each integer, in rows that fit", table_covers },
    { "an input or an output has a name of its own", names_are_unique },
    { "a scale is positive, one, one a channel or one an element", scale_fits },
};

const char *
ir_verify(const struct ir_func *f, uint32_t *bad)
{
    for (uint32_t i = 0; i < f->n; i++)
        for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
            if (!rules[r].holds(f, i))
                return *bad = i, rules[r].name;
    if (has_border(f))
        for (uint32_t i = 0; i < f->n; i++)
            if (!params_stay(f, i))
                return *bad = i, "a param does not reach the client";
    return NULL;
}
