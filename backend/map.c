/* One element of an element-wise op, as ops.def writes it.
 *
 * Integers stay integers: a double holds 53 bits only.
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

/* LLVM would make exp2 of pow(2, x), and products of small powers: other
 * roundings than those of the evaluator. */
static LLVMValueRef
power(struct be_fn *e, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef call = be_libm(e, "pow", x, y);
    const unsigned kind = LLVMGetEnumAttributeKindForName("nobuiltin", 9);
    const LLVMAttributeIndex whole = (LLVMAttributeIndex)-1; /* the function */

    LLVMAddCallSiteAttribute(call, whole,
                             LLVMCreateEnumAttribute(e->m->cx, kind, 0));
    return call;
}

/* x - y floor(x / y), or the floor */
static LLVMValueRef
divided(struct be_fn *e, LLVMValueRef x, LLVMValueRef y, bool rest)
{
    LLVMValueRef q = be_libm(e, "floor", LLVMBuildFDiv(e->b, x, y, ""), NULL);

    if (!rest)
        return q;
    return LLVMBuildFSub(e->b, x, LLVMBuildFMul(e->b, y, q, ""), "");
}

static LLVMValueRef
bits(struct be_fn *e, enum ir_op op, LLVMValueRef x, LLVMValueRef y)
{
    return op == IR_bit_and  ? LLVMBuildAnd(e->b, x, y, "")
           : op == IR_bit_or ? LLVMBuildOr(e->b, x, y, "")
                             : LLVMBuildXor(e->b, x, y, "");
}

static LLVMValueRef
bits_of_reals(struct be_fn *e, enum ir_op op, LLVMValueRef x, LLVMValueRef y)
{
    x = LLVMBuildFPToSI(e->b, x, e->m->i64, "");
    y = LLVMBuildFPToSI(e->b, y, e->m->i64, "");
    return LLVMBuildSIToFP(e->b, bits(e, op, x, y), e->m->f64, "");
}

/* The rows of ops.def that are functions of reals. */
static LLVMValueRef
function(struct be_fn *e, const struct ir_ins *ins, LLVMValueRef x,
         LLVMValueRef y)
{
    LLVMValueRef zero = real(e, 0);

    switch ((int)ins->op) {
    case IR_div: return LLVMBuildFDiv(e->b, x, y, "");
    case IR_pow: return power(e, x, y);
    case IR_minimum: return choose(e, LLVMRealOLT, x, y, x, y);
    case IR_maximum: return choose(e, LLVMRealOGT, x, y, x, y);
    case IR_less: return truth(e, LLVMRealOLT, x, y);
    case IR_less_equal: return truth(e, LLVMRealOLE, x, y);
    case IR_equal: return truth(e, LLVMRealOEQ, x, y);
    case IR_not_equal: return truth(e, LLVMRealUNE, x, y);
    case IR_floor_div: return divided(e, x, y, false);
    case IR_mod: return divided(e, x, y, true);
    case IR_bit_and:
    case IR_bit_or:
    case IR_bit_xor: return bits_of_reals(e, (enum ir_op)ins->op, x, y);
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
    case IR_tan:
    case IR_asin:
    case IR_acos:
    case IR_atan:
    case IR_sinh:
    case IR_cosh:
    case IR_erf: return be_libm(e, ir_ops[ins->op].name, x, NULL);
    }
    bug("no code for %s", ir_ops[ins->op].name);
}

static LLVMValueRef
pick(struct be_fn *e, LLVMIntPredicate p, LLVMValueRef x, LLVMValueRef y,
     LLVMValueRef yes, LLVMValueRef no)
{
    return LLVMBuildSelect(e->b, LLVMBuildICmp(e->b, p, x, y, ""), yes, no, "");
}

static LLVMValueRef
sign_of_integer(struct be_fn *e, LLVMValueRef x)
{
    LLVMValueRef zero = be_i64(e->m, 0), one = be_i64(e->m, 1);

    return pick(e, LLVMIntSLT, x, zero, be_i64(e->m, -1),
                pick(e, LLVMIntSGT, x, zero, one, zero));
}

/* rounded down; y < 1 counts as 1 */
static LLVMValueRef
divided_integers(struct be_fn *e, LLVMValueRef x, LLVMValueRef y, bool rest)
{
    LLVMValueRef zero = be_i64(e->m, 0), one = be_i64(e->m, 1);
    LLVMValueRef q, r;

    y = pick(e, LLVMIntSLT, y, one, one, y);
    q = LLVMBuildSDiv(e->b, x, y, "");
    r = LLVMBuildSRem(e->b, x, y, "");
    if (rest)
        return LLVMBuildAdd(e->b, r, pick(e, LLVMIntSLT, r, zero, y, zero), "");
    return LLVMBuildSub(e->b, q, pick(e, LLVMIntSLT, r, zero, one, zero), "");
}

/* of_integers of eval.c */
static LLVMValueRef
of_integers(struct be_fn *e, const struct ir_ins *ins, LLVMValueRef x,
            LLVMValueRef y)
{
    LLVMValueRef zero = be_i64(e->m, 0), one = be_i64(e->m, 1);
    LLVMValueRef lo, hi;

    switch ((int)ins->op) {
    case IR_minimum: return pick(e, LLVMIntSLT, x, y, x, y);
    case IR_maximum: return pick(e, LLVMIntSGT, x, y, x, y);
    case IR_less: return pick(e, LLVMIntSLT, x, y, one, zero);
    case IR_less_equal: return pick(e, LLVMIntSLE, x, y, one, zero);
    case IR_equal: return pick(e, LLVMIntEQ, x, y, one, zero);
    case IR_not_equal: return pick(e, LLVMIntNE, x, y, one, zero);
    case IR_floor_div: return divided_integers(e, x, y, false);
    case IR_mod: return divided_integers(e, x, y, true);
    case IR_bit_and:
    case IR_bit_or:
    case IR_bit_xor: return bits(e, (enum ir_op)ins->op, x, y);
    case IR_abs:
        return pick(e, LLVMIntSLT, x, zero, LLVMBuildNeg(e->b, x, ""), x);
    case IR_relu: return pick(e, LLVMIntSGT, x, zero, x, zero);
    case IR_sign: return sign_of_integer(e, x);
    case IR_floor:
    case IR_ceil:
    case IR_round: return x;
    case IR_clip:
        lo = be_i64(e->m, (int64_t)ins->as.clip.lo);
        hi = be_i64(e->m, (int64_t)ins->as.clip.hi);
        x = pick(e, LLVMIntSLT, x, lo, lo, x);
        return pick(e, LLVMIntSGT, x, hi, hi, x);
    }
    bug("no code for %s of integers", ir_ops[ins->op].name);
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
    if (op == IR_to_real)
        return LLVMBuildSIToFP(e->b, x, e->m->f64, "");
    if (!r)
        return of_integers(e, ins, x, y);
    x = function(e, ins, x, y);
    if (ins->type.base == IR_INT)
        x = LLVMBuildFPToSI(e->b, x, e->m->i64, "");
    return x;
}
