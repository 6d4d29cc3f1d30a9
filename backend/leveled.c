/* Steps of selections without bootstraps, lang-spec/crypto.md 17. */
#include "backend/inner.h"
#include "ir/expansion.h"

#include "runtime/cml.h"

#include <math.h>
#include <string.h>

_Static_assert((int)IR_LEVELED_COEFS == (int)CML_MAX_COEFS
                   && (int)IR_LEVELED_DEPTH == (int)CML_MAX_DEPTH,
               "what the verifier allows is what the runtime has room for");

enum { RING = 1 << IR_LOG2_LEVELED, MOST_GROUPS = 16 };

struct expand_fields {
#define E(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct load_fields {
#define G(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct forest_fields {
#define F(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct lut_fields {
#define C(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct reply_fields {
#define Z(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};
struct key_fields {
#define J(type, field) LLVMValueRef field;
#include "runtime/manifest.def"
};

bool
be_is_leveled(const struct ir_ins *ins)
{
    return ins->op == IR_glwe_to_ggsw || ins->op == IR_ggsw_forest
           || ins->op == IR_ggsw_lut || ins->op == IR_glwe_answer
           || ins->op == IR_glwe_encrypt || be_is_slots(ins);
}

/* Trees are added in groups that threads share. */
static int64_t
groups(const struct be_module *m, const struct ir_ins *forest)
{
    const uint32_t trees =
        ir_data(m->f, forest->as.ggsw_forest.roots)->type.dim[0];

    return trees < MOST_GROUPS ? trees : MOST_GROUPS;
}

struct be_ring_value
be_ring_value(const struct be_module *m, const struct ir_ins *ins)
{
    const int64_t n = (int64_t)ir_count(&ins->type);

    switch ((int)ins->op) {
    case IR_glwe_encrypt:
    case IR_glwe_expand:
        return (struct be_ring_value){ KEY_DOUBLED, 0, n / RING, RING };
    case IR_ggsw_encrypt:
        return (struct be_ring_value){ KEY_GGSW, ins->as.ggsw_encrypt.levels,
                                       n / RING, RING };
    case IR_ggsw_products:
        return (struct be_ring_value){ KEY_GLWE, 0, be_slots_groups(m, ins),
                                       n };
    case IR_glwe_to_ggsw:
        return (struct be_ring_value){ KEY_GGSW, ins->nin, n, 1 };
    case IR_ggsw_forest:
        return (struct be_ring_value){ KEY_GLWE, 0, groups(m, ins), n };
    }
    return (struct be_ring_value){ KEY_GLWE, 0, 1, n };
}

static uint32_t
index_of(const struct be_module *m, const struct ir_ins *ins)
{
    return (uint32_t)(ins - m->f->ins);
}

/* GGSWs on the longest path from here. */
static int64_t
depth(const union ir_cell *node, int64_t child)
{
    int64_t left, right;

    if (child < 0 || node[4 * child].i)
        return 0;
    left = depth(node, node[4 * child + 2].i);
    right = depth(node, node[4 * child + 3].i);
    return 1 + (left > right ? left : right);
}

static int64_t
forest_depth(const struct be_module *m, const struct ir_ins *ins)
{
    const union ir_cell *node = ir_data(m->f, ins->as.ggsw_forest.nodes)->cell;
    const struct ir_blob *roots = ir_data(m->f, ins->as.ggsw_forest.roots);
    int64_t most = 0;

    for (uint32_t t = 0; t < roots->type.dim[0]; t++) {
        const int64_t own = depth(node, roots->cell[t].i);

        most = own > most ? own : most;
    }
    return most;
}

/* The most GGSWs on a path; any: there are products. */
static int64_t
deepest(const struct be_module *m, bool *any)
{
    int64_t most = 0;

    for (uint32_t i = 0; i < m->f->n; i++) {
        const struct ir_ins *ins = &m->f->ins[i];
        const int64_t depth =
            ins->op == IR_ggsw_forest     ? forest_depth(m, ins)
            : ins->op == IR_ggsw_products ? be_slots_depth(m, ins)
            : ins->op == IR_ggsw_lut      ? ir_at(m->f, ins->in[0])->type.dim[0]
                                          : 0;

        *any = *any || ins->op == IR_ggsw_products;
        most = depth > most ? depth : most;
    }
    return most;
}

LLVMValueRef
be_leveled_keys(struct be_module *m)
{
    const struct ir_expansion x = ir_expansion_keys(m->f);
    int64_t levels[IR_LOG2_LEVELED] = { 0 }, base[IR_LOG2_LEVELED] = { 0 };
    bool any = x.steps > 0;
    const int64_t depth = deepest(m, &any);
    struct key_fields j;

    if (!any)
        return be_null(m);
    for (size_t q = 0; q < x.steps; q++) {
        levels[q] = x.gadget[2 * q].i;
        base[q] = x.gadget[2 * q + 1].i;
    }
    j.first = be_i64(m, IR_LOG2_LEVELED - (int64_t)x.log2_slots);
    j.steps = be_i64(m, x.steps);
    j.levels = be_words(m, levels, x.steps);
    j.log2_base = be_words(m, base, x.steps);
    j.ss_levels = be_i64(m, x.switch_levels);
    j.ss_log2_base = be_i64(m, x.switch_log2_base);
    j.depth = be_i64(m, depth);
    return BE_RECORD(m, j);
}

/* ---- steps */

static void
load(struct be_module *m, const struct ir_ins *ins)
{
    const uint32_t id = index_of(m, ins);
    const size_t n = ir_count(&ins->type) / RING;
    struct load_fields g;
    struct be_operands o = { .in = m->nvalues, .with_value = -1 };

    g.count = be_i64(m, (int64_t)n);
    g.glwe = be_i64(m, (int64_t)be_first_glwe(m, id));
    g.word = be_i64(m, (int64_t)m->word[id]);
    o.with = BE_RECORD(m, g);
    be_add_step(m, ins, BE_cmlrt_glwe_load, &o, m->value[id], n);
}

/* The levels follow each other in the input, leveled_lower.c. */
static void
to_ggsw(struct be_module *m, const struct ir_ins *ins)
{
    const uint32_t first = ins->in[0].id;
    const struct ir_type *t = &m->f->ins[first].type;
    const size_t n = ir_count(&ins->type);
    struct expand_fields x;
    struct be_operands o = { .in = m->nvalues, .with_value = -1 };

    for (uint16_t j = 1; j < ins->nin; j++)
        if (m->word[ins->in[j].id] != m->word[first] + j * ir_count(t))
            bug("the levels of a bit do not lie together");
    x.slots = be_integers(m, ins->as.glwe_to_ggsw.slots, 0);
    x.count = be_i64(m, (int64_t)n);
    x.log2_slots = be_i64(m, ins->as.glwe_to_ggsw.log2_slots);
    x.packs = be_i64(m, (int64_t)ir_count(t) / RING);
    x.levels = be_i64(m, ins->nin);
    x.log2_base = be_i64(m, ins->as.glwe_to_ggsw.log2_base);
    x.glwe = be_i64(m, (int64_t)be_first_glwe(m, first));
    x.word = be_i64(m, (int64_t)m->word[first]);
    o.with = BE_RECORD(m, x);
    be_add_step(m, ins, BE_cmlrt_glwe_to_ggsw, &o, m->value[index_of(m, ins)],
                n * ins->nin);
}

static void
forest(struct be_module *m, const struct ir_ins *ins)
{
    const bool any = ins->nin == 2;
    const struct ir_ins *bits = any ? ir_at(m->f, ins->in[1]) : NULL;
    const int64_t n = groups(m, ins);
    struct forest_fields r;
    struct be_operands o = {
        .paired = true,
        .pair = { m->value[ins->in[any].id], m->value[ins->in[0].id] },
        .with_value = -1,
    };

    r.nodes = be_integers(m, ins->as.ggsw_forest.nodes, 0);
    r.leaves = be_integers(m, ins->as.ggsw_forest.leaves, 0);
    r.roots = be_integers(m, ins->as.ggsw_forest.roots, 0);
    r.ntrees = be_i64(m, ir_data(m->f, ins->as.ggsw_forest.roots)->type.dim[0]);
    r.coefs = be_i64(m, (int64_t)ir_count(&ins->type));
    r.log2_delta = be_i64(m, ins->type.log2_delta);
    r.levels = be_i64(m, any ? bits->nin : 0);
    r.log2_base = be_i64(m, any ? bits->as.glwe_to_ggsw.log2_base : 0);
    r.depth = be_i64(m, forest_depth(m, ins));
    r.groups = be_i64(m, n);
    r.sd = be_f64(m, sqrt(ins->type.lo));
    o.with = BE_RECORD(m, r);
    be_add_step(m, ins, BE_cmlrt_ggsw_forest, &o, m->value[index_of(m, ins)],
                (size_t)n);
}

static bool
all_fit(const struct ir_blob *b, int64_t bytes)
{
    for (size_t i = 0; i < ir_count(&b->type); i++)
        if (b->cell[i].i >> (8 * bytes - 1) != 0
            && b->cell[i].i >> (8 * bytes - 1) != -1)
            return false;
    return true;
}

/* The integers of a table in as few bytes as hold them all. */
static LLVMValueRef
narrow(struct be_module *m, const struct ir_blob *b, int64_t *bytes)
{
    const size_t n = ir_count(&b->type);
    uint8_t *to = arena_new(&m->mem, uint8_t, 8 * n);

    for (*bytes = 1; !all_fit(b, *bytes);)
        *bytes *= 2;
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * (size_t)*bytes, &b->cell[i].w, (size_t)*bytes);
    return be_bytes(m, to, n * (size_t)*bytes);
}

static void
table(struct be_module *m, const struct ir_ins *ins)
{
    const struct ir_ins *bits = ir_at(m->f, ins->in[0]);
    struct lut_fields c;
    struct be_operands o = { .in = m->value[ins->in[0].id], .with_value = -1 };
    int64_t bytes;

    c.table = narrow(m, ir_data(m->f, ins->as.ggsw_lut.table), &bytes);
    c.bytes = be_i64(m, bytes);
    c.bits = be_i64(m, bits->type.dim[0]);
    c.coefs = be_i64(m, (int64_t)ir_count(&ins->type));
    c.log2_delta = be_i64(m, ins->type.log2_delta);
    c.levels = be_i64(m, bits->nin);
    c.log2_base = be_i64(m, bits->as.glwe_to_ggsw.log2_base);
    c.sd = be_f64(m, sqrt(ins->type.lo));
    o.with = BE_RECORD(m, c);
    be_add_step(m, ins, BE_cmlrt_ggsw_lut, &o, m->value[index_of(m, ins)], 1);
}

static void
answer(struct be_module *m, const struct ir_ins *ins)
{
    const struct ir_ins *from = ir_at(m->f, ins->in[0]);
    struct reply_fields z;
    struct be_operands o = { .in = m->value[ins->in[0].id], .with_value = -1 };

    z.log2_flood = be_i64(m, ins->as.glwe_answer.log2_flood);
    z.word_bits = be_i64(m, ins->as.glwe_answer.word_bits);
    z.coefs = be_i64(m, (int64_t)ir_count(&ins->type));
    z.groups = be_i64(m, be_ring_value(m, from).count);
    o.with = BE_RECORD(m, z);
    be_add_step(m, ins, BE_cmlrt_glwe_answer, &o, m->value[index_of(m, ins)],
                1);
}

void
be_leveled_step(struct be_module *m, const struct ir_ins *ins)
{
    switch ((int)ins->op) {
    case IR_glwe_encrypt:
        if (m->bits[index_of(m, ins)])
            load(m, ins);
        return;
    case IR_glwe_to_ggsw: to_ggsw(m, ins); return;
    case IR_ggsw_forest: forest(m, ins); return;
    case IR_ggsw_lut: table(m, ins); return;
    case IR_glwe_answer: answer(m, ins); return;
    }
    be_slots_step(m, ins);
}
