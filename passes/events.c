/* Events as linear forms, lang-spec/crypto.md 6.
 *
 * A layer has an event for each weight vector; most are implied by one that is
 * noisier in every way.  The rest is the frontier that a search asks first.
 * Only the sum (37) reads all events.
 */
#include "passes/events.h"

#include <math.h>

static double
coefficient(const struct search_problem *p, const struct search_event *e,
            enum origin i)
{
    switch (i) {
    case FRESH: return e->c_in;
    case BR: return e->c_br;
    case ZERO: return e->c_zero;
    case EXT: return e->c_ext;
    case KS: /* (34), (33) */
        return p->pbs_ks ? e->c_br : e->table && !e->foreign && !(e->words > 0);
    case MS: /* (39) */
        return e->table && !e->foreign && !e->wide ? ldexp(1, 2 * (int)e->theta)
                                                   : 0;
    case MS_WIDE: return e->wide;
    case KS1: return e->words;
    case DIM: return e->c_dim;
    case ONE: return e->rest;
    case ORIGINS: break;
    }
    return 0;
}

double
events_variance(const struct search_problem *p, const struct search_event *e,
                const double v[ORIGINS])
{
    double sum = 0;

    for (int i = 0; i < ORIGINS; i++)
        sum += coefficient(p, e, (enum origin)i) * v[i];
    return sum;
}

double
events_union(const struct search_problem *p, const double v[ORIGINS])
{
    double sum = (double)-INFINITY;

    for (size_t i = 0; i < p->n; i++) {
        const struct search_event *e = &p->event[i];
        const double one = model_log2_pfail(events_variance(p, e, v), e->tau);

        sum = model_log2_add(sum, log2(e->count) + one);
    }
    return sum;
}

static bool
implies(const struct form *f, const struct form *g)
{
    for (int i = 0; i < ORIGINS; i++)
        if (f->c[i] < g->c[i])
            return false;
    return f->grey <= g->grey;
}

static void
add_form(struct events *ev, size_t event, double limit, double grey)
{
    struct form f = { .grey = grey, .event = event };
    size_t kept = 0;

    for (int i = 0; i < ORIGINS; i++)
        f.c[i] =
            coefficient(ev->p, &ev->p->event[event], (enum origin)i) / limit;
    for (size_t i = 0; i < ev->n; i++)
        if (implies(&ev->form[i], &f))
            return;
    for (size_t i = 0; i < ev->n; i++)
        if (!implies(&f, &ev->form[i]))
            ev->form[kept++] = ev->form[i];
    ev->form[kept] = f;
    ev->n = kept + 1;
}

/* (35) with (38); a single event may have the whole budget, not more */
void
events_init(struct events *ev, const struct search_problem *p,
            struct arena *mem)
{
    double scalar = 0, share, all;

    for (size_t i = 0; i < p->n; i++)
        scalar += p->event[i].count;
    share = model_kappa(p->log2_pfail - log2(fmax(scalar, 1)));
    all = model_kappa(p->log2_pfail);
    *ev = (struct events){ .p = p, .shared = scalar > 1 };
    ev->form = arena_new(mem, struct form, 2 * p->n + 1);
    for (size_t i = 0; i < p->n; i++) {
        const struct search_event *e = &p->event[i];
        const double safe = e->tau / share;

        add_form(ev, i, safe * safe, share * share / (all * all));
        if (e->v_max > 0)
            add_form(ev, i, e->v_max, 1);
        if (e->table && !e->foreign) {
            ev->tables += e->count;
            ev->own += e->words > 0 ? 0 : e->count;
            ev->words += e->words * e->count;
        }
        if (e->wide)
            ev->wide_bits += e->count;
    }
}

static double
value(const struct form *f, const double v[ORIGINS])
{
    double sum = 0;

    for (int i = 0; i < ORIGINS; i++)
        sum += f->c[i] * v[i];
    return sum;
}

double
events_worst(const struct events *ev, const double v[ORIGINS], size_t *event)
{
    double most = -1;

    for (size_t i = 0; i < ev->n; i++) {
        const double x = value(&ev->form[i], v);

        if (x > most) {
            most = x;
            *event = ev->form[i].event;
        }
    }
    return most;
}

bool
events_hopeless(const struct events *ev, const double v[ORIGINS], bool exact)
{
    for (size_t i = 0; i < ev->n; i++)
        if (value(&ev->form[i], v) > (exact ? ev->form[i].grey : 1))
            return true;
    return false;
}

bool
events_fit(const struct events *ev, const double v[ORIGINS], bool exact)
{
    size_t event;

    return !events_hopeless(ev, v, exact)
           && (events_worst(ev, v, &event) <= 1
               || events_union(ev->p, v) <= ev->p->log2_pfail);
}
