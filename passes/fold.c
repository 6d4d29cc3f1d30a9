/* Constant folding.
 *
 * An op without side effects whose operands are all constants becomes a
 * constant; it is a param if one of them is.  The evaluator computes it, so
 * the two cannot disagree.
 */
#include "passes/inner.h"

#include <math.h>

static ir_ref
fold(struct pass_ctx *cx, struct ir_func *g, const struct ir_ins *ins,
     const ir_ref *map)
{
    const union ir_cell **in =
        arena_new(cx->scratch, const union ir_cell *, ins->nin);
    enum ir_blob_kind kind = ir_has_param(g, ins) ? IR_PARAM : IR_CONST;
    const struct ir_blob *b = NULL;
    struct ir_ins now = *ins;
    struct ir_type type = ins->type, hull;
    ir_ref *operand = arena_new(cx->scratch, ir_ref, ins->nin);

    for (size_t j = 0; j < ins->nin; j++) {
        operand[j] = map[ins->in[j].id];
        pass_constant(g, operand[j], &b);
        in[j] = b->cell;
        if (b->kind == IR_PARAM)
            kind = IR_PARAM;
    }
    now.in = operand;
    type.ranged = false;
    ir_infer(cx->scratch, g, (enum ir_op)ins->op, operand, ins->nin, &ins->as,
             &ins->type, &hull);
    if (hull.base == IR_INT && !hull.ranged) {
        diag_error(cx->diag, ins->at, E_integer_overflow,
                   "this integer needs more than 62 bits");
        cx->status = 1;
    }
    return ir_constant(g, ins->at, NULL, kind, &type,
                       ir_eval_ins(cx->scratch, g, &now, in));
}

static bool
finite(const struct ir_func *g, ir_ref v)
{
    const struct ir_blob *b;

    if (!pass_constant(g, v, &b) || b->type.base != IR_REAL)
        return true;
    for (size_t i = 0; i < ir_count(&b->type); i++)
        if (!isfinite(b->cell[i].r))
            return false;
    return true;
}

static bool
foldable(const struct ir_func *g, const struct ir_ins *ins, const ir_ref *map)
{
    const struct ir_blob *b;
    const unsigned traits = ir_ops[ins->op].traits;

    if (!(traits & IR_PURE) || (traits & IR_BORDER) || ins->nin == 0)
        return false;
    for (size_t j = 0; j < ins->nin; j++)
        if (!pass_constant(g, map[ins->in[j].id], &b))
            return false;
    return true;
}

struct ir_func *
pass_fold(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_like(cx->out, f);

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        if (!foldable(g, ins, map)) {
            map[i] = ir_copy(g, ins, map);
            continue;
        }
        map[i] = fold(cx, g, ins, map);
        if (!finite(g, map[i])) {
            diag_error(cx->diag, ins->at, E_not_finite,
                       "this constant is not a finite number");
            cx->status = 1;
        }
    }
    return cx->status ? NULL : g;
}
