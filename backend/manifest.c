/* The manifest: the records of runtime/manifest.def as constants, and main. */
#include "backend/inner.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* One LLVM value a field, in the order of manifest.def. */
struct manifest_fields {
#define M(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct input_fields {
#define I(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct output_fields {
#define O(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct piece_fields {
#define P(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct answer_fields {
#define A(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct value_fields {
#define V(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct set_fields {
#define K(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct switch_fields {
#define H(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct step_fields {
#define S(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};

static LLVMValueRef
structure(struct be_module *m, void *fields, size_t bytes)
{
    return LLVMConstStructInContext(
        m->cx, fields, (unsigned)(bytes / sizeof(LLVMValueRef)), 0);
}

/* The records of ops of a kind, in order, as one array. */
struct list {
    LLVMValueRef *item;
    size_t n, room;
};

static void
push(struct be_module *m, struct list *l, void *fields, size_t bytes)
{
    if (l->n == l->room) {
        LLVMValueRef *item = arena_new(&m->mem, LLVMValueRef, 2 * l->n + 64);

        if (l->n)
            memcpy(item, l->item, l->n * sizeof *item);
        l->item = item;
        l->room = 2 * l->n + 64;
    }
    l->item[l->n++] = structure(m, fields, bytes);
}

static LLVMValueRef
array(struct be_module *m, const struct list *l)
{
    if (!l->n)
        return be_null(m);
    return be_global(m, LLVMConstArray2(LLVMTypeOf(l->item[0]), l->item, l->n));
}

static LLVMValueRef
dims(struct be_module *m, const struct ir_type *t)
{
    int64_t *d = arena_new(&m->mem, int64_t, t->rank + 1u);

    for (size_t i = 0; i < t->rank; i++)
        d[i] = t->dim[i];
    return be_words(m, d, t->rank + 1u);
}

static LLVMValueRef
names(struct be_module *m, const char *of, LLVMValueRef *count)
{
    const struct ir_blob *b = ir_blob_find(m->f, of, true);

    *count = be_i64(m, b ? b->type.dim[0] : 0);
    return b ? be_strings(m, b->text, b->type.dim[0]) : be_null(m);
}

static void
input(struct be_module *m, struct list *l, const struct ir_ins *ins)
{
    const struct ir_type *t = &ins->type;
    const bool integer = t->base == IR_INT;
    LLVMValueRef n;
    struct input_fields r;

    r.name = be_string(m, ins->as.input.name);
    r.count = be_i64(m, (int64_t)ir_count(t));
    r.rank = be_i64(m, t->rank);
    r.dims = dims(m, t);
    r.boxed = be_i64(m, t->ranged);
    r.lo = be_f64(m, integer ? (double)t->ilo : t->lo);
    r.hi = be_f64(m, integer ? (double)t->ihi : t->hi);
    r.integer = be_i64(m, integer);
    r.missing = be_i64(m, !integer && ir_get(m->f, "missing", 0) > 0);
    r.names = names(m, ins->as.input.name, &n);
    push(m, l, &r, sizeof r);
}

static void
output(struct be_module *m, struct list *l, const struct ir_ins *ins)
{
    const struct ir_type *t = &ins->type;
    struct output_fields r;

    r.name = be_string(m, ins->as.output.name);
    r.count = be_i64(m, (int64_t)ir_count(t));
    r.rank = be_i64(m, t->rank);
    r.dims = dims(m, t);
    r.integer = be_i64(m, t->base == IR_INT);
    r.labels = names(m, ins->as.output.name, &r.nlabels);
    push(m, l, &r, sizeof r);
}

static void
piece(struct be_module *m, struct list *l, uint32_t i)
{
    const struct ir_ins *ins = &m->f->ins[i];
    const struct ir_type *in = &ir_at(m->f, ins->in[0])->type;
    struct piece_fields r;

    r.count = be_i64(m, (int64_t)ir_count(&ins->type));
    r.set = be_i64(m, ins->type.set);
    r.log2_delta = be_i64(m, ins->type.log2_delta);
    r.lo = be_i64(m, in->ilo);
    r.hi = be_i64(m, in->ihi);
    r.first = be_i64(m, (int64_t)m->offset[i]);
    r.word = be_i64(m, (int64_t)m->word[i]);
    r.glwe = be_i64(m, (int64_t)be_first_glwe(m, i));
    r.times_key = be_i64(m, 0);
    r.keep_bits = be_i64(m, 64);
    r.open = be_i64(m, ins->op == IR_disclose);
    push(m, l, &r, sizeof r);
}

/* The rows of all GGSWs, a piece each: of a GGSW those of the body, then those
 * of the mask. */
static void
rows(struct be_module *m, struct list *l, uint32_t i)
{
    const struct ir_ins *ins = &m->f->ins[i];
    const uint32_t levels = ins->as.ggsw_encrypt.levels;
    const size_t n = ins->type.dim[1];
    struct piece_fields r;

    for (size_t k = 0; k < 2 * (size_t)levels * ins->type.dim[0]; k++) {
        const size_t ggsw = k / (2 * (size_t)levels);
        const uint32_t row = (uint32_t)(k % (2 * (size_t)levels));

        r.count = be_i64(m, (int64_t)n);
        r.set = be_i64(m, ins->type.set);
        r.log2_delta = be_i64(
            m,
            64 - (int64_t)ins->as.ggsw_encrypt.log2_base * (row % levels + 1));
        r.lo = be_i64(m, 0);
        r.hi = be_i64(m, 1);
        r.first = be_i64(m, (int64_t)(m->offset[i] + ggsw * n));
        r.word = be_i64(m, (int64_t)(m->word[i] + k * n));
        r.glwe = be_i64(m, (int64_t)(be_first_glwe(m, i) + k));
        r.times_key = be_i64(m, row >= levels);
        r.keep_bits = be_i64(m, ins->as.ggsw_encrypt.keep_bits);
        r.open = be_i64(m, 0);
        push(m, l, &r, sizeof r);
    }
}

static void
answer(struct be_module *m, struct list *l, uint32_t i)
{
    const struct ir_ins *ins = &m->f->ins[i];
    const struct ir_ins *from = ir_at(m->f, ins->in[0]);
    struct answer_fields r;

    r.count = be_i64(m, (int64_t)ir_count(&ins->type));
    r.set = be_i64(m, from->type.set);
    r.value = be_i64(m, m->value[ins->in[0].id]);
    r.log2_delta = be_i64(m, from->type.log2_delta);
    r.lo = be_i64(m, ins->as.lwe_decrypt.lo);
    r.hi = be_i64(m, ins->as.lwe_decrypt.hi);
    r.first = be_i64(m, (int64_t)m->offset[i]);
    /* attributes of glwe.answer have the same places */
    r.word_bits = be_i64(m, from->as.lwe_answer.word_bits);
    r.packed = be_i64(m, ins->op == IR_glwe_decrypt);
    push(m, l, &r, sizeof r);
}

/* how the items of a step are shared among threads */
static int64_t
pace(const struct ir_ins *ins)
{
    if (ins->op == IR_glwe_expand)
        return 3;
    if (ins->op == IR_glwe_to_ggsw || be_is_slots(ins))
        return 2;
    return ir_is_bootstrap(ins) || ins->op == IR_lwe_bit_lut;
}

static void
step(struct be_module *m, struct list *l, const struct be_step *s,
     const uint32_t *level)
{
    const struct source *src = src_of(m->debug.src, s->ins->at.begin);
    const unsigned line = src_line(src, s->ins->at.begin, NULL);
    char text[128];
    struct step_fields r;

    if (src == m->debug.src)
        snprintf(text, sizeof text, "%s line %u", ir_ops[s->ins->op].name,
                 line);
    else
        snprintf(text, sizeof text, "%s %.64s line %u", ir_ops[s->ins->op].name,
                 src_base_name(src), line);
    r.run = s->fn;
    r.items = be_i64(m, (int64_t)s->items);
    r.pbs = be_i64(m, pace(s->ins));
    /* what is open is under no key */
    r.set = be_i64(m, s->ins->op == IR_lwe_trivial ? s->ins->type.set
                                                   : ir_from_set(m->f, s->ins));
    r.level = be_i64(m, level[s->ins - m->f->ins]);
    r.name = be_string(m, text);
    push(m, l, &r, sizeof r);
}

/* The longest way from an encryption. */
static uint32_t *
levels(struct be_module *m)
{
    uint32_t *level = arena_new(&m->mem, uint32_t, m->f->n);

    for (uint32_t i = 0; i < m->f->n; i++)
        for (size_t j = 0; j < m->f->ins[i].nin; j++) {
            const uint32_t v = m->f->ins[i].in[j].id;

            if (m->place[i] == BE_AT_SERVER && level[v] + 1 > level[i])
                level[i] = level[v] + 1;
        }
    return level;
}

static struct be_ring_value
held_by(const struct be_module *m, const struct ir_ins *ins)
{
    const size_t n = ir_count(&ins->type);

    if (ins->type.open)
        return (struct be_ring_value){ .key = KEY_OPEN, .count = (int64_t)n };
    if (be_is_leveled(ins))
        return be_ring_value(m, ins);
    if (be_is_windows(m, (uint32_t)(ins - m->f->ins))) {
        const size_t rings = be_rings(m, ins);

        return (struct be_ring_value){ .key = KEY_WINDOWS,
                                       .count = (int64_t)rings,
                                       .coefs = (int64_t)(n / rings + 1) };
    }
    return (struct be_ring_value){ .key = ins->type.key == IR_SMALL,
                                   .count = (int64_t)n };
}

static struct value_fields
value(struct be_module *m, const struct ir_ins *ins)
{
    const struct be_ring_value ring = held_by(m, ins);
    struct value_fields v;

    v.count = be_i64(m, ring.count);
    v.set = be_i64(m, ins->type.set);
    v.key = be_i64(m, ring.key);
    v.levels = be_i64(m, ring.levels);
    v.coefs = be_i64(m, ring.coefs);
    return v;
}

/* Fields that list records. */
static void
lists(struct be_module *m, struct manifest_fields *r)
{
    const struct ir_func *f = m->f;
    struct list in = { 0 }, out = { 0 }, pieces = { 0 }, answers = { 0 };
    struct list values = { 0 }, steps = { 0 };
    const uint32_t *level = levels(m);

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        struct value_fields v;

        if (ins->op == IR_input)
            input(m, &in, ins);
        if (ins->op == IR_output)
            output(m, &out, ins);
        if (ins->op == IR_glwe_encrypt || ins->op == IR_disclose)
            piece(m, &pieces, i);
        if (ins->op == IR_ggsw_encrypt)
            rows(m, &pieces, i);
        if (ins->op == IR_lwe_decrypt || ins->op == IR_glwe_decrypt)
            answer(m, &answers, i);
        if (!be_has_value(m, i)
            || m->role == BE_CLIENT) /* the shape of the circuit */
            continue;
        v = value(m, ins);
        push(m, &values, &v, sizeof v);
    }
    for (size_t s = 0; s < m->nsteps; s++)
        step(m, &steps, &m->step[s], level);
    r->ninputs = be_i64(m, (int64_t)in.n), r->inputs = array(m, &in);
    r->noutputs = be_i64(m, (int64_t)out.n), r->outputs = array(m, &out);
    r->npieces = be_i64(m, (int64_t)pieces.n), r->pieces = array(m, &pieces);
    r->nanswers = be_i64(m, (int64_t)answers.n);
    r->answers = array(m, &answers);
    r->nvalues = be_i64(m, (int64_t)values.n), r->values = array(m, &values);
    r->nsteps = be_i64(m, (int64_t)steps.n), r->steps = array(m, &steps);
}

/* BLAKE2b-128 of the IR text: the same for a program and its halves. */
static LLVMValueRef
model_id(struct be_module *m)
{
    unsigned char id[16];
    size_t len = 0;
    char *text = be_text(m->f, &len);

    crypto_generichash(id, sizeof id, (unsigned char *)text, len, NULL, 0);
    free(text);
    return be_bytes(m, id, sizeof id);
}

static void
set(struct be_module *m, struct list *l, const struct ir_params *p)
{
    struct set_fields r;

    r.k = be_i64(m, p->k);
    r.log2_n = be_i64(m, p->log2_n);
    r.n = be_i64(m, p->n);
    r.br_levels = be_i64(m, p->br_levels);
    r.br_log2_base = be_i64(m, p->br_log2_base);
    r.ks_levels = be_i64(m, p->ks_levels);
    r.ks_log2_base = be_i64(m, p->ks_log2_base);
    r.tr_levels = be_i64(m, p->tr_levels);
    r.tr_log2_base = be_i64(m, p->tr_log2_base);
    r.ss_levels = be_i64(m, p->ss_levels);
    r.ss_log2_base = be_i64(m, p->ss_log2_base);
    r.cb_levels = be_i64(m, p->cb_levels);
    r.cb_log2_base = be_i64(m, p->cb_log2_base);
    r.wide_bits = be_i64(m, p->wide_bits);
    r.tr_low_bits = be_i64(m, p->tr_low_bits);
    r.ss_low_bits = be_i64(m, p->ss_low_bits);
    r.t_lwe = be_i64(m, p->t_lwe);
    r.t_glwe = be_i64(m, p->t_glwe);
    r.ternary = be_i64(m, p->ternary);
    r.v_fresh = be_f64(m, p->v_fresh);
    r.v_br = be_f64(m, p->v_br);
    r.v_ks = be_f64(m, p->v_ks);
    r.v_ms = be_f64(m, p->v_ms);
    r.v_ms_wide = be_f64(m, p->v_ms_wide);
    r.v_ext = be_f64(m, p->v_ext);
    r.v_zero = be_f64(m, p->v_zero);
    r.leveled = be_leveled_keys(m);
    push(m, l, &r, sizeof r);
}

static void
switches(struct be_module *m, struct list *l)
{
    for (uint32_t i = 0; i < m->f->sets.switches; i++) {
        const struct ir_switch *s = &m->f->sets.sw[i];
        struct switch_fields r;

        r.from = be_i64(m, s->from);
        r.to = be_i64(m, s->to);
        r.big = be_i64(m, s->big);
        r.levels = be_i64(m, s->levels);
        r.log2_base = be_i64(m, s->log2_base);
        r.t = be_i64(m, s->t);
        r.v = be_f64(m, s->v);
        push(m, l, &r, sizeof r);
    }
}

static void
parameters(struct be_module *m, struct manifest_fields *r)
{
    const struct ir_params *p = &m->f->params;
    struct list sets = { 0 }, sw = { 0 };

    for (uint32_t i = 0; i <= m->f->sets.more; i++)
        set(m, &sets, ir_params_of(m->f, i));
    switches(m, &sw);
    r->nsets = be_i64(m, (int64_t)sets.n), r->sets = array(m, &sets);
    r->nswitches = be_i64(m, (int64_t)sw.n), r->switches = array(m, &sw);
    r->level = be_i64(m, p->level);
    r->insecure = be_i64(m, p->insecure);
    r->log2_pfail = be_f64(m, p->log2_pfail);
    r->cost = be_f64(m, p->cost);
}

static void
circuit_facts(struct be_module *m, struct manifest_fields *r)
{
    int64_t pbs = 0, approx = 0, wide = 0;

    for (uint32_t i = 0; i < m->f->n; i++) {
        const struct ir_ins *ins = &m->f->ins[i];

        pbs += (int64_t)ir_bootstraps(m->f, ins);
        approx |= ins->op == IR_lwe_pbs && ins->as.lwe_pbs.approx != 0;
        if (ins->op == IR_lwe_bit_lut)
            wide += (int64_t)ir_count(&ins->type);
    }
    r->pbs = be_i64(m, pbs);
    r->wide = be_i64(m, wide);
    r->approx = be_i64(m, approx);
}

/* int main(int argc, char **argv) { return cml_main_ROLE(&manifest, ...); } */
static void
define_main(struct be_module *m, LLVMValueRef manifest)
{
    static const char *const entry[] = { "cml_main_all", "cml_main_client",
                                         "cml_main_server" };
    LLVMTypeRef params[] = { m->i32, m->ptr };
    LLVMTypeRef inner[] = { m->ptr, m->i32, m->ptr };
    LLVMTypeRef type = LLVMFunctionType(m->i32, inner, 3, 0);
    struct be_fn e =
        be_fn_begin(m, "main", LLVMFunctionType(m->i32, params, 2, 0), true);
    LLVMValueRef args[] = { manifest, LLVMGetParam(e.fn, 0),
                            LLVMGetParam(e.fn, 1) };

    LLVMBuildRet(e.b,
                 LLVMBuildCall2(e.b, type,
                                LLVMAddFunction(m->mod, entry[m->role], type),
                                args, 3, ""));
    be_fn_end(&e);
}

void
be_manifest(struct be_module *m)
{
    struct manifest_fields r;
    LLVMValueRef g, abi;
    char *card = be_card(m);

    r.name = be_string(m, m->f->name);
    r.version = be_string(m, CMLC_VERSION);
    r.model_id = model_id(m);
    r.role = be_i64(m, m->role);
    parameters(m, &r);
    circuit_facts(m, &r);
    lists(m, &r);
    r.prologue = m->prologue ? m->prologue : be_null(m);
    r.epilogue = m->epilogue ? m->epilogue : be_null(m);
    r.prologue_bytes = be_i64(m, (int64_t)m->prologue_bytes);
    r.epilogue_bytes = be_i64(m, (int64_t)m->epilogue_bytes);
    r.card = be_string(m, card);
    free(card);
    g = be_global(m, structure(m, &r, sizeof r));
    define_main(m, g);
    /* an object for another ABI does not link */
    abi = LLVMAddGlobal(m->mod, m->i64, "cmlrt_abi_1");
    g = be_global(m, abi);
    LLVMSetLinkage(g, LLVMExternalLinkage);
    LLVMSetValueName2(g, "cml_model_abi", 13);
}
