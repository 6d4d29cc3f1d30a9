/* Proves an interval for every integer; the width follows.
 *
 * Encrypted integers are affine between tables (affine.h), so their intervals
 * are exact.  At the client the hulls that infer.c finds are good enough.
 */
#include "passes/interval.h"

#include "passes/inner.h"

enum { MAX_BITS = 62 };

static void
too_wide(struct pass_ctx *cx, const struct ir_ins *ins)
{
    diag_error(cx->diag, ins->at, E_integer_overflow,
               "this integer needs more than %d bits",
               MAX_BITS);
    cx->status = 1;
}

static void
prove(struct pass_ctx *cx, struct ir_func *g, uint32_t i,
      const struct affine *a)
{
    struct ir_ins *ins = &g->ins[i];
    struct interval h;

    if (ins->type.base != IR_INT || ir_ops[ins->op].traits & IR_VOID)
        return;
    if (ins->op == IR_decrypt) {
        ins->type = ir_at(g, ins->in[0])->type;
        ins->type.enc = false;
    }
    if (!ins->type.enc)
        return;
    h = interval_hull(a, (ir_ref){ i });
    if (h.lo < -((int64_t)1 << MAX_BITS) || h.hi > (int64_t)1 << MAX_BITS) {
        too_wide(cx, ins);
        return;
    }
    ins->type.ranged = true;
    ins->type.ilo = h.lo;
    ins->type.ihi = h.hi;
}

struct ir_func *
pass_range(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n), bad;
    struct ir_func *g = ir_func_like(cx->out, f);
    const struct affine *a;

    for (uint32_t i = 0; i < f->n; i++)
        map[i] = ir_copy(g, &f->ins[i], map);
    a = affine_new(cx->scratch, g, &bad);
    if (!a)
        too_wide(cx, ir_at(g, bad));
    for (uint32_t i = 0; a && i < g->n; i++)
        prove(cx, g, i, a);
    return cx->status ? NULL : g;
}
