/* Exhaustive search of (k, N, n, levels, bases), lang-spec/crypto.md 11.
 *
 * Everything is visited that is neither dearer than the best nor too noisy:
 * for each ring and level count only the base of least noise, level counts
 * that lower it, and under TUniform noise only the n where t falls.
 *
 * A set is good if every event keeps its share of the budget, (38).  That
 * finds a first answer; then sets cheaper than it are asked with the exact sum
 * (37).
 */
#include "passes/search.h"

#include "passes/cost.h"
#include "passes/events.h"
#include "passes/search_points.h"

#include <math.h>

enum {
    MAX_K = 6,
    MIN_LOG2_N = 8,
    MAX_LOG2_N = 17,
    DEFAULT_LOG2_N = 16,
    MAX_N = 2047,
    RINGS = MAX_LOG2_N - MIN_LOG2_N + 1,
};

struct ring {
    struct model_ring r;
    double v_fresh;
    struct points br;
};

struct place {
    struct model_ring r;
    uint32_t n;
    const struct points *br, *ks;
    double v[ORIGINS];
};

struct search {
    const struct search_problem *p;
    struct events ev;
    bool exact;
    struct ring ring[MAX_K * RINGS];
    size_t nrings;
    struct ir_params best;
    double best_cost, best_ratio; /* the ratio is that of the worst form */
    size_t least;                 /* visit_least: the event of that form */
};

/* ---- variances, with the options of the problem */

static double
v_fresh(const struct search_problem *p, double n)
{
    return model_v_fresh(p->level, p->noise, n);
}

static double
v_cmux(const struct search_problem *p, struct model_ring r,
       struct model_gadget g, double sigma2)
{
    return p->v_cmux ? p->v_cmux(r, g, sigma2) : model_v_cmux(r, g, sigma2);
}

/* of a key whose bodies are rounded to 32 bits unless it is wide, (15) */
static double
v_ks1(const struct search_problem *p, struct model_gadget g, double sigma2)
{
    return model_v_ks1(g, p->wide_ksk ? sigma2 : sigma2 + MODEL_V_ROUND32);
}

static double
v_ms(const struct search_problem *p, struct model_ring r, double n)
{
    const double m = 2 * model_degree(r);

    return p->classic ? model_v_ms_classic(n, m) : model_v_ms(n, m);
}

static double
linear_cost(const struct search_problem *p, const struct place *at)
{
    const double dim = model_dimension(at->r);

    return search_linear_cost(p, p->pbs_ks ? at->n : dim, dim);
}

/* ---- candidates; variance falls and then rises with the base */

static void
br_points(struct points *to, const struct search_problem *p,
          struct model_ring r, double sigma2)
{
    to->n = 0;
    for (uint32_t l = 1; l <= GADGET_BITS; l++) {
        struct point best = { .g = { l, 0 }, .v = (double)INFINITY };

        for (uint32_t b = 1; b * l <= GADGET_BITS; b++) {
            const struct model_gadget g = { l, b };
            const double v = v_cmux(p, r, g, sigma2);

            if (v > best.v)
                break;
            best = (struct point){ .g = g, .v = v };
        }
        best.cost = search_cmux_cost(p, r, l);
        points_add(to, &best);
    }
}

/* ---- the search */

static void
take(struct search *s, const struct place *at, const struct point *br,
     const struct point *ks, double cost)
{
    size_t event;
    const double ratio = events_worst(&s->ev, at->v, &event);

    if (cost >= s->best_cost && ratio >= s->best_ratio * SAME)
        return;
    s->best_cost = cost;
    s->best_ratio = ratio;
    s->best.k = at->r.k;
    s->best.log2_n = at->r.log2_n;
    s->best.n = at->n;
    s->best.br_levels = br->g.levels;
    s->best.br_log2_base = br->g.log2_base;
    s->best.ks_levels = ks->g.levels;
    s->best.ks_log2_base = ks->g.log2_base;
}

/* The cheapest keyswitch that fits. */
static void
visit_ks(struct search *s, struct place *at, const struct point *br,
         double cost)
{
    for (size_t i = 0; i < at->ks->n; i++) {
        const struct point *ks = &at->ks->at[i];
        const double all =
            cost + search_ks_cost_all(s->p, &s->ev, at->r, at->n, ks->g.levels);

        if (all > s->best_cost)
            return;
        at->v[KS] = search_v_ks_of(s->p, at->r, ks->v);
        at->v[KS1] = ks->v;
        if (events_fit(&s->ev, at->v, s->exact)) {
            take(s, at, br, ks, all);
            return;
        }
    }
}

static void
visit_ring(struct search *s, struct place *at)
{
    if (events_hopeless(&s->ev, at->v, s->exact))
        return;
    for (size_t i = 0; i < at->br->n; i++) {
        const struct point *br = &at->br->at[i];
        const double pbs = at->n * br->cost;
        const double cost = s->ev.tables * pbs + linear_cost(s->p, at);

        if (cost > s->best_cost)
            return;
        at->v[BR] = at->n * br->v;
        at->v[KS] = at->v[KS1] = 0;
        if (!events_hopeless(&s->ev, at->v, s->exact))
            visit_ks(s, at, br, cost);
    }
}

/* The ratio of the least noise here, whatever it costs. */
static void
visit_least(struct search *s, struct place *at)
{
    double ratio;
    size_t event = 0;

    at->v[BR] = at->n * at->br->at[at->br->n - 1].v;
    at->v[KS1] = at->ks->at[at->ks->n - 1].v;
    at->v[KS] = search_v_ks_of(s->p, at->r, at->v[KS1]);
    ratio = events_worst(&s->ev, at->v, &event);
    if (ratio < s->best_ratio) {
        s->best_ratio = ratio;
        s->least = event;
    }
}

/* What tables need; *event is one that needs most. */
static uint32_t
first_log2_n(const struct search_problem *p, size_t *event)
{
    uint32_t first = MIN_LOG2_N;

    for (size_t i = 0; i < p->n; i++)
        if (p->event[i].min_log2_n > first) {
            first = p->event[i].min_log2_n;
            *event = i;
        }
    return first;
}

static uint32_t
last_log2_n(const struct search_problem *p)
{
    return p->max_log2_n > 0 ? p->max_log2_n : DEFAULT_LOG2_N;
}

/* Under TUniform noise a larger n with the same t is worse in every way. */
static bool
worth(const struct search_problem *p, uint32_t n)
{
    return p->noise == MODEL_GAUSS
           || search_t_small(p, n) < search_t_small(p, n - 1);
}

static void
add_rings(struct search *s)
{
    size_t event;

    for (uint32_t k = 1; k <= MAX_K; k++)
        for (uint32_t log2_n = first_log2_n(s->p, &event);
             log2_n <= last_log2_n(s->p); log2_n++) {
            const struct model_ring r = { k, log2_n, false };
            struct ring *x = &s->ring[s->nrings];

            if (model_dimension(r) < MODEL_MIN_DIMENSION)
                continue;
            x->r = r;
            x->v_fresh = v_fresh(s->p, model_dimension(r));
            br_points(&x->br, s->p, r, x->v_fresh);
            s->nrings++;
        }
}

static void
visit_rings(struct search *s, uint32_t n, const struct points *ks,
            void (*visit)(struct search *, struct place *))
{
    for (size_t i = 0; i < s->nrings; i++) {
        const struct ring *x = &s->ring[i];
        struct place at = { .r = x->r, .n = n, .br = &x->br, .ks = ks };

        at.v[FRESH] = x->v_fresh;
        at.v[ZERO] = model_v_zero(x->r, x->v_fresh);
        at.v[MS] = v_ms(s->p, x->r, n);
        at.v[DIM] = model_dimension(x->r);
        at.v[ONE] = 1;
        visit(s, &at);
    }
}

static void
visit_all(struct search *s, void (*visit)(struct search *, struct place *))
{
    const uint32_t least = (uint32_t)MODEL_MIN_DIMENSION;
    const uint32_t first = s->p->min_n > least ? s->p->min_n : least;

    for (uint32_t n = first; n <= MAX_N; n++) {
        struct points ks;

        if (n > first && !worth(s->p, n))
            continue;
        points_ks(&ks, s->p, n);
        visit_rings(s, n, &ks, visit);
    }
}

static bool
search_all(struct search *s)
{
    add_rings(s);
    visit_all(s, visit_ring);
    s->exact = true;
    if (s->ev.shared)
        visit_all(s, visit_ring);
    if (s->best.n > 0)
        return true;
    if (!(s->p->most > 0))
        visit_all(s, visit_least);
    return false;
}

void
search_bounds(struct ir_params *s, const struct search_problem *p)
{
    const struct model_ring r = { s->k, s->log2_n, s->ternary };

    s->level = p->level;
    if (p->noise == MODEL_GAUSS)
        return;
    s->t_glwe = model_tuniform(p->level, model_dimension(r), 64);
    if (s->n > 0)
        s->t_lwe = search_t_small(p, s->n);
}

bool
search_params(struct ir_params *out, const struct search_problem *p,
              size_t *tightest)
{
    struct arena mem = { 0 };
    struct search s = { .p = p,
                        .best_cost =
                            p->most > 0 ? 1e6 * p->most : (double)INFINITY,
                        .best_ratio = (double)INFINITY };
    bool found;

    if (first_log2_n(p, tightest) > last_log2_n(p))
        return false;
    events_init(&s.ev, p, &mem);
    found = search_all(&s);
    *tightest = s.least;
    arena_free(&mem);
    if (!found)
        return false;
    *out = s.best;
    search_bounds(out, p);
    return search_measure(out, p, tightest);
}

bool
search_leveled(struct ir_params *out, const struct search_problem *p,
               size_t *tightest)
{
    bool given = false;

    for (size_t i = 0; i < p->n; i++)
        given = given || p->event[i].leveled;
    for (uint32_t log2_n = IR_LOG2_LEVELED; log2_n <= (given ? 11 : 12);
         log2_n++) {
        *out = (struct ir_params){ .k = 1, .log2_n = log2_n, .ternary = true };
        search_bounds(out, p);
        if (search_measure(out, p, tightest))
            return true;
    }
    return false;
}

/* ---- one set */

static void
measure_wide(struct ir_params *s, const struct search_problem *p,
             struct model_ring r)
{
    const struct model_gadget tr = { s->tr_levels, s->tr_log2_base };
    const struct model_gadget ss = { s->ss_levels, s->ss_log2_base };
    const struct model_gadget cb = { s->cb_levels, s->cb_log2_base };
    const double v_auto = model_v_auto(r, tr, s->tr_low_bits, s->v_fresh);
    const double v_switch = model_v_switch(r, ss, s->ss_low_bits, s->v_fresh);
    const double mask = model_v_mask(r, s->v_br, v_auto, v_switch);

    s->v_ext = model_v_ext(r, cb, mask, model_v_body(r, s->v_br, v_auto));
    s->v_ms_wide = model_v_ms_wide(r, s->n, s->cb_levels);
    s->wide_bits = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->event[i].width > s->wide_bits)
            s->wide_bits = p->event[i].width;
}

double
search_rate(const struct search_problem *p, struct model_ring r,
            uint32_t levels)
{
    return search_cmux_cost(p, r, levels) / model_cost_cmux(r, levels);
}

double
search_trace_cost(const struct search_problem *p, struct model_ring r,
                  uint32_t levels, uint32_t limbs)
{
    return search_rate(p, r, levels) * model_cost_trace(r, levels, limbs);
}

double
search_switch_cost(const struct search_problem *p, struct model_ring r,
                   uint32_t levels, uint32_t limbs)
{
    return search_rate(p, r, levels) * model_cost_switch(r, levels, limbs);
}

double
search_choice_cost(const struct search_problem *p, struct model_ring r,
                   uint32_t levels)
{
    double sum = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct search_event *e = &p->event[i];

        if (e->wide)
            sum += e->count * model_cost_rows(r, levels);
        if (e->width > 0)
            sum += e->count * model_cost_choice(r, levels, e->width);
    }
    return search_rate(p, r, levels) * sum;
}

double
search_wide_cost(const struct ir_params *s, const struct search_problem *p)
{
    const struct model_ring r = { s->k, s->log2_n, false };
    const double row =
        search_trace_cost(p, r, s->tr_levels, s->tr_low_bits ? 2 : 1)
        + search_switch_cost(p, r, s->ss_levels, s->ss_low_bits ? 2 : 1);
    double bits = 0;

    for (size_t i = 0; i < p->n; i++)
        if (p->event[i].wide)
            bits += p->event[i].count;
    return bits * s->cb_levels * row + search_choice_cost(p, r, s->cb_levels);
}

static void
measure_tables(struct ir_params *s, const struct search_problem *p,
               const struct place *at)
{
    const struct model_gadget br = { s->br_levels, s->br_log2_base };
    const struct model_gadget ks = { s->ks_levels, s->ks_log2_base };
    const double small = p->noise == MODEL_GAUSS
                             ? v_fresh(p, s->n)
                             : model_v_tuniform(s->t_lwe, 64);

    s->v_br = s->n * v_cmux(p, at->r, br, s->v_fresh); /* (21) */
    s->v_ks = search_v_ks_of(p, at->r, v_ks1(p, ks, small));
    s->v_ms = v_ms(p, at->r, s->n);
    if (s->tr_levels > 0)
        measure_wide(s, p, at->r);
}

/* (55), (56) and (57) */
static double
cost_of(const struct ir_params *s, const struct events *ev,
        const struct place *at)
{
    const double pbs = s->n * search_cmux_cost(ev->p, at->r, s->br_levels);
    const double ks =
        s->n > 0 ? search_ks_cost_all(ev->p, ev, at->r, at->n, s->ks_levels)
                 : 0;

    return ev->tables * pbs + ks + linear_cost(ev->p, at)
           + (s->tr_levels > 0 ? search_wide_cost(s, ev->p) : 0);
}

double
search_v_ks1(const struct ir_params *s)
{
    const struct model_ring r = { s->k, s->log2_n, s->ternary };

    return s->n > 0 ? (s->v_ks - MODEL_V_ROUND32) / model_dimension(r) : 0;
}

static void
variances(double v[ORIGINS], const struct ir_params *s)
{
    v[FRESH] = s->v_fresh;
    v[BR] = s->v_br;
    v[EXT] = s->v_ext;
    v[ZERO] = s->v_zero;
    v[KS] = s->v_ks;
    v[MS] = s->v_ms;
    v[MS_WIDE] = s->v_ms_wide;
    v[KS1] = search_v_ks1(s);
    v[DIM] = (double)((uint64_t)s->k << s->log2_n);
    v[ONE] = 1;
}

bool
search_measure(struct ir_params *s, const struct search_problem *p,
               size_t *tightest)
{
    const struct place at = { .r = { s->k, s->log2_n, s->ternary }, .n = s->n };
    struct arena mem = { 0 };
    struct events ev;
    double v[ORIGINS];
    bool good;

    s->v_fresh = p->noise == MODEL_GAUSS ? v_fresh(p, model_dimension(at.r))
                                         : model_v_tuniform(s->t_glwe, 64);
    s->v_zero = model_v_zero(at.r, s->v_fresh);
    s->v_br = s->v_ks = s->v_ms = s->v_ext = s->v_ms_wide = 0;
    if (s->n > 0)
        measure_tables(s, p, &at);
    variances(v, s);
    events_init(&ev, p, &mem);
    s->cost = cost_of(s, &ev, &at) / 1e6;
    s->log2_pfail = events_union(p, v);
    events_worst(&ev, v, tightest);
    good = events_fit(&ev, v, true)
           && (s->n == 0 || s->log2_n >= first_log2_n(p, tightest));
    arena_free(&mem);
    return good && (s->n > 0 || ev.tables == 0)
           && (s->tr_levels > 0 || ev.wide_bits < 1);
}

double
search_variance(const struct ir_params *s, const struct search_event *e)
{
    double v[ORIGINS];

    variances(v, s);
    return events_variance(&(struct search_problem){ 0 }, e, v);
}
