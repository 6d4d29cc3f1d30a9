/* Sums of weights; see origins.h. */
#include "passes/origins.h"

#include <math.h>

struct origins
origins_new(struct arena *mem, const struct affine *a)
{
    return (struct origins){
        .a = a,
        .size = arena_alloc(mem, a->norigins + 1u, sizeof(double)),
        .list = arena_new(mem, uint32_t, a->norigins + 1u),
    };
}

static const struct ir_ins *
op_of(const struct affine *a, uint32_t origin)
{
    return ir_at(a->f, a->origin[origin].op);
}

/* no origin itself: its noise is that of an operand, or it has none */
static bool
is_open(const struct ir_ins *ins)
{
    return ins->op == IR_lwe_trivial || ins->op == IR_lwe_mul_open;
}

/* w times term t of the row; the gain of products is (98) */
static void
add_term(struct origins *o, const struct affine_row *r, uint32_t t, double w)
{
    const struct affine_origin *x = &o->a->origin[r->origin[t]];

    o->size[x->mirror] += w * fabs((double)r->weight[t]) * sqrt(x->gain);
}

static void
add(struct origins *o, const struct affine_row *r, double w)
{
    for (uint32_t t = 0; t < r->n; t++)
        add_term(o, r, t, w);
}

/* the largest factor of a lwe.mul_open */
static double
largest(const struct affine *a, const struct ir_ins *ins)
{
    const struct ir_type *t = &ir_at(a->f, ins->in[1])->type;

    return fmax(fabs((double)t->ilo), fabs((double)t->ihi));
}

/* Products hand their weight on to the origins of what was multiplied, which
 * are older. */
static void
hand_on(struct origins *o, uint32_t last)
{
    for (uint32_t x = last + 1; x-- > 0;) {
        const struct ir_ins *ins = op_of(o->a, x);
        const double w = o->size[x];

        if (!(w > 0))
            continue;
        if (!is_open(ins)) {
            o->list[o->n++] = x;
            continue;
        }
        o->size[x] = 0;
        if (ins->op == IR_lwe_mul_open)
            add(o, &o->a->rows[ins->in[0].id][o->a->origin[x].element],
                w * largest(o->a, ins));
    }
}

void
origins_set(struct origins *o, const struct affine_row *r)
{
    const struct affine_origin *origin = o->a->origin;
    uint32_t last = 0;
    bool open = false;

    while (o->n > 0)
        o->size[o->list[--o->n]] = 0;
    for (uint32_t t = 0; t < r->n; t++) {
        const uint32_t x = origin[r->origin[t]].mirror;

        open = open || is_open(op_of(o->a, x));
        last = x > last ? x : last;
    }
    if (open) {
        add(o, r, 1);
        hand_on(o, last);
        return;
    }
    for (uint32_t t = 0; t < r->n; t++) {
        const uint32_t x = origin[r->origin[t]].mirror;

        if (!(o->size[x] > 0))
            o->list[o->n++] = x;
        add_term(o, r, t, 1);
    }
}

double
origins_norm2(const struct origins *o, uint32_t t, const struct ir_ins **ins)
{
    const double w = o->size[o->list[t]];

    *ins = op_of(o->a, o->list[t]);
    return w * w;
}
