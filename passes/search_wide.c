/* The search with wide tables: three gadgets more, lang-spec/crypto.md 16.
 *
 * Rings are small, 1024 <= kN <= 8192.  Of each part only the choices that
 * lower its noise are visited, in order of their cost, and a partial choice is
 * left when the least noise of the rest does not save it or when it costs more
 * than the best so far.
 */
#include "passes/search.h"

#include "passes/events.h"
#include "passes/search_points.h"

#include <math.h>
#include <stdlib.h>

enum {
    MAX_K = 6,
    MIN_LOG2_N = 9,
    MAX_LOG2_N = 13,
    LEAST = 1024, /* of kN */
    MOST = 8192,
    MAX_N = 1399,
    RINGS = MAX_K * (MAX_LOG2_N - MIN_LOG2_N + 1),
    /* levels of rotation and trace, of the switch, of data bits */
    MOST_LEVELS = 20,
    SWITCH_LEVELS = 10,
    BIT_LEVELS = 12,
    MAX_BASE = 40,
    MAX_LOW = 62, /* bits of a low limb */
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
    size_t first[BIT_LEVELS + 2]; /* of l levels; [l + 1]: behind them */
    /* of rows to Fourier and choices of entries with l levels, all tables */
    double choice[BIT_LEVELS + 1];
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

/* The base of least noise for l levels in so many limbs. */
typedef struct point candidate(const struct search_problem *p,
                               const struct ring *x, uint32_t l,
                               uint32_t limbs);

static struct point
rotation_of(const struct search_problem *p, const struct ring *x, uint32_t l,
            uint32_t limbs)
{
    model_cmux *const v_of = p->v_cmux ? p->v_cmux : model_v_cmux;
    struct point best = { .v = (double)INFINITY };

    (void)limbs;
    for (uint32_t b = 2; b <= MAX_BASE && b * l <= GADGET_BITS; b++) {
        const struct model_gadget g = { l, b };
        const double v = v_of(x->r, g, x->sigma2);

        if (v < best.v)
            best = (struct point){ g, 0, v, search_cmux_cost(p, x->r, l) };
    }
    return best;
}

static struct point
trace_of(const struct search_problem *p, const struct ring *x, uint32_t l,
         uint32_t limbs)
{
    const double cost = search_trace_cost(p, x->r, l, limbs);
    struct point best = { .v = (double)INFINITY };

    for (uint32_t b = 2; b <= MAX_BASE && b * l <= GADGET_BITS; b++) {
        const struct model_gadget g = { l, b };
        const uint32_t low =
            limbs > 1 ? model_low_bits(x->r, x->r.k * l, b) : 0;
        const double v = model_v_auto(x->r, g, low, x->sigma2);

        if (low <= MAX_LOW && v < best.v)
            best = (struct point){ g, low, v, cost };
    }
    return best;
}

static struct point
switch_of(const struct search_problem *p, const struct ring *x, uint32_t l,
          uint32_t limbs)
{
    const double cost = search_switch_cost(p, x->r, l, limbs);
    struct point best = { .v = (double)INFINITY };

    for (uint32_t b = 2; b <= MAX_BASE && b * l <= GADGET_BITS; b++) {
        const struct model_gadget g = { l, b };
        const uint32_t low =
            limbs > 1 ? model_low_bits(x->r, (x->r.k + 1) * l, b) : 0;
        const double v = model_v_switch(x->r, g, low, x->sigma2);

        if (low <= MAX_LOW && v < best.v)
            best = (struct point){ g, low, v, cost };
    }
    return best;
}

static int
by_cost(const void *a, const void *b)
{
    const struct point *x = a, *y = b;

    return (x->cost > y->cost) - (x->cost < y->cost);
}

/* Candidates of up to so many levels and limbs. */
static void
fill_points(struct points *to, const struct search_problem *p,
            const struct ring *x, uint32_t levels, uint32_t limbs,
            candidate *of)
{
    struct point all[2 * MOST_LEVELS];
    size_t n = 0;

    for (uint32_t l = 1; l <= levels; l++)
        for (uint32_t i = 1; i <= limbs; i++)
            if (p->limbs == 0 || limbs == 1 || p->limbs == i)
                all[n++] = of(p, x, l, i);
    qsort(all, n, sizeof *all, by_cost);
    to->n = 0;
    for (size_t i = 0; i < n; i++)
        points_add(to, &all[i]);
}

/* The slope rises with the base: a base is worth it if `rest` falls. */
static void
fill_bits(struct ring *x)
{
    size_t n = 0;

    for (uint32_t l = 1; l <= BIT_LEVELS; l++) {
        double least = (double)INFINITY;

        x->first[l] = n;
        for (uint32_t b = 2; b <= MAX_BASE && b * l <= GADGET_BITS; b++) {
            const struct model_gadget g = { l, b };
            const double rest = model_v_ext(x->r, g, 0, 0);

            if (rest >= least)
                continue;
            least = rest;
            x->bit[n++] =
                (struct bits){ g, model_v_ext(x->r, g, 0, 1) - rest, rest };
        }
    }
    x->first[BIT_LEVELS + 1] = n;
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
            fill_points(&x->br, s->p, x, MOST_LEVELS, 1, rotation_of);
            fill_points(&x->tr, s->p, x, MOST_LEVELS, 2, trace_of);
            fill_points(&x->ss, s->p, x, SWITCH_LEVELS, 2, switch_of);
            fill_bits(x);
            for (uint32_t l = 1; l <= BIT_LEVELS; l++)
                x->choice[l] = search_choice_cost(s->p, r, l);
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

    for (size_t i = x->first[l ? l : 1];
         i < x->first[l ? l + 1 : BIT_LEVELS + 1]; i++) {
        const double v = x->bit[i].slope * rows + x->bit[i].rest;

        if (v < least) {
            least = v;
            best = &x->bit[i];
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
        .tr_low_bits = at->tr->low_bits,
        .ss_levels = at->ss->g.levels,
        .ss_log2_base = at->ss->g.log2_base,
        .ss_low_bits = at->ss->low_bits,
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
            cost
            + search_ks_cost_all(s->p, &s->ev, at->x->r, at->n, ks->g.levels);

        if (all > s->best_cost)
            return;
        at->v[KS] = search_v_ks_of(s->p, at->x->r, ks->v);
        at->v[KS1] = ks->v;
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
        double all;

        at->cb = least_bits(at->x, l, rows);
        if (!at->cb || model_log2_outputs(l) >= r.log2_n)
            continue;
        all = at->cost + s->ev.wide_bits * l * (at->tr->cost + at->ss->cost)
              + at->x->choice[l];
        if (all > s->best_cost)
            return;
        at->v[KS] = at->v[KS1] = 0;
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

    at->v[KS] = at->v[KS1] = 0;
    at->v[EXT] = cb->slope * rows + cb->rest;
    at->v[MS_WIDE] = model_v_ms_wide(at->x->r, at->n, 1);
    return events_hopeless(&s->ev, at->v, s->exact);
}

/* Linear work and bootstraps, and the traces and switches of a level a bit. */
static double
cost_with(const struct search *s, const struct place *at,
          const struct point *tr, const struct point *ss)
{
    return at->cost + s->ev.wide_bits * (tr->cost + ss->cost);
}

static void
visit_gadgets(struct search *s, struct place *at)
{
    const struct points *tr = &at->x->tr, *ss = &at->x->ss;
    const double least_ss = ss->at[ss->n - 1].v;

    for (size_t i = 0; i < tr->n; i++) {
        at->tr = &tr->at[i];
        if (cost_with(s, at, at->tr, &ss->at[0]) > s->best_cost)
            return;
        if (hopeless(s, at, at->tr->v, least_ss))
            continue;
        for (size_t j = 0; j < ss->n; j++) {
            at->ss = &ss->at[j];
            if (cost_with(s, at, at->tr, at->ss) > s->best_cost)
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
    const double linear =
        search_linear_cost(s->p, model_dimension(x->r), model_dimension(x->r));

    for (size_t i = 0; i < x->br.n; i++) {
        at->br = &x->br.at[i];
        at->cost = linear + s->ev.tables * at->n * at->br->cost;
        if (cost_with(s, at, &x->tr.at[0], &x->ss.at[0]) > s->best_cost)
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
    at->v[KS1] = at->ks->at[at->ks->n - 1].v;
    at->v[KS] = search_v_ks_of(s->p, x->r, at->v[KS1]);
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
        const int t = search_t_small(s->p, n);
        struct points ks;

        if (before > 0 && t >= before)
            continue;
        before = t;
        points_ks(&ks, s->p, n);
        for (size_t i = 0; i < s->nrings; i++) {
            struct place at = { .x = &s->ring[i], .n = n, .ks = &ks };
            const struct model_ring r = at.x->r;

            at.v[FRESH] = at.x->sigma2;
            at.v[ZERO] = model_v_zero(r, at.x->sigma2);
            at.v[MS] = model_v_ms(n, 2 * model_degree(r));
            at.v[DIM] = model_dimension(r);
            at.v[ONE] = 1;
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
                        .best_cost =
                            p->most > 0 ? 1e6 * p->most : (double)INFINITY,
                        .best_ratio = (double)INFINITY };
    bool found;

    events_init(&s.ev, p, &mem);
    s.ring = arena_new(&mem, struct ring, RINGS);
    add_rings(&s, least_log2_n(p));
    visit_all(&s, visit_ring);
    s.exact = true;
    if (s.ev.shared)
        visit_all(&s, visit_ring);
    found = s.best.k > 0;
    if (!found && !(p->most > 0))
        visit_all(&s, visit_least);
    *tightest = s.least;
    arena_free(&mem);
    if (!found)
        return false;
    *out = s.best;
    search_bounds(out, p);
    return search_measure(out, p, tightest);
}
