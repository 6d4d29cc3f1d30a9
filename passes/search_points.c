/* Candidates of the searches; see points.h. */
#include "passes/search_points.h"

#include "passes/cost.h"

#include <math.h>

int
search_t_small(const struct search_problem *p, double n)
{
    return p->wide_ksk ? model_tuniform(p->level, n, 64)
                       : 32 + model_tuniform(p->level, n, 32);
}

double
search_v_small(const struct search_problem *p, double n)
{
    return p->noise == MODEL_GAUSS ? model_v_fresh(p->level, p->noise, n)
                                   : model_v_tuniform(search_t_small(p, n), 64);
}

double
search_v_ks_of(const struct search_problem *p, struct model_ring r, double v1)
{
    return model_dimension(r) * v1 + (p->wide_ksk ? 0 : MODEL_V_ROUND32);
}

double
search_cmux_cost(const struct search_problem *p, struct model_ring r,
                 uint32_t levels)
{
    return p->published_cost ? model_cost_cmux(r, levels)
                             : cost_cmux(r, levels);
}

double
search_ks_cost(const struct search_problem *p, double in, double out,
               uint32_t levels)
{
    return p->published_cost ? model_cost_ks(in, out, levels)
                             : cost_ks(in, out, levels);
}

double
search_ks_cost_all(const struct search_problem *p, const struct events *ev,
                   struct model_ring r, uint32_t n, uint32_t levels)
{
    return ev->own * search_ks_cost(p, model_dimension(r), n, levels)
           + (ev->words > 0 ? search_ks_cost(p, ev->words, n, levels) : 0);
}

double
search_linear_cost(const struct search_problem *p, double words,
                   double dimension)
{
    return p->additions * words * (p->published_cost ? 1 : cost_linear())
           + p->dim_cost * dimension;
}

void
points_add(struct points *to, const struct point *x)
{
    if (to->n == 0 || x->v < to->at[to->n - 1].v)
        to->at[to->n++] = *x;
}

/* The variance falls and then rises with the base. */
void
points_ks(struct points *to, const struct search_problem *p, uint32_t n)
{
    const uint32_t bits = p->wide_ksk ? GADGET_BITS : KSK_BITS;
    const double sigma2 =
        search_v_small(p, n) + (p->wide_ksk ? 0 : MODEL_V_ROUND32);

    to->n = 0;
    for (uint32_t l = 1; l <= bits; l++) {
        struct point best = { .g = { l, 0 }, .v = (double)INFINITY };

        for (uint32_t b = 1; b * l <= bits; b++) {
            const struct model_gadget g = { l, b };
            const double v = model_v_ks1(g, sigma2);

            if (v > best.v)
                break;
            best = (struct point){ .g = g, .v = v };
        }
        points_add(to, &best);
    }
}
