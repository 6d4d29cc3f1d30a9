/* The circuit: a function a step, which calls the ABI function of its op.
 *
 *     void step(env, value, begin, end)
 *
 * value[i] points at the ciphertexts of value i of one row; value[nvalues] at
 * the row's body words.
 */
#include "backend/inner.h"

#include <math.h>
#include <string.h>

LLVMValueRef
be_record(struct be_module *m, LLVMValueRef *fields, size_t n)
{
    return be_global(m,
                     LLVMConstStructInContext(m->cx, fields, (unsigned)n, 0));
}

/* One LLVM value a field, in the order of manifest.def. */
struct extract_fields {
#define X(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct matmul_fields {
#define W(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct sum_fields {
#define U(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct table_fields {
#define T(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct tables_fields {
#define L(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct reply_fields {
#define Z(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct border_fields {
#define B(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct place_fields {
#define Y(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};

LLVMValueRef
be_integers(struct be_module *m, const char *name, unsigned shift)
{
    const struct ir_blob *b = ir_data(m->f, name);
    const size_t n = ir_count(&b->type);
    uint64_t *w = arena_new(&m->mem, uint64_t, n);

    for (size_t i = 0; i < n; i++)
        w[i] = b->cell[i].w << shift;
    return be_words(m, w, n);
}

static LLVMValueRef
extract(struct be_module *m, const struct ir_ins *ins)
{
    const uint32_t piece = ins->in[0].id;
    struct extract_fields x;

    x.glwe = be_i64(m, (int64_t)be_first_glwe(m, piece));
    x.word = be_i64(m, (int64_t)m->word[piece]);
    x.count = be_i64(m, (int64_t)ir_count(&ins->type));
    return BE_RECORD(m, x);
}

static LLVMValueRef
matmul(struct be_module *m, const struct ir_ins *ins)
{
    const struct ir_blob *b = ir_data(m->f, ins->as.lwe_matmul_clear.weights);
    const struct ir_ins *in = ir_at(m->f, ins->in[0]);
    struct matmul_fields w;

    w.weights = be_integers(m, b->name, 0);
    w.inner = be_i64(m, b->type.dim[0]);
    w.cols = be_i64(m, b->type.rank == 2 ? b->type.dim[1] : 1);
    w.index = be_is_view(m, ins->in[0].id)
                  ? be_integers(m, in->as.lwe_gather.index, 0)
                  : be_null(m);
    return BE_RECORD(m, w);
}

static LLVMValueRef
sum(struct be_module *m, const struct ir_ins *ins)
{
    const struct ir_around a =
        ir_around(&ir_at(m->f, ins->in[0])->type, ins->as.lwe_sum.axis);
    struct sum_fields u;

    u.length = be_i64(m, (int64_t)a.length);
    u.inner = be_i64(m, (int64_t)a.inner);
    return BE_RECORD(m, u);
}

static LLVMValueRef
table(struct be_module *m, const struct ir_ins *ins)
{
    const struct ir_blob *b = ir_data(m->f, ins->as.lwe_pbs.table);
    struct table_fields t;

    t.entries = be_integers(m, b->name, 0);
    t.rows = be_i64(m, ins->op == IR_lwe_pbs_many
                           ? b->type.dim[0] / ins->as.lwe_pbs_many.outputs
                           : b->type.dim[0]);
    t.bits = be_i64(m, ins->as.lwe_pbs.bits);
    t.offset = be_i64(m, ins->as.lwe_pbs.offset);
    t.log2_delta_in = be_i64(m, ir_at(m->f, ins->in[0])->type.log2_delta);
    t.log2_delta_out = be_i64(m, ins->as.lwe_pbs.log2_delta);
    t.approx = be_i64(m, ins->op == IR_lwe_pbs && ins->as.lwe_pbs.approx != 0);
    return BE_RECORD(m, t);
}

static LLVMValueRef
wide_table(struct be_module *m, const struct ir_ins *ins)
{
    const struct ir_blob *b = ir_data(m->f, ins->as.lwe_bit_lut.table);
    struct table_fields t;

    t.entries = be_integers(m, b->name, 0);
    t.rows = be_i64(m, b->type.dim[0]);
    t.bits = be_i64(m, ins->as.lwe_bit_lut.bits);
    t.offset = be_i64(m, ins->as.lwe_bit_lut.offset);
    t.log2_delta_in = be_i64(m, ir_at(m->f, ins->in[0])->type.log2_delta);
    t.log2_delta_out = be_i64(m, ins->as.lwe_bit_lut.log2_delta);
    t.approx = be_i64(m, 0);
    return BE_RECORD(m, t);
}

static LLVMValueRef
tables(struct be_module *m, const struct ir_ins *ins)
{
    struct tables_fields l;

    l.table = table(m, ins);
    l.outputs = be_i64(m, ins->as.lwe_pbs_many.outputs);
    l.count = be_i64(m, (int64_t)ir_bootstraps(m->f, ins));
    l.products = be_i64(m, ins->as.lwe_pbs_many.products);
    l.gain = be_f64(m, sqrt(ins->type.hi)); /* of the noisiest */
    return BE_RECORD(m, l);
}

static LLVMValueRef
reply(struct be_module *m, const struct ir_ins *ins)
{
    struct reply_fields z;

    z.log2_flood = be_i64(m, ins->as.lwe_answer.log2_flood);
    z.word_bits = be_i64(m, ins->as.lwe_answer.word_bits);
    z.coefs = z.groups = be_i64(m, 0);
    return BE_RECORD(m, z);
}

/* A keyswitch to a key of another set; its place is that in the manifest. */
static LLVMValueRef
border(struct be_module *m, const struct ir_ins *ins)
{
    const struct ir_switch *s = ir_switch_of(
        m->f, ir_from_set(m->f, ins), ins->type.set, ins->op == IR_lwe_convert);
    struct border_fields b;

    b.index = be_i64(m, s - m->f->sets.sw);
    return BE_RECORD(m, b);
}

/* The ciphertexts of an operand. */
static LLVMValueRef
value(struct be_fn *e, uint32_t index)
{
    LLVMTypeRef ptr = e->m->ptr;

    return LLVMBuildLoad2(
        e->b, ptr, be_at(e, LLVMGetParam(e->fn, 1), ptr, be_i64(e->m, index)),
        "");
}

/* Two ciphertext operands in the frame, and their address. */
static LLVMValueRef
pair(struct be_fn *e, const uint32_t index[2])
{
    struct be_module *m = e->m;
    LLVMValueRef slot = be_slot(e, LLVMArrayType2(m->ptr, 2));

    for (size_t i = 0; i < 2; i++)
        LLVMBuildStore(e->b, value(e, index[i]),
                       be_at(e, slot, m->ptr, be_i64(m, (int64_t)i)));
    return slot;
}

void
be_add_step(struct be_module *m, const struct ir_ins *ins, enum be_abi abi,
            const struct be_operands *o, uint32_t out, size_t items)
{
    LLVMTypeRef params[] = { m->ptr, m->ptr, m->i64, m->i64 };
    struct be_fn e;
    char name[32];
    LLVMValueRef args[6];

    snprintf(name, sizeof name, "step_%zu", m->nsteps);
    e = be_fn_begin(m, name, LLVMFunctionType(m->none, params, 4, 0), false);
    be_fn_at(&e, ins->at);
    args[0] = LLVMGetParam(e.fn, 0);
    args[1] = value(&e, out);
    args[2] = o->paired ? pair(&e, o->pair) : value(&e, o->in);
    args[3] = o->with_value >= 0 ? value(&e, (uint32_t)o->with_value) : o->with;
    args[4] = LLVMGetParam(e.fn, 2);
    args[5] = LLVMGetParam(e.fn, 3);
    LLVMBuildCall2(e.b, m->abi_type, m->abi[abi], args, 6, "");
    LLVMBuildRetVoid(e.b);
    be_fn_end(&e);
    m->step[m->nsteps++] = (struct be_step){ e.fn, ins, items };
}

static void
add_step(struct be_module *m, const struct ir_ins *ins, enum be_abi abi,
         uint32_t in, LLVMValueRef with, int64_t with_value, size_t items)
{
    const struct be_operands o = { .in = in,
                                   .with = with,
                                   .with_value = with_value };

    be_add_step(m, ins, abi, &o, m->value[ins - m->f->ins], items);
}

/* Products read the operand of a view, and coefficients where their rings are.
 */
static void
product(struct be_module *m, const struct ir_ins *ins)
{
    const uint32_t i = ins->in[0].id;
    const uint32_t v = be_is_view(m, i) ? m->f->ins[i].in[0].id : i;

    add_step(m, ins,
             be_is_windows(m, v) ? BE_cmlrt_glwe_matmul_clear
                                 : BE_cmlrt_lwe_matmul_clear,
             m->value[v], matmul(m, ins), -1, ir_count(&ins->type));
}

static void
keyswitch(struct be_module *m, const struct ir_ins *ins, uint32_t in)
{
    const bool within = ir_from_set(m->f, ins) == ins->type.set;

    add_step(m, ins, within ? BE_cmlrt_lwe_keyswitch : BE_cmlrt_lwe_switch, in,
             within ? be_null(m) : border(m, ins), -1, ir_count(&ins->type));
}

static void
concat(struct be_module *m, const struct ir_ins *ins)
{
    size_t first = 0;

    for (size_t j = 0; j < ins->nin; j++) {
        const uint32_t v = ins->in[j].id;
        const size_t n = ir_count(&m->f->ins[v].type);
        struct place_fields y;

        y.first = be_i64(m, (int64_t)first);
        add_step(m, ins, BE_cmlrt_lwe_place, m->value[v], BE_RECORD(m, y), -1,
                 n);
        first += n;
    }
}

static LLVMValueRef
exponent(struct be_module *m, const struct ir_ins *ins)
{
    const int64_t log2_delta = ins->type.log2_delta;

    return be_words(m, &log2_delta, 1);
}

static void
emit(struct be_module *m, const struct ir_ins *ins)
{
    const size_t n = ir_count(&ins->type);
    const uint32_t in = ins->nin ? m->value[ins->in[0].id] : 0;
    const int64_t other = ins->nin == 2 ? (int64_t)m->value[ins->in[1].id] : -1;

    switch ((int)ins->op) {
    case IR_glwe_extract:
        if (be_is_windows(m, (uint32_t)(ins - m->f->ins)))
            add_step(m, ins, BE_cmlrt_glwe_windows, m->nvalues, extract(m, ins),
                     -1, be_rings(m, ins));
        else
            add_step(m, ins, BE_cmlrt_glwe_extract, m->nvalues, extract(m, ins),
                     -1, n);
        return;
    case IR_lwe_add:
        add_step(m, ins, BE_cmlrt_lwe_add, in, NULL, other, n);
        return;
    case IR_lwe_sub:
        add_step(m, ins, BE_cmlrt_lwe_sub, in, NULL, other, n);
        return;
    case IR_lwe_neg:
        add_step(m, ins, BE_cmlrt_lwe_neg, in, be_null(m), -1, n);
        return;
    case IR_lwe_gather:
        if (be_is_view(m, (uint32_t)(ins - m->f->ins)))
            return;
        add_step(m, ins, BE_cmlrt_lwe_gather, in,
                 be_integers(m, ins->as.lwe_gather.index, 0), -1, n);
        return;
    case IR_lwe_add_clear:
        add_step(m, ins, BE_cmlrt_lwe_add_clear, in,
                 be_integers(m, ins->as.lwe_add_clear.data,
                             ir_at(m->f, ins->in[0])->type.log2_delta),
                 -1, n);
        return;
    case IR_lwe_mul_clear:
        add_step(m, ins, BE_cmlrt_lwe_mul_clear, in,
                 be_integers(m, ins->as.lwe_mul_clear.data, 0), -1, n);
        return;
    case IR_lwe_mul_open:
        add_step(m, ins, BE_cmlrt_lwe_mul_clear, in, NULL, other, n);
        return;
    case IR_lwe_trivial:
        add_step(m, ins, BE_cmlrt_lwe_trivial, in, exponent(m, ins), -1, n);
        return;
    case IR_lwe_matmul_clear: product(m, ins); return;
    case IR_lwe_sum:
        add_step(m, ins, BE_cmlrt_lwe_sum, in, sum(m, ins), -1, n);
        return;
    case IR_lwe_keyswitch:
    case IR_lwe_convert: keyswitch(m, ins, in); return;
    case IR_lwe_pbs_many:
        add_step(m, ins, BE_cmlrt_lwe_pbs_many, in, tables(m, ins), -1,
                 ir_bootstraps(m->f, ins));
        return;
    case IR_lwe_pbs:
        add_step(m, ins, BE_cmlrt_lwe_pbs, in, table(m, ins), -1, n);
        return;
    case IR_lwe_bit_lut:
        add_step(m, ins, BE_cmlrt_lwe_bit_lut, in, wide_table(m, ins), -1, n);
        return;
    case IR_lwe_answer:
        add_step(m, ins, BE_cmlrt_lwe_answer, in, reply(m, ins), -1, n);
        return;
    case IR_lwe_concat: concat(m, ins); return;
    }
    bug("no step for %s", ir_ops[ins->op].name);
}

void
be_circuit(struct be_module *m)
{
    size_t most = 0;

    for (uint32_t i = 0; i < m->f->n; i++)
        most += 1u + m->f->ins[i].nin;
    m->step = arena_new(&m->mem, struct be_step, most);
    for (uint32_t i = 0; i < m->f->n; i++)
        if (m->f->ins[i].type.open)
            m->step[m->nsteps++] =
                (struct be_step){ be_open(m, i), &m->f->ins[i], 1 };
        else if (be_is_leveled(&m->f->ins[i]))
            be_leveled_step(m, &m->f->ins[i]);
        else if (m->f->ins[i].type.base == IR_LWE
                 && m->f->ins[i].op != IR_output)
            emit(m, &m->f->ins[i]);
}
