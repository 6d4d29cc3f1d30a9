/* Parameter search: the cheapest secure parameters that keep a program's
 * failure bound, exact in the model of lang-spec/crypto.md, section 11.
 *
 * The noise of a program is a list of events.  At each, the phase error has
 * variance
 *
 *     V = c_in V_fresh + c_br V_br + c_ext V_ext + c_zero V_zero
 *         [+ V_ks + V_ms: tables]
 *
 * and must stay within tau; P(some error > tau) is bounded by the sum (37).
 *
 * A program of several sets is searched one set at a time (sets.h).  What the
 * others add is then a number, and keyswitches between this set and another are
 * linear in its kN (those that leave it) or in its V_ks (those that come).
 */
#ifndef CML_PASSES_SEARCH_H
#define CML_PASSES_SEARCH_H

#include "ir/ir.h"
#include "passes/model.h"

struct search_event {
    double c_in, c_br;   /* as (36): sums of squared weights per origin */
    double c_ext;        /* likewise, of wide tables (51) */
    double c_zero;       /* answers: encryptions of zero added, (70) */
    bool table;          /* a bootstrap: keyswitch, modulus switch */
    bool foreign;        /* a table of another set: neither is of this one */
    double words;        /* table fed by another set: the kN of that; or 0 */
    double c_dim;        /* of kN: keyswitches from this set to others */
    double rest;         /* variance that does not depend on this set */
    bool leveled;        /* selections: their ring is given, leveled.h */
    bool wide;           /* a bit of a wide table, (50): also `table` */
    uint32_t width;      /* of that table, in the event of its first bit */
    double tau;          /* (5), (7) or the guard (47), relative to the torus */
    double v_max;        /* 0, or a limit of V itself (46) */
    double count;        /* scalar operations */
    uint32_t min_log2_n; /* a table's boxes: N >= 2^bits; 0 in answers */
    uint32_t theta; /* a table: log2 of the outputs of its rotation, (39) */
    uint32_t tag;   /* the caller's */
};

/* Zero in every option is what the product does; the others reproduce
 * published parameters. */
struct search_problem {
    const struct search_event *event;
    size_t n;
    double log2_pfail; /* per row, as -128 */
    int level;         /* security curve: 128 or 132 */
    double additions;  /* of LWE ciphertexts, a row: (57) */
    double dim_cost;   /* nanoseconds of keyswitches to others, for each kN */
    /* options */
    enum model_noise noise;
    model_cmux *v_cmux;  /* NULL: (18) + (19) */
    bool classic;        /* modulus switch (16) instead of (17) */
    bool pbs_ks;         /* keyswitch after the table: (34) */
    bool wide_ksk;       /* keyswitch key modulo 2^64, without (15) */
    bool published_cost; /* operations, (53) to (57), not nanoseconds */
    uint32_t limbs;      /* of keys of wide tables, (52); 0: what is cheaper */
    double most;         /* 0, or ms: dearer sets are not looked for */
    uint32_t min_n;      /* 0: all of the curve */
    uint32_t max_log2_n; /* 0: 16; at most 17 */
};

/* Some event has a table.  The cheapest wins; at equal cost, that of the larger
 * margin.  All of *out is set: cost is that of a row in ms, or [1e6], chosen
 * and insecure are false.  *tightest is the event nearest to its limit: at the
 * result, or when there is none (false) where noise is least. */
bool search_params(struct ir_params *out, const struct search_problem *p,
                   size_t *tightest);

/* The same when some event is wide. */
bool search_wide(struct ir_params *out, const struct search_problem *p,
                 size_t *tightest);
/* Time of a unit of (53) to (60) in products like a CMUX of so many levels. */
double search_rate(const struct search_problem *p, struct model_ring r,
                   uint32_t levels);
/* of a trace (58) and of the switch of a row (59) */
double search_trace_cost(const struct search_problem *p, struct model_ring r,
                         uint32_t levels, uint32_t limbs);
double search_switch_cost(const struct search_problem *p, struct model_ring r,
                          uint32_t levels, uint32_t limbs);
/* of the rows of all bits to Fourier, and of the choices of entries (60) */
double search_choice_cost(const struct search_problem *p, struct model_ring r,
                          uint32_t levels);
/* What wide tables cost beyond their bootstraps: (58) to (60). */
double search_wide_cost(const struct ir_params *s,
                        const struct search_problem *p);
/* Level and TUniform bounds of the set. */
void search_bounds(struct ir_params *s, const struct search_problem *p);

/* No event has a table: k = 1, N 2048 or 4096, ternary key, n = 0. */
bool search_leveled(struct ir_params *out, const struct search_problem *p,
                    size_t *tightest);

/* From k .. ks_log2_base, the TUniform bounds and `ternary` of *s: fills the
 * variances, cost and log2_pfail.  Whether the bound is met; *tightest as
 * above. */
bool search_measure(struct ir_params *s, const struct search_problem *p,
                    size_t *tightest);

/* V_ks of s for a word of its input, without the rounding of (15) */
double search_v_ks1(const struct ir_params *s);

/* Variance of event e under s, whose variances are filled. */
double search_variance(const struct ir_params *s, const struct search_event *e);

#endif
