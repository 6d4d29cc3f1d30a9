/* Exponents by one sweep from the uses to the origins; see encode.h. */
#include "passes/encode.h"

#include "passes/form.h"
#include "passes/why.h"

struct encode_table
encode_table(const struct ir_type *in, bool approx)
{
    const uint64_t span = (uint64_t)(in->ihi - in->ilo) + 1;
    unsigned bits = ir_bits(in->ilo, in->ihi);
    uint64_t spare;

    if (bits == 0)
        bits = 1;
    if (!approx)
        return (struct encode_table){ bits, -in->ilo };
    spare = (UINT64_C(1) << bits) - span;
    if (spare < 2 || spare < (UINT64_C(1) << bits) / 8)
        spare = (UINT64_C(1) << ++bits) - span;
    return (struct encode_table){ bits, (int64_t)(spare / 2) - in->ilo };
}

unsigned
encode_widest(bool approx)
{
    return approx ? ENCODE_MAX_APPROX : ENCODE_MAX_WIDE;
}

unsigned
encode_answer(const struct ir_type *t)
{
    const unsigned bits = ir_bits(t->ilo, t->ihi);

    return 64 - (bits ? bits : 1);
}

static bool
table_fits(struct pass_ctx *cx, const struct ir_func *f,
           const struct ir_ins *lut, unsigned bits)
{
    const struct ir_type *t = &ir_at(f, lut->in[0])->type;
    const struct interval h = { t->ilo, t->ihi };

    if (bits <= encode_widest(lut->as.lut.approx != 0))
        return true;
    why_table_too_wide(cx, lut->at, f, lut->in[0], h, bits,
                       lut->as.lut.approx != 0);
    return false;
}

static bool
message_fits(struct pass_ctx *cx, const struct ir_func *f, ir_ref v)
{
    const struct ir_ins *ins = ir_at(f, v);

    if (!ins->type.ranged)
        bug("%%%u has no proved interval", v.id);
    if (ir_bits(ins->type.ilo, ins->type.ihi) <= ENCODE_MAX_BITS)
        return true;
    diag_error(cx->diag, ins->at, E_integer_overflow,
               "this integer needs %u bits, a ciphertext holds %d",
               ir_bits(ins->type.ilo, ins->type.ihi), ENCODE_MAX_BITS);
    why_range(cx, f, v, (struct interval){ ins->type.ilo, ins->type.ihi });
    diag_help(cx->diag, "fewer bits for the inputs or the weights");
    cx->status = 6;
    return false;
}

unsigned
encode_twos(const struct ir_func *f, const struct ir_ins *mul)
{
    const struct ir_blob *b;
    unsigned twos = ENCODE_MAX_BITS;
    bool any = false;

    for (size_t j = 0; j < 2; j++) {
        if (!pass_constant(f, mul->in[j], &b))
            continue;
        for (size_t i = 0; i < ir_count(&b->type); i++)
            if (b->cell[i].i) {
                const unsigned own = (unsigned)__builtin_ctzll(b->cell[i].w);

                twos = own < twos ? own : twos;
                any = true;
            }
    }
    return any ? twos : 0;
}

static void
lower_to(uint8_t *need, unsigned exponent)
{
    if (*need > exponent)
        *need = (uint8_t)exponent;
}

/* What op i wants of its operands. */
static void
wish(struct pass_ctx *cx, const struct ir_func *f, const struct form *form,
     uint32_t i, uint8_t *need)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in = &ir_at(f, ins->in[0])->type;

    if (ins->op == IR_decrypt) {
        lower_to(&need[ins->in[0].id], encode_answer(in));
        return;
    }
    if (ins->op == IR_lut) {
        if (form[i].sloped || !form[i].table)
            lower_to(&need[ins->in[0].id], need[i] - form[i].halved);
        if (form[i].table && table_fits(cx, f, ins, form[i].bits))
            lower_to(&need[ins->in[0].id],
                     (form[i].wide ? 64 : 63) - form[i].bits);
        return;
    }
    if (ins->op == IR_mul) {
        const unsigned e = need[i] + encode_twos(f, ins);

        for (size_t j = 0; j < 2; j++)
            lower_to(&need[ins->in[j].id], e);
        return;
    }
    if (ins->op == IR_low_bit || ins->op == IR_forest)
        return; /* at the top of the torus: any will do; bits of its own */
    if (ins->op == IR_proved) {
        lower_to(&need[ins->in[0].id], need[i] - ins->as.proved.shift);
        return;
    }
    for (size_t j = 0; j < ins->nin; j++)
        lower_to(&need[ins->in[j].id], need[i]);
}

bool
encode_needs(struct pass_ctx *cx, const struct ir_func *f,
             const struct form *form, uint8_t *need)
{
    for (uint32_t i = 0; i < f->n; i++) {
        need[i] = ENCODE_MAX_BITS;
        if (pass_encrypted(&f->ins[i].type) && !f->ins[i].type.open
            && !(ir_ops[f->ins[i].op].traits & IR_VOID))
            message_fits(cx, f, (ir_ref){ i });
    }
    if (cx->status)
        return false;
    for (uint32_t i = f->n; i-- > 0;) {
        const struct ir_ins *ins = &f->ins[i];

        if (ins->op == IR_decrypt
            || (pass_encrypted(&ins->type) && !ins->type.open
                && ins->op != IR_encrypt))
            wish(cx, f, form, i, need);
    }
    return cx->status == 0;
}
