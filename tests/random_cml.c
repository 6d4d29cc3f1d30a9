/* Random models in CML: statements and the parts of expressions. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "tests/random_cml.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

size_t
gen_roll(struct gen *g, size_t sides)
{
    return (size_t)dice_roll(g->d, sides);
}

int
gen_between(struct gen *g, int lo, int hi)
{
    return lo + (int)gen_roll(g, (size_t)(hi - lo) + 1);
}

const char *
gen_text(struct gen *g, const char *fmt, ...)
{
    va_list ap;
    char *text;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text = arena_new(g->mem, char, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return text;
}

size_t
gen_count(const struct expr *e)
{
    size_t n = 1;

    for (size_t d = 0; d < e->rank; d++)
        n *= e->dim[d];
    return n;
}

struct expr
gen_like(const struct expr *e, const char *text, double lo, double hi)
{
    struct expr r = *e;

    r.text = text;
    r.lo = lo;
    r.hi = hi;
    return r;
}

struct expr
gen_scalar(const struct expr *e, const char *text, double lo, double hi)
{
    struct expr r = gen_like(e, text, lo, hi);

    r.rank = 0;
    return r;
}

const char *
gen_numbers(struct gen *g, bool real, size_t rank, const size_t *dim, int lo,
            int hi)
{
    const char *text = "[";

    if (rank == 0)
        return real ? gen_text(g, "%.2f", gen_between(g, 4 * lo, 4 * hi) / 4.0)
                    : gen_text(g, "%d", gen_between(g, lo, hi));
    for (size_t i = 0; i < dim[0]; i++)
        text = gen_text(g, "%s%s%s", text, i ? ", " : "",
                        gen_numbers(g, real, rank - 1, dim + 1, lo, hi));
    return gen_text(g, "%s]", text);
}

struct expr
gen_inside(struct gen *g, struct expr e, int lo, int hi)
{
    const char *text;

    if (e.real) {
        e.real = false;
        text = gen_text(g, "(%s > %.2f)", e.text, gen_between(g, -4, 4) / 4.0);
        text = gen_text(g, "(%s * %d + %d)", text, hi - lo > 0, lo);
    } else if (lo == 0 && gen_roll(g, 2)) {
        text = gen_text(g, "%s %% %d", e.text, hi + 1);
        text = gen_text(g, "(%s)", text);
    } else {
        text = gen_text(g, "clip(%s, %d, %d)", e.text, lo, hi);
    }
    return gen_like(&e, text, lo, hi);
}

struct expr
gen_narrowed(struct gen *g, struct expr e, double most)
{
    const int n = (int)most;

    if (!e.enc || e.real || e.hi - e.lo < most || gen_roll(g, 40) == 0)
        return e;
    if (gen_roll(g, 3) == 0)
        return gen_inside(g, e, -(n / 2), n - n / 2 - 1);
    return gen_inside(g, e, 0, n - 1);
}

struct expr
gen_element(struct gen *g, struct expr e)
{
    const char *text = gen_text(g, "%s[", e.text);

    if (e.rank == 0)
        return e;
    for (size_t d = 0; d < e.rank; d++) {
        const int n = (int)e.dim[d];

        text = gen_text(g, "%s%s%d", text, d ? ", " : "",
                        gen_between(g, -n, n - 1));
    }
    return gen_scalar(&e, gen_text(g, "%s]", text), e.lo, e.hi);
}

bool
gen_broadcast(struct expr *out, const struct expr *a, const struct expr *b)
{
    const struct expr *wide = a->rank >= b->rank ? a : b;
    const struct expr *slim = a->rank >= b->rank ? b : a;
    const size_t skip = wide->rank - slim->rank;

    *out = *wide;
    out->real = a->real || b->real;
    out->enc = a->enc || b->enc;
    for (size_t d = 0; d < slim->rank; d++) {
        const size_t x = wide->dim[d + skip], y = slim->dim[d];

        if (x != y && x != 1 && y != 1)
            return false;
        out->dim[d + skip] = x == 1 ? y : x;
    }
    return gen_count(out) <= 24;
}

struct expr
gen_beside(struct gen *g, const struct expr *e, unsigned depth)
{
    struct expr b, both;

    for (int i = 0; i < 6; i++) {
        b = gen_value(g, i ? 0 : depth);
        if (b.real == e->real && gen_broadcast(&both, e, &b))
            return b;
    }
    if (e->real)
        return (struct expr){ gen_numbers(g, true, 0, NULL, -2, 2),
                              .real = true, .lo = -2, .hi = 2 };
    b = gen_element(g, b.real ? *e : b);
    return b;
}

void
gen_name(struct gen *g, const char *name, const struct expr *e)
{
    if (g->names == CML_NAMES)
        return;
    g->name[g->names] = *e;
    g->name[g->names++].text = name;
}

static struct expr
leaf(struct gen *g)
{
    const bool real = g->reals && !g->inside_fn && gen_roll(g, 4) == 0;

    if (g->names && gen_roll(g, 7))
        return g->name[gen_roll(g, g->names)];
    return (struct expr){ gen_numbers(g, real, 0, NULL, -5, 9), .real = real,
                          .lo = -5, .hi = 9 };
}

struct expr
gen_value(struct gen *g, unsigned depth)
{
    struct expr e = leaf(g);
    const size_t what = gen_roll(g, 10);

    if (depth == 0)
        return e;
    if (gen_roll(g, 3))
        e = gen_value(g, depth - 1);
    if (!e.enc && gen_roll(g, 3)) /* the more interesting ones */
        e = leaf(g);
    if (g->inside_fn)
        return gen_integers(g, e, depth - 1);
    if (what < 2)
        return gen_shapes(g, e, depth - 1);
    if (what < 4)
        return gen_reduced(g, e, depth - 1);
    return e.real ? gen_reals(g, e, depth - 1) : gen_integers(g, e, depth - 1);
}

/* ---- statements */

static void
say(struct gen *g, const char *line)
{
    if (g->p->n < CML_STATEMENTS)
        g->p->line[g->p->n++] = line;
}

static const char *
fresh(struct gen *g)
{
    return gen_text(g, "v%u", g->fresh++);
}

static const char *
shape(struct gen *g, const struct expr *e)
{
    const char *text = "";

    for (size_t d = 0; d < e->rank; d++)
        text = gen_text(g, "%s%s%zu", text, d ? ", " : "[", e->dim[d]);
    return gen_text(g, "%s%s", text, e->rank ? "]" : "");
}

static struct expr
drawn_shape(struct gen *g)
{
    struct expr e = { .rank = gen_roll(g, 6) };

    e.rank = e.rank > 3 ? 1 : e.rank;
    for (size_t d = 0; d < e.rank; d++)
        e.dim[d] = 1 + gen_roll(g, g->narrow || e.rank > 1 ? 3 : 5);
    if (gen_roll(g, 10) == 0) {
        e.rank = 3; /* an image */
        e.dim[0] = 1 + gen_roll(g, 2);
        e.dim[1] = e.dim[2] = 2 + gen_roll(g, 2);
    }
    return e;
}

static void
input(struct gen *g, const char *name)
{
    struct expr e = drawn_shape(g);
    const int bits = 1 + (int)gen_roll(g, g->narrow ? 2 : 4);
    const char *type = gen_text(g, "u%d", bits), *box = "";
    const char *who = gen_roll(g, 4) ? "" : "clear ";

    e.enc = true;
    e.hi = (1 << bits) - 1;
    if (g->reals && gen_roll(g, 4)) {
        e.real = true;
        e.lo = gen_between(g, -8, 0) / 4.0;
        e.hi = gen_between(g, 1, 8) / 4.0;
        type = "real";
        box = gen_text(g, " in %.2f..%.2f", e.lo, e.hi);
    } else if (gen_roll(g, 3) == 0) {
        type = gen_text(g, "i%d", bits + 1);
        e.lo = -(1 << bits);
    } else if (gen_roll(g, 4) == 0) {
        e.lo = gen_between(g, -9, 3);
        e.hi = e.lo + gen_between(g, 1, g->narrow ? 4 : 12);
        type = "i8";
        box = gen_text(g, " in %d..%d", (int)e.lo, (int)e.hi);
    } else if (gen_roll(g, 8) == 0) {
        type = "bool";
        e.hi = 1;
    }
    say(g, gen_text(g, "input %s : %s%s%s%s;", name, who, type, shape(g, &e),
                    box));
    gen_name(g, name, &e);
}

static void
constant(struct gen *g)
{
    static const char *const words[] = { "param", "const", "table" };
    struct expr e = drawn_shape(g);
    const char *name = fresh(g), *type = "";

    e.real = g->reals && gen_roll(g, 2);
    e.lo = -3;
    e.hi = 5;
    if (e.real || gen_roll(g, 2))
        type = gen_text(g, " : %s%s", e.real ? "real" : "int", shape(g, &e));
    say(g, gen_text(g, "%s %s%s = %s;", words[gen_roll(g, 3)], name, type,
                    gen_numbers(g, e.real, e.rank, e.dim, -3, 5)));
    gen_name(g, name, &e);
}

/* e with the shape of all parameters, whether or not it depends on them. */
static struct expr
whole(struct gen *g, struct expr e, size_t two)
{
    e.text = gen_text(g, "(%s + a * 0%s)", e.text, two ? " + b * 0" : "");
    return e;
}

/* A fn of integers in -8..7, with or without steps. */
static void
function(struct gen *g)
{
    const struct expr a = { "a", .enc = true, .lo = -8, .hi = 7 };
    const struct expr b = { "b", .enc = true, .lo = -8, .hi = 7 };
    const size_t two = gen_roll(g, 2), names = g->names;
    struct expr was[CML_NAMES], e;
    const char *name = fresh(g), *text, *line;

    memcpy(was, g->name, sizeof was);
    g->names = 0;
    g->inside_fn = true;
    gen_name(g, "a", &a);
    if (two)
        gen_name(g, "b", &b);
    text = gen_text(g, "fn %s(a%s)", name,
                    !two             ? ""
                    : gen_roll(g, 2) ? ", b = -2"
                                     : ", b = 3");
    e = gen_value(g, 2);
    if (gen_roll(g, 2)) {
        gen_name(g, "c", &e);
        line = gen_text(g, "var c = %s;", e.text);
        if (gen_roll(g, 2))
            line = gen_text(g, "%s for i in 0..%d { c = wrap(c + a * i, 3); }",
                            line, gen_between(g, 0, 3));
        e = gen_inside(g, whole(g, gen_value(g, 2), two), -8, 7);
        say(g, gen_text(g, "%s { %s return %s; }", text, line, e.text));
    } else {
        e = gen_inside(g, whole(g, e, two), -8, 7);
        say(g, gen_text(g, "%s = %s;", text, e.text));
    }
    g->inside_fn = false;
    memcpy(g->name, was, sizeof was);
    g->names = names;
    g->fn[g->fns].name = name;
    g->fn[g->fns++].parameters = 1 + two;
}

static void
let(struct gen *g)
{
    const struct expr e = gen_value(g, 3);
    const char *name = fresh(g), *type = "";

    if (gen_roll(g, 6) == 0)
        type = gen_text(g, " : %s%s", e.real ? "real" : "int", shape(g, &e));
    say(g, gen_text(g, "let %s%s = %s;", name, type, e.text));
    gen_name(g, name, &e);
}

/* A value with an axis. */
static struct expr
vector(struct gen *g)
{
    struct expr e = gen_value(g, 1);

    for (int i = 0; i < 8 && e.rank == 0; i++)
        e = gen_value(g, 1);
    if (e.rank == 0) {
        e.text = gen_text(g, "[%s, %s]", e.text, e.text);
        e.rank = 1;
        e.dim[0] = 2;
    }
    return e;
}

/* var s = e; some of its elements get other values */
static void
elements(struct gen *g)
{
    struct expr e = vector(g), s = e, f;
    const char *name = fresh(g), *line;

    s.text = name;
    line = gen_text(g, "var %s = %s;", name, e.text);
    f = gen_element(g, gen_value(g, 1));
    if (f.real && !e.real)
        f = gen_inside(g, f, 0, 1);
    switch (gen_roll(g, 4)) {
    case 0:
        line = gen_text(g, "%s %s[%zu] = %s;", line, name,
                        gen_roll(g, e.dim[0]), f.text);
        break;
    case 1:
        line = gen_text(g, "%s %s[::-1] = %s;", line, name, e.text);
        f = e;
        break;
    case 2:
        line = gen_text(g, "%s for i in 0..len(%s) { %s[i] = %s[i] %s; }", line,
                        name, name, name, gen_roll(g, 2) ? "+ i" : "* (i - 1)");
        f = gen_like(&e, f.text, e.lo - e.hi - 9, 5 * fabs(e.hi) + 9);
        break;
    case 3:
        line = gen_text(g, "%s for i in 1..len(%s) { %s[i] = %s[i - 1] + %s; }",
                        line, name, name, name, f.text);
        f.enc = f.enc && e.dim[0] > 1;
        f.lo = e.lo + 4 * (f.lo < 0 ? f.lo : 0);
        f.hi = e.hi + 4 * (f.hi > 0 ? f.hi : 0);
        break;
    }
    s.lo = e.lo < f.lo ? e.lo : f.lo;
    s.hi = e.hi > f.hi ? e.hi : f.hi;
    s.enc = e.enc || f.enc;
    say(g, line);
    gen_name(g, name, &s);
}

/* var s = e; a loop gives it another value in each turn */
static void
turns(struct gen *g)
{
    struct expr e = gen_value(g, 1), s, i, r;
    const char *name = fresh(g), *line;
    const size_t names = g->names;
    const int last = gen_between(g, 0, 2);

    if (e.real || gen_count(&e) > 6) {
        elements(g);
        return;
    }
    e = gen_narrowed(g, e, 16);
    s = gen_like(&e, name, e.lo < -8 ? e.lo : -8, e.hi > 7 ? e.hi : 7);
    line = gen_text(g, "var %s = %s;", name, e.text);
    gen_name(g, name, &s);
    i = (struct expr){ "i", .lo = 0, .hi = last };
    gen_name(g, "i", &i);
    g->inside_fn = true;
    r = gen_integers(g, s, 1);
    g->inside_fn = false;
    g->names = names;
    if (r.rank != s.rank || memcmp(r.dim, s.dim, r.rank * sizeof *r.dim) != 0)
        r = s;
    s.enc = e.enc && r.enc;
    r = gen_inside(g, r, -8, 7);
    say(g, gen_text(g, "%s for i in 0..%d { %s = %s; }", line, last + 1, name,
                    r.text));
    gen_name(g, name, &s);
}

static void
output(struct gen *g, unsigned i)
{
    const struct expr e =
        gen_roll(g, 3) ? gen_value(g, 2) : g->name[g->names - 1];
    const char *where = gen_roll(g, 8) == 0 ? " at server" : "";

    say(g, gen_text(g, "output out%u = %s%s;", i, e.text, where));
}

static void
settings(struct gen *g)
{
    const int n = g->narrow ? 2 : 3;
    const char *approx = "";

    if (gen_roll(g, 12) == 0)
        approx = gen_text(g, " rounding approx %d bits;", gen_between(g, 3, 6));
    if (g->reals)
        say(g, gen_text(g,
                        "quantize { inputs %d bits; weights %d bits%s; "
                        "activations %d bits;%s }",
                        gen_between(g, 1, n), gen_between(g, 2, n),
                        gen_roll(g, 4) ? "" : " per channel",
                        gen_between(g, 1, n), approx));
}

void
random_cml(struct random_cml *p, struct arena *mem, struct dice *d, bool reals,
           bool narrow)
{
    static const char *const names[] = { "x", "y", "z" };
    struct gen *g = arena_new(mem, struct gen, 1);
    const size_t steps =
        (narrow ? 2 : 3) + (size_t)dice_roll(d, narrow ? 3 : 5);

    *p = (struct random_cml){ 0 };
    g->mem = mem;
    g->d = d;
    g->p = p;
    g->reals = reals;
    g->narrow = narrow;
    for (size_t i = 0, n = 1 + gen_roll(g, 3); i < n; i++)
        input(g, names[i]);
    for (size_t n = gen_roll(g, 3); n > 0; n--)
        constant(g);
    for (size_t n = gen_roll(g, 3); n > 0; n--)
        function(g);
    for (size_t i = 0; i < steps; i++)
        switch (gen_roll(g, 6)) {
        case 0: elements(g); break;
        case 1: turns(g); break;
        default: let(g);
        }
    for (unsigned i = 0, n = 1 + (unsigned)gen_roll(g, 3); i < n; i++)
        output(g, i);
    settings(g);
}

const char *
random_cml_text(struct arena *mem, const struct random_cml *p)
{
    char *text = NULL;
    const char *kept;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "model random {\n");
    for (size_t i = 0; i < p->n; i++)
        if (!p->left_out[i])
            fprintf(out, "    %s\n", p->line[i]);
    fprintf(out, "}\n");
    fclose(out);
    kept = arena_string(mem, text, len);
    free(text);
    return kept;
}
