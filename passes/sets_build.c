/* Writes a circuit anew under several sets: types say whose key a ciphertext is
 * under, keyswitches go to the set of their table, and results of tables are
 * converted where their cluster is of another set. */
#include "passes/budget.h"
#include "passes/sets.h"

#include <math.h>

struct building {
    const struct sets *s;
    const struct sets_problem *p;
    struct ir_func *g;
    ir_ref *map;
    /* by keyswitch, or input of a wide table, and set: 1 + op, or 0 */
    uint32_t (*switched)[IR_MAX_SETS];
};

static void
need_switch(struct building *b, uint32_t from, uint32_t to, bool big)
{
    struct ir_sets *all = &b->g->sets;

    if (from != to && !ir_switch_of(b->g, from, to, big))
        all->sw[all->switches++] = sets_switch(b->s, b->p, from, to, big);
}

static ir_ref
keyswitch(struct building *b, uint32_t i, uint32_t to)
{
    const struct ir_ins *ins = &b->p->f->ins[i];
    const uint32_t from = b->s->of_cluster[b->p->cluster[ins->in[0].id]];
    uint32_t *memo = &b->switched[i][to];

    if (!*memo) {
        const ir_ref v = ir_copy(b->g, ins, b->map);

        b->g->ins[v.id].type.set = (uint8_t)to;
        need_switch(b, from, to, false);
        *memo = v.id + 1;
    }
    return (ir_ref){ *memo - 1 };
}

static ir_ref
converted(struct building *b, ir_ref v, struct ir_type type, uint32_t from,
          uint32_t to, const struct ir_ins *of)
{
    need_switch(b, from, to, true);
    type.set = (uint8_t)to;
    v = ir_build_typed(b->g, IR_lwe_convert, of->at, &v, 1, NULL, &type);
    b->g->ins[v.id].type = type; /* with its noise */
    b->g->ins[v.id].from = of->from;
    return v;
}

/* The input of a wide table under the big key of its set. */
static ir_ref
wide_input(struct building *b, const struct ir_ins *ins, uint32_t to)
{
    const uint32_t in = ins->in[0].id;
    const struct ir_type *t = &b->p->f->ins[in].type;
    const uint32_t from = b->s->of_cluster[b->p->cluster[in]];
    uint32_t *memo = &b->switched[in][to];

    if (from == to)
        return b->map[in];
    if (!*memo)
        *memo = converted(b, b->map[in], *t, from, to, ins).id + 1;
    return (ir_ref){ *memo - 1 };
}

static ir_ref
table(struct building *b, uint32_t i)
{
    const struct ir_ins *ins = &b->p->f->ins[i];
    const uint32_t in = ins->in[0].id;
    const uint32_t at = b->s->of_class[b->p->class[i]];
    const uint32_t home = b->s->of_cluster[b->p->cluster[i]];
    const ir_ref before = b->map[in];
    ir_ref v;

    b->map[in] = ins->op == IR_lwe_bit_lut ? wide_input(b, ins, at)
                                           : keyswitch(b, in, at);
    v = ir_copy(b->g, ins, b->map);
    b->map[in] = before;
    b->g->ins[v.id].type.set = (uint8_t)at;
    return at == home ? v : converted(b, v, ins->type, at, home, ins);
}

static ir_ref
written(struct building *b, uint32_t i)
{
    const struct ir_ins *ins = &b->p->f->ins[i];
    ir_ref v;

    if (ins->op == IR_lwe_keyswitch) /* made by what reads it */
        return (ir_ref){ 0 };
    if (sets_is_table(ins))
        return table(b, i);
    v = ir_copy(b->g, ins, b->map);
    if (ins->type.base >= IR_GLWE)
        b->g->ins[v.id].type.set = (uint8_t)b->s->of_cluster[b->p->cluster[i]];
    return v;
}

/* ---- answers: their share of the bound is the same whoever looks */

static void
size_answer(struct building *b, const struct search_event *e,
            const struct reply *r)
{
    struct ir_ins *ins = &b->g->ins[b->map[e->tag].id];

    ins->as.lwe_answer.log2_flood = r->log2_flood;
    ins->as.lwe_answer.word_bits = r->word_bits;
}

static double
size_answers(struct building *b, struct arena *mem)
{
    struct search_event *event =
        arena_new(mem, struct search_event, b->p->n * b->s->n);
    struct search_problem view[IR_MAX_SETS];
    double share, sum = (double)-INFINITY;

    for (uint32_t i = 0; i < b->s->n; i++)
        view[i] = sets_view(b->s, b->p, i, event + i * b->p->n);
    share = budget_share(&b->s->at[0], &view[0]);
    for (size_t i = 0; i < b->p->n; i++) {
        const uint32_t home = b->s->of_cluster[b->p->event[i].cluster];
        const struct ir_params *x = &b->s->at[home];
        const struct search_event *e = &view[home].event[i];
        double one = model_log2_pfail(search_variance(x, e), e->tau);

        if (!e->table) {
            const struct reply r = budget_reply(x, e, share);

            size_answer(b, e, &r);
            one = r.log2_pfail;
        }
        sum = model_log2_add(sum, log2(e->count) + one);
    }
    return sum;
}

static void
set_params(struct building *b, double log2_pfail)
{
    for (uint32_t i = 0; i < b->s->n; i++) {
        struct ir_params *x = i ? &b->g->sets.set[i - 1] : &b->g->params;

        *x = b->s->at[i];
        x->chosen = true;
        x->cost = b->s->cost;
        x->log2_pfail = log2_pfail;
    }
    b->g->sets.more = b->s->n - 1;
}

struct ir_func *
sets_build(struct arena *out, struct arena *mem, const struct sets *s,
           const struct sets_problem *p)
{
    struct building b = { s, p, ir_func_like(out, p->f), NULL, NULL };
    double log2_pfail;

    b.map = arena_new(mem, ir_ref, p->f->n);
    b.switched = arena_alloc(mem, p->f->n, sizeof *b.switched);
    set_params(&b, 0); /* conversions ask for the sets that there are */
    for (uint32_t i = 0; i < p->f->n; i++)
        b.map[i] = written(&b, i);
    log2_pfail = size_answers(&b, mem);
    if (log2_pfail > p->log2_pfail + 1e-6)
        bug("the sets fail with 2^%g", log2_pfail);
    set_params(&b, log2_pfail);
    return b.g;
}
