/* Subscripts, as in numpy: integers, slices, negative indices and `...`.
 *
 * Those that are known to the compiler, numbers or lists of them, make a gather
 * with a list of positions. Integers that are not, the place of an element
 * among values that are known, make a table:
 *
 *     t[i]  =  table[a, b][i],      t of shape [a.., n, b..]
 *
 * and of values that are not, a sum over all places:
 *
 *     x[i]  =  sum over j of [i = j] x[j]
 */
#include "frontend/inner.h"

#include <string.h>

struct axis {
    int64_t from, step;
    uint32_t length;
    bool kept; /* an integer drops its axis */
};

struct subscripts {
    const struct ast *a;
    const struct ir_type *t; /* of the base */
    struct axis axis[IR_MAX_RANK];
    size_t n;                 /* axes that have been read */
    ir_ref open[IR_MAX_RANK]; /* subscripts that are not known, */
    size_t first_open, nopen; /* of axes one after the other */
};

static bool
integer(struct fe *fe, struct subscripts *s, const struct ast *k)
{
    const int64_t length = s->t->dim[s->n];
    double x;
    int64_t i;

    if (!fe_number(fe, k, &x))
        return false;
    i = x >= -0x1p52 && x <= 0x1p52 ? (int64_t)x : INT64_MAX;
    if (i < -length || i >= length || x < (double)i || x > (double)i) {
        diag_error(fe->diag, k->at, E_index,
                   "index %g is outside, axis %zu has length %lld", x, s->n,
                   (long long)length);
        return false;
    }
    s->axis[s->n++] = (struct axis){ i < 0 ? i + length : i, 1, 1, false };
    return true;
}

/* A bound of a slice, as Python clips it to [lo, hi]. */
static bool
bound(struct fe *fe, const struct ast *k, int64_t length, const int64_t ends[2],
      int64_t *out)
{
    if (k->kind == AST_none)
        return true;
    if (!fe_integer(fe, k, -FE_MAX_ELEMENTS, FE_MAX_ELEMENTS, out))
        return false;
    if (*out < 0)
        *out += length;
    *out = *out < ends[0] ? ends[0] : *out > ends[1] ? ends[1] : *out;
    return true;
}

static bool
slice(struct fe *fe, struct subscripts *s, const struct ast *k)
{
    const int64_t length = s->t->dim[s->n];
    int64_t step = 1, from, to, count;

    if (ast_kid(k, 2)->kind != AST_none
        && !fe_integer(fe, ast_kid(k, 2), -FE_MAX_ELEMENTS, FE_MAX_ELEMENTS,
                       &step))
        return false;
    if (step == 0) {
        diag_error(fe->diag, k->at, E_index, "the step of a slice is not 0");
        return false;
    }
    {
        const int64_t ends[2] = { step > 0 ? 0 : -1,
                                  step > 0 ? length : length - 1 };

        from = step > 0 ? 0 : length - 1;
        to = step > 0 ? length : -1;
        if (!bound(fe, ast_kid(k, 0), length, ends, &from)
            || !bound(fe, ast_kid(k, 1), length, ends, &to))
            return false;
    }
    count = step > 0 ? (to - from + step - 1) / step
                     : (from - to - step - 1) / -step;
    if (count <= 0) {
        diag_error(fe->diag, k->at, E_index,
                   "this slice is empty, axis %zu has length %lld", s->n,
                   (long long)length);
        return false;
    }
    s->axis[s->n++] = (struct axis){ from, step, (uint32_t)count, true };
    return true;
}

/* The axes that `...`, or the end of the list, stands for. */
static void
whole(struct subscripts *s, size_t axes)
{
    for (; axes > 0; axes--, s->n++)
        s->axis[s->n] = (struct axis){ 0, 1, s->t->dim[s->n], true };
}

/* Whether a subscript is not known to the compiler, or has several numbers: its
 * value, then. */
static bool
is_open(struct fe *fe, const struct ast *k, ir_ref *v)
{
    const struct fe_name *secret;
    struct fe_constant c;

    if (k->kind == AST_whole || k->kind == AST_real || k->kind == AST_unary
        || k->kind == AST_slice || k->kind == AST_all)
        return false;
    *v = fe_expr(fe, k);
    return fe_is_none(*v) || fe_type(fe, *v)->rank > 0
           || (fe->computing == FE_VALUE
               && !fe_known(fe, fe->f, *v, &c, &secret));
}

/* Known numbers below 0 count from the end. */
static ir_ref
from_end(struct fe *fe, struct span at, ir_ref v, int64_t length)
{
    const union ir_attrs inside = { .clip = { .hi = (double)(length - 1) } };
    const struct fe_name *secret;
    struct fe_constant c;
    ir_ref below;

    if (fe_type(fe, v)->base != IR_INT || !fe_within(fe, v, -length, length - 1)
        || fe_within(fe, v, 0, length - 1)
        || !fe_known(fe, fe->f, v, &c, &secret))
        return v;
    below = fe_pair(fe, IR_less, at, v, fe_integer_literal(fe, at, 0));
    below = fe_pair(fe, IR_mul, at, below, fe_integer_literal(fe, at, length));
    v = fe_pair(fe, IR_add, at, v, below);
    return fe_build(fe, IR_clip, at, &v, 1, &inside); /* all are: it says so */
}

/* Such a subscript: its axis stays whole for now. */
static bool
open_integer(struct fe *fe, struct subscripts *s, const struct ast *k, ir_ref v)
{
    const int64_t length = s->t->dim[s->n];
    const struct ir_type *t;

    if (fe_is_none(v))
        return false;
    v = from_end(fe, k->at, v, length);
    t = fe_type(fe, v);
    if (!fe_within(fe, v, 0, length - 1)) {
        if (t->base == IR_INT && t->ranged)
            diag_error(fe->diag, k->at, E_index,
                       "this index lies in %lld..%lld, axis %zu has length "
                       "%lld",
                       (long long)t->ilo, (long long)t->ihi, s->n,
                       (long long)length);
        else
            diag_error(fe->diag, k->at, E_index,
                       "an index is an integer of a known range");
        diag_help(fe->diag, "clip(index, 0, %lld) stays inside",
                  (long long)length - 1);
        return false;
    }
    if (s->nopen && s->first_open + s->nopen != s->n) {
        diag_error(fe->diag, k->at, E_index,
                   "lists of indices, and indices that are not known to the "
                   "compiler, stand side by side");
        return false;
    }
    if (s->nopen == 0)
        s->first_open = s->n;
    s->open[s->nopen++] = v;
    s->axis[s->n++] = (struct axis){ 0, 1, (uint32_t)length, true };
    return true;
}

static bool
read_all(struct fe *fe, struct subscripts *s)
{
    size_t given = 0, dots = 0;

    for (const struct ast *k = s->a->kid->next; k; k = k->next)
        k->kind == AST_all ? dots++ : given++;
    if (given > s->t->rank || dots > 1) {
        diag_error(fe->diag, s->a->at, E_index,
                   dots > 1 ? "'...' stands once"
                            : "%zu subscripts, but the value has %u axes",
                   given, s->t->rank);
        return false;
    }
    for (const struct ast *k = s->a->kid->next; k; k = k->next) {
        ir_ref v;

        if (k->kind == AST_all)
            whole(s, s->t->rank - given);
        else if (is_open(fe, k, &v)
                     ? !open_integer(fe, s, k, v)
                     : !(k->kind == AST_slice ? slice : integer)(fe, s, k))
            return false;
    }
    whole(s, s->t->rank - s->n);
    return true;
}

/* Position in the base of element i of the result. */
static int64_t
position(const struct subscripts *s, size_t i)
{
    int64_t at = 0, stride = 1;

    for (size_t d = s->t->rank; d-- > 0;) {
        const struct axis *x = &s->axis[d];

        at += stride * (x->from + x->step * (int64_t)(i % x->length));
        i /= x->length;
        stride *= s->t->dim[d];
    }
    return at;
}

ir_ref
fe_gather(struct fe *fe, struct span at, ir_ref v, const struct ir_type *shape,
          const union ir_cell *index)
{
    const struct ir_type t = ir_type_of(IR_INT, shape->rank, shape->dim);
    union ir_attrs as = { 0 };

    as.gather.index = ir_blob_add(fe->f, NULL, IR_CONST, &t, index)->name;
    return fe_build(fe, IR_gather, at, &v, 1, &as);
}

/* The shape that the subscripts leave, and the positions of its elements. */
static union ir_cell *
known_places(struct fe *fe, const struct subscripts *s, struct ir_type *t)
{
    union ir_cell *index;

    *t = ir_type_of(IR_INT, 0, NULL);
    for (size_t d = 0; d < s->t->rank; d++)
        if (s->axis[d].kept)
            t->dim[t->rank++] = s->axis[d].length;
    index = arena_new(fe->scratch, union ir_cell, ir_count(t));
    for (size_t i = 0; i < ir_count(t); i++)
        index[i].i = position(s, i);
    return index;
}

/* ---- indices that are not known */

ir_ref
fe_select(struct fe *fe, struct span at, ir_ref v, const struct ir_type *table,
          const union ir_cell *cell)
{
    union ir_attrs as = { 0 };

    as.select.table =
        ir_blob_add(fe->f, NULL, fe->library ? IR_CONST : IR_PARAM, table, cell)
            ->name;
    return fe_build(fe, IR_select, at, &v, 1, &as);
}

/* x[a, i, b], i of any shape: the lengths before, of, and after the axis. */
struct picked {
    const struct ast *a;
    ir_ref x, i;
    size_t before, n, after, turns; /* turns: elements of i */
    struct ir_type t;               /* of the result */
};

static bool
too_many(struct fe *fe, const struct picked *p)
{
    const size_t out = p->before * p->turns * p->after;

    if (p->turns <= FE_MAX_ELEMENTS && out <= FE_MAX_ELEMENTS
        && out * p->n <= FE_MAX_ELEMENTS)
        return false;
    diag_error(fe->diag, p->a->at, E_too_large,
               "the tables of this subscript have more than 2^26 entries");
    return true;
}

/* i in the shape of the result */
static ir_ref
spread(struct fe *fe, const struct picked *p)
{
    const size_t out = ir_count(&p->t);
    union ir_cell *index = arena_new(fe->scratch, union ir_cell, out);

    for (size_t e = 0; e < out; e++)
        index[e].i = (int64_t)(e / p->after % p->turns);
    return fe_gather(fe, p->a->at, p->i, &p->t, index);
}

static ir_ref
from_table(struct fe *fe, const struct picked *p, const struct fe_constant *c)
{
    const size_t out = ir_count(&p->t);
    const size_t rows = p->before == 1 ? p->after : out;
    const uint32_t dim[2] = { (uint32_t)rows, (uint32_t)p->n };
    const struct ir_type t = ir_type_of((enum ir_base)c->type.base, 2, dim);
    union ir_cell *cell = arena_new(fe->scratch, union ir_cell, rows * p->n);
    const bool library = fe->library;
    ir_ref v;

    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < p->n; j++) {
            const size_t before = r / p->after / p->turns;

            cell[r * p->n + j] =
                c->cell[(before * p->n + j) * p->after + r % p->after];
        }
    v = spread(fe, p);
    fe->library = !c->secret; /* public numbers make a public table */
    v = fe_select(fe, p->a->at, v, &t, cell);
    fe->library = library;
    return v;
}

/* elements a, i, j, b of [before turns, n, after]: x[a, j, b], or i[i] */
static ir_ref
in_all_places(struct fe *fe, const struct picked *p, bool index)
{
    const uint32_t dim[3] = { (uint32_t)(p->before * p->turns), (uint32_t)p->n,
                              (uint32_t)p->after };
    const struct ir_type t = ir_type_of(IR_INT, 3, dim);
    union ir_cell *at = arena_new(fe->scratch, union ir_cell, ir_count(&t));

    for (size_t e = 0; e < ir_count(&t); e++) {
        const size_t row = e / p->after / p->n, j = e / p->after % p->n;

        at[e].i = (int64_t)(index ? row % p->turns
                                  : (row / p->turns * p->n + j) * p->after
                                        + e % p->after);
    }
    return fe_gather(fe, p->a->at, index ? p->i : p->x, &t, at);
}

static ir_ref
from_sum(struct fe *fe, const struct picked *p)
{
    const uint32_t dim[2] = { (uint32_t)p->n, 1 };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_cell *place = arena_new(fe->scratch, union ir_cell, p->n);
    const union ir_attrs as = { .sum = { .axis = 1 } };
    ir_ref v = in_all_places(fe, p, true);

    for (size_t j = 0; j < p->n; j++)
        place[j].i = (int64_t)j;
    v = fe_pair(fe, IR_equal, p->a->at, v, fe_literal(fe, p->a->at, &t, place));
    v = fe_pair(fe, IR_mul, p->a->at, v, in_all_places(fe, p, false));
    v = fe_build(fe, IR_sum, p->a->at, &v, 1, &as);
    return fe_reshape(fe, p->a->at, v, p->t.rank, p->t.dim);
}

/* All open indices as one: (i n + j) m + k .. */
static ir_ref
merged(struct fe *fe, const struct subscripts *s)
{
    ir_ref v = s->open[0];

    for (size_t k = 1; k < s->nopen && !fe_is_none(v); k++) {
        const int64_t n = s->t->dim[s->first_open + k];

        v = fe_pair(fe, IR_mul, s->a->at, v,
                    fe_integer_literal(fe, s->a->at, n));
        v = fe_pair(fe, IR_add, s->a->at, v, s->open[k]);
    }
    return v;
}

/* The shape of the result, and the lengths around the axes that are indexed;
 * false after a message. */
static bool
measure(struct fe *fe, const struct subscripts *s, struct picked *p)
{
    const struct ir_type *ti = fe_type(fe, p->i);

    p->before = p->n = p->after = 1;
    p->turns = ir_count(ti);
    p->t = ir_type_of(IR_INT, 0, NULL);
    for (size_t axis = 0; axis <= s->t->rank; axis++) {
        const bool open =
            axis >= s->first_open && axis < s->first_open + s->nopen;
        const size_t more = axis == s->first_open ? ti->rank : 0;
        size_t d;

        if (p->t.rank + more + 1u > IR_MAX_RANK + (axis == s->t->rank)) {
            diag_error(fe->diag, s->a->at, E_too_large,
                       "a tensor has at most %d axes", IR_MAX_RANK);
            return false;
        }
        memcpy(p->t.dim + p->t.rank, ti->dim, more * sizeof *ti->dim);
        p->t.rank = (uint8_t)(p->t.rank + more);
        if (axis == s->t->rank || !s->axis[axis].kept)
            continue;
        d = s->axis[axis].length;
        if (open)
            p->n *= d;
        else if (axis < s->first_open)
            p->before *= d;
        else
            p->after *= d;
        if (!open)
            p->t.dim[p->t.rank++] = (uint32_t)d;
    }
    return true;
}

/* By numbers that are public: positions in [before, n, after]. */
static union ir_cell *
picked_places(struct fe *fe, const struct picked *p, const union ir_cell *i)
{
    const size_t out = ir_count(&p->t);
    union ir_cell *at = arena_new(fe->scratch, union ir_cell, out);

    for (size_t e = 0; e < out; e++) {
        const size_t row = e / p->after;
        const int64_t j = i[row % p->turns].i;

        at[e].i = ((int64_t)(row / p->turns * p->n) + j) * (int64_t)p->after
                  + (int64_t)(e % p->after);
    }
    return at;
}

/* whether the numbers of v are known, and no secret of the server */
static bool
is_public(struct fe *fe, ir_ref v, struct fe_constant *c)
{
    const struct fe_name *secret;

    return fe_known(fe, fe->f, v, c, &secret)
           && (!secret || fe->computing != FE_VALUE);
}

static ir_ref
open_index(struct fe *fe, const struct subscripts *s, ir_ref x)
{
    struct picked p = { .a = s->a, .x = x };
    const struct fe_name *secret;
    struct fe_constant c;

    p.i = merged(fe, s);
    if (fe_is_none(p.i) || fe_is_none(x) || !measure(fe, s, &p))
        return FE_NONE;
    if (is_public(fe, p.i, &c))
        return fe_gather(fe, p.a->at, x, &p.t, picked_places(fe, &p, c.cell));
    if (too_many(fe, &p))
        return FE_NONE;
    return fe_known(fe, fe->f, x, &c, &secret) ? from_table(fe, &p, &c)
                                               : from_sum(fe, &p);
}

/* The places of subscripts with lists of numbers, from those of whole axes. */
static bool
listed(struct fe *fe, const struct subscripts *s, struct ir_type *shape,
       union ir_cell **index)
{
    struct picked p = { .a = s->a, .i = merged(fe, s) };
    struct fe_constant c;
    union ir_cell *at;

    if (fe_is_none(p.i) || !measure(fe, s, &p))
        return false;
    if (!is_public(fe, p.i, &c)) {
        diag_error(fe->diag, s->a->at, E_not_constant,
                   "an element that is assigned has an index that is known to "
                   "the compiler, and public");
        return false;
    }
    at = picked_places(fe, &p, c.cell);
    for (size_t e = 0; e < ir_count(&p.t); e++)
        at[e] = (*index)[at[e].i];
    *shape = p.t;
    *index = at;
    return true;
}

bool
fe_positions(struct fe *fe, const struct ast *a, ir_ref base,
             struct ir_type *shape, union ir_cell **index)
{
    const struct ir_type t = *fe_type(fe, base);
    struct subscripts s = { .a = a, .t = &t };

    if (!read_all(fe, &s))
        return false;
    *index = known_places(fe, &s, shape);
    return !s.nopen || listed(fe, &s, shape, index);
}

ir_ref
fe_index(struct fe *fe, const struct ast *a)
{
    const ir_ref v = fe_expr(fe, a->kid);
    struct subscripts s = { .a = a };
    struct ir_type t, base;
    const union ir_cell *index;

    if (fe_is_none(v))
        return v;
    base = *fe_type(fe, v);
    s.t = &base;
    if (!read_all(fe, &s))
        return FE_NONE;
    index = known_places(fe, &s, &t);
    if (s.nopen)
        return open_index(fe, &s, fe_gather(fe, a->at, v, &t, index));
    return fe_gather(fe, a->at, v, &t, index);
}
