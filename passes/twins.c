/* Twins, and what is open, by a hash of their inputs; see twins.h. */
#include "passes/twins.h"

#include <string.h>

enum { LISTS = 1 << 12 };

static size_t
list_of(const struct twin *x)
{
    return (size_t)(affine_hash((uint64_t)x->index * 31 + x->bits, x->in) >> 52)
           % LISTS;
}

static bool
same_input(const struct twin *x, const struct twin *y)
{
    return x->wide == y->wide && x->bits == y->bits && x->outputs == y->outputs
           && x->products == y->products && x->index == y->index
           && affine_same_terms(x->in, y->in);
}

/* Whether all torus words of y are those of x times sign. */
static bool
same_table(const struct twin *x, const struct twin *y, int sign)
{
    for (size_t i = 0; i < (size_t)1 << x->bits; i++)
        if (x->entry[i].w << x->log2_delta
            != ((uint64_t)sign * y->entry[i].w) << y->log2_delta)
            return false;
    return true;
}

const struct twin *
twins_add(struct affine *a, const struct twin *x, uint32_t *mirror)
{
    struct twin **list, *mine;

    if (!a->twins)
        a->twins = arena_new(a->mem, struct twin *, LISTS);
    *mirror = x->origin;
    list = &a->twins[list_of(x)];
    for (const struct twin *y = *list; y; y = y->next) {
        if (!same_input(x, y))
            continue;
        if (same_table(x, y, 1))
            return y;
        if (same_table(x, y, -1) || x->wide) /* the bits are the same */
            *mirror = y->origin;
    }
    mine = arena_new(a->mem, struct twin, 1);
    *mine = *x;
    mine->next = *list;
    *list = mine;
    return NULL;
}

/* ---- what is open */

static bool
same_row(const struct affine_row *a, const struct affine_row *b)
{
    return a && b ? affine_same(a, b) : a == b;
}

static size_t
list_of_open(const struct twin_open *x)
{
    uint64_t h = x->ins->op;

    for (size_t j = 0; j < 2; j++)
        if (x->in[j])
            h = affine_hash(h, x->in[j]);
    return (size_t)(h >> 52) % LISTS;
}

uint32_t
twins_open(struct affine *a, const struct twin_open *x)
{
    struct twin_open **list, *mine;

    if (!a->open)
        a->open = arena_new(a->mem, struct twin_open *, LISTS);
    list = &a->open[list_of_open(x)];
    for (const struct twin_open *y = *list; y; y = y->next)
        if (x->ins->op == y->ins->op
            && x->ins->type.log2_delta == y->ins->type.log2_delta
            && (x->ins->op == IR_lwe_trivial || !ir_ops[x->ins->op].attrs->name)
            && same_row(x->in[0], y->in[0]) && same_row(x->in[1], y->in[1]))
            return y->origin;
    mine = arena_new(a->mem, struct twin_open, 1);
    *mine = *x;
    mine->next = *list;
    *list = mine;
    return x->origin;
}
