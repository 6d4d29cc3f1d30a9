#include "tests/model/tensor.h"

#include <string.h>

struct tensor
tensor_new(struct arena *mem, bool real, size_t rank, const size_t *dim)
{
    struct tensor t = { .real = real, .rank = rank };

    if (rank > TENSOR_RANK)
        bug("model: %zu axes", rank);
    for (size_t d = 0; d < rank; d++)
        t.dim[d] = dim[d];
    t.cell = arena_new(mem, union ir_cell, tensor_count(&t));
    for (size_t i = 0; i < tensor_count(&t) && real; i++)
        t.cell[i].r = 0;
    return t;
}

struct tensor
tensor_whole(struct arena *mem, int64_t v)
{
    struct tensor t = tensor_new(mem, false, 0, NULL);

    t.cell->i = v;
    return t;
}

size_t
tensor_count(const struct tensor *t)
{
    size_t n = 1;

    for (size_t d = 0; d < t->rank; d++)
        n *= t->dim[d];
    return n;
}

double
tensor_at(const struct tensor *t, size_t i)
{
    return t->real ? t->cell[i].r : (double)t->cell[i].i;
}

struct tensor
tensor_real(struct arena *mem, struct tensor t)
{
    struct tensor r;

    if (t.real)
        return t;
    r = tensor_new(mem, true, t.rank, t.dim);
    for (size_t i = 0; i < tensor_count(&t); i++)
        r.cell[i].r = (double)t.cell[i].i;
    return r;
}

void
tensor_join(struct arena *mem, struct tensor *a, struct tensor *b)
{
    if (a->real || b->real) {
        *a = tensor_real(mem, *a);
        *b = tensor_real(mem, *b);
    }
}

void
tensor_place(const struct tensor *t, size_t i, size_t *place)
{
    for (size_t d = t->rank; d-- > 0; i /= t->dim[d])
        place[d] = i % t->dim[d];
}

size_t
tensor_element(const struct tensor *t, const size_t *place)
{
    size_t i = 0;

    for (size_t d = 0; d < t->rank; d++)
        i = i * t->dim[d] + place[d];
    return i;
}

struct tensor
tensor_shape2(struct arena *mem, const struct tensor *a, const struct tensor *b)
{
    const size_t rank = a->rank > b->rank ? a->rank : b->rank;
    size_t dim[TENSOR_RANK];

    for (size_t d = 0; d < rank; d++) {
        const size_t x = d < rank - a->rank ? 1 : a->dim[d - (rank - a->rank)];
        const size_t y = d < rank - b->rank ? 1 : b->dim[d - (rank - b->rank)];

        if (x != y && x != 1 && y != 1)
            bug("model: lengths %zu and %zu", x, y);
        dim[d] = x == 1 ? y : x;
    }
    return tensor_new(mem, a->real || b->real, rank, dim);
}

size_t
tensor_under(const struct tensor *shape, const struct tensor *t, size_t i)
{
    size_t place[TENSOR_RANK], own[TENSOR_RANK];

    tensor_place(shape, i, place);
    for (size_t d = 0; d < t->rank; d++)
        own[d] = t->dim[d] == 1 ? 0 : place[d + shape->rank - t->rank];
    return tensor_element(t, own);
}

struct tensor
tensor_spread(struct arena *mem, const struct tensor *t,
              const struct tensor *shape)
{
    struct tensor r = tensor_new(mem, t->real, shape->rank, shape->dim);

    for (size_t i = 0; i < tensor_count(&r); i++)
        r.cell[i] = t->cell[tensor_under(&r, t, i)];
    return r;
}

struct tensor
tensor_reshape(struct tensor t, size_t rank, const size_t *dim)
{
    const size_t n = tensor_count(&t);

    t.rank = rank;
    for (size_t d = 0; d < rank; d++)
        t.dim[d] = dim[d];
    if (tensor_count(&t) != n)
        bug("model: %zu elements in another shape", n);
    return t;
}

struct tensor
tensor_concat(struct arena *mem, struct tensor *t, size_t n, size_t axis)
{
    struct tensor r = t[0];
    size_t place[TENSOR_RANK], before = 0;

    r.dim[axis] = 0;
    r.real = false;
    for (size_t i = 0; i < n; i++) {
        r.dim[axis] += t[i].dim[axis];
        r.real = r.real || t[i].real;
    }
    r = tensor_new(mem, r.real, r.rank, r.dim);
    for (size_t i = 0; i < n; i++) {
        const struct tensor own = r.real ? tensor_real(mem, t[i]) : t[i];

        for (size_t e = 0; e < tensor_count(&own); e++) {
            tensor_place(&own, e, place);
            place[axis] += before;
            r.cell[tensor_element(&r, place)] = own.cell[e];
        }
        before += own.dim[axis];
    }
    return r;
}

struct tensor
tensor_expand(struct tensor t, size_t axis)
{
    if (t.rank == TENSOR_RANK)
        bug("model: seven axes");
    memmove(t.dim + axis + 1, t.dim + axis, (t.rank - axis) * sizeof *t.dim);
    t.dim[axis] = 1;
    t.rank++;
    return t;
}
