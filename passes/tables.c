/* The bound between native and wide tables; see tables.h. */
#include "passes/tables.h"

#include "passes/answers.h"
#include "passes/cost.h"
#include "passes/encode.h"
#include "passes/form.h"
#include "passes/joint.h"

#include <math.h>

/* Microseconds a row of the least bootstrapping key, 12 MB, on the link. */
static const double us_key = 12e6 * COST_US_BYTE / COST_KEY_ROWS;
enum { WORTH = 5 }; /* bits below which a native table is always cheaper */

/* What tables cost at least, in ms of one core: eight may share a bootstrap,
 * and affine ones need none. */
static double
least_ms(struct pass_ctx *cx, const struct ir_func *f)
{
    double n = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        if (pass_encrypted(&ins->type) && !ins->type.open
            && (ins->op == IR_low_bit
                || (ins->op == IR_lut
                    && form_of(cx->scratch, f, ins, true, ENCODE_MAX_EXACT)
                           .table)))
            n += (double)ir_count(&ins->type);
    }
    return n / 8;
}

/* In ms a row; infinite if there are no parameters, or none below `most`. */
static double
price(const struct pass_ctx *cx, const struct ir_func *f,
      struct tables_choice *c, double most)
{
    struct arena mem = { 0 };
    struct diag quiet = { .errors = DIAG_MAX, .muted = true };
    struct pass_ctx inner = { &mem, &mem, &quiet, 0, 0 };
    double cost;

    quiet.src = cx->diag->src;
    inner.most = isfinite(most) ? most : 0;
    (void)tables_lower(&inner, f, c, &cost);
    arena_free(&mem);
    return cost;
}

/* Bit b is set if there is an exact table of b bits. */
static unsigned
widths(const struct ir_func *f)
{
    unsigned set = 0;

    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_lut && f->ins[i].type.enc && !f->ins[i].type.open
            && f->ins[i].as.lut.approx == 0)
            set |=
                1u << encode_table(&ir_at(f, f->ins[i].in[0])->type, false).bits
                          % 32;
    return set;
}

/* Of the widths up to that of the native ones only those that occur make a
 * difference.  *cost in ms a row; infinite if there are no parameters, or if
 * nothing was to be compared. */
static struct tables_choice
cheapest(const struct pass_ctx *cx, const struct ir_func *f, double *cost)
{
    const double asked = ir_get(f, "tables.native", -1);
    const unsigned set = widths(f);
    struct tables_choice best = { ENCODE_MAX_EXACT, TABLES_ANY };

    *cost = (double)INFINITY;
    if (asked >= 0) {
        best.native = (unsigned)asked;
        return best;
    }
    if (set >> WORTH == 0 || set >> (ENCODE_MAX_WIDE + 1))
        return best;
    for (unsigned native = ENCODE_MAX_EXACT + 1; native-- > 0;) {
        struct tables_choice c = { native, TABLES_ANY };
        double own;

        if (native < ENCODE_MAX_EXACT && !(set >> (native + 1) & 1))
            continue;
        own = price(cx, f, &c, *cost);
        if (own < *cost) {
            *cost = own;
            best = c;
        }
    }
    return best;
}

/* f with its answers in digits, if that is a tenth cheaper than *least. */
static const struct ir_func *
in_digits(struct pass_ctx *cx, const struct ir_func *f, unsigned digits,
          struct tables_choice *choice, double *least)
{
    struct pass_ctx inner = { cx->scratch, cx->scratch, cx->diag, 0, 0 };
    const struct ir_func *g = answers_split(&inner, f, digits);
    struct tables_choice own = { choice->native, TABLES_ANY };
    double cost = (double)INFINITY;

    if (!g)
        return NULL;
    if (!isfinite(*least)) /* no bound has parameters without digits */
        own = cheapest(cx, g, &cost);
    if (!isfinite(cost))
        cost = price(cx, g, &own, *least);
    if (!(cost < 0.9 * *least))
        return NULL;
    *least = cost;
    *choice = own;
    return g;
}

/* Answers in as few digits as have parameters, or in more for as long as each
 * makes the row a tenth cheaper. */
static const struct ir_func *
with_digits(struct pass_ctx *cx, const struct ir_func *f,
            struct tables_choice *choice)
{
    const unsigned asked = (unsigned)ir_get(f, "answers.digits", 0);
    const struct ir_func *best = f, *g = f;
    double least;

    *choice = cheapest(cx, f, &least);
    if (asked > 1) {
        choice->way = TABLES_ANY;
        g = answers_split(cx, f, asked);
        return g ? g : f;
    }
    if (asked == 1 || !answers_are_hard(cx, f))
        return f;
    if (!isfinite(least))
        least = price(cx, f, choice, least);
    for (unsigned digits = 2; digits <= ANSWERS_MOST && (g || !isfinite(least));
         digits++) {
        g = in_digits(cx, f, digits, choice, &least);
        best = g ? g : best;
    }
    return best;
}

static bool
joint_wanted(struct pass_ctx *cx, const struct ir_func *f)
{
    return ir_get(f, "joint", 1) > 0 && least_ms(cx, f) > 0 && joint_may(cx, f);
}

/* Some lowering, without messages; NULL if tables have none. */
static struct ir_func *
any_way(struct pass_ctx *cx, const struct ir_func *f)
{
    struct tables_choice first = { ENCODE_MAX_EXACT, 0 };
    struct diag quiet = { .src = cx->diag->src,
                          .errors = DIAG_MAX,
                          .muted = true };
    struct pass_ctx inner = { cx->out, cx->scratch, &quiet, 0, 0 };

    return tables_lower(&inner, f, &first, NULL);
}

struct ir_func *
pass_to_tfhe(struct pass_ctx *cx, const struct ir_func *f)
{
    const bool wanted = joint_wanted(cx, f);
    struct tables_choice choice, own;
    double us = (double)INFINITY;
    struct ir_func *g = NULL;
    const struct ir_func *best;

    if (wanted && ir_get(f, "check", 0) > 0)
        g = any_way(cx, f);
    if (g)
        return g;
    g = wanted ? joint_lower(cx, f, &us) : NULL;
    us -= us_key;
    if (g && us < 1e3 * least_ms(cx, f) / COST_THREADS)
        return g;
    best = with_digits(cx, f, &choice);
    own = choice;
    if (g && us < 1e3 * price(cx, best, &own, (double)INFINITY) / COST_THREADS)
        return g;
    return tables_lower(cx, best, &choice, NULL);
}
