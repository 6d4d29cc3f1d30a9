/* Proves an interval for every integer; the width follows.
 *
 * Encrypted integers are affine between tables (affine.h), so their intervals
 * are exact.  At the client the hulls that infer.c finds are good enough.
 */
#include "passes/interval.h"

#include "passes/inner.h"

#include <inttypes.h>

enum { MAX_BITS = 62 };

static void
too_wide(struct pass_ctx *cx, const struct ir_ins *ins)
{
    diag_error(cx->diag, ins->at, E_integer_overflow,
               "this integer needs more than %d bits", MAX_BITS);
    cx->status = 1;
}

/* Of a client's integer, what infer says now that answers are proved. */
static void
prove_clear(struct pass_ctx *cx, struct ir_func *g, struct ir_ins *ins)
{
    struct ir_type t;
    bool open = false;

    if (ins->op == IR_input || ins->op == IR_decrypt)
        return;
    ir_infer(cx->scratch, g, (enum ir_op)ins->op, ins->in, ins->nin, &ins->as,
             &ins->type, &t);
    if (t.ranged) {
        ins->type = t;
        return;
    }
    for (size_t j = 0; j < ins->nin; j++)
        open = open || !ir_at(g, ins->in[j])->type.ranged;
    if (!open)
        too_wide(cx, ins);
}

/* Every integer that reaches a table has an entry: fuse saw to it, but for
 * tables of a text. */
static void
prove_table(struct pass_ctx *cx, const struct ir_func *g,
            const struct ir_ins *ins)
{
    const struct ir_type *in = &ir_at(g, ins->in[0])->type;
    const int64_t size = ir_data(g, ins->as.lut.table)->type.dim[1];
    int64_t lo, hi;

    if (!__builtin_add_overflow(in->ilo, ins->as.lut.offset, &lo)
        && !__builtin_add_overflow(in->ihi, ins->as.lut.offset, &hi) && lo >= 0
        && hi < size)
        return;
    diag_error(cx->diag, ins->at, E_ir_text,
               "integers of [%" PRId64 ", %" PRId64 "] have no entry in this "
               "table",
               in->ilo, in->ihi);
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
        ins->type.enc = ins->type.open = false;
    }
    if (!ins->type.enc) {
        prove_clear(cx, g, ins);
        return;
    }
    if (ins->op == IR_lut)
        prove_table(cx, g, ins);
    if (interval_is_own(g, i) && !interval_infer(cx->scratch, g, i)) {
        too_wide(cx, ins);
        return;
    }
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
