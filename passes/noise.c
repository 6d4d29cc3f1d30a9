/* The variance of every ciphertext, lang-spec/crypto.md (36), before the
 * parameters are known:
 *
 *     V = c_in V_fresh + c_br V_br + c_ext V_ext
 *
 * A wide table of p bits counts p times, (51).
 * The coefficients are sums of squared weights of the inputs and of the tables
 * that the value depends on; of a tensor, the largest of each.  A table and its
 * negative on one ciphertext have the same noise up to the sign (twins.h), if
 * not always: their weights add in size, whatever their signs.  A product with
 * an integer that the server sees has as much noise as with the largest that it
 * may be, and the noise is that of the operand: the weights add in size again.
 */
#include "passes/affine.h"

#include "passes/inner.h"
#include "passes/slots.h"

#include <math.h>

/* the largest factor of a lwe.mul_open */
static double
largest(const struct affine *a, const struct ir_ins *ins)
{
    const struct ir_type *t = &ir_at(a->f, ins->in[1])->type;

    return fmax(fabs((double)t->ilo), fabs((double)t->ihi));
}

/* Weights of products up to origin `last` are handed on to the origins of what
 * was multiplied, which are older. */
static void
expand(const struct affine *a, uint32_t last, double *size)
{
    for (uint32_t o = last + 1; o-- > 0;) {
        const struct ir_ins *ins = ir_at(a->f, a->origin[o].op);
        const struct affine_row *r;
        double w = size[o];

        if (!(w > 0)
            || (ins->op != IR_lwe_trivial && ins->op != IR_lwe_mul_open))
            continue;
        size[o] = 0;
        if (ins->op == IR_lwe_trivial)
            continue;
        w *= largest(a, ins);
        r = &a->rows[ins->in[0].id][a->origin[o].element];
        for (uint32_t t = 0; t < r->n; t++)
            affine_add_size(a, r, t, w, size);
    }
}

static bool
is_plain(const struct affine *a, const struct affine_row *r)
{
    for (uint32_t t = 0; t < r->n; t++) {
        const uint16_t op = ir_at(a->f, a->origin[r->origin[t]].op)->op;

        if (op == IR_lwe_trivial || op == IR_lwe_mul_open)
            return false;
    }
    return true;
}

/* Of products and sums with what is open: by all origins. */
static void
variance_open(const struct affine *a, const struct affine_row *r, double *size,
              double c[3])
{
    uint32_t last = 0;

    c[0] = c[1] = c[2] = 0;
    for (uint32_t t = 0; t < r->n; t++) {
        const uint32_t o = a->origin[r->origin[t]].mirror;

        affine_add_size(a, r, t, 1, size);
        last = o > last ? o : last;
    }
    if (!r->n)
        return;
    expand(a, last, size);
    for (uint32_t o = 0; o <= last; o++) {
        const struct ir_ins *ins = ir_at(a->f, a->origin[o].op);
        const double w = size[o];

        size[o] = 0;
        if (ins->op == IR_lwe_bit_lut)
            c[2] += ins->as.lwe_bit_lut.bits * w * w;
        else
            c[ir_is_bootstrap(ins)] += w * w;
    }
}

/* size: by origin, zero before and after */
static void
variance(const struct affine *a, const struct affine_row *r, double *size,
         double c[3])
{
    c[0] = c[1] = c[2] = 0;
    for (uint32_t t = 0; t < r->n; t++)
        affine_add_size(a, r, t, 1, size);
    for (uint32_t t = 0; t < r->n; t++) {
        const struct affine_origin *o = &a->origin[r->origin[t]];
        const struct ir_ins *ins = ir_at(a->f, o->op);
        const double w = size[o->mirror];

        size[o->mirror] = 0;
        if (ins->op == IR_lwe_bit_lut)
            c[2] += ins->as.lwe_bit_lut.bits * w * w;
        else
            c[ir_is_bootstrap(ins)] += w * w;
    }
}

static void
annotate(const struct affine *a, struct ir_ins *ins, uint32_t i, double *size)
{
    struct ir_type *t = &ins->type;

    t->ranged = true;
    t->lo = t->hi = t->wide = 0;
    for (size_t e = 0; e < ir_count(t); e++) {
        const struct affine_row *r = &a->rows[i][e];
        double c[3];

        (is_plain(a, r) ? variance : variance_open)(a, r, size, c);
        t->lo = c[0] > t->lo ? c[0] : t->lo;
        t->hi = c[1] > t->hi ? c[1] : t->hi;
        t->wide = c[2] > t->wide ? c[2] : t->wide;
    }
}

/* Selections have parameters of their own: numbers, not multiples. */
static void
annotate_leveled(struct pass_ctx *cx, const struct ir_func *g,
                 struct ir_ins *ins)
{
    const struct model_ring r = leveled_ring();
    const double sigma2 = model_v_fresh((int)ir_get(g, "security", 132),
                                        MODEL_TUNIFORM, model_dimension(r));
    struct ir_type *t = &ins->type;

    if (ins->op == IR_glwe_to_ggsw) {
        const struct leveled_keys k = leveled_keys_of(g, ins);

        t->lo = leveled_v_body(&k, sigma2);
        t->hi = leveled_v_mask(&k, t->lo, sigma2);
    } else if (ins->op == IR_ggsw_forest) {
        t->lo = leveled_v_forest(cx->scratch, g, ins, sigma2);
    } else if (ins->op == IR_glwe_answer) {
        t->lo = ir_at(g, ins->in[0])->type.lo;
    } else if (!slots_variance(cx->scratch, g, ins, sigma2, &t->lo, &t->hi)) {
        return;
    }
    t->ranged = true;
}

struct ir_func *
pass_noise(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n), bad;
    const struct affine *a = affine_new(cx->scratch, f, &bad);
    struct ir_func *g;
    double *size;

    if (!a) {
        diag_error(cx->diag, ir_at(f, bad)->at, E_integer_overflow,
                   "the weights of this sum need more than 62 bits");
        cx->status = 6;
        return NULL;
    }
    g = ir_func_like(cx->out, f);
    size = arena_new(cx->scratch, double, a->norigins);
    for (uint32_t i = 0; i < f->n; i++) {
        map[i] = ir_copy(g, &f->ins[i], map);
        if (f->ins[i].type.base == IR_LWE)
            annotate(a, &g->ins[map[i].id], i, size);
        annotate_leveled(cx, g, &g->ins[map[i].id]);
    }
    return g;
}
