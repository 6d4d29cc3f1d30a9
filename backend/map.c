/* One element of an element-wise op, as ops.def writes it.
 *
 * Integers pass through reals where eval.c does the same.
 */
#include "backend/inner.h"

static LLVMValueRef
real(struct be_fn *e, double v)
{
    return be_f64(e->m, v);
}

static LLVMValueRef
choose(struct be_fn *e, LLVMRealPredicate p, LLVMValueRef x, LLVMValueRef y,
       LLVMValueRef yes, LLVMValueRef no)
{
    return LLVMBuildSelect(e->b, LLVMBuildFCmp(e->b, p, x, y, ""), yes, no, "");
}

static LLVMValueRef
truth(struct be_fn *e, LLVMRealPredicate p, LLVMValueRef x, LLVMValueRef y)
{
    return choose(e, p, x, y, real(e, 1), real(e, 0));
}

static LLVMValueRef
sign(struct be_fn *e, LLVMValueRef x)
{
    return LLVMBuildFSub(e->b, truth(e, LLVMRealOGT, x, real(e, 0)),
                         truth(e, LLVMRealOLT, x, real(e, 0)), "");
}

static LLVMValueRef
sigmoid(struct be_fn *e, LLVMValueRef x)
{
    LLVMValueRef t = be_libm(e, "exp", LLVMBuildFNeg(e->b, x, ""), NULL);

    return LLVMBuildFDiv(e->b, real(e, 1),
                         LLVMBuildFAdd(e->b, real(e, 1), t, ""), "");
}

static LLVMValueRef
softplus(struct be_fn *e, LLVMValueRef x)
{
    LLVMValueRef t = be_libm(e, "log1p", be_libm(e, "exp", x, NULL), NULL);

    return choose(e, LLVMRealOGT, x, real(e, 30), x, t);
}

static LLVMValueRef
clip(struct be_fn *e, const struct ir_ins *ins, LLVMValueRef x)
{
    LLVMValueRef lo = real(e, ins->as.clip.lo), hi = real(e, ins->as.clip.hi);

    x = choose(e, LLVMRealOLT, x, lo, lo, x);
    return choose(e, LLVMRealOGT, x, hi, hi, x);
}

/* The rows of ops.def that are functions of reals. */
static LLVMValueRef
function(struct be_fn *e, const struct ir_ins *ins, LLVMValueRef x,
         LLVMValueRef y)
{
    LLVMValueRef zero = real(e, 0);

    switch ((int)ins->op) {
    case IR_div: return LLVMBuildFDiv(e->b, x, y, "");
    case IR_pow: return be_libm(e, "pow", x, y);
    case IR_minimum: return choose(e, LLVMRealOLT, x, y, x, y);
    case IR_maximum: return choose(e, LLVMRealOGT, x, y, x, y);
    case IR_less: return truth(e, LLVMRealOLT, x, y);
    case IR_less_equal: return truth(e, LLVMRealOLE, x, y);
    case IR_equal: return truth(e, LLVMRealOEQ, x, y);
    case IR_not_equal: return truth(e, LLVMRealUNE, x, y);
    case IR_abs: return be_libm(e, "fabs", x, NULL);
    case IR_relu: return choose(e, LLVMRealOGT, x, zero, x, zero);
    case IR_sign: return sign(e, x);
    case IR_round: return be_libm(e, "rint", x, NULL);
    case IR_sigmoid: return sigmoid(e, x);
    case IR_softplus: return softplus(e, x);
    case IR_clip: return clip(e, ins, x);
    case IR_floor:
    case IR_ceil:
    case IR_sqrt:
    case IR_exp:
    case IR_log:
    case IR_tanh:
    case IR_sin:
    case IR_cos:
    case IR_erf: return be_libm(e, ir_ops[ins->op].name, x, NULL);
    }
    bug("no code for %s", ir_ops[ins->op].name);
}

static LLVMValueRef
ring(struct be_fn *e, enum ir_op op, LLVMValueRef x, LLVMValueRef y, bool r)
{
    if (op == IR_add)
        return r ? LLVMBuildFAdd(e->b, x, y, "") : LLVMBuildAdd(e->b, x, y, "");
    if (op == IR_sub)
        return r ? LLVMBuildFSub(e->b, x, y, "") : LLVMBuildSub(e->b, x, y, "");
    if (op == IR_mul)
        return r ? LLVMBuildFMul(e->b, x, y, "") : LLVMBuildMul(e->b, x, y, "");
    return r ? LLVMBuildFNeg(e->b, x, "") : LLVMBuildNeg(e->b, x, "");
}

LLVMValueRef
be_map(struct be_fn *e, const struct ir_ins *ins, LLVMValueRef x,
       LLVMValueRef y, bool r)
{
    const enum ir_op op = (enum ir_op)ins->op;

    if (op == IR_add || op == IR_sub || op == IR_mul || op == IR_neg)
        return ring(e, op, x, y, r);
    if (!r) {
        x = LLVMBuildSIToFP(e->b, x, e->m->f64, "");
        if (y)
            y = LLVMBuildSIToFP(e->b, y, e->m->f64, "");
    }
    if (op != IR_to_real)
        x = function(e, ins, x, y);
    if (ins->type.base == IR_INT)
        x = LLVMBuildFPToSI(e->b, x, e->m->i64, "");
    return x;
}
