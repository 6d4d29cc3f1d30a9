/* Subscripts, as in numpy: integers, slices, negative indices and `...`.
 *
 * All are known to the compiler, so x[...] is a gather with a list of
 * positions. */
#include "frontend/inner.h"

struct axis {
    int64_t from, step;
    uint32_t length;
    bool kept; /* an integer drops its axis */
};

struct subscripts {
    const struct ast *a;
    const struct ir_type *t; /* of the base */
    struct axis axis[IR_MAX_RANK];
    size_t n; /* axes that have been read */
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
        if (k->kind == AST_all)
            whole(s, s->t->rank - given);
        else if (!(k->kind == AST_slice ? slice : integer)(fe, s, k))
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

ir_ref
fe_index(struct fe *fe, const struct ast *a)
{
    const ir_ref v = fe_expr(fe, a->kid);
    struct subscripts s = { .a = a };
    struct ir_type t, base;
    union ir_cell *index;

    if (fe_is_none(v))
        return v;
    base = *fe_type(fe, v);
    s.t = &base;
    if (!read_all(fe, &s))
        return FE_NONE;
    t = ir_type_of(IR_INT, 0, NULL);
    for (size_t d = 0; d < base.rank; d++)
        if (s.axis[d].kept)
            t.dim[t.rank++] = s.axis[d].length;
    index = arena_new(fe->scratch, union ir_cell, ir_count(&t));
    for (size_t i = 0; i < ir_count(&t); i++)
        index[i].i = position(&s, i);
    return fe_gather(fe, a->at, v, &t, index);
}
