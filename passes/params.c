/* Chooses the parameters of a program and sizes its answers.
 *
 * The search (search.h) is exact in the model of lang-spec/crypto.md.  What the
 * tables leave of the failure bound goes to the answers: words of 32 bits, and
 * noise that hides what the weights left in theirs.
 */
#include "passes/budget.h"

#include "passes/encode.h"
#include "passes/leveled.h"
#include "passes/sets.h"

#include <math.h>

/* Gadgets of wide tables that go with the others of a toy. */
static void
toy_wide(struct ir_params *s)
{
    s->tr_levels = 5;
    s->tr_log2_base = 9;
    s->ss_levels = 4;
    s->ss_log2_base = 12;
    s->cb_levels = 4;
    s->cb_log2_base = 6;
}

/* A test's parameters: small, fast, and no secret at all.  N grows with the
 * widest table so that the modulus switch keeps its margin. */
static bool
toy(struct ir_params *s, const struct search_problem *p, size_t *tightest)
{
    uint32_t log2_n = 10;
    bool tables = false, wide = false;

    for (size_t i = 0; i < p->n; i++) {
        tables = tables || p->event[i].table;
        wide = wide || p->event[i].wide;
        if (p->event[i].leveled)
            log2_n = IR_LOG2_LEVELED;
        if (p->event[i].min_log2_n + 6 > log2_n)
            log2_n = p->event[i].min_log2_n + 6;
    }
    *s = (struct ir_params){ .k = 1,
                             .log2_n = log2_n,
                             .n = tables ? 64 : 0,
                             .br_levels = tables ? 3 : 0,
                             .br_log2_base = tables ? 12 : 0,
                             .ks_levels = tables ? 5 : 0,
                             .ks_log2_base = tables ? 4 : 0,
                             .t_lwe = tables ? 35 : 0,
                             .t_glwe = 3,
                             .level = p->level,
                             .ternary = !tables,
                             .insecure = true };
    if (wide)
        toy_wide(s);
    return search_measure(s, p, tightest);
}

bool
params_choose(struct ir_params *s, const struct ir_func *f,
              const struct search_problem *p, size_t *tightest)
{
    bool tables = false, wide = false, leveled = false;

    for (size_t i = 0; i < p->n; i++) {
        tables = tables || p->event[i].table;
        wide = wide || p->event[i].wide;
        leveled = leveled || p->event[i].leveled;
    }
    if (tables && leveled) /* their keys have other laws */
        return false;
    if (ir_get(f, "insecure.toy", 0) > 0)
        return toy(s, p, tightest);
    if (wide)
        return search_wide(s, p, tightest);
    return tables ? search_params(s, p, tightest)
                  : search_leveled(s, p, tightest);
}

/* The most bits, fewer than `bits`, with which event e alone would fit; 0 if
 * none do. */
static unsigned
bits_that_fit(const struct ir_func *f, const struct search_problem *p,
              struct search_event e, unsigned bits)
{
    struct search_problem alone = *p;
    struct ir_params s;
    size_t ignored;

    alone.event = &e;
    alone.n = 1;
    while (bits-- > 1) {
        e.tau *= 2;
        if (e.min_log2_n > 0)
            e.min_log2_n--;
        if (params_choose(&s, f, &alone, &ignored))
            return bits;
    }
    return 0;
}

static double
norm_of(const struct ir_func *f, const struct ir_ins *ins)
{
    const struct ir_type *in = &ir_at(f, ins->in[0])->type;

    return sqrt(in->lo + in->hi + in->wide);
}

static void
refuse(struct pass_ctx *cx, const struct ir_func *f,
       const struct search_problem *p, size_t tightest)
{
    const struct search_event *e = &p->event[tightest];
    const struct ir_ins *ins = &f->ins[e->tag];
    const unsigned bits = e->wide    ? ins->as.lwe_bit_lut.bits
                          : e->table ? ins->as.lwe_pbs.bits
                                     : 64u - ins->type.log2_delta;
    const unsigned fit = e->wide ? 0 : bits_that_fit(f, p, *e, bits);

    diag_error(cx->diag, ins->at, E_no_parameters,
               "no secure parameters keep the failure bound 2^%g here",
               p->log2_pfail);
    diag_note(cx->diag, ins->at,
              "%s of %u bits, the norm of its weights is %.4g",
              e->table ? "a table" : "an answer", bits, norm_of(f, ins));
    if (fit)
        diag_note(cx->diag, ins->at, "with these weights it may have %u bits",
                  fit);
    diag_help(cx->diag, "fewer bits for the inputs or the weights%s",
              ins->op == IR_lwe_bit_lut
                      || (ins->op == IR_lwe_pbs && !ins->as.lwe_pbs.approx)
                  ? ", or rounding approx"
                  : "");
    cx->status = 6;
}

static void
size_answers(struct ir_func *g, const struct search_problem *p)
{
    const double share = budget_share(&g->params, p);

    for (size_t i = 0; i < p->n; i++) {
        struct ir_ins *ins = &g->ins[p->event[i].tag];
        struct reply r;

        if (p->event[i].table)
            continue;
        r = budget_reply(&g->params, &p->event[i], share);
        /* the attributes of glwe.answer have the same places */
        ins->as.lwe_answer.log2_flood = r.log2_flood;
        ins->as.lwe_answer.word_bits = r.word_bits;
    }
    g->params.log2_pfail = p->n ? budget_pfail(&g->params, p) : p->log2_pfail;
    if (g->params.log2_pfail > p->log2_pfail + 1e-6)
        bug("answers fail with 2^%g", g->params.log2_pfail);
}

/* The circuit under several sets, if that is cheaper than under this one or if
 * there is none (NULL). */
static struct ir_func *
divided(struct pass_ctx *cx, const struct ir_func *f,
        const struct search_problem *one, const struct ir_params *s)
{
    const uint32_t most = (uint32_t)ir_get(f, "sets", IR_MAX_SETS);
    const double known = cx->most > 0 ? cx->most : (double)INFINITY;
    struct sets_problem p;
    struct sets sets;

    if (ir_get(f, "insecure.toy", 0) > 0 || (s && s->n == 0) || most < 2
        || !sets_problem(&p, cx->scratch, f, one)
        || !sets_search(&sets, &p, s, most, s ? fmin(s->cost, known) : known,
                        cx->scratch))
        return NULL;
    return sets_build(cx->out, cx->scratch, &sets, &p);
}

/* Bootstraps have binary keys, selections a ternary one, and no switch goes
 * from one to the other yet. */
static bool
mixes(struct pass_ctx *cx, const struct ir_func *f,
      const struct search_problem *p)
{
    const struct search_event *table = NULL, *forest = NULL;

    for (size_t i = 0; i < p->n; i++) {
        table = p->event[i].table ? &p->event[i] : table;
        forest = p->event[i].leveled ? &p->event[i] : forest;
    }
    if (!table || !forest)
        return false;
    diag_error(cx->diag, f->ins[forest->tag].at, E_no_parameters,
               "a forest and a bootstrap in one model");
    diag_note(cx->diag, f->ins[table->tag].at, "this needs a bootstrap");
    diag_help(cx->diag, "make two models of it");
    cx->status = 1;
    return true;
}

struct ir_func *
pass_params(struct pass_ctx *cx, const struct ir_func *f)
{
    struct search_problem p = budget_of(cx->scratch, f);
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g;
    struct ir_params s;
    size_t tightest = 0;
    bool found;

    p.most = cx->most;
    if (mixes(cx, f, &p))
        return NULL;
    found = params_choose(&s, f, &p, &tightest);
    g = divided(cx, f, &p, found ? &s : NULL);
    if (g)
        return g;
    if (!found && cx->most > 0) { /* dearer than what is known */
        cx->status = 6;
        return NULL;
    }
    if (!found) {
        refuse(cx, f, &p, tightest);
        return NULL;
    }
    g = ir_func_like(cx->out, f);
    for (uint32_t i = 0; i < f->n; i++)
        map[i] = ir_copy(g, &f->ins[i], map);
    g->params = s;
    g->params.chosen = true;
    for (uint32_t i = 0; i < g->n; i++)
        g->params.cost += leveled_ms(g, &g->ins[i]);
    size_answers(g, &p);
    return g;
}
