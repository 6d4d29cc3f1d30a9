/* The functions of builtin.def and those of one variable, for the model of the
 * language.  Files are not read. */
#include "tests/model/language.h"

#include <math.h>
#include <string.h>

struct call {
    struct language *l;
    const struct ast *a;
};

/* An argument by its place (from 0; -1: it has none) or its name, or NULL. */
static const struct ast *
find(const struct call *c, int place, const char *name)
{
    int i = 0;

    for (const struct ast *k = c->a->kid; k; k = k->next)
        if (k->kind == AST_named ? strcmp(k->text, name) == 0 : i++ == place)
            return k->kind == AST_named ? k->kid : k;
    return NULL;
}

static struct tensor
get(const struct call *c, int place, const char *name)
{
    const struct ast *a = find(c, place, name);

    if (!a)
        bug("model: %s has no %s", c->a->text, name);
    return language_value(c->l, a);
}

static int64_t
whole(const struct call *c, int place, const char *name, int64_t otherwise)
{
    const struct ast *a = find(c, place, name);

    return a ? language_value(c->l, a).cell->i : otherwise;
}

/* an axis of that many, counted from the front */
static size_t
axis(const struct call *c, int place, size_t rank, int64_t otherwise)
{
    const int64_t n = whole(c, place, "axis", otherwise);

    return (size_t)(n < 0 ? n + (int64_t)rank : n);
}

/* A number for each of n axes: a list, or one for all. */
static void
numbers(const struct call *c, int place, const char *name, size_t n,
        int64_t otherwise, int64_t *to)
{
    const struct ast *a = find(c, place, name);
    struct tensor t;

    for (size_t d = 0; d < n; d++)
        to[d] = otherwise;
    if (!a)
        return;
    t = language_value(c->l, a);
    for (size_t d = 0; d < n; d++)
        to[d] = t.cell[tensor_count(&t) == 1 ? 0 : d].i;
}

/* ---- along an axis: lines of x, each to a value */

struct line {
    const struct tensor *x;
    size_t first, stride, n;
};

static double
line_at(const struct line *k, size_t i)
{
    return tensor_at(k->x, k->first + i * k->stride);
}

/* whether a is beyond b: sign 1 above, -1 below */
static size_t
extreme_of(const struct line *k, double sign)
{
    size_t best = 0;

    for (size_t i = 1; i < k->n; i++)
        if (sign * line_at(k, i) > sign * line_at(k, best))
            best = i;
    return best;
}

static union ir_cell
total(const struct line *k)
{
    union ir_cell sum = { .i = 0 };

    if (k->x->real)
        sum.r = 0;
    for (size_t i = 0; i < k->n; i++)
        if (k->x->real)
            sum.r += k->x->cell[k->first + i * k->stride].r;
        else
            sum.i += k->x->cell[k->first + i * k->stride].i;
    return sum;
}

static union ir_cell
reduce_line(const char *name, const struct line *k)
{
    const double sign = strstr(name, "min") ? -1 : 1;
    const size_t best = extreme_of(k, sign);
    union ir_cell r = total(k);

    if (strcmp(name, "mean") == 0)
        r.r /= (double)k->n;
    else if (strncmp(name, "arg", 3) == 0)
        r.i = (int64_t)best;
    else if (strcmp(name, "sum") != 0)
        r = k->x->cell[k->first + best * k->stride];
    return r;
}

static struct tensor
reduce(const struct call *c, const char *name, struct tensor x, size_t at)
{
    size_t dim[TENSOR_RANK], rank = 0, stride = 1;
    struct tensor r;

    if (strcmp(name, "mean") == 0)
        x = tensor_real(c->l->mem, x);
    for (size_t d = 0; d < x.rank; d++)
        if (d != at)
            dim[rank++] = x.dim[d];
    for (size_t d = at + 1; d < x.rank; d++)
        stride *= x.dim[d];
    r = tensor_new(c->l->mem, x.real && strncmp(name, "arg", 3) != 0, rank,
                   dim);
    for (size_t i = 0; i < tensor_count(&r); i++) {
        const struct line k = { &x,
                                i / stride * stride * x.dim[at] + i % stride,
                                stride, x.dim[at] };

        r.cell[i] = reduce_line(name, &k);
    }
    return r;
}

static struct tensor
reduction(const struct call *c)
{
    struct tensor x = get(c, 0, "x");
    const size_t n = tensor_count(&x);

    if (find(c, -1, "axis"))
        return reduce(c, c->a->text, x, axis(c, -1, x.rank, 0));
    return reduce(c, c->a->text, tensor_reshape(x, 1, &n), 0);
}

/* of one value, or of two */
static struct tensor
extreme(const struct call *c)
{
    const bool min = c->a->text[1] == 'i';
    struct tensor a, b, r;

    if (!find(c, 1, "y"))
        return reduction(c);
    a = get(c, 0, "x");
    b = get(c, 1, "y");
    tensor_join(c->l->mem, &a, &b);
    r = tensor_shape2(c->l->mem, &a, &b);
    for (size_t i = 0; i < tensor_count(&r); i++) {
        const size_t j = tensor_under(&r, &a, i), k = tensor_under(&r, &b, i);
        const bool first = min ? tensor_at(&a, j) < tensor_at(&b, k)
                               : tensor_at(&a, j) > tensor_at(&b, k);

        r.cell[i] = first ? a.cell[j] : b.cell[k];
    }
    return r;
}

static struct tensor
softmax(const struct call *c)
{
    struct tensor x = tensor_real(c->l->mem, get(c, 0, "x")), e, s;
    const size_t at = axis(c, -1, x.rank, -1);

    s = tensor_expand(reduce(c, "max", x, at), at);
    e = language_operator(c->l, "-", x, s);
    for (size_t i = 0; i < tensor_count(&e); i++)
        e.cell[i].r = exp(e.cell[i].r);
    s = tensor_expand(reduce(c, "sum", e, at), at);
    return language_operator(c->l, "/", e, s);
}

/* Indices of x in order: the largest first, of equals the first. */
static size_t *
order(const struct call *c, const struct tensor *x)
{
    const size_t n = tensor_count(x);
    size_t *list = arena_new(c->l->mem, size_t, n);

    for (size_t i = 0; i < n; i++) {
        size_t j = i;

        for (; j > 0 && tensor_at(x, list[j - 1]) < tensor_at(x, i); j--)
            list[j] = list[j - 1];
        list[j] = i;
    }
    return list;
}

static struct tensor
topk(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");
    const size_t k = (size_t)whole(c, 1, "k", 1), *list = order(c, &x);
    struct tensor r = tensor_new(c->l->mem, false, 1, &k);

    for (size_t i = 0; i < k; i++)
        r.cell[i].i = (int64_t)list[i];
    return r;
}

static struct tensor
knn(const struct call *c)
{
    const struct tensor x = get(c, 0, "x"), y = get(c, 1, "points");
    const struct tensor label = get(c, 2, "labels");
    const int64_t k = whole(c, 3, "k", 1);
    struct tensor near = tensor_new(c->l->mem, true, 1, y.dim), votes;
    const size_t most = 1000, *list;
    const struct line all = { &votes, 0, 1, most };

    for (size_t i = 0; i < tensor_count(&y); i++) {
        const double d = tensor_at(&x, i % y.dim[1]) - tensor_at(&y, i);

        near.cell[i / y.dim[1]].r -= d * d;
    }
    list = order(c, &near);
    votes = tensor_new(c->l->mem, false, 1, &most);
    for (int64_t i = 0; i < k; i++)
        votes.cell[label.cell[list[i]].i].i++;
    return tensor_whole(c->l->mem, (int64_t)extreme_of(&all, 1));
}

static struct tensor
sort(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");
    const size_t along = axis(c, 1, x.rank, -1);
    struct tensor r = tensor_new(c->l->mem, x.real, x.rank, x.dim);

    for (size_t i = 0; i < tensor_count(&x); i++) {
        size_t place[TENSOR_RANK], before = 0, own;

        tensor_place(&x, i, place);
        own = place[along];
        for (place[along] = 0; place[along] < x.dim[along]; place[along]++) {
            const double v = tensor_at(&x, tensor_element(&x, place));

            before += v < tensor_at(&x, i)
                      || (v <= tensor_at(&x, i) && place[along] < own);
        }
        place[along] = before;
        r.cell[tensor_element(&x, place)] = x.cell[i];
    }
    return r;
}

/* ---- numbers */

static struct tensor
clip(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");
    const struct tensor lo = get(c, 1, "low"), hi = get(c, 2, "high");
    struct tensor r = tensor_new(c->l->mem, x.real, x.rank, x.dim);

    for (size_t i = 0; i < tensor_count(&x); i++) {
        double v = tensor_at(&x, i);

        v = v < tensor_at(&lo, 0)   ? tensor_at(&lo, 0)
            : v > tensor_at(&hi, 0) ? tensor_at(&hi, 0)
                                    : v;
        if (r.real)
            r.cell[i].r = v;
        else
            r.cell[i].i = (int64_t)v;
    }
    return r;
}

static struct tensor
cut(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");
    const int64_t size = (int64_t)1 << whole(c, 1, "n", 0);
    const int64_t half = c->a->text[0] == 'r' ? size / 2 : 0;
    struct tensor r = tensor_new(c->l->mem, false, x.rank, x.dim);

    for (size_t i = 0; i < tensor_count(&x); i++) {
        const int64_t v = x.cell[i].i + half;

        r.cell[i].i = v - (v % size + size) % size;
    }
    return r;
}

static const struct {
    const char *name;
    bool integers; /* stay integers */
} of_one[] = {
    { "abs", true },   { "relu", true }, { "sign", true },
    { "floor", true }, { "ceil", true }, { "round", true },
};

static double
apply(const char *name, double x)
{
#define F(f, expr) \
    if (strcmp(name, #f) == 0) \
        return expr;
#define B(f, expr, infer)
#define A(op, kind, field)
#define T(f, nin, infer, traits, attrs)
#define C(family, f, nin, infer, traits, attrs)
#include "ir/ops.def"
    bug("model: no function '%s'", name);
}

static bool
one_variable(const struct call *c, struct tensor *out)
{
    bool known = false, integers = false;
    struct tensor x;

#define F(f, expr) known = known || strcmp(c->a->text, #f) == 0;
#define B(f, expr, infer)
#define A(op, kind, field)
#define T(f, nin, infer, traits, attrs)
#define C(family, f, nin, infer, traits, attrs)
#include "ir/ops.def"
    if (!known)
        return false;
    for (size_t i = 0; i < sizeof of_one / sizeof *of_one; i++)
        integers = integers || strcmp(c->a->text, of_one[i].name) == 0;
    x = get(c, 0, "x");
    *out = tensor_new(c->l->mem, x.real || !integers, x.rank, x.dim);
    for (size_t i = 0; i < tensor_count(&x); i++)
        if (out->real)
            out->cell[i].r = apply(c->a->text, tensor_at(&x, i));
        else
            out->cell[i].i = (int64_t)apply(c->a->text, tensor_at(&x, i));
    return true;
}

/* ---- shapes */

static struct tensor
reshape(const struct call *c)
{
    const struct tensor x = get(c, 0, "x"), list = get(c, 1, "n");
    size_t dim[TENSOR_RANK], rank = 0, rest = tensor_count(&x), open = 9;

    for (size_t i = 0; list.rank && i < list.dim[0]; i++)
        dim[rank++] = (size_t)list.cell[i].i;
    for (int i = 1; !list.rank && find(c, i, "n"); i++)
        dim[rank++] = (size_t)get(c, i, "n").cell->i;
    for (size_t d = 0; d < rank; d++)
        if (dim[d] == (size_t)-1)
            open = d;
        else
            rest /= dim[d];
    if (open < rank)
        dim[open] = rest;
    return tensor_reshape(x, rank, dim);
}

static struct tensor
flatten(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");
    const size_t n = tensor_count(&x);

    return tensor_reshape(x, 1, &n);
}

static struct tensor
transpose(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");
    int64_t axes[TENSOR_RANK];
    size_t dim[TENSOR_RANK], from[TENSOR_RANK], to[TENSOR_RANK];
    struct tensor r;

    numbers(c, 1, "axes", x.rank, 0, axes);
    for (size_t d = 0; d < x.rank; d++) {
        if (!find(c, 1, "axes"))
            axes[d] = (int64_t)(x.rank - 1 - d);
        axes[d] += axes[d] < 0 ? (int64_t)x.rank : 0;
        dim[d] = x.dim[axes[d]];
    }
    r = tensor_new(c->l->mem, x.real, x.rank, dim);
    for (size_t i = 0; i < tensor_count(&x); i++) {
        tensor_place(&x, i, from);
        for (size_t d = 0; d < x.rank; d++)
            to[d] = from[axes[d]];
        r.cell[tensor_element(&r, to)] = x.cell[i];
    }
    return r;
}

static struct tensor
squeeze(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");
    const bool one = find(c, -1, "axis");
    const size_t at = axis(c, -1, x.rank, 0);
    size_t dim[TENSOR_RANK], rank = 0;

    for (size_t d = 0; d < x.rank; d++)
        if (one ? d != at : x.dim[d] != 1)
            dim[rank++] = x.dim[d];
    return tensor_reshape(x, rank, dim);
}

static struct tensor
expand(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");

    return tensor_expand(x, axis(c, 1, x.rank + 1, 0));
}

/* concat and stack */
static struct tensor
joined(const struct call *c)
{
    const bool stack = c->a->text[0] == 's';
    struct tensor *v = arena_new(c->l->mem, struct tensor, ast_kids(c->a));
    size_t n = 0, at;

    while (find(c, (int)n, "none")) {
        v[n] = get(c, (int)n, "none");
        n++;
    }
    at = axis(c, -1, v[0].rank + stack, 0);
    for (size_t i = 0; i < n && stack; i++)
        v[i] = tensor_expand(v[i], at);
    return tensor_concat(c->l->mem, v, n, at);
}

static struct tensor
taken(const struct call *c, const struct tensor *x, size_t at,
      const int64_t *list, size_t n)
{
    struct tensor r = *x;
    size_t place[TENSOR_RANK];

    r.dim[at] = n;
    r = tensor_new(c->l->mem, x->real, x->rank, r.dim);
    for (size_t i = 0; i < tensor_count(&r); i++) {
        int64_t v;

        tensor_place(&r, i, place);
        v = list[place[at]];
        place[at] = (size_t)(v < 0 ? v + (int64_t)x->dim[at] : v);
        r.cell[i] = x->cell[tensor_element(x, place)];
    }
    return r;
}

static struct tensor
slice(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");
    const size_t at = axis(c, -1, x.rank, 0);
    const int64_t n = (int64_t)x.dim[at];
    int64_t from = whole(c, 1, "from", 0), to = whole(c, 2, "to", n), *list;

    from += from < 0 ? n : 0;
    to += to < 0 ? n : 0;
    list = arena_new(c->l->mem, int64_t, (size_t)(to - from));
    for (int64_t i = from; i < to; i++)
        list[i - from] = i;
    return taken(c, &x, at, list, (size_t)(to - from));
}

static struct tensor
gather(const struct call *c)
{
    const struct tensor x = get(c, 0, "x"), index = get(c, 1, "index");
    const size_t n = tensor_count(&index);
    int64_t *list = arena_new(c->l->mem, int64_t, n);

    for (size_t i = 0; i < n; i++)
        list[i] = index.cell[i].i;
    return taken(c, &x, axis(c, -1, x.rank, 0), list, n);
}

static struct tensor
pad(const struct call *c)
{
    struct tensor x = get(c, 0, "x"), v = tensor_whole(c->l->mem, 0), r;
    const struct tensor w = get(c, 1, "width");
    size_t place[TENSOR_RANK], before[TENSOR_RANK];

    if (find(c, -1, "value"))
        v = get(c, -1, "value");
    tensor_join(c->l->mem, &x, &v);
    r = x;
    for (size_t d = 0; d < x.rank; d++) {
        const size_t i = tensor_count(&w) == 1 ? 0 : w.rank == 2 ? 2 * d : d;

        before[d] = (size_t)w.cell[i].i;
        r.dim[d] += before[d] + (size_t)w.cell[i + (w.rank == 2)].i;
    }
    r = tensor_new(c->l->mem, x.real, x.rank, r.dim);
    for (size_t i = 0; i < tensor_count(&r); i++)
        r.cell[i] = *v.cell;
    for (size_t i = 0; i < tensor_count(&x); i++) {
        tensor_place(&x, i, place);
        for (size_t d = 0; d < x.rank; d++)
            place[d] += before[d];
        r.cell[tensor_element(&r, place)] = x.cell[i];
    }
    return r;
}

static struct tensor
tile(const struct call *c)
{
    struct tensor x = get(c, 0, "x");
    const struct tensor times = get(c, 1, "times");

    for (size_t k = tensor_count(&times); k-- > 0;) {
        const size_t d = x.rank - tensor_count(&times) + k, n = x.dim[d];
        int64_t *list =
            arena_new(c->l->mem, int64_t, n *(size_t)times.cell[k].i);

        for (size_t i = 0; i < n * (size_t)times.cell[k].i; i++)
            list[i] = (int64_t)(i % n);
        x = taken(c, &x, d, list, n * (size_t)times.cell[k].i);
    }
    return x;
}

static struct tensor
broadcast(const struct call *c)
{
    const struct tensor x = get(c, 0, "x"), list = get(c, 1, "shape");
    struct tensor to = { .rank = tensor_count(&list) };

    for (size_t d = 0; d < to.rank; d++)
        to.dim[d] = (size_t)list.cell[d].i;
    return tensor_spread(c->l->mem, &x, &to);
}

static struct tensor
per_channel(const struct call *c)
{
    const struct tensor v = get(c, 0, "v"), x = get(c, 1, "x");
    size_t dim[TENSOR_RANK] = { 1, 1, 1, 1, 1, 1 };

    if (v.rank == 1)
        dim[axis(c, -1, x.rank, 0)] = v.dim[0];
    return v.rank == 1 ? tensor_reshape(v, x.rank, dim) : v;
}

static struct tensor
length(const struct call *c)
{
    const struct tensor x = get(c, 0, "x");

    return tensor_whole(c->l->mem, (int64_t)x.dim[axis(c, -1, x.rank, 0)]);
}

/* ---- windows */

enum { SPACE = 3 };

struct window {
    size_t space;
    int64_t size[SPACE], stride[SPACE], pad[SPACE], step[SPACE];
    struct tensor places, cells; /* shapes */
};

static void
read_window(const struct call *c, const struct tensor *x, struct window *w,
            bool pool)
{
    size_t out[SPACE], size[SPACE];

    numbers(c, -1, "stride", w->space, 1, w->stride);
    numbers(c, -1, "pad", w->space, 0, w->pad);
    numbers(c, -1, "dilation", w->space, 1, w->step);
    for (size_t d = 0; d < w->space; d++) {
        if (pool && !find(c, -1, "stride"))
            w->stride[d] = w->size[d];
        size[d] = (size_t)w->size[d];
        out[d] = (size_t)(((int64_t)x->dim[d + 1] + 2 * w->pad[d]
                           - (w->size[d] - 1) * w->step[d] - 1)
                              / w->stride[d]
                          + 1);
    }
    w->places = tensor_new(c->l->mem, false, w->space, out);
    w->cells = tensor_new(c->l->mem, false, w->space, size);
}

/* The element of channel ch of x under a cell of a place; false: padding. */
static bool
under(const struct window *w, const struct tensor *x, size_t ch, size_t place,
      size_t cell, size_t *element)
{
    size_t p[SPACE], k[SPACE], at[TENSOR_RANK] = { ch };

    tensor_place(&w->places, place, p);
    tensor_place(&w->cells, cell, k);
    for (size_t d = 0; d < w->space; d++) {
        const int64_t i = (int64_t)p[d] * w->stride[d]
                          + (int64_t)k[d] * w->step[d] - w->pad[d];

        if (i < 0 || i >= (int64_t)x->dim[d + 1])
            return false;
        at[d + 1] = (size_t)i;
    }
    *element = tensor_element(x, at);
    return true;
}

static struct tensor
windowed(const struct call *c, const struct window *w, bool real, size_t n)
{
    size_t dim[TENSOR_RANK] = { n };

    for (size_t d = 0; d < w->space; d++)
        dim[d + 1] = w->places.dim[d];
    return tensor_new(c->l->mem, real, w->space + 1, dim);
}

static struct tensor
conv(const struct call *c)
{
    struct tensor x = get(c, 0, "x"), k = get(c, 1, "w"), r;
    struct window w = { .space = (size_t)(c->a->text[4] - '0') };
    const size_t groups = (size_t)whole(c, -1, "groups", 1);
    const size_t own = k.dim[1];
    size_t cells, places, from;

    tensor_join(c->l->mem, &x, &k);
    for (size_t d = 0; d < w.space; d++)
        w.size[d] = (int64_t)k.dim[d + 2];
    read_window(c, &x, &w, false);
    cells = tensor_count(&w.cells);
    places = tensor_count(&w.places);
    r = windowed(c, &w, x.real, k.dim[0]);
    for (size_t i = 0; i < tensor_count(&r) * own * cells; i++) {
        const size_t at = i / (own * cells), f = at / places;
        const size_t ch = i / cells % own, j = i % cells;

        if (!under(&w, &x, f / (k.dim[0] / groups) * own + ch, at % places, j,
                   &from))
            continue;
        if (x.real)
            r.cell[at].r +=
                x.cell[from].r * k.cell[(f * own + ch) * cells + j].r;
        else
            r.cell[at].i +=
                x.cell[from].i * k.cell[(f * own + ch) * cells + j].i;
    }
    if (find(c, 2, "bias")) {
        size_t dim[TENSOR_RANK] = { k.dim[0], 1, 1, 1, 1, 1 };

        k = tensor_reshape(get(c, 2, "bias"), r.rank, dim);
        r = language_operator(c->l, "+", r, k);
    }
    return r;
}

static struct tensor
pool(const struct call *c)
{
    const bool mean = c->a->text[0] == 'a';
    struct tensor x = get(c, 0, "x"), r;
    struct window w = { .space = x.rank - 1 };
    size_t cells, places, from;

    if (mean)
        x = tensor_real(c->l->mem, x);
    numbers(c, 1, "size", w.space, 1, w.size);
    read_window(c, &x, &w, true);
    cells = tensor_count(&w.cells);
    places = tensor_count(&w.places);
    r = windowed(c, &w, x.real, x.dim[0]);
    for (size_t i = 0; i < tensor_count(&r); i++) {
        bool any = false;

        for (size_t j = 0; j < cells; j++) {
            if (!under(&w, &x, i / places, i % places, j, &from))
                continue;
            if (mean)
                r.cell[i].r += x.cell[from].r / (double)cells;
            else if (!any || tensor_at(&x, from) > tensor_at(&r, i))
                r.cell[i] = x.cell[from];
            any = true;
        }
    }
    return r;
}

/* ---- the table */

bool
language_builtin(struct language *l, const struct ast *a, struct tensor *out)
{
    static const struct {
        const char *name;
        struct tensor (*run)(const struct call *c);
    } rows[] = {
        { "sum", reduction },
        { "mean", reduction },
        { "max", extreme },
        { "min", extreme },
        { "argmax", reduction },
        { "argmin", reduction },
        { "sort", sort },
        { "topk", topk },
        { "knn", knn },
        { "softmax", softmax },
        { "clip", clip },
        { "round_bits", cut },
        { "truncate_bits", cut },
        { "reshape", reshape },
        { "flatten", flatten },
        { "transpose", transpose },
        { "squeeze", squeeze },
        { "expand", expand },
        { "concat", joined },
        { "stack", joined },
        { "slice", slice },
        { "gather", gather },
        { "pad", pad },
        { "tile", tile },
        { "broadcast", broadcast },
        { "per_channel", per_channel },
        { "len", length },
        { "conv1d", conv },
        { "conv2d", conv },
        { "conv3d", conv },
        { "avgpool", pool },
        { "maxpool", pool },
    };
    const struct call c = { l, a };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, a->text) == 0) {
            *out = rows[i].run(&c);
            return true;
        }
    return one_variable(&c, out);
}
