/* Weights are known, so the extremes of c + sum w_i x_i over the box of the
 * x_i are reached at a corner: each x_i at the end that its weight's sign
 * asks for. */
#include "passes/interval.h"

#include "passes/inner.h"

/* The proved interval of an origin; it is in its type. */
static struct interval
of_origin(const struct affine *a, uint32_t o)
{
    const struct ir_ins *ins = ir_at(a->f, a->origin[o].op);

    if (!ins->type.ranged)
        bug("%s has no interval", ir_ops[ins->op].name);
    return (struct interval){ ins->type.ilo, ins->type.ihi };
}

/* Sums of 62-bit weights times narrow integers; saturated for good, so that a
 * caller sees that they are too wide. */
static int64_t
fma_sat(int64_t sum, int64_t w, int64_t x)
{
    int64_t p;

    if (sum == INT64_MAX || sum == INT64_MIN)
        return sum;
    if (__builtin_mul_overflow(w, x, &p)
        || __builtin_add_overflow(sum, p, &sum))
        return (w < 0) == (x < 0) ? INT64_MAX : INT64_MIN;
    return sum;
}

struct interval
interval_of(const struct affine *a, ir_ref v, size_t e)
{
    const struct affine_row *r = &a->rows[v.id][e];
    struct interval i = { r->constant, r->constant };

    for (uint32_t t = 0; t < r->n; t++) {
        const struct interval x = of_origin(a, r->origin[t]);
        const int64_t w = r->weight[t];

        i.lo = fma_sat(i.lo, w, w > 0 ? x.lo : x.hi);
        i.hi = fma_sat(i.hi, w, w > 0 ? x.hi : x.lo);
    }
    return i;
}

struct interval
interval_hull(const struct affine *a, ir_ref v)
{
    struct interval h = interval_of(a, v, 0);

    for (size_t e = 1; e < ir_count(&ir_at(a->f, v)->type); e++) {
        const struct interval i = interval_of(a, v, e);

        h.lo = i.lo < h.lo ? i.lo : h.lo;
        h.hi = i.hi > h.hi ? i.hi : h.hi;
    }
    return h;
}

bool
interval_is_own(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_blob *b;

    if (ins->type.base != IR_INT || !ins->type.enc || ins->op == IR_disclose)
        return false;
    if (ins->op == IR_mul || ins->op == IR_matmul)
        return !pass_constant(f, ins->in[0], &b)
               && !pass_constant(f, ins->in[1], &b);
    return ins->type.open && !(ir_ops[ins->op].traits & IR_LINEAR);
}

bool
interval_infer(struct arena *mem, struct ir_func *g, uint32_t i)
{
    struct ir_ins *ins = &g->ins[i];
    struct ir_type t;

    if (ir_infer(mem, g, (enum ir_op)ins->op, ins->in, ins->nin, &ins->as,
                 &ins->type, &t)
        || !t.ranged)
        return false;
    ins->type = t;
    return true;
}

void
interval_of_operands(struct arena *mem, struct ir_func *g, uint32_t i)
{
    const int64_t limit = (int64_t)1 << 62;
    ir_ref bad;
    const struct affine *a = affine_new(mem, g, &bad);

    for (size_t j = 0; a && j < g->ins[i].nin; j++) {
        const ir_ref v = g->ins[i].in[j];
        struct ir_type *t = &g->ins[v.id].type;
        struct interval h;

        if (!a->rows[v.id])
            continue;
        h = interval_hull(a, v);
        if (h.lo < -limit || h.hi > limit)
            continue;
        t->ranged = true;
        t->ilo = h.lo;
        t->ihi = h.hi;
    }
}
