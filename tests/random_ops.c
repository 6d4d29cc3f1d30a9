/* Random models in CML: operations element by element. */
#include "tests/random_cml.h"

#include <math.h>
#include <string.h>

enum { TABLE = 64, PAIR = 12 }; /* values of an operand, as a rule */

static double
least(double a, double b, double c, double d)
{
    return fmin(fmin(a, b), fmin(c, d));
}

static double
most(double a, double b, double c, double d)
{
    return fmax(fmax(a, b), fmax(c, d));
}

/* a sign b, with the range of what that gives */
static struct expr
pair(struct gen *g, const char *sign, const struct expr *a,
     const struct expr *b)
{
    struct expr r;

    if (!gen_broadcast(&r, a, b))
        return *a;
    r.text = gen_text(g, "(%s %s %s)", a->text, sign, b->text);
    switch (sign[0]) {
    case '+':
        r.lo = a->lo + b->lo;
        r.hi = a->hi + b->hi;
        break;
    case '-':
        r.lo = a->lo - b->hi;
        r.hi = a->hi - b->lo;
        break;
    case '*':
        r.lo =
            least(a->lo * b->lo, a->lo * b->hi, a->hi * b->lo, a->hi * b->hi);
        r.hi = most(a->lo * b->lo, a->lo * b->hi, a->hi * b->lo, a->hi * b->hi);
        break;
    case '&':
    case '|':
    case '^': {
        const double n =
            most(fabs(a->lo), fabs(a->hi), fabs(b->lo), fabs(b->hi));
        const double size = exp2(ceil(log2(n + 2)));

        r.lo = a->lo < 0 || b->lo < 0 ? -size : 0;
        r.hi = size;
        break;
    }
    default:
        r.lo = 0;
        r.hi = 1;
        r.real = false;
    }
    return r;
}

static struct expr
literal(struct gen *g, const struct expr *e, int lo, int hi)
{
    struct expr c = { .real = e->real, .lo = lo, .hi = hi };

    if (gen_roll(g, 4) == 0 && !g->inside_fn) {
        c.rank = gen_roll(g, e->rank + 1);
        for (size_t d = 0; d < c.rank; d++)
            c.dim[d] = e->dim[d + e->rank - c.rank];
    }
    c.text = gen_numbers(g, c.real, c.rank, c.dim, lo, hi);
    return c;
}

/* free of bootstraps, but for a product of two */
static struct expr
arithmetic(struct gen *g, struct expr e, unsigned depth)
{
    static const char *const signs[] = { "+", "-", "*" };
    const char *sign = signs[gen_roll(g, 3)];
    struct expr b =
        gen_roll(g, 2) ? literal(g, &e, -3, 5) : gen_beside(g, &e, depth);

    if (e.hi - e.lo > 4000) /* let nothing grow without end */
        e = gen_narrowed(g, e, 16);
    if (sign[0] == '*' && e.enc && b.enc) {
        if (e.real)
            sign = "+";
        e = gen_narrowed(g, e, PAIR);
        b = gen_narrowed(g, b, PAIR);
    }
    return gen_roll(g, 2) ? pair(g, sign, &e, &b) : pair(g, sign, &b, &e);
}

static const char *const comparisons[] = { "<", "<=", ">", ">=", "==", "!=" };

static struct expr
compared(struct gen *g, struct expr e, unsigned depth)
{
    const char *sign = comparisons[gen_roll(g, 6)];
    struct expr b =
        gen_roll(g, 2) ? literal(g, &e, -2, 5) : gen_beside(g, &e, depth);

    e = gen_narrowed(g, e, b.enc ? 2 * PAIR : TABLE);
    b = gen_narrowed(g, b, 2 * PAIR);
    return pair(g, sign, &e, &b);
}

static struct expr
smaller_or_larger(struct gen *g, struct expr e, unsigned depth)
{
    struct expr b =
        gen_roll(g, 2) ? literal(g, &e, -2, 5) : gen_beside(g, &e, depth);
    const bool min = gen_roll(g, 2);
    struct expr r;

    e = gen_narrowed(g, e, b.enc ? 2 * PAIR : TABLE);
    b = gen_narrowed(g, b, 2 * PAIR);
    if (!gen_broadcast(&r, &e, &b))
        return e;
    return gen_like(
        &r, gen_text(g, "%s(%s, %s)", min ? "min" : "max", e.text, b.text),
        fmin(e.lo, b.lo), fmax(e.hi, b.hi));
}

static struct expr
bits(struct gen *g, struct expr e, unsigned depth)
{
    static const char *const signs[] = { "&", "|", "^" };
    struct expr b =
        gen_roll(g, 2) ? literal(g, &e, -4, 12) : gen_beside(g, &e, depth);

    e = gen_narrowed(g, e, b.enc ? PAIR : TABLE);
    b = gen_narrowed(g, b, PAIR);
    return pair(g, signs[gen_roll(g, 3)], &e, &b);
}

/* quotients and what they leave; shifts */
static struct expr
divided(struct gen *g, struct expr e, unsigned depth)
{
    const double size = fmax(fabs(e.lo), fabs(e.hi));
    struct expr b, r;

    switch (gen_roll(g, 7)) {
    case 0:
    case 1:
        return gen_like(&e,
                        gen_text(g, "(%s // %d)", e.text, gen_between(g, 2, 9)),
                        e.lo / 2 - 1, e.hi / 2);
    case 2:
        return gen_like(
            &e, gen_text(g, "(%s %% %d)", e.text, gen_between(g, 2, 9)), 0, 8);
    case 3:
        return gen_like(&e,
                        gen_text(g, "(%s %s -%d)", e.text,
                                 gen_roll(g, 2) ? "//" : "%",
                                 gen_between(g, 1, 6)),
                        -size, size);
    case 4:
        return gen_like(&e,
                        gen_text(g, "(%s >> %d)", e.text, gen_between(g, 0, 3)),
                        e.lo, e.hi);
    case 5:
        return gen_like(&e,
                        gen_text(g, "(%s << %d)", e.text, gen_between(g, 0, 2)),
                        4 * e.lo, 4 * e.hi);
    }
    b = gen_inside(g, gen_beside(g, &e, depth), 0, 2);
    e = gen_narrowed(g, e, PAIR);
    if (!gen_broadcast(&r, &e, &b))
        return e;
    switch (gen_roll(g, 4)) {
    case 0:
        return gen_like(&r, gen_text(g, "(%s // (%s + 1))", e.text, b.text),
                        e.lo, e.hi);
    case 1:
        return gen_like(&r, gen_text(g, "(%s %% (%s + 1))", e.text, b.text), 0,
                        2);
    case 2:
        return gen_like(&r, gen_text(g, "(%s >> %s)", e.text, b.text), e.lo,
                        e.hi);
    }
    return gen_like(&b, gen_text(g, "(3 << %s)", b.text), 3, 12);
}

static struct expr
of_one(struct gen *g, struct expr e)
{
    static const char *const names[] = { "abs",  "relu",  "sign",   "floor",
                                         "ceil", "round", "square", "trunc" };
    const double size = fmax(fabs(e.lo), fabs(e.hi));
    const size_t i = gen_roll(g, 11);
    const int n = gen_between(g, 1, 3);

    e = gen_narrowed(g, e, TABLE);
    switch (i) {
    case 8: return gen_like(&e, gen_text(g, "(-%s)", e.text), -e.hi, -e.lo);
    case 9:
        return gen_like(&e, gen_text(g, "(~%s)", e.text), -1 - e.hi, -1 - e.lo);
    case 10:
        e = gen_narrowed(g, e, 16);
        return gen_like(&e, gen_text(g, "(%s ** %d)", e.text, n), -pow(size, n),
                        pow(size, n));
    }
    return gen_like(&e, gen_text(g, "%s(%s)", names[i], e.text),
                    i == 6 ? 0 : -size, i == 6 ? size * size : size);
}

static struct expr
narrower(struct gen *g, struct expr e)
{
    const int n = gen_between(g, 1, 3);

    switch (gen_roll(g, 6)) {
    case 0:
        return gen_like(&e, gen_text(g, "round_bits(%s, %d)", e.text, n),
                        e.lo - 4, e.hi + 4);
    case 1:
        return gen_like(&e, gen_text(g, "truncate_bits(%s, %d)", e.text, n),
                        e.lo - 8, e.hi);
    case 2: return gen_like(&e, gen_text(g, "wrap(%s, %d)", e.text, n), 0, 7);
    case 3:
        return gen_like(&e, gen_text(g, "wrap_signed(%s, %d)", e.text, n), -4,
                        3);
    }
    return gen_inside(g, e, gen_between(g, -6, 0), gen_between(g, 1, 9));
}

static struct expr
chosen(struct gen *g, struct expr e, unsigned depth)
{
    const struct expr c = compared(g, gen_beside(g, &e, 0), depth);
    struct expr b =
        gen_roll(g, 2) ? literal(g, &e, -2, 5) : gen_beside(g, &e, depth);
    struct expr both, r;

    e = gen_narrowed(g, e, PAIR);
    b = gen_narrowed(g, b, PAIR);
    if (!gen_broadcast(&both, &e, &b) || !gen_broadcast(&r, &both, &c)
        || c.real)
        return e;
    r.real = e.real || b.real;
    return gen_like(
        &r, gen_text(g, "(if %s then %s else %s)", c.text, e.text, b.text),
        fmin(e.lo, b.lo), fmax(e.hi, b.hi));
}

static struct expr
logic(struct gen *g, struct expr e, unsigned depth)
{
    const struct expr a = compared(g, e, depth);
    const struct expr b = compared(g, gen_beside(g, &e, 0), depth);

    if (a.lo < 0 || a.hi > 1 || b.lo < 0 || b.hi > 1) /* of too many, it is */
        return a;                                     /* left as it was */
    if (a.real || b.real || gen_roll(g, 3) == 0)
        return a.real ? a : gen_like(&a, gen_text(g, "(not %s)", a.text), 0, 1);
    return pair(g, gen_roll(g, 2) ? "and" : "or", &a, &b);
}

static struct expr
called(struct gen *g, struct expr e, unsigned depth)
{
    const size_t i = g->fns ? gen_roll(g, g->fns) : 0;
    struct expr b, r = e;
    const char *more = "";

    if (g->fns == 0 || g->inside_fn)
        return of_one(g, e);
    e = r = gen_inside(g, e, -8, 7);
    if (g->fn[i].parameters == 2 && gen_roll(g, 3)) {
        b = gen_inside(g, gen_beside(g, &e, depth), -8, 7);
        if (!gen_broadcast(&r, &e, &b))
            return e;
        more = gen_text(g, ", %s%s", gen_roll(g, 2) ? "b = " : "", b.text);
    }
    return gen_like(&r, gen_text(g, "%s(%s%s)", g->fn[i].name, e.text, more),
                    -8, 7);
}

struct expr
gen_integers(struct gen *g, struct expr e, unsigned depth)
{
    if (e.real)
        return gen_reals(g, e, depth);
    switch (gen_roll(g, 14)) {
    case 0:
    case 1:
    case 2: return arithmetic(g, e, depth);
    case 3: return compared(g, e, depth);
    case 4: return smaller_or_larger(g, e, depth);
    case 5: return bits(g, e, depth);
    case 6:
    case 7: return divided(g, e, depth);
    case 8: return of_one(g, e);
    case 9: return narrower(g, e);
    case 10: return chosen(g, e, depth);
    case 11: return logic(g, e, depth);
    default: return called(g, e, depth);
    }
}

/* ---- reals */

static struct expr
curve(struct gen *g, struct expr e)
{
    static const struct {
        const char *form;
        double lo, hi;
    } curves[] = {
        { "sigmoid(%s)", 0, 1 },
        { "tanh(%s)", -1, 1 },
        { "sin(%s)", -1, 1 },
        { "cos(%s)", -1, 1 },
        { "erf(%s)", -1, 1 },
        { "atan(%s)", -2, 2 },
        { "softplus(%s)", 0, 8 },
        { "exp(min(%s, 2))", 0, 8 },
        { "log(max(%s, 0.25))", -2, 4 },
        { "sqrt(abs(%s))", 0, 4 },
        { "tan(clip(%s, -1, 1))", -2, 2 },
        { "asin(clip(%s, -1, 1))", -2, 2 },
        { "acos(clip(%s, -1, 1))", 0, 4 },
        { "sinh(clip(%s, -2, 2))", -4, 4 },
        { "cosh(clip(%s, -2, 2))", 0, 4 },
        { "relu(%s)", 0, 4 },
        { "abs(%s)", 0, 4 },
        { "sign(%s)", -1, 1 },
        { "floor(%s)", -4, 4 },
        { "ceil(%s)", -4, 4 },
        { "round(%s)", -4, 4 },
        { "trunc(%s)", -4, 4 },
        { "leaky_relu(%s)", -1, 4 },
        { "relu6(%s)", 0, 6 },
        { "elu(%s)", -1, 4 },
        { "celu(%s, a = 0.5)", -1, 4 },
        { "selu(%s)", -2, 4 },
        { "gelu(%s)", -1, 4 },
        { "silu(%s)", -1, 4 },
        { "mish(%s)", -1, 4 },
        { "hard_sigmoid(%s)", 0, 1 },
        { "hard_swish(%s)", -1, 4 },
        { "hard_tanh(%s)", -1, 1 },
        { "softsign(%s)", -1, 1 },
        { "log_sigmoid(%s)", -4, 0 },
        { "square(%s)", 0, 16 },
        { "reciprocal(abs(%s) + 0.5)", 0, 2 },
        { "exp2(min(%s, 3))", 0, 8 },
        { "log2(max(%s, 0.25))", -2, 4 },
        { "log10(max(%s, 0.25))", -2, 4 },
        { "clip(%s, -1.5, 1.25)", -2, 2 },
        { "(%s / 2)", -4, 4 },
        { "(1 / (abs(%s) + 1))", 0, 1 },
        { "((abs(%s) + 0.25) ** 0.5)", 0, 3 },
        { "(-%s)", -4, 4 },
    };
    const size_t i = gen_roll(g, sizeof curves / sizeof *curves);
    const char *form = curves[i].form, *gap = strstr(form, "%s");
    struct expr r = gen_like(
        &e, gen_text(g, "%.*s%s%s", (int)(gap - form), form, e.text, gap + 2),
        curves[i].lo, curves[i].hi);

    r.real = true;
    return r;
}

struct expr
gen_reals(struct gen *g, struct expr e, unsigned depth)
{
    switch (gen_roll(g, 9)) {
    case 0:
    case 1:
    case 2: return arithmetic(g, e, depth);
    case 3: return compared(g, e, depth);
    case 4: return smaller_or_larger(g, e, depth);
    case 5: return chosen(g, e, depth);
    default: return curve(g, e);
    }
}
