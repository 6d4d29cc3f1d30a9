/* Steps of products of packed bits, lang-spec/crypto.md 18. */
#include "ir/slots.h"
#include "backend/inner.h"

#include <math.h>

enum { RING = 1 << IR_LOG2_LEVELED, MOST_GROUPS = 16 };

struct load_fields {
#define D(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct spread_fields {
#define Q(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct products_fields {
#define R(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};

bool
be_is_slots(const struct ir_ins *ins)
{
    return ins->op == IR_ggsw_encrypt || ins->op == IR_glwe_expand
           || ins->op == IR_ggsw_products;
}

static struct slots_trie
trie_of(const struct be_module *m, const struct ir_ins *ins, struct arena *mem)
{
    const struct slots_forest f = slots_forest_of(m->f, ins);
    struct slots_trie t;

    if (!slots_trie(&t, mem, &f))
        bug("products of more than %d terms", SLOTS_MOST_TERMS);
    return t;
}

/* The root's children are added in groups that threads share. */
int64_t
be_slots_groups(const struct be_module *m, const struct ir_ins *ins)
{
    struct arena mem = { 0 };
    const struct slots_trie t = trie_of(m, ins, &mem);
    const size_t children = t.prefix[0].children;

    arena_free(&mem);
    return children < 1             ? 1
           : children < MOST_GROUPS ? (int64_t)children
                                    : MOST_GROUPS;
}

int64_t
be_slots_depth(const struct be_module *m, const struct ir_ins *ins)
{
    struct arena mem = { 0 };
    const int64_t depth = trie_of(m, ins, &mem).depth;

    arena_free(&mem);
    return depth;
}

static uint32_t
index_of(const struct be_module *m, const struct ir_ins *ins)
{
    return (uint32_t)(ins - m->f->ins);
}

static void
load(struct be_module *m, const struct ir_ins *ins)
{
    const uint32_t id = index_of(m, ins);
    const int64_t levels = ins->as.ggsw_encrypt.levels;
    struct load_fields d;
    struct be_operands o = { .in = m->nvalues, .with_value = -1 };

    d.count = be_i64(m, ins->type.dim[0]);
    d.levels = be_i64(m, levels);
    d.log2_base = be_i64(m, ins->as.ggsw_encrypt.log2_base);
    d.glwe = be_i64(m, (int64_t)be_first_glwe(m, id));
    d.word = be_i64(m, (int64_t)m->word[id]);
    o.with = BE_RECORD(m, d);
    be_add_step(m, ins, BE_cmlrt_ggsw_load, &o, m->value[id],
                ins->type.dim[0] * 2 * (size_t)levels);
}

static void
expand(struct be_module *m, const struct ir_ins *ins)
{
    const uint32_t from = ins->in[0].id;
    struct spread_fields q;
    struct be_operands o = { .in = m->nvalues, .with_value = -1 };

    q.log2_slots = be_i64(m, ins->as.glwe_expand.log2_slots);
    q.steps = be_i64(m, ins->as.glwe_expand.steps);
    q.glwe = be_i64(m, (int64_t)be_first_glwe(m, from));
    q.word = be_i64(m, (int64_t)m->word[from]);
    o.with = BE_RECORD(m, q);
    be_add_step(m, ins, BE_cmlrt_glwe_expand, &o, m->value[index_of(m, ins)],
                ir_count(&ins->type) / RING);
}

/* ---- the trie as arrays of record R */

static LLVMValueRef
prefixes(struct be_module *m, const struct slots_trie *t)
{
    enum { FIELDS = 7 };
    int64_t *to = arena_new(&m->mem, int64_t, t->prefixes *FIELDS), *w = to;

    for (size_t i = 0; i < t->prefixes; i++) {
        const struct slots_prefix *p = &t->prefix[i];

        *w++ = p->ggsw;
        *w++ = (int64_t)p->mono;
        *w++ = (int64_t)p->monos;
        *w++ = (int64_t)p->constant;
        *w++ = (int64_t)p->constants;
        *w++ = (int64_t)p->child;
        *w++ = (int64_t)p->children;
    }
    return be_words(m, to, t->prefixes * FIELDS);
}

static LLVMValueRef
terms(struct be_module *m, const struct slots_term *term, size_t n, bool rings)
{
    int64_t *to = arena_new(&m->mem, int64_t, 3 * n + 1), *w = to;

    for (size_t i = 0; i < n; i++) {
        if (rings)
            *w++ = term[i].ring;
        *w++ = term[i].exponent;
        *w++ = term[i].weight;
    }
    return be_words(m, to, (size_t)(w - to) + 1);
}

static LLVMValueRef
children(struct be_module *m, const struct slots_trie *t)
{
    int64_t *to = arena_new(&m->mem, int64_t, t->prefixes);

    for (size_t i = 0; i + 1 < t->prefixes; i++)
        to[i] = t->child[i];
    return be_words(m, to, t->prefixes);
}

static void
products(struct be_module *m, const struct ir_ins *ins)
{
    const struct ir_ins *packed = ir_at(m->f, ins->in[1]);
    const struct slots_trie t = trie_of(m, ins, &m->mem);
    const int64_t n = be_slots_groups(m, ins);
    struct products_fields r;
    struct be_operands o = {
        .paired = true,
        .pair = { m->value[ins->in[1].id], m->value[ins->in[0].id] },
        .with_value = -1,
    };

    r.prefixes = prefixes(m, &t);
    r.monomials = terms(m, t.mono, t.monos, true);
    r.constants = terms(m, t.constant, t.constants, false);
    r.children = children(m, &t);
    r.coefs = be_i64(m, (int64_t)ir_count(&ins->type));
    r.log2_delta = be_i64(m, ins->type.log2_delta);
    r.levels = be_i64(m, packed->as.ggsw_encrypt.levels);
    r.log2_base = be_i64(m, packed->as.ggsw_encrypt.log2_base);
    r.depth = be_i64(m, t.depth);
    r.groups = be_i64(m, n);
    r.sd = be_f64(m, sqrt(ins->type.lo));
    o.with = BE_RECORD(m, r);
    be_add_step(m, ins, BE_cmlrt_ggsw_products, &o, m->value[index_of(m, ins)],
                (size_t)n);
}

void
be_slots_step(struct be_module *m, const struct ir_ins *ins)
{
    switch ((int)ins->op) {
    case IR_ggsw_encrypt: load(m, ins); return;
    case IR_glwe_expand: expand(m, ins); return;
    }
    products(m, ins);
}
