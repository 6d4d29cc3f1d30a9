/* Search of several sets: coordinate descent from the single set's optimum.
 *
 * For one set after the other, the exact search of search.c with the others
 * held, until none gets cheaper.  What is accepted has been measured with all
 * events of all sets, (37).
 */
#include "passes/sets.h"

#include "passes/cost.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 8, KSK_BITS = 32 };

static double
dimension(const struct ir_params *s)
{
    return (double)((uint64_t)s->k << s->log2_n);
}

/* ---- conversions: (14) and (15) with a key of dimension kN of the target */

static int
convert_t(const struct sets *s, const struct sets_problem *p, uint32_t to)
{
    return 32 + model_tuniform(p->level, dimension(&s->at[to]), 32);
}

/* for a word of the input, without the last term of (15) */
static double
convert_v1(const struct sets *s, const struct sets_problem *p, uint32_t to,
           struct model_gadget g)
{
    return model_v_ks1(g, model_v_tuniform(convert_t(s, p, to), 64)
                              + MODEL_V_ROUND32);
}

/* of so many levels, that of least noise */
static struct model_gadget
best_base(const struct sets *s, const struct sets_problem *p, uint32_t to,
          uint32_t levels)
{
    struct model_gadget best = { levels, 1 };

    for (uint32_t b = 2; b * levels <= KSK_BITS; b++) {
        const struct model_gadget g = { levels, b };

        if (convert_v1(s, p, to, g) < convert_v1(s, p, to, best))
            best = g;
    }
    return best;
}

/* Until they are trimmed, conversions have the least noise that they can. */
static void
quiet_conversions(struct sets *s, const struct sets_problem *p)
{
    for (uint32_t to = 0; to < s->n; to++) {
        struct model_gadget best = best_base(s, p, to, 1);

        for (uint32_t l = 2; l <= KSK_BITS; l++) {
            const struct model_gadget g = best_base(s, p, to, l);

            if (convert_v1(s, p, to, g) < convert_v1(s, p, to, best))
                best = g;
        }
        for (uint32_t from = 0; from < s->n; from++)
            s->convert[from][to] = best;
    }
}

struct ir_switch
sets_switch(const struct sets *s, const struct sets_problem *p, uint32_t from,
            uint32_t to, bool big)
{
    const struct ir_params *x = &s->at[to];
    const struct model_gadget g =
        big ? s->convert[from][to]
            : (struct model_gadget){ x->ks_levels, x->ks_log2_base };
    const double v1 = big ? convert_v1(s, p, to, g) : search_v_ks1(x);

    return (struct ir_switch){ .from = from,
                               .to = to,
                               .big = big,
                               .levels = g.levels,
                               .log2_base = g.log2_base,
                               .t = big ? convert_t(s, p, to) : x->t_lwe,
                               .v = dimension(&s->at[from]) * v1
                                    + MODEL_V_ROUND32 };
}

/* ---- the events as one set sees them */

/* w conversions */
static void
view_conversion(struct search_event *to, const struct sets *s,
                const struct sets_problem *p, uint32_t from, uint32_t home,
                double w, uint32_t i)
{
    double v1;

    if (from == home || !(w > 0))
        return;
    v1 = convert_v1(s, p, home, s->convert[from][home]);
    to->rest += w * MODEL_V_ROUND32;
    if (from == i)
        to->c_dim += w * v1;
    else
        to->rest += w * dimension(&s->at[from]) * v1;
}

/* Results of tables, converted if they are of another set than the cluster. */
static void
view_results(struct search_event *to, const struct sets *s,
             const struct sets_problem *p, const struct sets_event *e,
             uint32_t i)
{
    const uint32_t home = s->of_cluster[e->cluster];
    const uint32_t last = s->of_class[p->classes - 1];

    for (uint32_t c = 0; c < p->classes; c++) {
        const uint32_t from = s->of_class[c];
        const double w = e->scale * e->c_br[c];

        if (from == i)
            to->c_br += w;
        else if (w > 0)
            to->rest += w * s->at[from].v_br;
        view_conversion(to, s, p, from, home, w, i);
    }
    if (last == i)
        to->c_ext = e->scale * e->c_ext;
    else if (e->c_ext > 0)
        to->rest += e->scale * e->c_ext * s->at[last].v_ext;
    view_conversion(to, s, p, last, home, e->scale * e->c_wide, i);
}

/* (50): the input, converted; what bits before it left; the set's own
 * keyswitch. */
static void
view_wide(struct search_event *to, const struct sets *s,
          const struct sets_problem *p, const struct sets_event *e, uint32_t i)
{
    const uint32_t at = s->of_class[e->class];
    const struct ir_params *x = &s->at[at];

    to->table = true;
    view_conversion(to, s, p, s->of_cluster[e->cluster], at, e->scale, i);
    if (at == i) {
        to->wide = true;
        to->width = e->width;
        to->c_br += e->scale * e->bit;
    } else {
        to->foreign = true;
        to->rest += e->scale * e->bit * x->v_br + x->v_ks + x->v_ms_wide;
    }
}

static void
view_table(struct search_event *to, const struct sets *s,
           const struct sets_event *e, uint32_t i)
{
    const uint32_t home = s->of_cluster[e->cluster];
    const uint32_t at = s->of_class[e->class];
    const struct ir_params *x = &s->at[at];

    to->table = true;
    to->foreign = at != i;
    if (at == i) {
        to->min_log2_n = e->min_log2_n;
        to->theta = e->theta;
        to->words = home == i ? 0 : dimension(&s->at[home]);
        to->rest += home == i ? 0 : MODEL_V_ROUND32;
        return;
    }
    to->rest += ldexp(x->v_ms, 2 * (int)e->theta) + MODEL_V_ROUND32;
    if (home == i)
        to->c_dim += search_v_ks1(x);
    else
        to->rest += dimension(&s->at[home]) * search_v_ks1(x);
}

static void
view_event(struct search_event *to, const struct sets *s,
           const struct sets_problem *p, const struct sets_event *e, uint32_t i)
{
    const uint32_t home = s->of_cluster[e->cluster];
    const struct ir_params *x = &s->at[home];

    *to = (struct search_event){
        .tau = e->tau, .v_max = e->v_max, .count = e->count, .tag = e->op
    };
    if (home == i)
        to->c_in = e->scale * e->c_in;
    else
        to->rest = e->scale * e->c_in * x->v_fresh;
    view_results(to, s, p, e, i);
    if (e->wide)
        view_wide(to, s, p, e, i);
    else if (e->class >= 0)
        view_table(to, s, e, i);
    else if (home == i)
        to->c_zero = 1;
    else
        to->rest += x->v_zero;
}

/* What a larger kN of set i costs in keyswitches between it and others. */
static double
dim_cost(const struct sets *s, uint32_t i)
{
    double sum = 0;

    for (uint32_t j = 0; j < s->n; j++) {
        const struct ir_params *x = &s->at[j];

        if (j == i)
            continue;
        sum += s->switched[i][j] * cost_ks(1, x->n, x->ks_levels);
        sum += s->converted[i][j]
               * cost_ks(1, dimension(x), s->convert[i][j].levels);
        sum += s->converted[j][i]
               * cost_ks(dimension(x), 0, s->convert[j][i].levels);
    }
    return sum;
}

static double
additions(const struct sets *s, const struct sets_problem *p, uint32_t i)
{
    double sum = 0;

    for (uint32_t c = 0; c < p->f->n; c++)
        if (s->of_cluster[c] == i)
            sum += p->additions[c];
    return sum;
}

struct search_problem
sets_view(const struct sets *s, const struct sets_problem *p, uint32_t i,
          struct search_event *event)
{
    for (size_t e = 0; e < p->n; e++)
        view_event(&event[e], s, p, &p->event[e], i);
    return (struct search_problem){ .event = event,
                                    .n = p->n,
                                    .log2_pfail = p->log2_pfail,
                                    .level = p->level,
                                    .additions = additions(s, p, i),
                                    .dim_cost = dim_cost(s, i) };
}

/* ---- the whole */

/* (55) to (60) of all sets, ms */
static double
cost_of(const struct sets *s, const struct sets_problem *p,
        struct search_event *event)
{
    double sum = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct sets_event *e = &p->event[i];
        const struct ir_params *x;

        if (e->class < 0)
            continue;
        x = &s->at[s->of_class[e->class]];
        sum += e->count * x->n
               * cost_cmux((struct model_ring){ x->k, x->log2_n, false },
                           x->br_levels);
        sum += e->count
               * cost_ks(e->wide ? dimension(x)
                                 : dimension(&s->at[s->of_cluster[e->cluster]]),
                         x->n, x->ks_levels);
    }
    if (p->any_wide) {
        const uint32_t last = s->of_class[p->classes - 1];
        const struct search_problem view = sets_view(s, p, last, event);

        sum += search_wide_cost(&s->at[last], &view);
    }
    for (uint32_t i = 0; i < s->n; i++) {
        sum += additions(s, p, i) * dimension(&s->at[i]) * cost_linear();
        for (uint32_t j = 0; j < s->n; j++)
            sum += s->converted[i][j]
                   * cost_ks(dimension(&s->at[i]), dimension(&s->at[j]),
                             s->convert[i][j].levels);
    }
    return sum / 1e6;
}

/* The bound is met by all events; a view has them all, whatever the set. */
static bool
fits(const struct sets *s, const struct sets_problem *p,
     struct search_event *event)
{
    const struct search_problem view = sets_view(s, p, 0, event);
    struct ir_params first = s->at[0];
    size_t ignored;

    return search_measure(&first, &view, &ignored);
}

/* Each cluster is of the set that most of its tables have; of inputs alone, of
 * the first, which has the least ring. */
static void
place_clusters(struct sets *s, const struct sets_problem *p)
{
    for (uint32_t c = 0; c < p->f->n; c++) {
        double of[IR_MAX_SETS] = { 0 };

        s->of_cluster[c] = 0;
        for (uint32_t k = 0; k < p->classes; k++)
            of[s->of_class[k]] += p->result[c][k];
        for (uint32_t i = 1; i < s->n; i++)
            if (of[i] > of[s->of_cluster[c]])
                s->of_cluster[c] = i;
        for (uint32_t i = 0; i < s->n; i++)
            if (i != s->of_cluster[c])
                s->converted[i][s->of_cluster[c]] += of[i];
    }
    for (size_t i = 0; i < p->n; i++) {
        const struct sets_event *e = &p->event[i];
        const uint32_t home = s->of_cluster[e->cluster];

        if (e->class >= 0 && !e->wide)
            s->switched[home][s->of_class[e->class]] += e->count;
        if (e->width > 0 && home != s->of_class[e->class])
            s->converted[home][s->of_class[e->class]] += e->count;
    }
}

/* The set of the wide tables, or s->n. */
static uint32_t
wide_set(const struct sets *s, const struct sets_problem *p)
{
    return p->any_wide ? s->of_class[p->classes - 1] : s->n;
}

/* The search of set i, for what is cheaper than now. */
static bool
search_one(struct sets *s, const struct sets_problem *p, uint32_t i,
           struct search_event *event)
{
    struct search_problem view = sets_view(s, p, i, event);
    struct ir_params now = s->at[i];
    size_t ignored;

    if (i != wide_set(s, p))
        return search_params(&s->at[i], &view, &ignored);
    if (search_measure(&now, &view, &ignored))
        view.most = now.cost;
    return search_wide(&s->at[i], &view, &ignored);
}

/* One set after the other. */
static void
descend(struct sets *s, const struct sets_problem *p, bool wide_stays,
        struct search_event *event)
{
    bool changed = true;

    for (int round = 0; changed && round < ROUNDS; round++) {
        changed = false;
        for (uint32_t i = 0; i < s->n; i++) {
            struct sets next = *s;

            if ((wide_stays && i == wide_set(s, p))
                || !search_one(&next, p, i, event))
                continue;
            quiet_conversions(&next, p);
            next.cost = cost_of(&next, p, event);
            if (next.cost >= s->cost || !fits(&next, p, event))
                continue;
            *s = next;
            changed = true;
        }
    }
}

/* The fewest levels of each conversion that still fit. */
static void
trim(struct sets *s, const struct sets_problem *p, struct search_event *event)
{
    for (uint32_t from = 0; from < s->n; from++)
        for (uint32_t to = 0; to < s->n; to++) {
            const struct model_gadget quiet = s->convert[from][to];
            uint32_t l = 0;

            if (!(s->converted[from][to] > 0))
                continue;
            do {
                l++;
                s->convert[from][to] =
                    l < quiet.levels ? best_base(s, p, to, l) : quiet;
            } while (l < quiet.levels && !fits(s, p, event));
        }
    s->cost = cost_of(s, p, event);
}

/* ---- where a descent begins */

/* without the gadgets of wide tables */
static struct ir_params
narrow_part(const struct ir_params *one)
{
    struct ir_params s = *one;

    s.tr_levels = s.tr_log2_base = s.tr_low_bits = 0;
    s.ss_levels = s.ss_log2_base = s.ss_low_bits = 0;
    s.cb_levels = s.cb_log2_base = s.wide_bits = 0;
    s.v_ext = s.v_ms_wide = 0;
    return s;
}

/* Sets for the classes below cut[0], and so on. */
static void
cut_classes(struct sets *s, const struct sets_problem *p, const uint32_t *cut,
            uint32_t n, struct arena *mem)
{
    memset(s, 0, sizeof *s);
    s->n = n;
    s->of_cluster = arena_new(mem, uint32_t, p->f->n);
    for (uint32_t c = 0; c < p->classes; c++)
        for (uint32_t i = 0; i + 1 < n; i++)
            s->of_class[c] += c >= cut[i];
    place_clusters(s, p);
}

/* All sets are that of *one. */
static void
begin_together(struct sets *s, const struct sets_problem *p,
               const struct ir_params *one, struct search_event *event)
{
    for (uint32_t i = 0; i < s->n; i++)
        s->at[i] = i == wide_set(s, p) ? *one : narrow_part(one);
    quiet_conversions(s, p);
    s->cost = fits(s, p, event) ? cost_of(s, p, event) : (double)INFINITY;
}

/* A set for its own tables and answers, as if there were no other, for less
 * than `most` ms: no choice of sets makes it cheaper. */
static bool
search_alone(struct sets *s, const struct sets_problem *p, uint32_t i,
             double most, struct search_event *event, struct arena *mem)
{
    struct sets all;
    struct search_problem view;
    uint32_t none = 0;
    size_t ignored, n = 0;

    cut_classes(&all, p, &none, 1, mem);
    view = sets_view(&all, p, 0, event);
    for (size_t e = 0; e < p->n; e++)
        if (i
            == (p->event[e].class >= 0 ? s->of_class[p->event[e].class]
                                       : s->of_cluster[p->event[e].cluster]))
            event[n++] = event[e];
    view.n = n;
    view.additions = view.dim_cost = 0;
    view.most = isfinite(most) ? most : 0;
    return i == wide_set(s, p) ? search_wide(&s->at[i], &view, &ignored)
                               : search_params(&s->at[i], &view, &ignored);
}

/* Alone, a set pays for keyswitches from its own ring; beside others they may
 * come from a smaller one. */
#define SLACK 0.7

/* Each set alone; then, until they fit, each beside the others.  False: there
 * are none for less than `most`. */
static bool
begin_apart(struct sets *s, const struct sets_problem *p, double most,
            struct search_event *event, struct arena *mem)
{
    most /= SLACK;
    for (uint32_t i = 0; i < s->n; most -= s->at[i++].cost) /* wide: last */
        if (!search_alone(s, p, i, most, event, mem) || s->at[i].cost >= most)
            return false;
    quiet_conversions(s, p);
    for (int round = 0; round < ROUNDS && !fits(s, p, event); round++)
        for (uint32_t i = 0; i < s->n; i++) {
            if (!search_one(s, p, i, event))
                break;
            quiet_conversions(s, p);
        }
    s->cost = fits(s, p, event) ? cost_of(s, p, event) : (double)INFINITY;
    return true;
}

/* Cut once more: the set of wide tables, whose search is long, stays. */
static void
begin_from(struct sets *s, const struct sets_problem *p,
           const struct sets *before, struct search_event *event)
{
    for (uint32_t i = 0; i < s->n; i++)
        s->at[i] = before->at[i == wide_set(s, p) ? before->n - 1 : 0];
    quiet_conversions(s, p);
    s->cost = fits(s, p, event) ? cost_of(s, p, event) : (double)INFINITY;
}

/* From where it is; false: it fits nowhere. */
static bool
finish(struct sets *s, const struct sets_problem *p, bool wide_stays,
       struct search_event *event)
{
    descend(s, p, wide_stays, event);
    if (isinf(s->cost))
        return false;
    trim(s, p, event);
    return true;
}

/* For less than `most` ms; *one, *before: NULL, or where to begin. */
static bool
try_cuts(struct sets *s, const struct sets_problem *p,
         const struct ir_params *one, const struct sets *before,
         const uint32_t *cut, uint32_t n, double most, struct arena *mem)
{
    struct search_event *event = arena_new(mem, struct search_event, p->n);
    struct sets other;
    bool found;

    cut_classes(s, p, cut, n, mem);
    if (before) {
        begin_from(s, p, before, event);
        return finish(s, p, true, event);
    }
    other = *s;
    if (!begin_apart(s, p, most, event, mem))
        return false;
    found = finish(s, p, false, event);
    if (!one)
        return found;
    begin_together(&other, p, one, event);
    if (finish(&other, p, false, event) && (!found || other.cost < s->cost)) {
        *s = other;
        return true;
    }
    return found;
}

/* The best way to cut in two, and then the best of these pieces in two.  Wide
 * tables are cut off first. */
bool
sets_search(struct sets *out, const struct sets_problem *p,
            const struct ir_params *one, uint32_t most, double best,
            struct arena *mem)
{
    uint32_t cut[IR_MAX_SETS] = { 0 };
    bool found = false;

    for (uint32_t n = 2; n <= most; n++) {
        const uint32_t before = cut[0];
        const struct sets two_sets = *out;
        bool better = false;

        for (uint32_t at = n == 2 && p->any_wide ? p->classes - 1 : 1;
             at < p->classes; at++) {
            const uint32_t two[2] = { at < before ? at : before,
                                      at < before ? before : at };
            struct sets s;

            if ((n == 3 && at == before)
                || !try_cuts(&s, p, one,
                             n == 3 && p->any_wide ? &two_sets : NULL,
                             n == 2 ? &at : two, n, best, mem)
                || s.cost >= best)
                continue;
            best = s.cost;
            *out = s;
            cut[0] = n == 2 ? at : before;
            better = found = true;
        }
        if (!better)
            break;
    }
    return found;
}
