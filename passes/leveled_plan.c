/* The cheapest plan of a forest: gadgets, slots and digits, lang-spec/crypto.md
 * 17.  All is closed form, so all of it is tried.
 *
 *     cost = work / threads + sent / link + keys / (rows link)
 *
 * with the numbers of cost.h, and (91).  Security, the failure bound and what
 * the client learns are no part of it.
 */
#include "passes/leveled.h"

#include "passes/budget.h"
#include "passes/cost.h"
#include "passes/slots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_STEPS = 2,
    MOST_BASE = 12,
    MOST_LEVELS = 8, /* of GGSWs */
    MOST_SWITCH = 6, /* levels of the key of s^2 */
};

/* Microseconds of one core with AVX-512, tests/bench: a transform, products of
 * a row by a key, moving a ciphertext, adding a leaf. */
static const double us_fft = 1.1, us_row = 0.8, us_move = 2.5,
                    us_leaf = LEVELED_US_TERM;
/* an expanded ring, doubled, goes to memory */
static const double us_store = 6;
/* a seeded ring ciphertext on the link */
static const double us_ring = 16384 * COST_US_BYTE;

/* ---- work */

double
leveled_us_keyswitch(uint32_t levels)
{
    return (levels + 2) * us_fft + levels * us_row + us_move;
}

static double
us_switch(uint32_t levels)
{
    return (levels + 2) * us_fft + levels * us_row;
}

double
leveled_us_product(uint32_t levels)
{
    return (2 * levels + 2) * us_fft + 2 * levels * us_row;
}

/* Step q of an expansion has a keyswitch for each residue modulo 2^q of the
 * slots wanted; slot: pack 2^steps + slot. */
static void
count_keyswitches(uint32_t *count, uint32_t steps, const uint32_t *slot,
                  size_t n)
{
    uint64_t seen[(1 << IR_LOG2_LEVELED) / 64] = { 0 };

    for (uint32_t q = 0; q < steps; q++) {
        uint32_t pack = UINT32_MAX;

        count[q] = 0;
        for (size_t i = 0; i < n; i++) {
            const uint32_t r = slot[i] & ((1u << q) - 1);

            if (slot[i] >> steps != pack) {
                memset(seen, 0, sizeof seen);
                pack = slot[i] >> steps;
            }
            count[q] += !(seen[r / 64] >> r % 64 & 1);
            seen[r / 64] |= UINT64_C(1) << r % 64;
        }
    }
}

double
leveled_us_spread(const struct leveled_keys *k)
{
    double us = ldexp(us_store, (int)k->steps);

    for (uint32_t q = 0; q < k->steps; q++)
        us += ldexp(leveled_us_keyswitch(k->step[q].levels), (int)q);
    return us;
}

static double
us_expand(const struct leveled_keys *k, const uint32_t *count)
{
    double us = 0;

    for (uint32_t q = 0; q < k->steps; q++)
        us += count[q] * leveled_us_keyswitch(k->step[q].levels);
    return us;
}

double
leveled_ms(const struct ir_func *f, const struct ir_ins *ins)
{
    if (ins->op == IR_glwe_to_ggsw) {
        const struct leveled_keys k = leveled_keys_of(ir_expansion_of(f, ins));
        const struct ir_blob *b = ir_data(f, ins->as.glwe_to_ggsw.slots);
        const size_t n = ir_count(&b->type);
        uint32_t count[IR_LOG2_LEVELED], *slot = calloc(n, sizeof *slot);
        double us;

        if (!slot)
            out_of_memory();
        for (size_t i = 0; i < n; i++)
            slot[i] = (uint32_t)b->cell[i].i;
        count_keyswitches(count, k.steps, slot, n);
        free(slot);
        us = us_expand(&k, count) + (double)n * us_switch(k.ss.levels);
        return us * ins->nin / 1e3;
    }
    if (ins->op == IR_ggsw_forest) {
        const struct ir_blob *nodes = ir_data(f, ins->as.ggsw_forest.nodes);
        const double width =
            ir_data(f, ins->as.ggsw_forest.leaves)->type.dim[1];
        const uint32_t levels = ins->nin == 2 ? ir_at(f, ins->in[1])->nin : 0;
        double us = 0;

        for (uint32_t i = 0; i < nodes->type.dim[0]; i++)
            us += nodes->cell[4 * (size_t)i].i ? 2 * width * us_leaf
                                               : leveled_us_product(levels);
        return us / 1e3;
    }
    if (ins->op == IR_ggsw_lut) {
        const struct ir_blob *b = ir_data(f, ins->as.ggsw_lut.table);

        return leveled_table_products(
                   b->cell, ir_at(f, ins->in[0])->type.dim[0], b->type.dim[1])
               * leveled_us_product(ir_at(f, ins->in[0])->nin) / 1e3;
    }
    return slots_ms(f, ins);
}

/* ---- search */

struct search {
    const struct leveled_shape *s;
    double sigma2;
    double pairs; /* of leaf pairs whose leaves differ by 1 */
    struct leveled_sums sums[LEVELED_DIGITS + 1];
    size_t inner, wanted, bits; /* GGSWs, and slots sent for them; pairs' */
    double leaf_pairs;
    uint32_t count[IR_LOG2_LEVELED];
    uint32_t *slot;
    struct leveled_plan best; /* of infinite cost: none yet */
};

/* of output k over the leaves of a tree */
static int64_t
largest_digit(const struct leveled_shape *s, size_t tree, size_t k,
              int64_t power, int64_t radix)
{
    int64_t most = 0;

    for (size_t i = s->first_leaf[tree]; i < s->first_leaf[tree + 1]; i++) {
        const int64_t d = s->leaf[i * s->outputs + k] / power % radix;

        most = d > most ? d : most;
    }
    return most;
}

/* The sums of digits, each tree adding its largest. */
static int64_t
largest_sum(const struct leveled_shape *s, int64_t radix, uint32_t digits)
{
    int64_t most = 0;

    for (size_t k = 0; k < s->outputs; k++) {
        int64_t power = 1;

        for (uint32_t d = 0; d < digits; d++, power *= radix) {
            int64_t sum = 0;

            for (size_t t = 0; t < s->trees; t++)
                sum += largest_digit(s, t, k, power,
                                     d + 1 < digits ? radix : INT64_MAX);
            most = sum > most ? sum : most;
        }
    }
    return most;
}

static int64_t
power_of(int64_t radix, uint32_t digits)
{
    int64_t p = 1;

    while (digits--)
        if (__builtin_mul_overflow(p, radix, &p))
            return INT64_MAX;
    return p;
}

static uint32_t
answers(const struct ir_func *f)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->n; i++)
        n += f->ins[i].op == IR_decrypt;
    return n;
}

/* Of n digits a score: the least radix, and what then has to decode.  The
 * forests and all the rest of a row have equal parts of the bound. */
static void
sums_of(struct leveled_sums *p, const struct ir_func *f,
        const struct leveled_shape *s, double sigma2, uint32_t n)
{
    const struct model_ring ring = leveled_ring();
    const double log2_pfail =
        ir_get(f, "log2_pfail", -128) - log2(1.0 + answers(f));
    int64_t r = (int64_t)pow((double)s->most + 1, 1.0 / n);

    for (r = r > 2 ? r - 1 : 2; power_of(r, n) <= s->most; r++)
        ;
    p->digits = n;
    p->radix = r;
    p->most = largest_sum(s, r, n);
    p->bits = ir_bits(0, p->most);
    p->bits = p->bits ? p->bits : 1;
    p->log2_pfail = log2_pfail - log2((double)n * (double)s->outputs);
    p->limit = pow(ldexp(1, -(int)p->bits - 1) / model_kappa(p->log2_pfail), 2)
               - model_v_zero(ring, sigma2) - model_v_cut(ring, 32);
}

double
leveled_sums(struct leveled_sums sums[LEVELED_DIGITS + 1],
             const struct ir_func *f, const struct leveled_shape *s)
{
    const double sigma2 =
        model_v_fresh((int)ir_get(f, "security", 132), MODEL_TUNIFORM,
                      model_dimension(leveled_ring()));

    for (uint32_t n = 1; n <= LEVELED_DIGITS; n++) {
        sums[n] = (struct leveled_sums){ 0 };
        if (n == 1 || s->most > 1)
            sums_of(&sums[n], f, s, sigma2, n);
    }
    return sigma2;
}

struct leveled_keys
leveled_first(struct leveled_keys k, uint32_t steps)
{
    k.steps = steps;
    return k;
}

uint32_t
leveled_bits_a_ring(const struct leveled_plan *p, uint32_t width)
{
    return p->spread ? 1u << p->keys.steps
           : width   ? (1u << IR_LOG2_LEVELED) / width
                     : 1;
}

static uint32_t
width_of(const struct search *h, const struct leveled_plan *p)
{
    return p->sums.digits * (uint32_t)h->s->outputs;
}

static size_t
rings_sent(const struct search *h, const struct leveled_plan *p)
{
    const size_t each = leveled_bits_a_ring(p, width_of(h, p));

    return (h->bits + each - 1) / each;
}

static uint32_t
log2_width(const struct search *h, const struct leveled_plan *p)
{
    uint32_t n = 0;

    while (1u << n < width_of(h, p))
        n++;
    return n;
}

/* Steps after which slots stand a leaf apart; 0 if they do as they are sent, or
 * there are no keys. */
static uint32_t
steps_apart(const struct search *h, const struct leveled_plan *p)
{
    const uint32_t bits = p->keys.steps + log2_width(h, p);

    return bits > IR_LOG2_LEVELED ? bits - IR_LOG2_LEVELED : 0;
}

/* the rows that the client sends, and keys */
static double
us_link(const struct search *h, const struct leveled_plan *p)
{
    const uint32_t m =
        p->keys.steps < IR_LOG2_LEVELED ? p->keys.steps : IR_LOG2_LEVELED;
    const size_t packs = m ? (h->wanted + (1u << m) - 1) >> m : 0;
    double levels = p->keys.ss.levels;

    for (uint32_t q = 0; q < p->keys.steps; q++)
        levels += p->keys.step[q].levels;
    return us_ring
           * ((double)packs * p->gg.levels + (double)rings_sent(h, p)
              + levels / COST_KEY_ROWS);
}

/* p with its sums and spread; v: variance of products, us: their work */
static void
consider_spread(struct search *h, struct leveled_plan p, double v, double us)
{
    const struct leveled_keys steps = leveled_first(p.keys, p.spread);
    /* differences of digits are less than the radix */
    const double r = (double)p.sums.radix - 1;
    const double v_pair =
        p.spread ? 2 * leveled_v_expand(&steps, h->sigma2) : h->sigma2;

    if (v + h->pairs * v_pair * r * r * width_of(h, &p) > p.sums.limit)
        return;
    us += h->s->products[log2_width(h, &p)] * leveled_us_product(p.gg.levels);
    if (p.spread)
        us += (double)rings_sent(h, &p) * leveled_us_spread(&steps);
    p.ms = (us + h->leaf_pairs * 2 * us_leaf * width_of(h, &p)) / 1e3;
    p.cost = p.ms * 1e3 / COST_THREADS + us_link(h, &p);
    if (p.cost < h->best.cost)
        h->best = p;
}

static void
consider(struct search *h, struct leveled_plan p, double v, double us)
{
    for (uint32_t n = 1; n <= LEVELED_DIGITS; n++) {
        p.sums = h->sums[n];
        p.spread = 0;
        if (!p.sums.digits || width_of(h, &p) > IR_LEVELED_COEFS)
            continue;
        consider_spread(h, p, v, us);
        p.spread = steps_apart(h, &p);
        if (p.spread && p.sums.bits + p.spread <= 63)
            consider_spread(h, p, v, us);
    }
}

static void
try_gadgets(struct search *h, struct leveled_plan p)
{
    const double expand = us_expand(&p.keys, h->count);
    const double v_body = leveled_v_body(&p.keys, h->sigma2);
    const double v_mask = leveled_v_mask(&p.keys, v_body, h->sigma2);

    for (p.gg.levels = 2; p.gg.levels <= MOST_LEVELS; p.gg.levels++)
        for (p.gg.log2_base = 2; p.gg.log2_base <= MOST_BASE;
             p.gg.log2_base++) {
            if (p.gg.levels * p.gg.log2_base + p.keys.steps > 50)
                break;
            consider(h, p,
                     h->s->chain
                         * leveled_v_cmux(&p.keys, p.gg, v_body, v_mask),
                     p.gg.levels
                         * (expand
                            + (double)h->inner * us_switch(p.keys.ss.levels)));
        }
}

/* The base of least noise. */
static struct model_gadget
switch_of(const struct search *h, struct leveled_keys k, uint32_t levels)
{
    struct model_gadget best = { levels, 1 };
    double least = (double)INFINITY;

    k.ss.levels = levels;
    for (k.ss.log2_base = 2; k.ss.log2_base * levels <= 52; k.ss.log2_base++) {
        const double v = leveled_v_mask(&k, 0, h->sigma2);

        if (v < least)
            least = v, best = k.ss;
    }
    return best;
}

static void
try_keys(struct search *h, uint32_t steps)
{
    struct leveled_plan p = { .keys = { .steps = steps } };
    struct leveled_keys *k = &p.keys;

    count_keyswitches(h->count, steps, h->slot, h->inner);
    for (uint32_t levels = 2; levels <= MOST_SWITCH; levels++) {
        k->ss = switch_of(h, *k, levels);
        for (uint32_t first = 3; first <= MOST_BASE; first++)
            for (uint32_t last = first; last <= MOST_BASE; last++) {
                leveled_grade(k, first, last);
                try_gadgets(h, p);
            }
    }
}

static void
try_fixed(struct search *h, const struct leveled_keys *keys)
{
    const struct leveled_plan p = { .keys = *keys };

    count_keyswitches(h->count, keys->steps, h->slot, h->inner);
    try_gadgets(h, p);
}

static void
prepare(struct search *h, struct arena *mem)
{
    const struct leveled_shape *s = h->s;
    uint32_t *times;

    h->slot = arena_new(mem, uint32_t, s->slots + 1);
    for (size_t i = 0; i < s->slots; i++) {
        if (s->inner[i])
            h->slot[h->inner++] = (uint32_t)(s->open ? h->wanted : i);
        h->wanted += s->inner[i] || !s->open;
        h->bits += s->pair[i] || !s->open;
    }
    for (size_t i = 0; i < s->nodes; i++)
        h->leaf_pairs += s->node[i].pair;
    /* each bit as it came, as often as it chooses between leaves */
    times = arena_new(mem, uint32_t, s->slots + 1);
    for (size_t i = 0; i < s->nodes; i++)
        times[s->node[i].slot] += s->node[i].pair;
    for (size_t i = 0; i < s->slots; i++)
        h->pairs += (double)times[i] * (double)times[i];
}

bool
leveled_search(struct leveled_plan *out, struct arena *mem,
               const struct ir_func *f, const struct leveled_shape *s,
               const struct leveled_keys *keys)
{
    struct search h = { .s = s, .best = { .cost = (double)INFINITY } };

    h.sigma2 = leveled_sums(h.sums, f, s);
    prepare(&h, mem);
    if (h.inner == 0)
        consider(&h, (struct leveled_plan){ 0 }, 0, 0);
    if (h.inner && keys)
        try_fixed(&h, keys);
    for (uint32_t m = LEAST_STEPS; m <= IR_LOG2_LEVELED && h.inner && !keys;
         m++)
        try_keys(&h, m);
    *out = h.best;
    return h.best.cost < (double)INFINITY;
}

bool
leveled_again(struct leveled_plan *p, const struct ir_func *f,
              const struct leveled_shape *s)
{
    struct search h = { .s = s };
    struct leveled_plan best = { .cost = (double)INFINITY };
    double v;

    h.sigma2 = leveled_sums(h.sums, f, s);
    v = leveled_v_body(&p->keys, h.sigma2);
    v = s->chain
        * leveled_v_cmux(&p->keys, p->gg, v,
                         leveled_v_mask(&p->keys, v, h.sigma2));
    for (uint32_t n = 1; n <= LEVELED_DIGITS; n++) {
        p->sums = h.sums[n];
        if (!p->sums.digits || width_of(&h, p) > IR_LEVELED_COEFS
            || v > p->sums.limit)
            continue;
        p->ms = s->products[log2_width(&h, p)]
                * leveled_us_product(p->gg.levels) / 1e3;
        p->cost = 1e3 * p->ms / COST_THREADS;
        if (p->cost < best.cost)
            best = *p;
    }
    *p = best;
    return p->cost < (double)INFINITY;
}

bool
leveled_plan(struct leveled_plan *out, struct pass_ctx *cx,
             const struct ir_func *f, const struct ir_ins *forest,
             const struct leveled_shape *s, const struct leveled_keys *keys)
{
    struct leveled_sums sums[LEVELED_DIGITS + 1];

    if (leveled_search(out, cx->scratch, f, s, keys))
        return true;
    (void)leveled_sums(sums, f, s);
    cx->status = 6;
    if (s->outputs > IR_LEVELED_COEFS) {
        diag_error(cx->diag, forest->at, E_no_parameters,
                   "a forest of %zu outputs: at most %d share a ciphertext",
                   s->outputs, IR_LEVELED_COEFS);
        diag_help(cx->diag, "split the outputs over several forests");
        return false;
    }
    diag_error(cx->diag, forest->at, E_no_parameters,
               "no gadgets keep the failure bound 2^%g for this forest",
               ir_get(f, "log2_pfail", -128));
    diag_note(cx->diag, forest->at,
              "%zu trees, %.0f products in series at worst, sums of %u bits",
              s->trees, s->chain, sums[1].bits);
    diag_help(cx->diag,
              "fewer bits for the leaves: quantize { leaves N bits; }");
    return false;
}
