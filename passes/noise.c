/* The variance of every ciphertext, lang-spec/crypto.md (36), before the
 * parameters are known:
 *
 *     V = c_in V_fresh + c_br V_br + c_ext V_ext
 *
 * A wide table of p bits counts p times, (51).
 * The coefficients are sums of squared weights of the inputs and of the tables
 * that the value depends on; of a tensor, the largest of each.  A table and its
 * negative on one ciphertext have the same noise up to the sign (twins.h), if
 * not always: their weights add in size, whatever their signs (origins.h).
 */
#include "passes/origins.h"

#include "passes/inner.h"
#include "passes/slots.h"

static void
variance(struct origins *o, const struct affine_row *r, double c[3])
{
    c[0] = c[1] = c[2] = 0;
    origins_set(o, r);
    for (uint32_t t = 0; t < o->n; t++) {
        const struct ir_ins *ins;
        const double norm2 = origins_norm2(o, t, &ins);

        if (ins->op == IR_lwe_bit_lut)
            c[2] += ins->as.lwe_bit_lut.bits * norm2;
        else
            c[ir_is_bootstrap(ins)] += norm2;
    }
}

static void
annotate(struct origins *o, struct ir_ins *ins, uint32_t i)
{
    struct ir_type *t = &ins->type;

    t->ranged = true;
    t->lo = t->hi = t->wide = 0;
    for (size_t e = 0; e < ir_count(t); e++) {
        double c[3];

        variance(o, &o->a->rows[i][e], c);
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

    if (t->base != IR_GLWE && t->base != IR_GGSW)
        return;
    t->lo = t->hi = t->wide = 0;
    if (ins->op == IR_glwe_to_ggsw) {
        const struct leveled_keys k = leveled_keys_of(ir_expansion_of(g, ins));

        t->lo = leveled_v_body(&k, sigma2);
        t->hi = leveled_v_mask(&k, t->lo, sigma2);
    } else if (ins->op == IR_ggsw_forest) {
        t->lo = leveled_v_forest(cx->scratch, g, ins, sigma2);
    } else if (ins->op == IR_ggsw_lut) {
        t->lo = leveled_v_lut(g, ins);
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
    struct origins o;

    if (!a) {
        diag_error(cx->diag, ir_at(f, bad)->at, E_integer_overflow,
                   "the weights of this sum need more than 62 bits");
        cx->status = 6;
        return NULL;
    }
    g = ir_func_like(cx->out, f);
    o = origins_new(cx->scratch, a);
    for (uint32_t i = 0; i < f->n; i++) {
        map[i] = ir_copy(g, &f->ins[i], map);
        if (f->ins[i].type.base == IR_LWE)
            annotate(&o, &g->ins[map[i].id], i);
        annotate_leveled(cx, g, &g->ins[map[i].id]);
    }
    return g;
}
