/* Functions that move elements: each is one gather with a list of positions.
 *
 * A position counts through the elements of all operands, one after the
 * other. */
#include "frontend/builtin.h"

#include <string.h>

ir_ref
fe_rearrange(struct fe *fe, struct span at, const ir_ref *in, size_t n,
             const struct ir_type *shape, const union ir_cell *index)
{
    ir_ref *flat = arena_new(fe->scratch, ir_ref, n);

    if (n == 1)
        return fe_gather(fe, at, in[0], shape, index);
    for (size_t i = 0; i < n; i++) {
        uint32_t length;

        if (fe_is_none(in[i]))
            return FE_NONE;
        length = (uint32_t)ir_count(fe_type(fe, in[i]));
        flat[i] = fe_reshape(fe, at, in[i], 1, &length);
    }
    return fe_gather(fe, at, fe_concat(fe, at, flat, n), shape, index);
}

/* ---- places of a tensor */

/* Place of element i in each axis of t. */
static void
places(const struct ir_type *t, size_t i, size_t *place)
{
    for (size_t d = t->rank; d-- > 0; i /= t->dim[d])
        place[d] = i % t->dim[d];
}

static size_t
element(const struct ir_type *t, const size_t *place)
{
    size_t i = 0;

    for (size_t d = 0; d < t->rank; d++)
        i = i * t->dim[d] + place[d];
    return i;
}

/* A list of positions for the elements of t; NULL after a message. */
static union ir_cell *
positions(struct fe *fe, const struct args *g, const struct ir_type *t)
{
    uint64_t n = 1;

    for (size_t d = 0; d < t->rank; d++)
        if ((n *= t->dim[d]) > FE_MAX_ELEMENTS) {
            diag_error(fe->diag, g->call->at, E_too_large,
                       "this tensor has more than 2^26 elements");
            return NULL;
        }
    return arena_new(fe->scratch, union ir_cell, n + 1);
}

static ir_ref
wrong_shape(struct fe *fe, const struct args *g, const char *what)
{
    diag_error(fe->diag, g->call->at, E_shape, "%s %s, and this is %s",
               g->call->text, what, fe_type_text(fe, fe_type(fe, g->x)));
    return FE_NONE;
}

/* ---- arguments */

/* All numbers of a constant integer tensor; the message stands at a. */
static bool
read_list(struct fe *fe, const struct ast *a, size_t most, int64_t lo,
          int64_t hi, size_t *n, int64_t *out)
{
    const struct fe_constant c = fe_constant(fe, a, FE_CONST);

    if (!c.cell)
        return false;
    *n = ir_count(&c.type);
    if (c.type.base != IR_INT || c.type.rank > 1 || *n > most) {
        diag_error(fe->diag, a->at, E_shape,
                   "an integer, or a list of at most %zu, stands here", most);
        return false;
    }
    for (size_t i = 0; i < *n; i++) {
        out[i] = c.cell[i].i;
        if (out[i] >= lo && out[i] <= hi)
            continue;
        diag_error(fe->diag, a->at, E_range,
                   "integers of %lld..%lld stand here, not %lld", (long long)lo,
                   (long long)hi, (long long)out[i]);
        return false;
    }
    return true;
}

bool
fe_integers(struct fe *fe, const struct args *g, const char *name, size_t most,
            int64_t lo, int64_t hi, int64_t otherwise, int64_t *out)
{
    const struct ast *a = fe_argument(g, name);
    size_t n = 1;

    out[0] = otherwise;
    if (a && !read_list(fe, a, most, lo, hi, &n, out))
        return false;
    if (n != 1 && n != most) {
        diag_error(fe->diag, a->at, E_shape,
                   "an integer, or a list of %zu, stands here", most);
        return false;
    }
    for (size_t i = n; i < most; i++)
        out[i] = out[0];
    return true;
}

/* ---- the same elements in another shape */

/* One length may be -1, and follows from the others. */
ir_ref
fe_b_reshape(struct fe *fe, const struct args *g)
{
    const size_t count = ir_count(fe_type(fe, g->x));
    uint32_t dim[IR_MAX_RANK];
    int64_t length[IR_MAX_RANK] = { 0 };
    size_t rank = 0, rest = count, open = IR_MAX_RANK;

    if (!g->at[2]) {
        if (!read_list(fe, g->at[1], IR_MAX_RANK, -1, FE_MAX_ELEMENTS, &rank,
                       length))
            return FE_NONE;
    } else {
        for (const struct ast *a = g->call->kid->next; a; a = a->next, rank++)
            if (!fe_integer(fe, a, -1, FE_MAX_ELEMENTS, &length[rank]))
                return FE_NONE;
    }
    for (size_t i = 0; i < rank; i++) {
        const int64_t n = length[i];

        if (n < 1 && (n == 0 || open < IR_MAX_RANK))
            return fe_refuse(fe, g, "takes positive lengths, and -1 once");
        if (n < 0)
            open = i;
        dim[i] = n < 0 ? 1 : (uint32_t)n;
        rest = n < 0 ? rest : rest % (size_t)n ? 0 : rest / (size_t)n;
    }
    if (open < IR_MAX_RANK && rest)
        dim[open] = (uint32_t)rest;
    return fe_reshape(fe, g->call->at, g->x, rank, dim);
}

ir_ref
fe_b_flatten(struct fe *fe, const struct args *g)
{
    const uint32_t n = (uint32_t)ir_count(fe_type(fe, g->x));

    return fe_reshape(fe, g->call->at, g->x, 1, &n);
}

/* without its axes of length 1, or one of them */
ir_ref
fe_b_squeeze(struct fe *fe, const struct args *g)
{
    const struct ir_type t = *fe_type(fe, g->x);
    const bool one = fe_argument(g, "axis") != NULL;
    uint32_t dim[IR_MAX_RANK], axis = 0;
    size_t rank = 0;

    if (one && !fe_axis(fe, g, &axis))
        return FE_NONE;
    if (one && t.dim[axis] != 1)
        return wrong_shape(fe, g, "drops an axis of length 1");
    for (uint32_t d = 0; d < t.rank; d++)
        if (one ? d != axis : t.dim[d] != 1)
            dim[rank++] = t.dim[d];
    return fe_reshape(fe, g->call->at, g->x, rank, dim);
}

/* with one more axis of length 1 before axis n of the result */
ir_ref
fe_b_expand(struct fe *fe, const struct args *g)
{
    struct ir_type t = *fe_type(fe, g->x);
    const int64_t rank = t.rank;
    int64_t n;

    if (rank == IR_MAX_RANK)
        return fe_refuse(fe, g, "makes at most six axes");
    if (!fe_integer(fe, g->at[1], -rank - 1, rank, &n))
        return FE_NONE;
    n = n < 0 ? n + rank + 1 : n;
    memmove(t.dim + n + 1, t.dim + n, (size_t)(rank - n) * sizeof *t.dim);
    t.dim[n] = 1;
    return fe_reshape(fe, g->call->at, g->x, (size_t)rank + 1, t.dim);
}

/* whether v has as many axes as x, each of the same length or of 1 */
static bool
stands_beside(const struct ir_type *v, const struct ir_type *x)
{
    for (size_t d = 0; d < x->rank; d++)
        if (v->rank != x->rank || (v->dim[d] != 1 && v->dim[d] != x->dim[d]))
            return false;
    return x->rank > 0;
}

/* v of one axis, or none, as the first axis beside x, or another */
ir_ref
fe_b_per_channel(struct fe *fe, const struct args *g)
{
    struct args own = *g;
    const struct ir_type *v = fe_type(fe, g->x);
    struct ir_type t;
    uint32_t axis = 0;

    own.x = fe_expr(fe, g->at[1]);
    if (fe_is_none(own.x) || v->rank == 0)
        return fe_is_none(own.x) ? own.x : g->x;
    t = *fe_type(fe, own.x);
    if (t.rank > 1 && stands_beside(v, &t))
        return g->x;
    if (t.rank > 0 && fe_argument(g, "axis") && !fe_axis(fe, &own, &axis))
        return FE_NONE;
    if (v->rank != 1 || t.rank == 0
        || (v->dim[0] != t.dim[axis] && v->dim[0] != 1))
        return wrong_shape(fe, g, "takes a number for each channel");
    for (size_t d = 0; d < t.rank; d++)
        t.dim[d] = d == axis ? v->dim[0] : 1;
    return fe_reshape(fe, g->call->at, g->x, t.rank, t.dim);
}

/* The length of an axis is known whatever the elements are: x is looked at in
 * the model, also where a constant is computed. */
ir_ref
fe_b_len(struct fe *fe, const struct args *g)
{
    struct ir_func *const f = fe->f;
    const enum fe_kind computing = fe->computing;
    struct args own = *g;
    uint32_t axis = 0;
    int64_t length = 0;
    bool ok;

    fe->f = fe->model;
    fe->computing = FE_VALUE;
    own.x = fe_expr(fe, g->at[0]);
    ok = !fe_is_none(own.x);
    if (ok && fe_argument(g, "axis")) {
        ok = fe_axis(fe, &own, &axis);
    } else if (ok && fe_type(fe, own.x)->rank == 0) {
        fe_refuse(fe, g, "takes a tensor with axes");
        ok = false;
    }
    if (ok)
        length = fe_type(fe, own.x)->dim[axis];
    fe->f = f;
    fe->computing = computing;
    return ok ? fe_integer_literal(fe, g->call->at, length) : FE_NONE;
}

/* ---- elements elsewhere */

/* the axes in reverse order, or in the order of a list */
ir_ref
fe_b_transpose(struct fe *fe, const struct args *g)
{
    const struct ir_type from = *fe_type(fe, g->x);
    const int64_t rank = from.rank;
    struct ir_type to = from;
    int64_t axes[IR_MAX_RANK] = { 0 };
    size_t n = from.rank, at[IR_MAX_RANK], place[IR_MAX_RANK];
    bool seen[IR_MAX_RANK] = { false }, once = true;
    union ir_cell *index;

    for (size_t d = 0; d < n; d++)
        axes[d] = rank - 1 - (int64_t)d;
    if (g->at[1]
        && !read_list(fe, g->at[1], IR_MAX_RANK, -rank, rank - 1, &n, axes))
        return FE_NONE;
    for (size_t d = 0; d < n; d++) {
        axes[d] = axes[d] < 0 ? axes[d] + rank : axes[d];
        once = once && !seen[axes[d]];
        seen[axes[d]] = true;
    }
    if (n != from.rank || !once)
        return wrong_shape(fe, g, "takes each axis once");
    for (size_t d = 0; d < n; d++)
        to.dim[d] = from.dim[axes[d]];
    if (n < 2 || !(index = positions(fe, g, &to)))
        return n < 2 ? g->x : FE_NONE;
    for (size_t i = 0; i < ir_count(&to); i++) {
        places(&to, i, at);
        for (size_t d = 0; d < n; d++)
            place[axes[d]] = at[d];
        index[i].i = (int64_t)element(&from, place);
    }
    return fe_gather(fe, g->call->at, g->x, &to, index);
}

/* Positional arguments, as reals if one is; NULL after messages. */
static ir_ref *
values(struct fe *fe, const struct args *g, size_t *n)
{
    ir_ref *in = arena_new(fe->scratch, ir_ref, ast_kids(g->call));
    bool real = false;

    *n = 0;
    for (const struct ast *k = g->call->kid; k; k = k->next) {
        if (k->kind == AST_named)
            continue;
        in[*n] = *n ? fe_expr(fe, k) : g->x;
        if (fe_is_none(in[*n]))
            return NULL;
        real = fe_type(fe, in[*n])->base == IR_REAL || real;
        ++*n;
    }
    for (size_t i = 0; i < *n && real; i++)
        in[i] = fe_real(fe, g->call->at, in[i]);
    return in;
}

static bool
stacks(const struct ir_type *a, const struct ir_type *b, uint32_t axis)
{
    if (a->rank != b->rank)
        return false;
    for (uint32_t d = 0; d < a->rank; d++)
        if (d != axis && a->dim[d] != b->dim[d])
            return false;
    return true;
}

/* side by side along an axis that they have */
static ir_ref
joined(struct fe *fe, const struct args *g, const ir_ref *in, size_t n,
       uint32_t axis)
{
    struct ir_type t = *fe_type(fe, in[0]);
    uint64_t first = 0, before = 0, length = 0;
    union ir_cell *index;

    for (size_t i = 0; i < n; i++) {
        if (!stacks(&t, fe_type(fe, in[i]), axis)) {
            diag_error(fe->diag, g->call->at, E_shape,
                       "%s and %s do not stand side by side along axis %u",
                       fe_type_text(fe, &t),
                       fe_type_text(fe, fe_type(fe, in[i])), axis);
            return FE_NONE;
        }
        length += fe_type(fe, in[i])->dim[axis];
    }
    t.dim[axis] = length > FE_MAX_ELEMENTS ? UINT32_MAX : (uint32_t)length;
    if (!(index = positions(fe, g, &t)))
        return FE_NONE;
    for (size_t i = 0; i < n; i++) {
        const struct ir_type *own = fe_type(fe, in[i]);
        size_t place[IR_MAX_RANK];

        for (size_t e = 0; e < ir_count(own); e++) {
            places(own, e, place);
            place[axis] += before;
            index[element(&t, place)].i = (int64_t)(first + e);
        }
        first += ir_count(own);
        before += own->dim[axis];
    }
    return fe_rearrange(fe, g->call->at, in, n, &t, index);
}

ir_ref
fe_b_concat(struct fe *fe, const struct args *g)
{
    uint32_t axis = 0;
    size_t n;
    ir_ref *in = values(fe, g, &n);

    if (!in)
        return FE_NONE;
    if (fe_type(fe, g->x)->rank == 0)
        return fe_refuse(fe, g, "takes tensors with axes");
    if (fe_argument(g, "axis") && !fe_axis(fe, g, &axis))
        return FE_NONE;
    return joined(fe, g, in, n, axis);
}

/* along a new axis */
ir_ref
fe_b_stack(struct fe *fe, const struct args *g)
{
    const int64_t rank = fe_type(fe, g->x)->rank;
    int64_t axis = 0;
    size_t n;
    ir_ref *in = values(fe, g, &n);

    if (!in
        || (fe_argument(g, "axis")
            && !fe_integer(fe, fe_argument(g, "axis"), -rank - 1, rank, &axis)))
        return FE_NONE;
    if (rank == IR_MAX_RANK)
        return fe_refuse(fe, g, "makes at most six axes");
    axis = axis < 0 ? axis + rank + 1 : axis;
    for (size_t i = 0; i < n; i++) {
        struct ir_type t = *fe_type(fe, in[i]);

        if (!ir_same_shape(&t, fe_type(fe, g->x)))
            return wrong_shape(fe, g, "takes values of one shape");
        memmove(t.dim + axis + 1, t.dim + axis,
                (size_t)(rank - axis) * sizeof *t.dim);
        t.dim[axis] = 1;
        in[i] = fe_reshape(fe, g->call->at, in[i], (size_t)rank + 1, t.dim);
    }
    return joined(fe, g, in, n, (uint32_t)axis);
}

/* elements `list` of an axis, whose places count from its front */
static ir_ref
taken(struct fe *fe, const struct args *g, uint32_t axis, const int64_t *list,
      size_t n)
{
    const struct ir_type from = *fe_type(fe, g->x);
    struct ir_type to = from;
    union ir_cell *index;

    to.dim[axis] = (uint32_t)n;
    if (!(index = positions(fe, g, &to)))
        return FE_NONE;
    for (size_t i = 0; i < ir_count(&to); i++) {
        size_t place[IR_MAX_RANK];

        places(&to, i, place);
        place[axis] = (size_t)list[place[axis]];
        index[i].i = (int64_t)element(&from, place);
    }
    return fe_gather(fe, g->call->at, g->x, &to, index);
}

/* x[from:to] of an axis */
ir_ref
fe_b_slice(struct fe *fe, const struct args *g)
{
    uint32_t axis = 0;
    int64_t from, to, length, *list;

    if (fe_type(fe, g->x)->rank == 0)
        return fe_refuse(fe, g, "takes a tensor with axes");
    if (fe_argument(g, "axis") && !fe_axis(fe, g, &axis))
        return FE_NONE;
    length = fe_type(fe, g->x)->dim[axis];
    if (!fe_integer(fe, g->at[1], -length, length, &from)
        || !fe_integer(fe, g->at[2], -length, length, &to))
        return FE_NONE;
    from = from < 0 ? from + length : from;
    to = to < 0 ? to + length : to;
    if (from >= to) {
        diag_error(fe->diag, g->call->at, E_index,
                   "this slice is empty, axis %u has length %lld", axis,
                   (long long)length);
        return FE_NONE;
    }
    list = arena_new(fe->scratch, int64_t, (size_t)(to - from));
    for (int64_t i = from; i < to; i++)
        list[i - from] = i;
    return taken(fe, g, axis, list, (size_t)(to - from));
}

/* elements by number along an axis */
ir_ref
fe_b_gather(struct fe *fe, const struct args *g)
{
    uint32_t axis = 0;
    int64_t length, *list;
    size_t n;

    if (fe_type(fe, g->x)->rank == 0)
        return fe_refuse(fe, g, "takes a tensor with axes");
    if (fe_argument(g, "axis") && !fe_axis(fe, g, &axis))
        return FE_NONE;
    length = fe_type(fe, g->x)->dim[axis];
    list = arena_new(fe->scratch, int64_t, UINT16_MAX);
    if (!read_list(fe, g->at[1], UINT16_MAX, -length, length - 1, &n, list))
        return FE_NONE;
    for (size_t i = 0; i < n; i++)
        list[i] = list[i] < 0 ? list[i] + length : list[i];
    return taken(fe, g, axis, list, n);
}

/* Elements around x, all of one value: `width` of them at both ends of all axes
 * or of each, or [[before, after], ..]. */
ir_ref
fe_b_pad(struct fe *fe, const struct args *g)
{
    const struct ir_type from = *fe_type(fe, g->x);
    const struct fe_constant c = fe_constant(fe, g->at[1], FE_CONST);
    const struct ast *value = fe_argument(g, "value");
    const size_t n = c.cell ? ir_count(&c.type) : 0;
    struct ir_type to = from;
    ir_ref in[2];
    int64_t before[IR_MAX_RANK];
    union ir_cell *index;

    if (!c.cell)
        return FE_NONE;
    if (c.type.base != IR_INT
        || !(
            n == 1 || (c.type.rank == 1 && n == from.rank)
            || (c.type.rank == 2 && c.type.dim[1] == 2 && n == 2u * from.rank)))
        return wrong_shape(fe, g,
                           "takes one width, one for each axis, or "
                           "[before, after] for each");
    for (size_t d = 0; d < from.rank; d++) {
        const size_t own = n == 1 ? 0 : c.type.rank == 1 ? d : 2 * d;
        const int64_t after = c.cell[own + (n > 1 && c.type.rank == 2)].i;

        before[d] = c.cell[own].i;
        if (before[d] < 0 || after < 0 || before[d] > FE_MAX_ELEMENTS
            || after > FE_MAX_ELEMENTS)
            return fe_refuse(fe, g, "takes widths from 0 on");
        to.dim[d] += (uint32_t)(before[d] + after);
    }
    in[0] = g->x;
    in[1] = value ? fe_expr(fe, value) : fe_integer_literal(fe, g->call->at, 0);
    fe_join(fe, g->call->at, &in[0], &in[1]);
    if (fe_is_none(in[1]) || !(index = positions(fe, g, &to)))
        return FE_NONE;
    if (ir_count(fe_type(fe, in[1])) != 1)
        return fe_refuse(fe, g, "takes one number as its value");
    for (size_t i = 0; i < ir_count(&to); i++) {
        size_t place[IR_MAX_RANK];
        bool inside = true;

        places(&to, i, place);
        for (size_t d = 0; d < from.rank; d++) {
            place[d] -= (size_t)before[d];
            inside = inside && place[d] < from.dim[d];
        }
        index[i].i =
            (int64_t)(inside ? element(&from, place) : ir_count(&from));
    }
    return fe_rearrange(fe, g->call->at, in, 2, &to, index);
}

/* x repeated along its axes, the last ones if there are fewer numbers */
ir_ref
fe_b_tile(struct fe *fe, const struct args *g)
{
    const struct ir_type from = *fe_type(fe, g->x);
    struct ir_type to = from;
    int64_t times[IR_MAX_RANK];
    union ir_cell *index;
    size_t n;

    if (!read_list(fe, g->at[1], IR_MAX_RANK, 1, FE_MAX_ELEMENTS, &n, times))
        return FE_NONE;
    if (n > from.rank)
        return wrong_shape(fe, g, "takes a number for each axis");
    for (size_t i = 0; i < n; i++) {
        uint32_t *d = &to.dim[from.rank - n + i];
        const uint64_t length = *d * (uint64_t)times[i];

        *d = length > FE_MAX_ELEMENTS ? UINT32_MAX : (uint32_t)length;
    }
    if (!(index = positions(fe, g, &to)))
        return FE_NONE;
    for (size_t i = 0; i < ir_count(&to); i++) {
        size_t place[IR_MAX_RANK];

        places(&to, i, place);
        for (size_t d = 0; d < from.rank; d++)
            place[d] %= from.dim[d];
        index[i].i = (int64_t)element(&from, place);
    }
    return fe_gather(fe, g->call->at, g->x, &to, index);
}

/* x in a larger shape, as numpy repeats axes of length 1 */
ir_ref
fe_b_broadcast(struct fe *fe, const struct args *g)
{
    const struct ir_type from = *fe_type(fe, g->x);
    struct ir_type to = from, both;
    int64_t length[IR_MAX_RANK];
    union ir_cell *index;
    size_t n;

    if (!read_list(fe, g->at[1], IR_MAX_RANK, 1, FE_MAX_ELEMENTS, &n, length))
        return FE_NONE;
    to.rank = (uint8_t)n;
    for (size_t d = 0; d < n; d++)
        to.dim[d] = (uint32_t)length[d];
    both = to;
    if (!ir_broadcast(&both, &from, &to) || !ir_same_shape(&both, &to))
        return wrong_shape(fe, g, "does not get this shape");
    if (!(index = positions(fe, g, &to)))
        return FE_NONE;
    for (size_t i = 0; i < ir_count(&to); i++)
        index[i].i = (int64_t)ir_broadcast_index(&to, &from, i);
    return fe_gather(fe, g->call->at, g->x, &to, index);
}
