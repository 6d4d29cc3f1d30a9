/* Weights as integers: real = scale * integer, one scale or one a column.
 *
 * Weights that lie on a grid of the asked width, as those of a network that was
 * trained with its quantisation do, are exact: the grid is found.  Of others
 * the largest becomes the largest integer.
 */
#include "passes/quant.h"

#include <math.h>

/* Whether all of a column are multiples of `scale`, up to 2^-22 of the largest,
 * which is what floats of 32 bits lose. */
static bool
on_grid(const double *w, size_t n, size_t step, double scale, double most)
{
    const double slack = most / scale * 0x1p-22;

    for (size_t i = 0; i < n; i += step) {
        const double x = w[i] / scale;

        if (fabs(x - rint(x)) > slack)
            return false;
    }
    return true;
}

/* The coarsest grid with at most top steps that has all of the column: entries
 * 0, step, .. of n; or, not its own, the one on which its largest is top. */
static double
grid_of(const double *w, size_t n, size_t step, double top, bool *own)
{
    double most = 0;
    bool negative = true;

    for (size_t i = 0; i < n; i += step)
        most = fmax(most, fabs(w[i]));
    for (size_t i = 0; i < n; i += step)
        negative = negative && w[i] < most;
    *own = true;
    if (!(most > 0))
        return 1;
    for (int k = 1; k <= (int)top; k++)
        if (on_grid(w, n, step, most / k, most))
            return most / k;
    /* the least integer of N bits has no positive counterpart */
    if (negative && on_grid(w, n, step, most / (top + 1), most))
        top++;
    *own = on_grid(w, n, step, most / top, most);
    return most / top;
}

/* ---- a scale that suits a sum
 *
 * The grid of weights of no grid of their own may be a little coarser, if then
 * their products and what they are added to meet on a coarse grid: the shortcut
 * of a residual block. */

/* The scale of the integer that op i is added to, by way of its only users; 0
 * if there is none yet. */
static double
partner(struct quantizer *z, uint32_t i)
{
    for (uint32_t u = z->user[i]; u; i = u, u = z->user[i]) {
        const struct ir_ins *ins = &z->f->ins[u];
        uint32_t other;

        if (ins->op == IR_gather || ins->op == IR_reshape)
            continue;
        if (ins->op != IR_add && ins->op != IR_sub)
            return 0;
        other = ins->in[ins->in[0].id == i ? 1 : 0].id;
        if (z->q[other].state == QUANT_CLEAR)
            continue;
        if (other >= i
            || (z->q[other].state != QUANT_INTEGER
                && z->q[other].state != QUANT_FUNCTION))
            return 0;
        return quant_integer(z, other)->nscale == 1 ? z->q[other].scale[0] : 0;
    }
    return 0;
}

enum { PARTS = 64 };

/* The least factor from 1 to 1.25 by which scale meets target at p / q, q as
 * small as can be; 1 if none does. */
static double
coarser(double scale, double target)
{
    const double ratio = target / scale;

    for (int q = 1; q <= PARTS; q++) {
        const double p = floor(ratio * q);

        if (p >= 1 && p <= (double)PARTS && ratio * q / p <= 1.25)
            return ratio * q / p;
    }
    return 1;
}

/* The grid of 2^N points, 0 among them, from the least entry to the largest. */
static double
affine_of(const double *w, size_t n, size_t step, double points)
{
    double lo = 0, hi = 0;

    for (size_t i = 0; i < n; i += step) {
        lo = fmin(lo, w[i]);
        hi = fmax(hi, w[i]);
    }
    return hi > lo ? (hi - lo) / (points - 1) : 1;
}

static double *
scales(struct quantizer *z, uint32_t i, const double *w, size_t n,
       size_t nscale, double top, bool affine, double of)
{
    double *scale = arena_new(z->cx->scratch, double, nscale);
    const double target = partner(z, i);

    for (size_t c = 0; c < nscale; c++) {
        bool own;

        scale[c] = grid_of(w + c, n - c, nscale, top, &own);
        if (!own && affine)
            scale[c] = affine_of(w + c, n - c, nscale, 2 * top + 2);
        if (!own && target > 0)
            scale[c] *= coarser(of * scale[c], target);
    }
    return scale;
}

struct quant_weights
quant_weights(struct quantizer *z, uint32_t i, const struct ir_blob *b,
              const double *w, size_t cols, double of)
{
    const unsigned bits = quant_bits(z, b->name, "weights", 8);
    const double top = bits > 1 ? (double)((1 << (bits - 1)) - 1) : 1;
    const size_t n = ir_count(&b->type);
    double *one = arena_new(z->cx->scratch, double, 1);
    struct quant_weights r = { 1, NULL, NULL };

    *one = 1;
    if (quant_setting(z, "per_channel", b->name, "weights", 0) > 0)
        r.nscale = cols;
    if (b->type.base == IR_INT)
        r.nscale = 1;
    r.scale =
        b->type.base == IR_INT
            ? one
            : scales(z, i, w, n, r.nscale, top,
                     quant_setting(z, "affine", b->name, "weights", 0) > 0, of);
    r.integer = arena_new(z->cx->scratch, double, n);
    for (size_t e = 0; e < n; e++)
        r.integer[e] = rint(w[e] / r.scale[e % r.nscale]);
    return r;
}
