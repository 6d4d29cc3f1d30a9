/* The failure events of a problem as linear forms of the noise, for search.c.
 */
#ifndef CML_PASSES_EVENTS_H
#define CML_PASSES_EVENTS_H

#include "ir/arena.h"
#include "passes/search.h"

/* where noise comes from */
enum origin {
    FRESH,
    BR,
    EXT, /* wide tables */
    ZERO,
    KS,
    MS,
    MS_WIDE,
    KS1, /* a word of a keyswitch that another set feeds */
    DIM, /* kN */
    ONE, /* 1 */
    ORIGINS
};

/* The variance at an event as a multiple of its limit:
 *
 *     sum of c[i] V_i <= 1                 its share of the budget, (38)
 *     sum of c[i] V_i <= grey, grey >= 1   all the budget
 */
struct form {
    double c[ORIGINS];
    double grey;
    size_t event;
};

struct events {
    const struct search_problem *p;
    struct form *form; /* none implies another */
    size_t n;
    double tables;    /* bootstraps a row */
    double own;       /* those that this set feeds */
    double words;     /* of the others: words of their inputs */
    double wide_bits; /* bits of wide tables, a row */
    bool shared;      /* there are several scalar events */
};

void events_init(struct events *ev, const struct search_problem *p,
                 struct arena *mem);
/* variance at an event, (36) */
double events_variance(const struct search_problem *p,
                       const struct search_event *e, const double v[ORIGINS]);
/* log2 of the sum (37) */
double events_union(const struct search_problem *p, const double v[ORIGINS]);
/* the largest form; *event is its event */
double events_worst(const struct events *ev, const double v[ORIGINS],
                    size_t *event);
/* Whether some form passes its limit: 1, or grey if the sum is to decide. */
bool events_hopeless(const struct events *ev, const double v[ORIGINS],
                     bool exact);
/* Whether the bound is met: by every share or, if exact, by the sum. */
bool events_fit(const struct events *ev, const double v[ORIGINS], bool exact);

#endif
