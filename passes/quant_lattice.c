/* Values that lie on a grid by themselves.
 *
 * What round, floor, sign or a comparison gives, times a number, between
 * bounds: the steps are known, and an integer that stands for the value is
 * exact.  So `quant(x, scale, bits)` of a network that was trained with it is
 * the quantiser of the circuit, whatever the rows of calibration are.
 *
 *     value[e] = step[e] k,  k an integer,  lo[e] <= value[e] <= hi[e]
 *
 * step 0: on no grid that is known. */
#include "passes/quant.h"

#include <math.h>
#include <string.h>

struct lattice {
    size_t n;
    double *step, *lo, *hi;
};

static const struct ir_type *
type_of(const struct quantizer *z, uint32_t i)
{
    return &z->f->ins[i].type;
}

static struct lattice
of_size(struct quantizer *z, size_t n, double step, double lo, double hi)
{
    struct lattice l = { .n = n,
                         .step = arena_new(z->cx->scratch, double, n),
                         .lo = arena_new(z->cx->scratch, double, n),
                         .hi = arena_new(z->cx->scratch, double, n) };

    for (size_t e = 0; e < n; e++) {
        l.step[e] = step;
        l.lo[e] = lo;
        l.hi[e] = hi;
    }
    return l;
}

/* Whether x is a multiple of the step, up to rounding errors. */
static bool
is_multiple(double x, double step)
{
    const double k = x / step;

    return step > 0 && fabs(k - rint(k)) <= 0x1p-40 * fmax(1, fabs(k));
}

/* An operation with one constant operand, c. */
static void
with_constant(struct lattice *l, size_t e, enum ir_op op, bool right, double c)
{
    const double lo = l->lo[e], hi = l->hi[e];

    switch ((int)op) {
    case IR_add:
    case IR_sub:
        if (!is_multiple(c, l->step[e]))
            l->step[e] = 0;
        if (op == IR_sub && !right) {
            l->lo[e] = c - hi;
            l->hi[e] = c - lo;
        } else {
            l->lo[e] = op == IR_add ? lo + c : lo - c;
            l->hi[e] = op == IR_add ? hi + c : hi - c;
        }
        break;
    case IR_mul:
    case IR_div:
        if (op == IR_div)
            c = right ? 1 / c : 0;
        l->step[e] *= fabs(c);
        l->lo[e] = c > 0 ? lo * c : hi * c;
        l->hi[e] = c > 0 ? hi * c : lo * c;
        break;
    case IR_minimum:
    case IR_maximum:
        if (!is_multiple(c, l->step[e]))
            l->step[e] = 0;
        l->lo[e] = op == IR_minimum ? fmin(lo, c) : fmax(lo, c);
        l->hi[e] = op == IR_minimum ? fmin(hi, c) : fmax(hi, c);
        break;
    default: l->step[e] = 0; break;
    }
}

static void
with_itself(struct lattice *l, size_t e, const struct ir_ins *ins)
{
    const double lo = l->lo[e], hi = l->hi[e], a = ins->as.clip.lo,
                 b = ins->as.clip.hi;

    switch ((int)ins->op) {
    case IR_to_real:
    case IR_named:
    case IR_disclose:
    case IR_encrypt: break;
    case IR_neg:
        l->lo[e] = -hi;
        l->hi[e] = -lo;
        break;
    case IR_relu:
        l->lo[e] = fmax(lo, 0);
        l->hi[e] = fmax(hi, 0);
        break;
    case IR_clip:
        if ((lo < a && !is_multiple(a, l->step[e]))
            || (hi > b && !is_multiple(b, l->step[e])))
            l->step[e] = 0;
        l->lo[e] = fmin(fmax(lo, a), b);
        l->hi[e] = fmax(fmin(hi, b), a);
        break;
    default: l->step[e] = 0; break;
    }
}

/* from the lattice of its operand */
static struct lattice
moved(struct quantizer *z, uint32_t i, const struct lattice *of)
{
    const struct ir_ins *ins = &z->f->ins[i];
    struct lattice l = of_size(z, ir_count(&ins->type), 0, 0, 0);
    const struct ir_blob *index =
        ins->op == IR_gather ? ir_data(z->f, ins->as.gather.index) : NULL;

    for (size_t e = 0; e < l.n; e++) {
        const size_t from = index ? (size_t)index->cell[e].i : e;

        l.step[e] = of->step[from];
        l.lo[e] = of->lo[from];
        l.hi[e] = of->hi[from];
        if (l.step[e] > 0 && ins->op != IR_gather && ins->op != IR_reshape)
            with_itself(&l, e, ins);
    }
    return l;
}

/* Of two operands of which one is constant; from the other's lattice, spread
 * to the shape of the result. */
static struct lattice
of_pair(struct quantizer *z, uint32_t i, const struct lattice *of)
{
    const struct ir_ins *ins = &z->f->ins[i];
    const size_t n = ir_count(&ins->type);
    const struct ir_blob *b;
    const bool right = pass_constant(z->f, ins->in[1], &b);
    struct lattice l = of_size(z, n, 0, -HUGE_VAL, HUGE_VAL);
    const uint32_t x = ins->in[right ? 0 : 1].id;

    if (!right)
        (void)pass_constant(z->f, ins->in[0], &b);
    for (size_t e = 0; e < n; e++) {
        const size_t from = ir_broadcast_index(&ins->type, type_of(z, x), e);
        const union ir_cell c =
            b->cell[ir_broadcast_index(&ins->type, &b->type, e)];

        l.step[e] = of->step[from];
        l.lo[e] = of->lo[from];
        l.hi[e] = of->hi[from];
        if (l.step[e] > 0)
            with_constant(&l, e, (enum ir_op)ins->op, right,
                          b->type.base == IR_INT ? (double)c.i : c.r);
    }
    return l;
}

/* The operand whose lattice gives that of i; false: no operand's does. */
static bool
source(const struct quantizer *z, uint32_t i, uint32_t *x)
{
    const struct ir_ins *ins = &z->f->ins[i];
    const struct ir_blob *b;
    bool right;

    if (ins->type.base == IR_INT)
        return false;
    switch ((int)ins->op) {
    case IR_add:
    case IR_sub:
    case IR_mul:
    case IR_div:
    case IR_minimum:
    case IR_maximum:
        right = pass_constant(z->f, ins->in[1], &b);
        *x = ins->in[right ? 0 : 1].id;
        return right || pass_constant(z->f, ins->in[0], &b);
    case IR_gather:
    case IR_reshape:
    case IR_to_real:
    case IR_named:
    case IR_disclose:
    case IR_encrypt:
    case IR_neg:
    case IR_relu:
    case IR_clip: *x = ins->in[0].id; return true;
    }
    return false;
}

static struct lattice
first(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = &z->f->ins[i];
    const struct ir_type *t = &ins->type;
    const size_t n = ir_count(t);

    if (t->base == IR_INT)
        return of_size(z, n, 1, t->ranged ? (double)t->ilo : -HUGE_VAL,
                       t->ranged ? (double)t->ihi : HUGE_VAL);
    switch ((int)ins->op) {
    case IR_sign: return of_size(z, n, 1, -1, 1);
    case IR_round:
    case IR_floor:
    case IR_ceil: return of_size(z, n, 1, -HUGE_VAL, HUGE_VAL);
    }
    return of_size(z, n, 0, -HUGE_VAL, HUGE_VAL);
}

/* Down to where a lattice is known, and up again; chains may be long. */
static struct lattice
lattice_of(struct quantizer *z, uint32_t i)
{
    uint32_t *path, n = 0, at = i, x;

    if (!z->lattice)
        z->lattice = arena_new(z->cx->scratch, struct lattice, z->f->n);
    for (at = i; !z->lattice[at].step && source(z, at, &x); at = x)
        n++;
    path = arena_new(z->cx->scratch, uint32_t, n);
    for (uint32_t k = n, p = i; k-- > 0; p = x) {
        path[k] = p;
        (void)source(z, p, &x);
    }
    if (!z->lattice[at].step)
        z->lattice[at] = first(z, at);
    for (uint32_t k = 0; k < n; k++) {
        const struct ir_ins *ins = &z->f->ins[path[k]];

        (void)source(z, path[k], &x);
        z->lattice[path[k]] = ins->nin == 2
                                  ? of_pair(z, path[k], &z->lattice[x])
                                  : moved(z, path[k], &z->lattice[x]);
    }
    return z->lattice[i];
}

bool
quant_lattice(struct quantizer *z, uint32_t i, struct quant_grid *g)
{
    const struct lattice l = lattice_of(z, i);
    const double most = (1 << 16) - 1;
    double lo = HUGE_VAL, hi = -HUGE_VAL;
    bool same = true;

    for (size_t e = 0; e < l.n; e++) {
        if (!(l.step[e] > 0) || !isfinite(l.lo[e]) || !isfinite(l.hi[e]))
            return false;
        lo = fmin(lo, rint(l.lo[e] / l.step[e]));
        hi = fmax(hi, rint(l.hi[e] / l.step[e]));
        same = same && !(l.step[e] < l.step[0]) && !(l.step[e] > l.step[0]);
    }
    if (l.n == 0 || !(hi - lo <= most) || fabs(lo) > 0x1p50)
        return false;
    g->nscale = same ? 1 : l.n;
    g->scale = l.step;
    g->lo = (int64_t)lo;
    g->hi = (int64_t)hi;
    return true;
}
