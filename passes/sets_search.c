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

/* Results of tables, converted if they are of another set than the cluster. */
static void
view_results(struct search_event *to, const struct sets *s,
             const struct sets_problem *p, const struct sets_event *e,
             uint32_t i)
{
    const uint32_t home = s->of_cluster[e->cluster];

    for (uint32_t c = 0; c < p->classes; c++) {
        const uint32_t from = s->of_class[c];
        const double w = e->c_br[c];

        if (!(w > 0))
            continue;
        if (from == i)
            to->c_br += w;
        else
            to->rest += w * s->at[from].v_br;
        if (from == home)
            continue;
        to->rest += w * MODEL_V_ROUND32;
        if (from == i)
            to->c_dim += w * convert_v1(s, p, home, s->convert[from][home]);
        else
            to->rest += w * dimension(&s->at[from])
                        * convert_v1(s, p, home, s->convert[from][home]);
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
        to->c_in = e->c_in;
    else
        to->rest = e->c_in * x->v_fresh;
    view_results(to, s, p, e, i);
    if (e->class >= 0)
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

/* (55) to (57) of all sets, ms */
static double
cost_of(const struct sets *s, const struct sets_problem *p)
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
               * cost_ks(dimension(&s->at[s->of_cluster[e->cluster]]), x->n,
                         x->ks_levels);
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
    for (size_t i = 0; i < p->n; i++)
        if (p->event[i].class >= 0)
            s->switched[s->of_cluster[p->event[i].cluster]]
                       [s->of_class[p->event[i].class]] += p->event[i].count;
}

/* One set after the other. */
static void
descend(struct sets *s, const struct sets_problem *p,
        struct search_event *event)
{
    bool changed = true;

    for (int round = 0; changed && round < ROUNDS; round++) {
        changed = false;
        for (uint32_t i = 0; i < s->n; i++) {
            const struct search_problem view = sets_view(s, p, i, event);
            struct sets next = *s;
            size_t ignored;

            if (!search_params(&next.at[i], &view, &ignored))
                continue;
            quiet_conversions(&next, p);
            next.cost = cost_of(&next, p);
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
    s->cost = cost_of(s, p);
}

/* The classes below cut[0] have the first set, and so on. */
static bool
try_cuts(struct sets *s, const struct sets_problem *p,
         const struct ir_params *one, const uint32_t *cut, uint32_t n,
         struct arena *mem)
{
    struct search_event *event = arena_new(mem, struct search_event, p->n);

    memset(s, 0, sizeof *s);
    s->n = n;
    s->of_cluster = arena_new(mem, uint32_t, p->f->n);
    for (uint32_t c = 0; c < p->classes; c++)
        for (uint32_t i = 0; i + 1 < n; i++)
            s->of_class[c] += c >= cut[i];
    place_clusters(s, p);
    for (uint32_t i = 0; i < n; i++)
        s->at[i] = *one;
    quiet_conversions(s, p);
    s->cost = fits(s, p, event) ? cost_of(s, p) : (double)INFINITY;
    descend(s, p, event);
    if (isinf(s->cost))
        return false;
    trim(s, p, event);
    return true;
}

/* The best way to cut in two, and then the best of these pieces in two. */
bool
sets_search(struct sets *out, const struct sets_problem *p,
            const struct ir_params *one, uint32_t most, struct arena *mem)
{
    uint32_t cut[IR_MAX_SETS] = { 0 };
    double best = one->cost;
    bool found = false;

    for (uint32_t n = 2; n <= most; n++) {
        const uint32_t before = cut[0];
        bool better = false;

        for (uint32_t at = 1; at < p->classes; at++) {
            const uint32_t two[2] = { at < before ? at : before,
                                      at < before ? before : at };
            const uint32_t *const cuts = n == 2 ? &at : two;
            struct sets s;

            if ((n == 3 && at == before) || !try_cuts(&s, p, one, cuts, n, mem)
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
