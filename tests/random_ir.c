/* Random integer models; see random_ir.h. */
#include "tests/random_ir.h"

#include <string.h>

enum { MAX_POOL = 64 };

struct grower {
    struct ir_func *f;
    struct dice *d;
    ir_ref pool[MAX_POOL];
    size_t n;
};

uint64_t
dice_roll(struct dice *d, uint64_t sides)
{
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return (d->state * 0x9e3779b97f4a7c15ull >> 20) % sides;
}

static const struct span at = { 0, 0 };

static ir_ref
pick(struct grower *g)
{
    return g->pool[dice_roll(g->d, g->n)];
}

static const struct ir_type *
type(const struct grower *g, ir_ref v)
{
    return &ir_at(g->f, v)->type;
}

/* integers in [-reach, reach]; param or const */
static ir_ref
constant(struct grower *g, const struct ir_type *shape, int64_t reach)
{
    const struct ir_type t = ir_type_of(IR_INT, shape->rank, shape->dim);
    const size_t n = ir_count(&t);
    union ir_cell *cell = arena_new(g->f->mem, union ir_cell, n);

    for (size_t i = 0; i < n; i++)
        cell[i].i = (int64_t)dice_roll(g->d, 2 * (uint64_t)reach + 1) - reach;
    return ir_constant(g->f, at, NULL,
                       dice_roll(g->d, 4) ? IR_PARAM : IR_CONST, &t, cell);
}

static void
input(struct grower *g, const char *name)
{
    const uint32_t dim[2] = { 1 + (uint32_t)dice_roll(g->d, 3),
                              1 + (uint32_t)dice_roll(g->d, 4) };
    struct ir_type t = ir_type_of(IR_INT, dice_roll(g->d, 3), dim);
    union ir_attrs as = { .input = { .name = name } };

    t.ranged = true;
    t.ilo = (int64_t)dice_roll(g->d, 5) - 3;
    t.ihi = t.ilo + 1 + (int64_t)dice_roll(g->d, 5);
    g->pool[g->n++] = ir_build_typed(g->f, IR_input, at, NULL, 0, &as, &t);
}

static ir_ref
unary(struct grower *g, ir_ref v)
{
    static const enum ir_op ops[] = { IR_neg, IR_abs, IR_relu, IR_sign };
    union ir_attrs as = { .clip = { .lo = -2, .hi = 3 } };

    if (dice_roll(g->d, 5) == 0)
        return ir_build(g->f, IR_clip, at, &v, 1, &as);
    return ir_build1(g->f, ops[dice_roll(g->d, 4)], at, v);
}

static ir_ref
with_constant(struct grower *g, ir_ref v)
{
    static const enum ir_op ops[] = { IR_add,     IR_sub,     IR_mul,
                                      IR_minimum, IR_maximum, IR_less };
    const enum ir_op op = ops[dice_roll(g->d, 6)];
    struct ir_type scalar = ir_type_of(IR_INT, 0, NULL);
    ir_ref c = constant(g, dice_roll(g->d, 2) ? type(g, v) : &scalar, 2);

    return dice_roll(g->d, 3) ? ir_build2(g->f, op, at, v, c)
                              : ir_build2(g->f, op, at, c, v);
}

static ir_ref
both(struct grower *g, ir_ref a, ir_ref b)
{
    const ir_ref in[2] = { a, b };
    struct ir_type t;
    const enum ir_op op = dice_roll(g->d, 2) ? IR_add : IR_sub;

    if (ir_infer(g->f->mem, g->f, op, in, 2, NULL, NULL, &t))
        return a;
    return ir_build2(g->f, op, at, a, b);
}

static ir_ref
moved(struct grower *g, ir_ref v)
{
    const uint32_t dim[2] = { 1 + (uint32_t)dice_roll(g->d, 3),
                              1 + (uint32_t)dice_roll(g->d, 3) };
    const struct ir_type t = ir_type_of(IR_INT, dice_roll(g->d, 3), dim);
    union ir_cell *cell = arena_new(g->f->mem, union ir_cell, ir_count(&t));
    union ir_attrs as;

    for (size_t i = 0; i < ir_count(&t); i++)
        cell[i].i = (int64_t)dice_roll(g->d, ir_count(type(g, v)));
    as.gather.index = ir_blob_add(g->f, NULL, IR_CONST, &t, cell)->name;
    return ir_build(g->f, IR_gather, at, &v, 1, &as);
}

static ir_ref
summed(struct grower *g, ir_ref v)
{
    union ir_attrs as = { 0 };

    if (type(g, v)->rank == 0)
        return v;
    as.sum.axis = (uint32_t)dice_roll(g->d, type(g, v)->rank);
    return ir_build(g->f, IR_sum, at, &v, 1, &as);
}

static ir_ref
product(struct grower *g, ir_ref v)
{
    const struct ir_type *t = type(g, v);
    const bool left = dice_roll(g->d, 3) == 0;
    uint32_t dim[2];
    struct ir_type w;

    if (t->rank == 0)
        return v;
    dim[left] = t->dim[left ? 0 : t->rank - 1];
    dim[!left] = 1 + (uint32_t)dice_roll(g->d, 3);
    w = ir_type_of(IR_INT, 2, dim);
    return left ? ir_build2(g->f, IR_matmul, at, constant(g, &w, 1), v)
                : ir_build2(g->f, IR_matmul, at, v, constant(g, &w, 1));
}

static ir_ref
joined(struct grower *g, ir_ref a, ir_ref b)
{
    const ir_ref in[2] = { a, b };
    struct ir_type t;

    if (ir_infer(g->f->mem, g->f, IR_concat, in, 2, NULL, NULL, &t))
        return b;
    return ir_build(g->f, IR_concat, at, in, 2, NULL);
}

static void
grow(struct grower *g)
{
    const ir_ref v = pick(g);
    ir_ref r = v;

    switch (dice_roll(g->d, 8)) {
    case 0: r = unary(g, v); break;
    case 1:
    case 2: r = with_constant(g, v); break;
    case 3: r = both(g, v, pick(g)); break;
    case 4: r = moved(g, v); break;
    case 5: r = summed(g, v); break;
    case 6: r = product(g, v); break;
    case 7: r = joined(g, v, pick(g)); break;
    }
    if (g->n < MAX_POOL)
        g->pool[g->n++] = r;
}

struct ir_func *
random_ir(struct arena *mem, struct dice *d, unsigned ops)
{
    static const char *const names[] = { "p", "q", "r" };
    struct grower g = { .f = ir_func_new(mem, "random"), .d = d };
    union ir_attrs as;
    const size_t outputs = 1 + dice_roll(d, 3);

    ir_set(g.f, "insecure.toy", 1, at);
    input(&g, "x");
    if (dice_roll(d, 2))
        input(&g, "y");
    for (unsigned i = 0; i < ops; i++)
        grow(&g);
    for (size_t i = 0; i < outputs; i++) {
        const ir_ref v = i ? pick(&g) : g.pool[g.n - 1];

        as.output.name = names[i];
        ir_build(g.f, IR_output, at, &v, 1, &as);
    }
    return g.f;
}

const union ir_cell **
random_inputs(struct arena *mem, struct dice *d, const struct ir_func *f)
{
    const size_t n = ir_inputs(f, NULL, 0);
    ir_ref *list = arena_new(mem, ir_ref, n);
    const union ir_cell **in = arena_new(mem, const union ir_cell *, n);
    const bool corner = dice_roll(d, 3) == 0;

    ir_inputs(f, list, n);
    for (size_t i = 0; i < n; i++) {
        const struct ir_type *t = &ir_at(f, list[i])->type;
        union ir_cell *cell = arena_new(mem, union ir_cell, ir_count(t));

        for (size_t e = 0; e < ir_count(t); e++)
            if (t->base == IR_REAL)
                cell[e].r = t->lo
                            + (t->hi - t->lo)
                                  * (double)dice_roll(d, 1 << 20) * 0x1p-20;
            else if (corner)
                cell[e].i = dice_roll(d, 2) ? t->ilo : t->ihi;
            else
                cell[e].i = t->ilo
                            + (int64_t)dice_roll(
                                d, (uint64_t)(t->ihi - t->ilo) + 1);
        in[i] = cell;
    }
    return in;
}
