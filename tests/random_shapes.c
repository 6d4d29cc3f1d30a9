/* Random models in CML: operations on tensors as a whole. */
#include "tests/random_cml.h"

#include <math.h>
#include <string.h>

enum { MOST = 24, TABLE = 32, PAIR = 12 };

static struct expr
shaped(struct expr e, const char *text, size_t rank, const size_t *dim)
{
    e.text = text;
    e.rank = rank;
    for (size_t d = 0; d < rank; d++)
        e.dim[d] = dim[d];
    return e;
}

/* One axis kept, others by a number or a slice. */
static struct expr
subscripted(struct gen *g, struct expr e)
{
    static const char *const forms[] = { ":", "::-1", "1:", ":-1", "::2" };
    const char *text = gen_text(g, "%s[", e.text);
    size_t dim[CML_RANK], rank = 0;

    for (size_t d = 0; d < e.rank; d++) {
        const int n = (int)e.dim[d];
        size_t how = gen_roll(g, 7);

        text = gen_text(g, "%s%s", text, d ? ", " : "");
        if (how >= 5) {
            text = gen_text(g, "%s%d", text, gen_between(g, -n, n - 1));
            continue;
        }
        how = n == 1 && how > 1 ? 0 : how;
        text = gen_text(g, "%s%s", text, forms[how]);
        dim[rank++] = how < 2    ? e.dim[d]
                      : how == 4 ? (e.dim[d] + 1) / 2
                                 : e.dim[d] - 1;
    }
    return shaped(e, gen_text(g, "%s]", text), rank, dim);
}

static struct expr
turned(struct gen *g, struct expr e)
{
    size_t dim[CML_RANK];

    if (e.rank == 3 && gen_roll(g, 2)) {
        dim[0] = e.dim[1], dim[1] = e.dim[2], dim[2] = e.dim[0];
        return shaped(e, gen_text(g, "transpose(%s, [1, 2, 0])", e.text), 3,
                      dim);
    }
    for (size_t d = 0; d < e.rank; d++)
        dim[d] = e.dim[e.rank - 1 - d];
    return shaped(e, gen_text(g, "transpose(%s)", e.text), e.rank, dim);
}

static struct expr
reshaped(struct gen *g, struct expr e)
{
    const size_t n = gen_count(&e);
    size_t dim[CML_RANK] = { 1 + gen_roll(g, n) };

    while (n % dim[0])
        dim[0]--;
    dim[1] = n / dim[0];
    switch (gen_roll(g, 5)) {
    case 0:
        return shaped(e, gen_text(g, "reshape(%s, %zu, -1)", e.text, dim[0]), 2,
                      dim);
    case 1:
        return shaped(
            e, gen_text(g, "reshape(%s, [%zu, %zu])", e.text, dim[0], dim[1]),
            2, dim);
    case 2:
        if (e.rank == CML_RANK)
            return e;
        memcpy(dim + 1, e.dim, e.rank * sizeof *dim);
        dim[0] = 1;
        return shaped(e, gen_text(g, "expand(%s, 0)", e.text), e.rank + 1, dim);
    case 3: {
        size_t rank = 0;

        for (size_t d = 0; d < e.rank; d++)
            if (e.dim[d] != 1)
                dim[rank++] = e.dim[d];
        return shaped(e, gen_text(g, "squeeze(%s)", e.text), rank, dim);
    }
    }
    dim[0] = n;
    return shaped(e, gen_text(g, "flatten(%s)", e.text), 1, dim);
}

/* more elements, or others */
static struct expr
grown(struct gen *g, struct expr e)
{
    const size_t last = e.rank - 1, axis = gen_roll(g, e.rank);
    const int n = (int)e.dim[axis], i = gen_between(g, -n, n - 1);
    const int j = gen_between(g, 0, n - 1);
    struct expr r = e;

    switch (gen_roll(g, 5)) {
    case 0:
        r.dim[last] *= 2;
        r.text = gen_text(g, "tile(%s, 2)", e.text);
        break;
    case 1:
        for (size_t d = 0; d < e.rank; d++)
            r.dim[d] += 2;
        r.text = gen_text(g, "pad(%s, 1%s)", e.text,
                          gen_roll(g, 2) ? ", value = -2" : "");
        r.lo = fmin(r.lo, -2);
        r.hi = fmax(r.hi, 0);
        break;
    case 2:
        r.dim[axis] = 2;
        r.text =
            gen_text(g, "gather(%s, [%d, %d], axis = %zu)", e.text, i, j, axis);
        break;
    case 3:
        r.dim[axis] = (size_t)(n - j);
        r.text =
            gen_text(g, "slice(%s, %d, %d, axis = %zu)", e.text, j, n, axis);
        break;
    case 4:
        if (e.rank == CML_RANK)
            return e;
        memmove(r.dim + 1, e.dim, e.rank * sizeof *r.dim);
        r.dim[0] = 2;
        r.rank++;
        r.text = gen_text(g, "broadcast(%s, [2", e.text);
        for (size_t d = 0; d < e.rank; d++)
            r.text = gen_text(g, "%s, %zu", r.text, e.dim[d]);
        r.text = gen_text(g, "%s])", r.text);
        break;
    }
    return gen_count(&r) > MOST ? e : r;
}

static struct expr
joined(struct gen *g, struct expr e, unsigned depth)
{
    struct expr b = gen_beside(g, &e, depth), both;
    struct expr r = e;

    /* of one shape: what the other one adds nothing to */
    if (!gen_broadcast(&both, &e, &b) || both.real != e.real)
        return e;
    if (b.rank != e.rank || memcmp(b.dim, e.dim, e.rank * sizeof *e.dim) != 0)
        b = gen_like(&e, gen_text(g, "(%s + 1)", e.text), e.lo + 1, e.hi + 1);
    r.lo = fmin(e.lo, b.lo);
    r.hi = fmax(e.hi, b.hi);
    r.enc = e.enc || b.enc;
    if (e.rank && gen_roll(g, 2)) {
        const size_t axis = gen_roll(g, e.rank);

        r.dim[axis] *= 2;
        r.text =
            gen_text(g, "concat(%s, %s, axis = %zu)", e.text, b.text, axis);
    } else {
        if (e.rank == CML_RANK)
            return e;
        memmove(r.dim + 1, e.dim, e.rank * sizeof *r.dim);
        r.dim[0] = 2;
        r.rank++;
        r.text = gen_text(g, gen_roll(g, 2) ? "[%s, %s]" : "stack(%s, %s)",
                          e.text, b.text);
    }
    return gen_count(&r) > MOST ? e : r;
}

/* [f(e[i], i) for i in ..] */
static struct expr
each(struct gen *g, struct expr e, unsigned depth)
{
    const struct expr i = { "i", .hi = (double)e.dim[0] - 1 };
    const size_t names = g->names;
    struct expr r, part = e;

    part.text = gen_text(g, "%s[i]", e.text);
    part.rank--;
    memmove(part.dim, e.dim + 1, part.rank * sizeof *part.dim);
    if (g->names + 1 >= CML_NAMES)
        return e;
    gen_name(g, "i", &i);
    r = gen_integers(g, part, depth ? 1 : 0);
    g->names = names;
    if (r.rank == CML_RANK || gen_count(&r) * e.dim[0] > MOST)
        return e;
    r.text = gen_text(g, "[%s for i in 0..%zu]", r.text, e.dim[0]);
    memmove(r.dim + 1, r.dim, r.rank * sizeof *r.dim);
    r.dim[0] = e.dim[0];
    r.rank++;
    return r;
}

/* a table of e, or an element of x that e chooses */
static struct expr
indexed(struct gen *g, struct expr e, unsigned depth)
{
    struct expr x = gen_value(g, depth), r;
    size_t n = 2 + gen_roll(g, 5);

    if (x.rank == 0 || x.rank + e.rank > CML_RANK + 1 || gen_roll(g, 2)) {
        x = (struct expr){ gen_numbers(g, false, 1, &n, -7, 9), .rank = 1,
                           .lo = -7, .hi = 9 };
        x.dim[0] = n;
    }
    if (x.dim[0] == 1)
        return e;
    x = gen_narrowed(g, x, 2 * PAIR);
    e = gen_inside(g, e, 0, (int)x.dim[0] - 1);
    if (!e.enc)
        return x;
    r = x;
    r.enc = true;
    r.rank = e.rank + x.rank - 1;
    if (r.rank > CML_RANK)
        return e;
    memmove(r.dim + e.rank, x.dim + 1, (x.rank - 1) * sizeof *r.dim);
    memcpy(r.dim, e.dim, e.rank * sizeof *r.dim);
    r.text = gen_text(g, "%s[%s]", x.text, e.text);
    return gen_count(&r) > MOST ? x : r;
}

static struct expr
classes(struct gen *g, struct expr e)
{
    struct expr r = e;
    const int n = gen_between(g, 2, 4);

    if (e.real || e.rank == CML_RANK || gen_count(&e) * (size_t)n > MOST)
        return e;
    e = gen_narrowed(g, e, TABLE);
    r.dim[r.rank++] = (size_t)n;
    r.lo = 0;
    r.hi = 1;
    r.text = gen_text(g, "one_hot(%s, %d)", e.text, n);
    return r;
}

struct expr
gen_shapes(struct gen *g, struct expr e, unsigned depth)
{
    for (int i = 0; i < 4 && e.rank == 0; i++)
        e = gen_value(g, 0);
    if (e.rank == 0)
        return joined(g, e, depth);
    switch (gen_roll(g, 11)) {
    case 0:
    case 1: return subscripted(g, e);
    case 2: return turned(g, e);
    case 3: return reshaped(g, e);
    case 4: return grown(g, e);
    case 5: return joined(g, e, depth);
    case 6: return each(g, e, depth);
    case 7: return classes(g, e);
    case 8: return gen_element(g, e);
    default: return indexed(g, e, depth);
    }
}

/* ---- sums, products, windows */

static struct expr
without(const struct expr *e, size_t axis)
{
    struct expr r = *e;

    memmove(r.dim + axis, r.dim + axis + 1,
            (r.rank - axis - 1) * sizeof *r.dim);
    r.rank--;
    return r;
}

static struct expr
reduction(struct gen *g, struct expr e)
{
    static const char *const names[] = { "sum",    "max", "min", "argmax",
                                         "argmin", "all", "any", "mean" };
    const size_t i = gen_roll(g, g->reals ? 8 : 7);
    const size_t axis = gen_roll(g, e.rank), n = gen_count(&e);
    const bool along = i < 5 && gen_roll(g, 2);
    struct expr r = along ? without(&e, axis) : gen_scalar(&e, "", 0, 0);

    if (i > 0 && i < 7) {
        if (n > 6)
            return subscripted(g, e);
        e = gen_narrowed(g, e, i < 5 ? PAIR : TABLE);
    }
    r.text = along ? gen_text(g, "%s(%s, axis = %zu)", names[i], e.text, axis)
                   : gen_text(g, "%s(%s)", names[i], e.text);
    r.lo = i == 0 ? e.lo * (double)n : i < 3 || i == 7 ? e.lo : 0;
    r.hi = i == 0            ? e.hi * (double)n
           : i < 3 || i == 7 ? e.hi
           : i < 5           ? (double)n
                             : 1;
    r.real = i == 7 || (e.real && i < 3);
    return r;
}

static struct expr
product(struct gen *g, struct expr e)
{
    const size_t k = e.rank == 1 ? e.dim[0] : e.dim[1];
    size_t dim[2] = { k, 1 + gen_roll(g, 3) };
    const bool vector = gen_roll(g, 3) == 0;
    struct expr r = e;

    if (e.rank > 2)
        return e;
    if (vector)
        r = without(&e, e.rank - 1);
    else
        r.dim[r.rank - 1] = dim[1];
    r.text = gen_text(g, "(%s @ %s)", e.text,
                      gen_numbers(g, e.real, 2u - vector, dim, -2, 3));
    r.hi = 3 * (double)k * fmax(fabs(e.lo), fabs(e.hi));
    r.lo = -r.hi;
    return gen_count(&r) > MOST ? e : r;
}

/* of two that are encrypted, perhaps; sums of first elements */
static struct expr
inner(struct gen *g, struct expr e)
{
    const double n = (double)e.dim[0];
    struct expr b = e, r;

    if (e.rank != 1 || e.real || gen_roll(g, 3) == 0) {
        if (e.rank != 1)
            return product(g, e);
        return gen_like(&e, gen_text(g, "cumsum(%s)", e.text),
                        fmin(e.lo, 0) * n, fmax(e.hi, 0) * n);
    }
    for (int i = 0; i < 9; i++) {
        const struct expr k = gen_value(g, 0);

        if (k.rank == 1 && k.dim[0] == e.dim[0] && !k.real)
            b = k;
    }
    e = gen_narrowed(g, e, 8);
    b = gen_narrowed(g, b, 8);
    r = gen_scalar(&e, gen_text(g, "dot(%s, %s)", e.text, b.text), -64 * n,
                   64 * n);
    r.enc = e.enc || b.enc;
    return r;
}

static struct expr
ranked(struct gen *g, struct expr e)
{
    static const size_t three[] = { 3 };
    size_t dim[2] = { 3, 0 };
    const int k = gen_between(g, 1, 2);

    if (e.rank != 1 || e.dim[0] > 4 || (e.dim[0] < 2 && k > 1) || e.real)
        return reduction(g, e);
    e = gen_narrowed(g, e, PAIR);
    if (gen_roll(g, 2)) {
        dim[0] = (size_t)k;
        return gen_like(
            &(struct expr){ .enc = e.enc, .rank = 1, .dim = { dim[0] } },
            gen_text(g, "topk(%s, %d)", e.text, k), 0, 3);
    }
    dim[1] = e.dim[0];
    return gen_scalar(&e,
                      gen_text(g, "knn(%s, %s, %s, %d)", e.text,
                               gen_numbers(g, false, 2, dim, -3, 5),
                               gen_numbers(g, false, 1, three, 0, 2), k),
                      0, 2);
}

/* Convolutions and pools of x[c, ..]. */
static struct expr
windowed(struct gen *g, struct expr e)
{
    static const char *const more[] = { "", ", stride = 2", ", pad = 1",
                                        ", stride = [1, 2], pad = [1, 0]" };
    static const size_t strides[][2] = {
        { 1, 1 }, { 2, 2 }, { 1, 1 }, { 1, 2 }
    };
    static const size_t pads[][2] = { { 0, 0 }, { 0, 0 }, { 1, 1 }, { 1, 0 } };
    const size_t space = e.rank - 1, how = gen_roll(g, space == 2 ? 4 : 3);
    size_t dim[4] = { 1 + gen_roll(g, 2), e.dim[0], 2, 2 };
    const bool pool = gen_roll(g, 3) == 0;
    const double n = 4 * (double)e.dim[0];
    struct expr r = e;

    if (e.rank < 2 || e.rank > 3)
        return product(g, e);
    if (pool)
        e = gen_narrowed(g, e, PAIR);
    for (size_t d = 0; d < space; d++) {
        if (e.dim[d + 1] + 2 * pads[how][d] < 2)
            return e;
        r.dim[d + 1] =
            (e.dim[d + 1] + 2 * pads[how][d] - 2) / strides[how][d] + 1;
    }
    if (pool) {
        r.text = gen_text(g, "maxpool(%s, 2%s%s)", e.text, more[how],
                          how == 1 || how == 3 ? "" : ", stride = 1");
    } else {
        r.dim[0] = dim[0];
        r.text =
            gen_text(g, "conv%zud(%s, %s%s)", space, e.text,
                     gen_numbers(g, e.real, space + 2, dim, -2, 2), more[how]);
        r.hi = 2 * n * fmax(fabs(e.lo), fabs(e.hi));
        r.lo = -r.hi;
    }
    return gen_count(&r) > (pool ? 8 : MOST) ? e : r;
}

struct expr
gen_reduced(struct gen *g, struct expr e, unsigned depth)
{
    (void)depth;
    for (int i = 0; i < 6 && e.rank == 0; i++)
        e = gen_value(g, 0);
    if (e.rank == 0)
        return e;
    switch (gen_roll(g, 6)) {
    case 0:
    case 1: return reduction(g, e);
    case 2: return product(g, e);
    case 3: return inner(g, e);
    case 4: return ranked(g, e);
    default: return windowed(g, e);
    }
}
