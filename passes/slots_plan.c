/* The cheapest way to multiply packed bits, lang-spec/crypto.md 18, by the same
 * price as in leveled_plan.c.  Shapes of packing are few: each has its trie
 * made and weighed; of gadgets all are tried, as their noise is closed form.
 */
#include "passes/slots.h"

#include "passes/cost.h"

#include <math.h>

enum {
    MOST_LEVELS = 4,
    LEAST_BASE = 4,
    MOST_BASE = 26,
    MOST_GADGET = 48, /* bits: of words of 52 in a product of doubles */
    LEAST_KEPT = 20,
    MOST_KEPT = 52,  /* fresh noise has 2^-48 */
    MOST_GRADE = 12, /* log2 of a base of automorphisms */
    LEAST_GRADE = 2,
    MOST_GRADES = 128, /* with first <= last */
};

/* Microseconds of one core with AVX-512, tests/bench: a row's mask from its
 * stream, its transforms and its place in a key; an expanded ring, doubled,
 * goes to memory. */
static const double us_row = 5;

/* gadgets of an expansion, and what they add */
struct grade {
    struct leveled_keys keys;
    double v, us, levels;
};

struct search {
    const struct slots_shape *p;
    const struct leveled_sums *sums;
    uint32_t log2_n3;
    double sigma2, products, terms;
    struct slots_weights w;
    struct grade grade[MOST_GRADES];
    size_t grades;
    struct slots_plan best;
};

/* ---- price */

static double
us_bytes(const struct slots_shape *p, uint32_t levels, uint32_t keep)
{
    const double n = ldexp(1, IR_LOG2_LEVELED);

    return COST_US_BYTE
           * (p->ggsws * 2.0 * levels * ceil(n * keep / 8) + 8 * n);
}

static double
us_products(double products, double terms, uint32_t levels)
{
    return products * leveled_us_product(levels) + terms * LEVELED_US_TERM;
}

double
slots_ms(const struct ir_func *f, const struct ir_ins *ins)
{
    struct arena mem = { 0 };
    struct leveled_keys k;
    struct slots_forest forest;
    struct slots_trie t;
    double us = 0;

    switch ((int)ins->op) {
    case IR_ggsw_encrypt:
        us = us_row * 2 * ins->type.dim[0] * ins->as.ggsw_encrypt.levels;
        break;
    case IR_glwe_expand:
        k = leveled_keys_of(ir_expansion_of(f, ins));
        us = leveled_us_spread(&k)
             * (ir_at(f, ins->in[0])->type.dim[0] >> IR_LOG2_LEVELED);
        break;
    case IR_ggsw_products:
        forest = slots_forest_of(f, ins);
        if (slots_trie(&t, &mem, &forest))
            us = us_products((double)t.prefixes - 1, (double)t.monos,
                             ir_at(f, ins->in[1])->as.ggsw_encrypt.levels);
        break;
    }
    arena_free(&mem);
    return us / 1e3;
}

/* ---- search */

static void
make_grades(struct search *h)
{
    h->grades = 0;
    for (uint32_t first = LEAST_GRADE; first <= MOST_GRADE; first++)
        for (uint32_t last = first; last <= MOST_GRADE; last++) {
            struct grade *g = &h->grade[h->grades++];

            g->keys = (struct leveled_keys){ .steps = h->p->steps };
            leveled_grade(&g->keys, first, last);
            g->v = leveled_v_expand(&g->keys, h->sigma2);
            g->us = leveled_us_spread(&g->keys);
            g->levels = 0;
            for (uint32_t q = 0; q < g->keys.steps; q++)
                g->levels += g->keys.step[q].levels;
            if (h->p->steps == 0)
                return;
        }
}

static void
consider(struct search *h, struct slots_plan p, double v)
{
    const double rows = us_row * 2 * h->p->ggsws * p.gg.levels
                        + us_products(h->products, h->terms, p.gg.levels);
    const double sent = us_bytes(h->p, p.gg.levels, p.keep_bits);
    const double row = COST_US_BYTE * ldexp(8, IR_LOG2_LEVELED);

    if (v > h->sums->limit || rows / COST_THREADS + sent >= h->best.cost)
        return;
    for (size_t i = 0; i < h->grades; i++) {
        const struct grade *g = &h->grade[i];

        p.cost = (rows + g->us) / COST_THREADS + sent
                 + g->levels * row / COST_KEY_ROWS;
        if (p.cost >= h->best.cost || v + h->w.pairs * g->v > h->sums->limit)
            continue;
        p.keys = g->keys;
        p.ms = (rows + g->us) / 1e3;
        h->best = p;
    }
}

static void
try_gadgets(struct search *h)
{
    struct slots_plan p = { .sums = *h->sums, .log2_n3 = h->log2_n3 };

    for (p.gg.levels = 1; p.gg.levels <= MOST_LEVELS; p.gg.levels++)
        for (p.gg.log2_base = LEAST_BASE;
             p.gg.log2_base <= MOST_BASE
             && p.gg.levels * p.gg.log2_base <= MOST_GADGET;
             p.gg.log2_base++)
            for (p.keep_bits = LEAST_KEPT; p.keep_bits <= MOST_KEPT;
                 p.keep_bits++)
                consider(h, p,
                         slots_v_forest(&h->w, p.gg,
                                        slots_v_row(h->sigma2, p.keep_bits),
                                        0));
}

/* One packing, unless what it sends costs too much already. */
static void
try_packing(struct search *h, struct arena *mem, struct slots_shape *p)
{
    const struct arena_mark m = arena_mark(mem);
    struct slots_forest f;
    struct slots_trie t;

    if (!slots_pack(p, h->sums->digits * (uint32_t)p->s->outputs, h->log2_n3)
        || us_bytes(p, 1, LEAST_KEPT) >= h->best.cost
        || h->sums->bits + p->steps > 63)
        return;
    f = slots_cells(mem, p, h->sums);
    if (slots_trie(&t, mem, &f)) {
        h->w = slots_weights(mem, &f, &t, p->ggsws);
        h->products = (double)t.prefixes - 1;
        h->terms = (double)t.monos;
        make_grades(h);
        try_gadgets(h);
    }
    arena_release(mem, m);
}

bool
slots_plan(struct slots_plan *out, struct arena *mem, const struct ir_func *f,
           struct slots_shape *p, double most)
{
    struct leveled_sums sums[LEVELED_DIGITS + 1];
    struct search *h = arena_new(mem, struct search, 1);

    h->p = p;
    h->best.cost = most;
    h->sigma2 = leveled_sums(sums, f, p->s);
    for (uint32_t n = 1; n <= LEVELED_DIGITS; n++) {
        h->sums = &sums[n];
        if (!sums[n].digits || sums[n].limit <= 0
            || n * p->s->outputs > IR_LEVELED_COEFS)
            continue;
        for (h->log2_n3 = 0; h->log2_n3 < IR_LOG2_LEVELED; h->log2_n3++)
            try_packing(h, mem, p);
    }
    *out = h->best;
    return h->best.cost < most
           && slots_pack(p, out->sums.digits * (uint32_t)p->s->outputs,
                         out->log2_n3);
}
