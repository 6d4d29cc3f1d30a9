/* The search with wide tables: three gadgets more, lang-spec/crypto.md 16.
 *
 * Rings are small, 1024 <= kN <= 8192.  Of each part only the choices that
 * lower its noise are visited, in order of their cost, and a partial choice is
 * left when the least noise of the rest does not save it or when it costs more
 * than the best so far.
 */
#include "passes/search.h"

#include "passes/cost.h"
#include "passes/events.h"

#include <math.h>

enum {
    MAX_K = 6,
    MIN_LOG2_N = 9,
    MAX_LOG2_N = 13,
    LEAST = 1024, /* of kN */
    MOST = 8192,
    MAX_N = 1399,
    RINGS = MAX_K * (MAX_LOG2_N - MIN_LOG2_N + 1),
    GADGET_BITS = 62,
    KSK_BITS = 32, /* of a key modulo 2^32 */
    /* levels of rotation and trace, of the switch, of data bits */
    MOST_LEVELS = 20,
    SWITCH_LEVELS = 10,
    BIT_LEVELS = 12,
    MAX_BASE = 40,
};

#define SAME (1 - 1e-9)

struct point {
    struct model_gadget g;
    double v;
};

struct points {
    struct point at[GADGET_BITS];
    size_t n;
};

/* V_ext = slope (k V_m + V_b) + rest,  (29) */
struct bits {
    struct model_gadget g;
    double slope, rest;
};

struct ring {
    struct model_ring r;
    double sigma2;
    struct points br, tr, ss;
    struct bits bit[BIT_LEVELS * MAX_BASE];
    size_t nbits;
};

struct place {
    const struct ring *x;
    uint32_t n;
    const struct points *ks;
    const struct point *br, *tr, *ss;
    const struct bits *cb;
    double v[ORIGINS];
    double cost; /* of bootstraps and linear work */
};

struct search {
    const struct search_problem *p;
    struct events ev;
    bool exact;
    struct ring *ring;
    size_t nrings;
    struct ir_params best;
    double best_cost, best_ratio;
    size_t least;
};

/* ---- candidates */

static void
add_point(struct points *to, const struct point *x)
{
    if (to->n == 0 || x->v < to->at[to->n - 1].v)
        to->at[to->n++] = *x;
}

static void
fill_points(struct points *to, struct model_ring r, double sigma2,
            uint32_t levels, model_cmux *v_of)
{
    to->n = 0;
    for (uint32_t l = 1; l <= levels; l++) {
        struct point best = { { l, 0 }, (double)INFINITY };

        for (uint32_t b = 2; b <= MAX_BASE && b * l <= GADGET_BITS; b++) {
            const struct model_gadget g = { l, b };
            const double v = v_of(r, g, sigma2);

            if (v < best.v)
                best = (struct point){ g, v };
        }
        add_point(to, &best);
    }
}

/* ---- variances and costs, with the options of the problem */

/* as in search.c: words of 32 bits have the noise that they need */
static int
t_small(const struct search_problem *p, uint32_t n)
{
    return p->wide_ksk ? model_tuniform(p->level, n, 64)
                       : 32 + model_tuniform(p->level, n, 32);
}

static double
v_ks(const struct search_problem *p, struct model_ring r, double v1)
{
    return model_dimension(r) * v1 + (p->wide_ksk ? 0 : MODEL_V_ROUND32);
}

static void
ks_points(struct points *to, const struct search_problem *p, uint32_t n)
{
    const uint32_t bits = p->wide_ksk ? GADGET_BITS : KSK_BITS;
    const double sigma2 = model_v_tuniform(t_small(p, n), 64)
                          + (p->wide_ksk ? 0 : MODEL_V_ROUND32);

    to->n = 0;
    for (uint32_t l = 1; l < bits; l++) {
        struct point best = { { l, 0 }, (double)INFINITY };

        for (uint32_t b = 1; b * l <= bits; b++) {
            const struct model_gadget g = { l, b };
            const double v = model_v_ks1(g, sigma2);

            if (v < best.v)
                best = (struct point){ g, v };
        }
        add_point(to, &best);
    }
}

static double
cmux_cost(const struct search_problem *p, struct model_ring r, uint32_t levels)
{
    return search_rate(p, r, levels) * model_cost_cmux(r, levels);
}

static double
ks_cost(const struct search_problem *p, struct model_ring r, double n,
        uint32_t levels)
{
    return p->published_cost ? model_cost_ks(model_dimension(r), n, levels)
                             : cost_ks(model_dimension(r), n, levels);
}

static void
fill_bits(struct ring *x)
{
    for (uint32_t l = 1; l <= BIT_LEVELS; l++)
        for (uint32_t b = 2; b <= MAX_BASE && b * l <= GADGET_BITS; b++) {
            const struct model_gadget g = { l, b };
            const double rest = model_v_ext(x->r, g, 0, 0);

            x->bit[x->nbits++] =
                (struct bits){ g, model_v_ext(x->r, g, 0, 1) - rest, rest };
        }
}

static void
add_rings(struct search *s, uint32_t least_log2_n)
{
    for (uint32_t k = 1; k <= MAX_K; k++)
        for (uint32_t log2_n = MIN_LOG2_N; log2_n <= MAX_LOG2_N; log2_n++) {
            const struct model_ring r = { k, log2_n, false };
            struct ring *x = &s->ring[s->nrings];
            const double dim = model_dimension(r);
            const uint32_t words = k << log2_n;

            if (words < LEAST || words > MOST || log2_n < least_log2_n)
                continue;
            x->r = r;
            x->sigma2 = model_v_fresh(s->p->level, MODEL_TUNIFORM, dim);
            fill_points(&x->br, r, x->sigma2, MOST_LEVELS,
                        s->p->v_cmux ? s->p->v_cmux : model_v_cmux);
            fill_points(&x->tr, r, x->sigma2, MOST_LEVELS, model_v_auto);
            fill_points(&x->ss, r, x->sigma2, SWITCH_LEVELS, model_v_switch);
            fill_bits(x);
            s->nrings++;
        }
}

/* ---- the search */

static double
v_rows(const struct place *at, double tr, double ss)
{
    const struct model_ring r = at->x->r;

    return r.k * model_v_mask(r, at->v[BR], tr, ss)
           + model_v_body(r, at->v[BR], tr);
}

/* Of levels l, or of any if l = 0. */
static const struct bits *
least_bits(const struct ring *x, uint32_t l, double rows)
{
    const struct bits *best = NULL;
    double least = (double)INFINITY;

    for (const struct bits *b = x->bit; b < x->bit + x->nbits; b++) {
        const double v = b->slope * rows + b->rest;

        if ((l == 0 || b->g.levels == l) && v < least) {
            least = v;
            best = b;
        }
    }
    return best;
}

static struct ir_params
params_of(const struct place *at, const struct point *ks)
{
    return (struct ir_params){
        .k = at->x->r.k,
        .log2_n = at->x->r.log2_n,
        .n = at->n,
        .br_levels = at->br->g.levels,
        .br_log2_base = at->br->g.log2_base,
        .ks_levels = ks->g.levels,
        .ks_log2_base = ks->g.log2_base,
        .tr_levels = at->tr->g.levels,
        .tr_log2_base = at->tr->g.log2_base,
        .ss_levels = at->ss->g.levels,
        .ss_log2_base = at->ss->g.log2_base,
        .cb_levels = at->cb->g.levels,
        .cb_log2_base = at->cb->g.log2_base,
    };
}

static void
take(struct search *s, const struct place *at, const struct point *ks,
     double cost)
{
    size_t event;
    const double ratio = events_worst(&s->ev, at->v, &event);

    if (cost >= s->best_cost && ratio >= s->best_ratio * SAME)
        return;
    s->best_cost = cost;
    s->best_ratio = ratio;
    s->best = params_of(at, ks);
}

static void
visit_ks(struct search *s, struct place *at, double cost)
{
    for (size_t i = 0; i < at->ks->n; i++) {
        const struct point *ks = &at->ks->at[i];
        const double all =
            cost + s->ev.tables * ks_cost(s->p, at->x->r, at->n, ks->g.levels);

        if (all > s->best_cost)
            return;
        at->v[KS] = v_ks(s->p, at->x->r, ks->v);
        if (events_fit(&s->ev, at->v, s->exact)) {
            take(s, at, ks, all);
            return;
        }
    }
}

static void
visit_bits(struct search *s, struct place *at)
{
    const double rows = v_rows(at, at->tr->v, at->ss->v);
    const struct model_ring r = at->x->r;

    for (uint32_t l = 1; l <= BIT_LEVELS; l++) {
        struct ir_params set;
        double all;

        at->cb = least_bits(at->x, l, rows);
        if (!at->cb || model_log2_outputs(l) >= r.log2_n)
            continue;
        set = params_of(at, &at->ks->at[0]);
        all = at->cost + search_wide_cost(&set, s->p);
        if (all > s->best_cost)
            return;
        at->v[KS] = 0;
        at->v[EXT] = at->cb->slope * rows + at->cb->rest;
        at->v[MS_WIDE] = model_v_ms_wide(r, at->n, l);
        if (!events_hopeless(&s->ev, at->v, s->exact))
            visit_ks(s, at, all);
    }
}

/* With the least noise of the gadgets that are not chosen yet. */
static bool
hopeless(const struct search *s, struct place *at, double tr, double ss)
{
    const double rows = v_rows(at, tr, ss);
    const struct bits *cb = least_bits(at->x, 0, rows);

    at->v[KS] = 0;
    at->v[EXT] = cb->slope * rows + cb->rest;
    at->v[MS_WIDE] = model_v_ms_wide(at->x->r, at->n, 1);
    return events_hopeless(&s->ev, at->v, s->exact);
}

/* Linear work and bootstraps, and the least with so many levels of the trace
 * and the switch. */
static double
cost_with(const struct search *s, const struct place *at, uint32_t tr,
          uint32_t ss)
{
    const struct model_ring r = at->x->r;
    const double row = search_rate(s->p, r, tr) * model_cost_trace(r, tr)
                       + search_rate(s->p, r, ss) * model_cost_switch(r, ss);

    return at->cost + s->ev.wide_bits * row;
}

static void
visit_gadgets(struct search *s, struct place *at)
{
    const struct points *tr = &at->x->tr, *ss = &at->x->ss;
    const double least_ss = ss->at[ss->n - 1].v;

    for (size_t i = 0; i < tr->n; i++) {
        at->tr = &tr->at[i];
        if (cost_with(s, at, at->tr->g.levels, 1) > s->best_cost)
            return;
        if (hopeless(s, at, at->tr->v, least_ss))
            continue;
        for (size_t j = 0; j < ss->n; j++) {
            at->ss = &ss->at[j];
            if (cost_with(s, at, at->tr->g.levels, at->ss->g.levels)
                > s->best_cost)
                break;
            if (!hopeless(s, at, at->tr->v, at->ss->v))
                visit_bits(s, at);
        }
    }
}

static void
visit_ring(struct search *s, struct place *at)
{
    const struct ring *x = at->x;
    const double linear = s->p->additions * model_dimension(x->r)
                          * (s->p->published_cost ? 1 : cost_linear());

    for (size_t i = 0; i < x->br.n; i++) {
        at->br = &x->br.at[i];
        at->cost =
            linear
            + s->ev.tables * at->n * cmux_cost(s->p, x->r, at->br->g.levels);
        if (cost_with(s, at, 1, 1) > s->best_cost)
            return;
        at->v[BR] = at->n * at->br->v;
        if (!hopeless(s, at, x->tr.at[x->tr.n - 1].v, x->ss.at[x->ss.n - 1].v))
            visit_gadgets(s, at);
    }
}

/* The ratio of the least noise here, whatever it costs. */
static void
visit_least(struct search *s, struct place *at)
{
    const struct ring *x = at->x;
    size_t event = 0;
    double ratio;

    at->v[BR] = at->n * x->br.at[x->br.n - 1].v;
    (void)hopeless(s, at, x->tr.at[x->tr.n - 1].v, x->ss.at[x->ss.n - 1].v);
    at->v[KS] = v_ks(s->p, x->r, at->ks->at[at->ks->n - 1].v);
    ratio = events_worst(&s->ev, at->v, &event);
    if (ratio < s->best_ratio) {
        s->best_ratio = ratio;
        s->least = event;
    }
}

static void
visit_all(struct search *s, void (*visit)(struct search *, struct place *))
{
    int before = 0;

    for (uint32_t n = (uint32_t)MODEL_MIN_DIMENSION; n <= MAX_N; n++) {
        const int t = t_small(s->p, n);
        struct points ks;

        if (before > 0 && t >= before)
            continue;
        before = t;
        ks_points(&ks, s->p, n);
        for (size_t i = 0; i < s->nrings; i++) {
            struct place at = { .x = &s->ring[i], .n = n, .ks = &ks };
            const struct model_ring r = at.x->r;

            at.v[FRESH] = at.x->sigma2;
            at.v[ZERO] = model_v_zero(r, at.x->sigma2);
            at.v[MS] = model_v_ms(n, 2 * model_degree(r));
            visit(s, &at);
        }
    }
}

static uint32_t
least_log2_n(const struct search_problem *p)
{
    uint32_t least = 0;

    for (size_t i = 0; i < p->n; i++)
        if (p->event[i].min_log2_n > least)
            least = p->event[i].min_log2_n;
    return least;
}

bool
search_wide(struct ir_params *out, const struct search_problem *p,
            size_t *tightest)
{
    struct arena mem = { 0 };
    struct search s = { .p = p,
                        .best_cost = (double)INFINITY,
                        .best_ratio = (double)INFINITY };
    bool found;

    events_init(&s.ev, p, &mem);
    s.ring = arena_new(&mem, struct ring, RINGS);
    add_rings(&s, least_log2_n(p));
    visit_all(&s, visit_ring);
    s.exact = true;
    if (s.ev.shared)
        visit_all(&s, visit_ring);
    found = !isinf(s.best_cost);
    if (!found)
        visit_all(&s, visit_least);
    *tightest = s.least;
    arena_free(&mem);
    if (!found)
        return false;
    *out = s.best;
    search_bounds(out, p);
    return search_measure(out, p, tightest);
}
