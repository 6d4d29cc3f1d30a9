/* Exponents by one sweep from the uses to the origins; see encode.h. */
#include "passes/encode.h"

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
encode_answer(const struct ir_type *t)
{
    const unsigned bits = ir_bits(t->ilo, t->ihi);

    return 64 - (bits ? bits : 1);
}

/* What an interval is proved from: the widest input or table, and the largest
 * weights, among the linear ops above a value. */
struct proof {
    const struct ir_func *f;
    const struct ir_ins *origin, *weights;
    const struct ir_blob *blob; /* of the weights */
};

static unsigned
width(const struct ir_ins *ins)
{
    return ir_bits(ins->type.ilo, ins->type.ihi);
}

static int64_t
largest(const struct ir_blob *b)
{
    int64_t most = 0;

    for (size_t i = 0; b && i < ir_count(&b->type); i++) {
        const int64_t v = b->cell[i].i;
        const int64_t x = v > 0 ? v : v > -INT64_MAX ? -v : INT64_MAX;

        most = x > most ? x : most;
    }
    return most;
}

static void
look_at(struct proof *p, uint32_t i, bool *above)
{
    const struct ir_ins *ins = &p->f->ins[i];
    const struct ir_blob *b;

    if (pass_constant(p->f, (ir_ref){ i }, &b)) {
        if (!p->weights || largest(b) > largest(p->blob)) {
            p->weights = ins;
            p->blob = b;
        }
        return;
    }
    if (ins->op == IR_encrypt || ins->op == IR_lut) {
        if (!p->origin || width(ins) > width(p->origin))
            p->origin = ins;
        return;
    }
    for (size_t j = 0; j < ins->nin; j++)
        above[ins->in[j].id] = true;
}

static void
say_why(struct pass_ctx *cx, const struct ir_func *f, ir_ref v)
{
    bool *above = arena_new(cx->scratch, bool, f->n);
    struct proof p = { f, NULL, NULL, NULL };
    const struct ir_ins *ins = ir_at(f, v);

    above[v.id] = true;
    for (uint32_t i = v.id + 1; i-- > 0;)
        if (above[i])
            look_at(&p, i, above);
    diag_note(cx->diag, ins->at, "it lies in [%lld, %lld]",
              (long long)ins->type.ilo, (long long)ins->type.ihi);
    if (p.origin)
        diag_note(cx->diag, p.origin->at,
                  "proved from %s of %u bits, [%lld, %lld]",
                  p.origin->op == IR_lut ? "values" : "inputs", width(p.origin),
                  (long long)p.origin->type.ilo, (long long)p.origin->type.ihi);
    if (p.weights)
        diag_note(cx->diag, p.weights->at, "and from '%s', up to %lld",
                  p.blob->name, (long long)largest(p.blob));
}

static bool
table_fits(struct pass_ctx *cx, const struct ir_func *f,
           const struct ir_ins *lut, unsigned bits)
{
    const unsigned limit =
        lut->as.lut.approx ? ENCODE_MAX_APPROX : ENCODE_MAX_EXACT;

    if (bits <= limit)
        return true;
    diag_error(cx->diag, lut->at, E_too_wide,
               "this table needs %u bits, the widest has %u",
               bits, limit);
    say_why(cx, f, lut->in[0]);
    diag_help(cx->diag, "fewer bits for the inputs or the weights%s",
              lut->as.lut.approx ? "" : ", or rounding approx");
    cx->status = 6;
    return false;
}

static bool
message_fits(struct pass_ctx *cx, const struct ir_func *f, ir_ref v)
{
    const struct ir_ins *ins = ir_at(f, v);

    if (!ins->type.ranged)
        bug("%%%u has no proved interval", v.id);
    if (width(ins) <= ENCODE_MAX_BITS)
        return true;
    diag_error(cx->diag, ins->at, E_integer_overflow,
               "this integer needs %u bits, a ciphertext holds %d", width(ins),
               ENCODE_MAX_BITS);
    say_why(cx, f, v);
    diag_help(cx->diag, "fewer bits for the inputs or the weights");
    cx->status = 6;
    return false;
}

static void
lower_to(uint8_t *need, unsigned exponent)
{
    if (*need > exponent)
        *need = (uint8_t)exponent;
}

/* What op i wants of its operands. */
static void
wish(struct pass_ctx *cx, const struct ir_func *f, uint32_t i, uint8_t *need)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in = &ir_at(f, ins->in[0])->type;

    if (ins->op == IR_decrypt) {
        lower_to(&need[ins->in[0].id], encode_answer(in));
        return;
    }
    if (ins->op == IR_lut) {
        const struct encode_table t = encode_table(in, ins->as.lut.approx != 0);

        if (table_fits(cx, f, ins, t.bits))
            lower_to(&need[ins->in[0].id], 63 - t.bits);
        return;
    }
    for (size_t j = 0; j < ins->nin; j++)
        lower_to(&need[ins->in[j].id], need[i]);
}

bool
encode_needs(struct pass_ctx *cx, const struct ir_func *f, uint8_t *need)
{
    for (uint32_t i = 0; i < f->n; i++) {
        need[i] = ENCODE_MAX_BITS;
        if (pass_encrypted(&f->ins[i].type)
            && !(ir_ops[f->ins[i].op].traits & IR_VOID))
            message_fits(cx, f, (ir_ref){ i });
    }
    if (cx->status)
        return false;
    for (uint32_t i = f->n; i-- > 0;) {
        const struct ir_ins *ins = &f->ins[i];

        if (ins->op == IR_decrypt
            || (pass_encrypted(&ins->type) && ins->op != IR_encrypt))
            wish(cx, f, i, need);
    }
    return cx->status == 0;
}
