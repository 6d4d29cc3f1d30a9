/* Tests of (42), least period first; see form.h.
 *
 * With h = 2^bits and the sums  f(v) + f(v + h) = slope v + C,  the rest
 *
 *     T(v) = 2 f(v) - slope v - c,     c = C - slope h / 2
 *
 * has T(v + h) = -T(v): a comparison or a sign has slope 0, an absolute value
 * too (C = h), a relu slope 1, since relu(v) = (v + |v|) / 2 (43)-(45)
 */
#include "passes/form.h"

#include "passes/encode.h"

#include <string.h>

/* More would multiply the operand's noise by more. */
enum { MAX_SLOPE = 2, MAX_LINEAR = 16 };

struct values {
    const union ir_cell *cell; /* rows of `stride` */
    size_t stride, first, n;   /* f(lo + i) is cell[first + i], i < n */
    int64_t lo;
    uint32_t rows;
};

static int64_t
at(const struct values *x, uint32_t row, size_t i)
{
    return x->cell[row * x->stride + x->first + i].i;
}

/* Whether the numbers y(0) .. y(n-1) are  slope i + y(0). */
static bool
is_line(const int64_t *y, size_t n, int64_t most, int64_t *slope)
{
    *slope = n > 1 ? y[1] - y[0] : 0;
    if (*slope > most || *slope < -most)
        return false;
    for (size_t i = 1; i < n; i++)
        if (y[i] - y[i - 1] != *slope)
            return false;
    return true;
}

/* The sums of (42) with h, of each row, or f itself with h = 0: whether they
 * are lines of at most that slope, which is then set with what they are at 0.
 */
static bool
lines(struct arena *mem, const struct values *x, size_t h, int64_t most,
      struct form *m)
{
    const size_t n = x->n - h;
    int64_t *y = arena_new(mem, int64_t, n);

    m->sloped = m->moved = false;
    for (uint32_t r = 0; r < x->rows; r++) {
        for (size_t i = 0; i < n; i++)
            y[i] = at(x, r, i) + (h ? at(x, r, i + h) : 0);
        if (!is_line(y, n, most, &m->slope[r]))
            return false;
        m->constant[r] = y[0] - m->slope[r] * x->lo;
        m->sloped = m->sloped || m->slope[r];
        m->moved = m->moved || m->constant[r];
    }
    return true;
}

/* Twice a table, its slope and its constant; once, if all are even. */
static void
negacyclic(struct arena *mem, const struct values *x, struct form *m)
{
    const size_t h = (size_t)1 << m->bits;
    union ir_cell *cell = arena_new(mem, union ir_cell, x->rows * h);
    bool even = true;

    m->moved = false;
    for (uint32_t r = 0; r < x->rows; r++) {
        m->constant[r] -= m->slope[r] * (int64_t)h / 2;
        m->moved = m->moved || m->constant[r];
        even = even && m->slope[r] % 2 == 0 && m->constant[r] % 2 == 0;
        for (size_t j = 0; j < h; j++) {
            const int64_t t = 2 * at(x, r, j)
                              - m->slope[r] * (x->lo + (int64_t)j)
                              - m->constant[r];

            cell[r * h + j].i = t;
            even = even && t % 2 == 0;
        }
    }
    for (size_t i = 0; i < x->rows * h && even; i++)
        cell[i].i /= 2;
    for (uint32_t r = 0; r < x->rows && even; r++)
        m->constant[r] /= 2, m->slope[r] /= 2;
    m->halved = even ? 0 : 1;
    m->offset = -x->lo;
    m->entry = cell;
}

/* The table with 2^bits entries from -offset on; integers that cannot occur
 * get the entry of the nearest that can. */
static void
padded(struct arena *mem, const struct values *x, struct form *m,
       struct encode_table t)
{
    const size_t size = (size_t)1 << t.bits;
    union ir_cell *cell = arena_new(mem, union ir_cell, x->rows * size);

    m->bits = t.bits;
    m->offset = t.offset;
    m->halved = 0;
    m->sloped = m->moved = false;
    for (uint32_t r = 0; r < x->rows; r++) {
        m->slope[r] = m->constant[r] = 0;
        for (size_t j = 0; j < size; j++) {
            const int64_t i = (int64_t)j - t.offset - x->lo;
            const int64_t last = (int64_t)x->n - 1;

            cell[r * size + j].i = at(x, r,
                                      (size_t)(i < 0      ? 0
                                               : i > last ? last
                                                          : i));
        }
    }
    m->entry = cell;
}

/* Sums and differences of what is within 52 bits do not overflow; more is for a
 * text only. */
static bool
is_small(const struct values *x)
{
    for (uint32_t r = 0; r < x->rows; r++)
        for (size_t i = 0; i < x->n; i++)
            if (at(x, r, i) > PASS_EXACT || at(x, r, i) < -PASS_EXACT)
                return false;
    return x->lo >= -PASS_EXACT && x->lo <= PASS_EXACT;
}

struct form
form_of(struct arena *mem, const struct ir_func *f, const struct ir_ins *lut,
        bool slopes, unsigned native)
{
    const struct ir_type *in = &ir_at(f, lut->in[0])->type;
    const struct ir_blob *b = ir_data(f, lut->as.lut.table);
    const bool approx = lut->as.lut.approx != 0;
    const struct values x = {
        .cell = b->cell,
        .stride = b->type.dim[1],
        .first = (size_t)(in->ilo + lut->as.lut.offset),
        .n = (size_t)(in->ihi - in->ilo) + 1,
        .lo = in->ilo,
        .rows = b->type.dim[0],
    };
    const unsigned all = is_small(&x) ? ir_bits(in->ilo, in->ihi) : 0;
    struct form m = { .rows = x.rows,
                      .slope = arena_new(mem, int64_t, x.rows),
                      .constant = arena_new(mem, int64_t, x.rows) };

    if (is_small(&x) && lines(mem, &x, 0, slopes ? MAX_LINEAR : 0, &m))
        return m;
    m.table = true;
    for (m.bits = 0; m.bits < all && m.bits <= native && !approx; m.bits++) {
        const size_t h = (size_t)1 << m.bits;

        if (lines(mem, &x, h, slopes && h > 1 ? MAX_SLOPE : 0, &m)) {
            negacyclic(mem, &x, &m);
            return m;
        }
    }
    padded(mem, &x, &m, encode_table(in, approx));
    m.wide = !approx && m.bits > native;
    return m;
}
