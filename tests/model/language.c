#include "tests/model/language.h"

#include "frontend/inner.h"

#include <math.h>
#include <string.h>

/* A name: a value, or a fn, which sees the names from `next` on. */
struct named {
    struct named *next;
    const char *text;
    const struct ast *fn;
    struct tensor value;
};

static struct named *
find(const struct language *l, const char *text)
{
    struct named *n = l->names;

    while (n && strcmp(n->text, text) != 0)
        n = n->next;
    return n;
}

static struct named *
define(struct language *l, const char *text)
{
    struct named *n = arena_new(l->mem, struct named, 1);

    n->text = text;
    n->next = l->names;
    l->names = n;
    return n;
}

/* ---- operators */

static int64_t
floored(int64_t a, int64_t b)
{
    const int64_t q = a / b;

    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

/* Integers; shifts are products and quotients. */
static int64_t
of_integers(const char *sign, int64_t a, int64_t b)
{
    static const char *const signs[] = { "+",  "-",  "*",   "//", "%",  "&",
                                         "|",  "^",  "and", "or", "<",  ">",
                                         "<=", ">=", "==",  "!=", "<<", ">>" };
    size_t i = 0;

    while (strcmp(signs[i], sign) != 0)
        i++;
    switch (i) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return floored(a, b);
    case 4: return a - b * floored(a, b);
    case 5:
    case 8: return a & b;
    case 6:
    case 9: return a | b;
    case 7: return a ^ b;
    case 10: return a < b;
    case 11: return a > b;
    case 12: return a <= b;
    case 13: return a >= b;
    case 14: return a == b;
    case 15: return a != b;
    case 16: return a * ((int64_t)1 << b);
    default: return floored(a, (int64_t)1 << b);
    }
}

static bool
compares(const char *sign)
{
    return strchr("<>=!", sign[0]) && strcmp(sign, "<<") != 0
           && strcmp(sign, ">>") != 0;
}

static double
of_reals(const char *sign, double a, double b)
{
    switch (sign[0]) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return sign[1] ? pow(a, b) : a * b;
    case '/': return a / b;
    case '<': return sign[1] ? a <= b : a < b;
    case '>': return sign[1] ? a >= b : a > b;
    case '=': return a == b;
    case '!': return a != b;
    }
    bug("model: %s of reals", sign);
}

static struct tensor
product(struct language *l, struct tensor a, struct tensor b)
{
    const size_t rows = a.rank == 2 ? a.dim[0] : 1;
    const size_t inner = a.dim[a.rank - 1];
    const size_t columns = b.rank == 2 ? b.dim[1] : 1;
    const size_t dim[2] = { a.rank == 2 ? rows : columns, columns };
    const size_t axes = (size_t)(a.rank == 2) + (size_t)(b.rank == 2);
    struct tensor r = tensor_new(l->mem, a.real, axes, dim);

    for (size_t i = 0; i < rows * columns; i++)
        for (size_t k = 0; k < inner; k++) {
            const union ir_cell x = a.cell[i / columns * inner + k];
            const union ir_cell y = b.cell[k * columns + i % columns];

            if (r.real)
                r.cell[i].r += x.r * y.r;
            else
                r.cell[i].i += x.i * y.i;
        }
    return r;
}

struct tensor
language_operator(struct language *l, const char *sign, struct tensor a,
                  struct tensor b)
{
    const bool real = strcmp(sign, "/") == 0 || strcmp(sign, "**") == 0;
    struct tensor r;

    tensor_join(l->mem, &a, &b);
    if (strcmp(sign, "@") == 0)
        return product(l, a, b);
    if (real) {
        a = tensor_real(l->mem, a);
        b = tensor_real(l->mem, b);
    }
    r = tensor_shape2(l->mem, &a, &b);
    r.real = a.real && !compares(sign);
    for (size_t i = 0; i < tensor_count(&r); i++) {
        const union ir_cell x = a.cell[tensor_under(&r, &a, i)];
        const union ir_cell y = b.cell[tensor_under(&r, &b, i)];

        if (r.real)
            r.cell[i].r = of_reals(sign, x.r, y.r);
        else if (a.real)
            r.cell[i].i = of_reals(sign, x.r, y.r) > 0;
        else
            r.cell[i].i = of_integers(sign, x.i, y.i);
    }
    return r;
}

static struct tensor
binary(struct language *l, const struct ast *a)
{
    const struct ast *right = ast_kid(a, 1);
    struct tensor x = language_value(l, a->kid), y;

    if (strcmp(a->text, "**") == 0 && !x.real && right->kind == AST_whole
        && right->whole >= 1 && right->whole <= 16) {
        y = x;
        for (int64_t i = 1; i < right->whole; i++)
            y = language_operator(l, "*", y, x);
        return y;
    }
    y = language_value(l, right);
    return language_operator(l, a->text, x, y);
}

static struct tensor
unary(struct language *l, const struct ast *a)
{
    struct tensor x = language_value(l, a->kid);
    struct tensor r = tensor_new(l->mem, x.real, x.rank, x.dim);

    for (size_t i = 0; i < tensor_count(&x); i++)
        if (x.real)
            r.cell[i].r = -x.cell[i].r;
        else
            r.cell[i].i = a->text[0] == '-'   ? -x.cell[i].i
                          : a->text[0] == '~' ? ~x.cell[i].i
                                              : !x.cell[i].i;
    return r;
}

static struct tensor
choice(struct language *l, const struct ast *a)
{
    const struct tensor c = language_value(l, ast_kid(a, 0));
    struct tensor x = language_value(l, ast_kid(a, 1));
    struct tensor y = language_value(l, ast_kid(a, 2));
    struct tensor r;

    tensor_join(l->mem, &x, &y);
    r = tensor_shape2(l->mem, &x, &y);
    r = tensor_shape2(l->mem, &c, &r);
    for (size_t i = 0; i < tensor_count(&r); i++)
        r.cell[i] = c.cell[tensor_under(&r, &c, i)].i
                        ? x.cell[tensor_under(&r, &x, i)]
                        : y.cell[tensor_under(&r, &y, i)];
    return r;
}

/* ---- subscripts */

/* An axis of the base: a slice; or a value, which may have axes itself. */
struct subscript {
    bool slice;
    int64_t from, step, length; /* of a slice */
    struct tensor index;
};

static int64_t
bound(struct language *l, const struct ast *a, int64_t length, int64_t low,
      int64_t high, int64_t otherwise)
{
    int64_t v;

    if (a->kind == AST_none)
        return otherwise;
    v = language_value(l, a).cell->i;
    v = v < 0 ? v + length : v;
    return v < low ? low : v > high ? high : v;
}

static struct subscript
slice(struct language *l, const struct ast *a, int64_t n)
{
    const struct ast *step = ast_kid(a, 2);
    struct subscript s = { .slice = true, .step = 1 };
    int64_t to;

    if (step->kind != AST_none)
        s.step = language_value(l, step).cell->i;
    if (s.step > 0) {
        s.from = bound(l, ast_kid(a, 0), n, 0, n, 0);
        to = bound(l, ast_kid(a, 1), n, 0, n, n);
        while (s.from + s.length * s.step < to)
            s.length++;
    } else {
        s.from = bound(l, ast_kid(a, 0), n, -1, n - 1, n - 1);
        to = bound(l, ast_kid(a, 1), n, -1, n - 1, -1);
        while (s.from + s.length * s.step > to)
            s.length++;
    }
    return s;
}

/* Subscripts of all axes of t, those behind first. */
static void
read_subscripts(struct language *l, const struct ast *first,
                const struct tensor *t, struct subscript *s)
{
    size_t given = 0, d = 0;

    for (const struct ast *k = first; k; k = k->next)
        given += k->kind != AST_all;
    for (const struct ast *k = first; k; k = k->next) {
        if (k->kind == AST_all) {
            for (size_t j = t->rank - given; j > 0; j--, d++)
                s[d] = (struct subscript){ .slice = true,
                                           .step = 1,
                                           .length = (int64_t)t->dim[d] };
        } else if (k->kind == AST_slice) {
            s[d] = slice(l, k, (int64_t)t->dim[d]);
            d++;
        } else {
            s[d++] = (struct subscript){ .index = language_value(l, k) };
        }
    }
    for (; d < t->rank; d++)
        s[d] = (struct subscript){ .slice = true,
                                   .step = 1,
                                   .length = (int64_t)t->dim[d] };
}

/* Axes of the result: those of slices, and where the first value stands those
 * that all values have together; `with` is their shape, `at` their place. */
static struct tensor
selected_shape(struct language *l, const struct tensor *t,
               const struct subscript *s, struct tensor *with, size_t *at)
{
    size_t dim[2 * TENSOR_RANK], rank = 0;
    bool placed = false;

    *with = tensor_new(l->mem, false, 0, NULL);
    *at = 0;
    for (size_t d = 0; d < t->rank; d++)
        if (!s[d].slice)
            *with = tensor_shape2(l->mem, with, &s[d].index);
    for (size_t d = 0; d < t->rank; d++) {
        if (s[d].slice) {
            dim[rank++] = (size_t)s[d].length;
        } else if (!placed && (s[d].index.rank || !with->rank)) {
            placed = true;
            *at = rank;
            for (size_t j = 0; j < with->rank; j++)
                dim[rank++] = with->dim[j];
        }
    }
    return tensor_new(l->mem, t->real, rank, dim);
}

/* The element of t that is element i of the selection. */
static size_t
selected(const struct tensor *t, const struct subscript *s,
         const struct tensor *shape, const struct tensor *with, size_t at,
         size_t i)
{
    size_t place[TENSOR_RANK], from[TENSOR_RANK], next = 0, j;

    tensor_place(shape, i, place);
    j = tensor_element(with, place + at);
    for (size_t d = 0; d < t->rank; d++) {
        int64_t v;

        if (next == at)
            next += with->rank;
        if (s[d].slice) {
            v = s[d].from + s[d].step * (int64_t)place[next++];
        } else {
            v = s[d].index.cell[tensor_under(with, &s[d].index, j)].i;
            v = v < 0 ? v + (int64_t)t->dim[d] : v;
        }
        if (v < 0 || v >= (int64_t)t->dim[d])
            bug("model: index %lld", (long long)v);
        from[d] = (size_t)v;
    }
    return tensor_element(t, from);
}

static struct tensor
subscripted(struct language *l, const struct ast *a)
{
    const struct tensor t = language_value(l, a->kid);
    struct subscript s[TENSOR_RANK];
    struct tensor with, r;
    size_t at;

    read_subscripts(l, a->kid->next, &t, s);
    r = selected_shape(l, &t, s, &with, &at);
    for (size_t i = 0; i < tensor_count(&r); i++)
        r.cell[i] = t.cell[selected(&t, s, &r, &with, at, i)];
    return r;
}

/* ---- steps */

static void
assign(struct language *l, const struct ast *a)
{
    struct tensor v = language_value(l, a->kid), with, shape, was;
    struct named *n = find(l, a->text);
    struct subscript s[TENSOR_RANK];
    size_t at;

    if (!n)
        bug("model: no '%s'", a->text);
    if (!a->kid->next) {
        n->value = v;
        return;
    }
    was = n->value;
    tensor_join(l->mem, &was, &v);
    n->value = tensor_spread(l->mem, &was, &was);
    read_subscripts(l, a->kid->next, &was, s);
    shape = selected_shape(l, &was, s, &with, &at);
    for (size_t i = 0; i < tensor_count(&shape); i++)
        n->value.cell[selected(&was, s, &shape, &with, at, i)] =
            v.cell[tensor_under(&shape, &v, i)];
}

static void step(struct language *l, const struct ast *a);

static void
loop(struct language *l, const struct ast *a)
{
    const int64_t from = language_value(l, ast_kid(a, 0)).cell->i;
    const int64_t to = language_value(l, ast_kid(a, 1)).cell->i;

    for (int64_t i = from; i < to; i++) {
        struct named *outside = l->names;

        define(l, a->text)->value = tensor_whole(l->mem, i);
        for (const struct ast *k = ast_kid(a, 2); k; k = k->next)
            step(l, k);
        l->names = outside;
    }
}

static struct tensor
declared(struct language *l, const struct ast *type, struct tensor v)
{
    return type->kind == AST_type && strcmp(type->text, "real") == 0
               ? tensor_real(l->mem, v)
               : v;
}

static void
step(struct language *l, const struct ast *a)
{
    struct tensor v;

    switch ((int)a->kind) {
    case AST_none:
    case AST_quantize:
    case AST_target: return;
    case AST_for: loop(l, a); return;
    case AST_assign: assign(l, a); return;
    case AST_fn: define(l, a->text)->fn = a; return;
    }
    v = declared(l, ast_kid(a, 0), language_value(l, ast_kid(a, 1)));
    define(l, a->text)->value = v;
}

/* ---- expressions */

static struct tensor
stacked(struct language *l, struct tensor *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = tensor_expand(v[i], 0);
    return tensor_concat(l->mem, v, n, 0);
}

static struct tensor
array(struct language *l, const struct ast *a)
{
    struct tensor *v = arena_new(l->mem, struct tensor, ast_kids(a));
    size_t n = 0;

    for (const struct ast *k = a->kid; k; k = k->next)
        v[n++] = language_value(l, k);
    return stacked(l, v, n);
}

static struct tensor
each(struct language *l, const struct ast *a)
{
    const int64_t from = language_value(l, ast_kid(a, 1)).cell->i;
    const int64_t to = language_value(l, ast_kid(a, 2)).cell->i;
    struct tensor *v = arena_new(l->mem, struct tensor, (size_t)(to - from));

    for (int64_t i = from; i < to; i++) {
        struct named *outside = l->names;

        define(l, a->text)->value = tensor_whole(l->mem, i);
        v[i - from] = language_value(l, a->kid);
        l->names = outside;
    }
    return stacked(l, v, (size_t)(to - from));
}

/* The argument of a parameter: by its name, by its place, or the default. */
static const struct ast *
argument(const struct ast *call, const struct ast *p, size_t i)
{
    for (const struct ast *k = call->kid; k; k = k->next)
        if (k->kind == AST_named ? strcmp(k->text, p->text) == 0 : i-- == 0)
            return k->kind == AST_named ? k->kid : k;
    return NULL;
}

static struct tensor
called(struct language *l, const struct ast *a, const struct named *fn)
{
    struct named *outside = l->names, *inside = fn->next;
    const struct ast *body = fn->fn->kid;
    size_t i = 0;
    struct tensor v;

    for (const struct ast *p = body->next; p; p = p->next, i++) {
        const struct ast *k = argument(a, p, i);

        l->names = k ? outside : inside;
        v = language_value(l, k ? k : p->kid);
        l->names = inside;
        define(l, p->text)->value = v;
        inside = l->names;
    }
    l->names = inside;
    for (const struct ast *k = body->kid;
         body->kind == AST_block && k != body->last; k = k->next)
        step(l, k);
    v = language_value(l, body->kind == AST_block ? body->last : body);
    l->names = outside;
    return v;
}

static struct tensor
call(struct language *l, const struct ast *a)
{
    const struct named *n = find(l, a->text);
    struct tensor v;

    if (n && n->fn)
        return called(l, a, n);
    if (!language_builtin(l, a, &v))
        bug("model: no function '%s'", a->text);
    return v;
}

/* All comparisons of neighbours hold. */
static struct tensor
chain(struct language *l, const struct ast *a)
{
    struct tensor left = language_value(l, a->kid), all = { 0 };

    for (const struct ast *k = a->kid->next; k; k = k->next) {
        const struct tensor right = language_value(l, k->kid);
        const struct tensor v = language_operator(l, k->text, left, right);

        all = all.cell ? language_operator(l, "and", all, v) : v;
        left = right;
    }
    return all;
}

struct tensor
language_value(struct language *l, const struct ast *a)
{
    const struct named *n;
    struct tensor v;

    switch ((int)a->kind) {
    case AST_whole:
    case AST_truth: return tensor_whole(l->mem, a->whole);
    case AST_real:
        v = tensor_new(l->mem, true, 0, NULL);
        v.cell->r = a->number;
        return v;
    case AST_name:
        n = find(l, a->text);
        if (!n || n->fn)
            bug("model: no value '%s'", a->text);
        return n->value;
    case AST_array: return array(l, a);
    case AST_each: return each(l, a);
    case AST_unary: return unary(l, a);
    case AST_binary: return binary(l, a);
    case AST_chain: return chain(l, a);
    case AST_index:
        return a->kid->kind == AST_call && strcmp(a->kid->text, "bits") == 0
                   ? language_bits(l, a)
                   : subscripted(l, a);
    case AST_choice: return choice(l, a);
    case AST_call: return call(l, a);
    }
    bug("model: an expression of kind %d", (int)a->kind);
}

/* ---- the model */

static struct tensor
input(struct language *l, const struct ast *type, const union ir_cell *cell)
{
    size_t dim[TENSOR_RANK], rank = 0;
    struct tensor t;

    for (const struct ast *k = type->kid; k; k = k->next)
        dim[rank++] = (size_t)language_value(l, k).cell->i;
    t = tensor_new(l->mem, strcmp(type->text, "real") == 0, rank, dim);
    memcpy(t.cell, cell, tensor_count(&t) * sizeof *cell);
    return t;
}

static void
library(struct language *l)
{
    static const char text[] = "model library {\n"
#define L(signature, body) "fn " signature " " body "\n"
#include "frontend/library.def"
                               "}\n";
    const struct source src = { .name = "library",
                                .text = text,
                                .len = sizeof text - 1 };
    struct diag dg = { .src = &src };
    const struct ast *model = fe_parse(l->mem, &dg, &src);

    for (const struct ast *a = model->kid; a; a = a->next)
        step(l, a);
}

size_t
language_run(struct arena *mem, const struct ast *model,
             const union ir_cell *const *in, struct tensor *out, size_t most)
{
    struct language l = { .mem = mem };
    size_t n = 0;

    library(&l);
    for (const struct ast *a = model->kid; a; a = a->next) {
        struct tensor v;

        if (a->kind == AST_input) {
            v = input(&l, a->kid->kind == AST_clear ? a->kid->kid : a->kid,
                      *in++);
            define(&l, a->text)->value = v;
        } else if (a->kind == AST_output) {
            if (n == most)
                bug("model: more than %zu outputs", most);
            if (ast_kid(a, 1)->kind != AST_none)
                step(&l, a);
            out[n++] = declared(&l, a->kid, find(&l, a->text)->value);
        } else {
            step(&l, a);
        }
    }
    return n;
}
