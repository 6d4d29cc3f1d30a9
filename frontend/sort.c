/* sort(x): a network of comparisons, Batcher's merge exchange (Knuth, The Art
 * of Computer Programming 3, algorithm 5.2.2M).
 *
 * A layer compares elements d apart, each one at most once:
 *
 *     x[i], x[i + d]  :=  min(x[i], x[i + d]), max(x[i], x[i + d])
 *
 * n elements need about n (log2 n)^2 / 4 comparisons in (log2 n)^2 / 2 layers.
 */
#include "frontend/builtin.h"

struct sorted {
    struct fe *fe;
    struct span at;
    struct ir_around a; /* the axis */
    size_t n;           /* elements */
};

/* The first element of pair k of a layer, in the whole tensor. */
static size_t
place(const struct sorted *s, size_t line, size_t i)
{
    return (line / s->a.inner * s->a.length + i) * s->a.inner
           + line % s->a.inner;
}

static ir_ref
taken(const struct sorted *s, ir_ref x, uint32_t pairs, union ir_cell *index,
      size_t shift)
{
    const struct ir_type t = ir_type_of(IR_INT, 1, &pairs);

    for (uint32_t k = 0; k < pairs; k++)
        index[k].i += (int64_t)shift;
    return fe_gather(s->fe, s->at, x, &t, index);
}

/* Elements i and i + d of each line along the axis, where (i & p) is r. */
static ir_ref
layer(const struct sorted *s, ir_ref x, size_t p, size_t r, size_t d)
{
    const struct ir_type shape = *fe_type(s->fe, x);
    union ir_cell *low = arena_new(s->fe->scratch, union ir_cell, s->n);
    union ir_cell *all = arena_new(s->fe->scratch, union ir_cell, s->n);
    const size_t apart = d * s->a.inner;
    uint32_t pairs = 0;
    ir_ref a, b, in[3] = { x, FE_NONE, FE_NONE };

    for (size_t e = 0; e < s->n; e++)
        all[e].i = (int64_t)e;
    for (size_t line = 0; line < s->n / s->a.length; line++)
        for (size_t i = 0; i + d < s->a.length; i++)
            if ((i & p) == r)
                low[pairs++].i = (int64_t)place(s, line, i);
    if (pairs == 0)
        return x;
    for (uint32_t k = 0; k < pairs; k++) {
        all[low[k].i].i = (int64_t)(s->n + k);
        all[low[k].i + (int64_t)apart].i = (int64_t)(s->n + pairs + k);
    }
    a = taken(s, x, pairs, low, 0);
    b = taken(s, x, pairs, low, apart);
    in[1] = fe_pair(s->fe, IR_minimum, s->at, a, b);
    in[2] = fe_pair(s->fe, IR_maximum, s->at, a, b);
    return fe_rearrange(s->fe, s->at, in, 3, &shape, all);
}

ir_ref
fe_b_sort(struct fe *fe, const struct args *g)
{
    struct sorted s = { .fe = fe, .at = g->call->at };
    uint32_t axis = fe_type(fe, g->x)->rank - 1u;
    size_t most = 1;
    ir_ref x = g->x;

    if (fe_type(fe, x)->rank == 0)
        return fe_refuse(fe, g, "takes a tensor with axes");
    if (fe_argument(g, "axis") && !fe_axis(fe, g, &axis))
        return FE_NONE;
    s.a = ir_around(fe_type(fe, x), axis);
    s.n = ir_count(fe_type(fe, x));
    while (2 * most < s.a.length)
        most *= 2;
    for (size_t p = most; p > 0 && !fe_is_none(x); p /= 2) {
        x = layer(&s, x, p, 0, p);
        for (size_t q = most; q > p && !fe_is_none(x); q /= 2)
            x = layer(&s, x, p, p, q - p);
    }
    return x;
}
