/* Convolutions and pools.
 *
 * Values have channels first, x[c, s..], and one, two or three axes of space.
 * A window is a gather of the elements under it; an element of the padding is
 * one more element, 0, behind those of x.  Then
 *
 *     conv     patches[place, c k..] @ w[c k.., n], in the layout [n, place]
 *     avgpool  mean of windows[c, place, k..]
 *     maxpool  max of them
 */
#include "frontend/builtin.h"

#include <string.h>

enum { SPACE = 3 };

/* Windows over x[channels, in..]: size, and places, of each axis. */
struct window {
    size_t space, channels;
    int64_t in[SPACE], size[SPACE], stride[SPACE], pad[SPACE], step[SPACE],
        out[SPACE];
    size_t places, cells; /* products of out and size */
};

static ir_ref
wrong(struct fe *fe, const struct args *g, const char *what)
{
    diag_error(fe->diag, g->call->at, E_shape, "%s %s, and this is %s",
               g->call->text, what, fe_type_text(fe, fe_type(fe, g->x)));
    return FE_NONE;
}

/* Stride (otherwise as given, or 1), padding, dilation; then places. */
static bool
read_window(struct fe *fe, const struct args *g, struct window *w,
            const int64_t *stride)
{
    const struct ir_type *t = fe_type(fe, g->x);
    const int64_t most = 1 << 20;

    w->channels = t->dim[0];
    w->places = w->cells = 1;
    if (!fe_integers(fe, g, "stride", w->space, 1, most, 1, w->stride)
        || !fe_integers(fe, g, "pad", w->space, 0, most, 0, w->pad)
        || !fe_integers(fe, g, "dilation", w->space, 1, most, 1, w->step))
        return false;
    for (size_t d = 0; d < w->space; d++) {
        int64_t covered;

        if (stride && !fe_argument(g, "stride"))
            w->stride[d] = stride[d];
        w->in[d] = t->dim[d + 1];
        covered = w->in[d] + 2 * w->pad[d] - (w->size[d] - 1) * w->step[d] - 1;
        if (covered < 0) {
            wrong(fe, g, "has a window that is larger than its value");
            return false;
        }
        w->out[d] = covered / w->stride[d] + 1;
        w->places *= (size_t)w->out[d];
        w->cells *= (size_t)w->size[d];
        if (w->places > FE_MAX_ELEMENTS || w->cells > FE_MAX_ELEMENTS
            || w->places * w->cells > FE_MAX_ELEMENTS / w->channels) {
            diag_error(fe->diag, g->call->at, E_too_large,
                       "the windows of %s have more than 2^26 elements",
                       g->call->text);
            return false;
        }
    }
    return true;
}

/* The element of a channel under cell `cell` of place `place`, or -1 in the
 * padding. */
static int64_t
under(const struct window *w, size_t place, size_t cell)
{
    int64_t at[SPACE], i = 0;

    for (size_t d = w->space; d-- > 0;) {
        at[d] = (int64_t)(place % (size_t)w->out[d]) * w->stride[d]
                + (int64_t)(cell % (size_t)w->size[d]) * w->step[d] - w->pad[d];
        place /= (size_t)w->out[d];
        cell /= (size_t)w->size[d];
    }
    for (size_t d = 0; d < w->space; d++) {
        if (at[d] < 0 || at[d] >= w->in[d])
            return -1;
        i = i * w->in[d] + at[d];
    }
    return i;
}

static size_t
volume(const struct window *w)
{
    size_t n = 1;

    for (size_t d = 0; d < w->space; d++)
        n *= (size_t)w->in[d];
    return n;
}

/* x, with an element 0 behind it if an index needs one. */
static ir_ref
gathered(struct fe *fe, const struct args *g, const struct ir_type *t,
         const union ir_cell *index)
{
    const int64_t zero = (int64_t)ir_count(fe_type(fe, g->x));
    ir_ref in[2] = { g->x, FE_NONE };
    bool padded = false;

    for (size_t i = 0; i < ir_count(t) && !padded; i++)
        padded = index[i].i == zero;
    if (!padded)
        return fe_gather(fe, g->call->at, g->x, t, index);
    in[1] = fe_integer_literal(fe, g->call->at, 0);
    fe_join(fe, g->call->at, &in[0], &in[1]);
    return fe_rearrange(fe, g->call->at, in, 2, t, index);
}

/* channels, and the places of all axes */
static ir_ref
in_space(struct fe *fe, const struct args *g, const struct window *w, ir_ref v,
         size_t channels)
{
    uint32_t dim[1 + SPACE] = { (uint32_t)channels };

    for (size_t d = 0; d < w->space; d++)
        dim[1 + d] = (uint32_t)w->out[d];
    return fe_reshape(fe, g->call->at, v, 1 + w->space, dim);
}

/* ---- convolution */

/* patches[place, c k..] of channels [first, first + n) */
static ir_ref
patches(struct fe *fe, const struct args *g, const struct window *w,
        size_t first, size_t n)
{
    const uint32_t dim[2] = { (uint32_t)w->places, (uint32_t)(n * w->cells) };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_cell *index = arena_new(fe->scratch, union ir_cell, ir_count(&t));
    const int64_t zero = (int64_t)ir_count(fe_type(fe, g->x));

    for (size_t i = 0; i < ir_count(&t); i++) {
        const size_t c = i / w->cells % n;
        const int64_t at = under(w, i / dim[1], i % w->cells);

        index[i].i = at < 0 ? zero : at + (int64_t)((first + c) * volume(w));
    }
    return gathered(fe, g, &t, index);
}

/* weights of filters [first, first + n) as [c k.., n] */
static ir_ref
filters(struct fe *fe, const struct args *g, ir_ref k, size_t first, size_t n)
{
    const struct ir_type *tk = fe_type(fe, k);
    const size_t cells = ir_count(tk) / tk->dim[0];
    const uint32_t dim[2] = { (uint32_t)cells, (uint32_t)n };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_cell *index = arena_new(fe->scratch, union ir_cell, ir_count(&t));

    for (size_t i = 0; i < ir_count(&t); i++)
        index[i].i = (int64_t)((first + i % n) * cells + i / n);
    return fe_gather(fe, g->call->at, k, &t, index);
}

/* [place, n] as [n, place] */
static ir_ref
turned(struct fe *fe, const struct args *g, ir_ref v, size_t places, size_t n)
{
    const uint32_t dim[2] = { (uint32_t)n, (uint32_t)places };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_cell *index = arena_new(fe->scratch, union ir_cell, ir_count(&t));

    for (size_t i = 0; i < ir_count(&t); i++)
        index[i].i = (int64_t)(i % places * n + i / places);
    return fe_is_none(v) ? v : fe_gather(fe, g->call->at, v, &t, index);
}

/* one bias a filter */
static ir_ref
biased(struct fe *fe, const struct args *g, ir_ref v)
{
    const struct ast *a = fe_argument(g, "bias");
    const ir_ref b = a ? fe_expr(fe, a) : FE_NONE;
    uint32_t dim[2] = { 0, 1 };

    if (!a || fe_is_none(b) || fe_is_none(v))
        return a ? FE_NONE : v;
    dim[0] = fe_type(fe, v)->dim[0];
    if (ir_count(fe_type(fe, b)) != dim[0])
        return fe_refuse(fe, g, "takes one bias for each filter");
    return fe_pair(fe, IR_add, g->call->at, v,
                   fe_reshape(fe, g->call->at, b, 2, dim));
}

/* w[n, c / groups, k..] fits x[c, s..] */
static bool
fits(const struct ir_type *x, const struct ir_type *w, size_t space,
     size_t groups)
{
    return x->rank == space + 1 && w->rank == space + 2
           && x->dim[0] % groups == 0 && w->dim[0] % groups == 0
           && w->dim[1] == x->dim[0] / groups;
}

ir_ref
fe_b_conv(struct fe *fe, const struct args *g)
{
    const ir_ref k = fe_expr(fe, g->at[1]);
    struct window w = { .space = (size_t)(g->call->text[4] - '0') };
    int64_t groups;
    size_t filter, channel;
    ir_ref *part;

    if (fe_is_none(k)
        || !fe_integers(fe, g, "groups", 1, 1, FE_MAX_ELEMENTS, 1, &groups))
        return FE_NONE;
    if (!fits(fe_type(fe, g->x), fe_type(fe, k), w.space, (size_t)groups)) {
        diag_error(fe->diag, g->call->at, E_shape,
                   "%s takes x[channels, ..] and w[filters, channels / groups, "
                   "..], not %s and %s",
                   g->call->text, fe_type_text(fe, fe_type(fe, g->x)),
                   fe_type_text(fe, fe_type(fe, k)));
        return FE_NONE;
    }
    for (size_t d = 0; d < w.space; d++)
        w.size[d] = fe_type(fe, k)->dim[d + 2];
    if (!read_window(fe, g, &w, NULL))
        return FE_NONE;
    filter = fe_type(fe, k)->dim[0] / (size_t)groups;
    channel = w.channels / (size_t)groups;
    part = arena_new(fe->scratch, ir_ref, (size_t)groups);
    for (size_t i = 0; i < (size_t)groups; i++) {
        ir_ref in[2];

        in[0] = patches(fe, g, &w, i * channel, channel);
        in[1] = filters(fe, g, k, i * filter, filter);
        fe_join(fe, g->call->at, &in[0], &in[1]);
        part[i] =
            turned(fe, g, fe_build(fe, IR_matmul, g->call->at, in, 2, NULL),
                   w.places, filter);
    }
    if (groups > 1)
        part[0] = fe_concat(fe, g->call->at, part, (size_t)groups);
    part[0] = biased(fe, g, part[0]);
    return fe_is_none(part[0])
               ? FE_NONE
               : in_space(fe, g, &w, part[0], filter * (size_t)groups);
}

/* ---- pools */

/* windows[c, place, cell]; what is under the padding is 0, or for the largest
 * an element of the same window */
static ir_ref
windows(struct fe *fe, const struct args *g, const struct window *w)
{
    const uint32_t dim[3] = { (uint32_t)w->channels, (uint32_t)w->places,
                              (uint32_t)w->cells };
    const struct ir_type t = ir_type_of(IR_INT, 3, dim);
    union ir_cell *index = arena_new(fe->scratch, union ir_cell, ir_count(&t));
    const int64_t zero = (int64_t)ir_count(fe_type(fe, g->x));

    for (size_t i = 0; i < ir_count(&t); i++) {
        const size_t c = i / w->cells / w->places;
        const size_t place = i / w->cells % w->places;
        int64_t at = under(w, place, i % w->cells);

        for (size_t j = 0; g->op == IR_max && at < 0 && j < w->cells; j++)
            at = under(w, place, j);
        if (g->op == IR_max && at < 0)
            return fe_refuse(fe, g, "has a window with padding only");
        index[i].i = at < 0 ? zero : at + (int64_t)(c * volume(w));
    }
    return gathered(fe, g, &t, index);
}

ir_ref
fe_b_pool(struct fe *fe, const struct args *g)
{
    const struct ir_type *t = fe_type(fe, g->x);
    struct window w = { .space = t->rank - 1u };
    union ir_attrs as = { .sum = { .axis = 2 } };
    ir_ref v;

    if (t->rank < 2 || w.space > SPACE)
        return wrong(fe, g, "takes x[channels, ..] of 1 to 3 axes of space");
    if (!fe_integers(fe, g, "size", w.space, 1, FE_MAX_ELEMENTS, 1, w.size)
        || !read_window(fe, g, &w, w.size))
        return FE_NONE;
    for (size_t d = 0; d < w.space; d++)
        if (w.pad[d] * 2 > (w.size[d] - 1) * w.step[d] + 1)
            return fe_refuse(fe, g, "pads at most half of its window");
    v = windows(fe, g, &w);
    if (g->op == IR_mean && !fe_is_none(v))
        v = fe_real(fe, g->call->at, v);
    v = fe_build(fe, g->op, g->call->at, &v, 1, &as);
    return fe_is_none(v) ? v : in_space(fe, g, &w, v, w.channels);
}
