/* The client's two functions: clear ops as loops over their elements.
 *
 *     int64_t cml_prologue(const double *in, int64_t *messages, void *scratch)
 *     void    cml_epilogue(const int64_t *messages, double *out, void *scratch)
 *
 * Every value has cells of 8 bytes at a fixed place in scratch.  The order of
 * floating-point operations is that of ir/eval.c, so results are bit-equal.
 */
#include "backend/inner.h"

#include "ir/forest.h"

#include <string.h>

struct clear {
    struct be_fn e;
    bool open; /* at the server: a step of the circuit */
    const struct ir_ins *ins;
    uint32_t id;
    LLVMValueRef clipped; /* prologue: how many values quant clipped; negative
                             if one was not a number */
};

static LLVMTypeRef
cell_type(const struct clear *c, const struct ir_type *t)
{
    return t->base == IR_REAL ? c->e.m->f64 : c->e.m->i64;
}

static const struct ir_ins *
operand(const struct clear *c, size_t j)
{
    return &c->e.m->f->ins[c->ins->in[j].id];
}

/* The cells of value v, but for an input's. */
static LLVMValueRef
base(struct clear *c, uint32_t v)
{
    struct be_module *m = c->e.m;
    const struct ir_ins *ins = &m->f->ins[v];

    if (ins->op == IR_constant) {
        const struct ir_blob *b = ir_data(m->f, ins->as.constant.data);

        if (b->kind == IR_PARAM && !c->open)
            bug("param @%s is wanted at the client", b->name);
        return be_words(m, b->cell, ir_count(&b->type));
    }
    if (c->open)
        return LLVMBuildLoad2(
            c->e.b, m->ptr,
            be_at(&c->e, c->e.in, m->ptr, be_i64(m, m->value[v])), "");
    if (ins->op == IR_lwe_decrypt || ins->op == IR_glwe_decrypt)
        return be_at(&c->e, c->e.in, m->i64, be_i64(m, (int64_t)m->offset[v]));
    return be_at(&c->e, c->e.scratch, LLVMInt8TypeInContext(m->cx),
                 be_i64(m, (int64_t)m->offset[v]));
}

static LLVMValueRef
load_input(struct clear *c, uint32_t v, LLVMValueRef i)
{
    struct be_module *m = c->e.m;
    LLVMValueRef at =
        be_at(&c->e, c->e.in, m->f64, be_i64(m, (int64_t)m->offset[v]));
    LLVMValueRef x =
        LLVMBuildLoad2(c->e.b, m->f64, be_at(&c->e, at, m->f64, i), "");

    if (m->f->ins[v].type.base == IR_REAL)
        return x;
    return LLVMBuildFPToSI(c->e.b, be_libm(&c->e, "rint", x, NULL), m->i64, "");
}

/* Element i of operand j, i counted in the operand itself. */
static LLVMValueRef
load(struct clear *c, size_t j, LLVMValueRef i)
{
    const struct ir_ins *from = operand(c, j);
    LLVMTypeRef t = cell_type(c, &from->type);
    const uint32_t v = c->ins->in[j].id;

    if (from->op == IR_input)
        return load_input(c, v, i);
    return LLVMBuildLoad2(c->e.b, t, be_at(&c->e, base(c, v), t, i), "");
}

static void
store(struct clear *c, LLVMValueRef i, LLVMValueRef x)
{
    LLVMTypeRef t = cell_type(c, &c->ins->type);

    LLVMBuildStore(c->e.b, x, be_at(&c->e, base(c, c->id), t, i));
}

/* table[i] of 64-bit indices */
static LLVMValueRef
indexed(struct clear *c, const int64_t *table, size_t n, LLVMValueRef i)
{
    struct be_module *m = c->e.m;
    LLVMValueRef g = be_words(m, table, n);

    return LLVMBuildLoad2(c->e.b, m->i64, be_at(&c->e, g, m->i64, i), "");
}

/* Index into operand j of element i of the result, after broadcasting. */
static LLVMValueRef
broadcast(struct clear *c, size_t j, LLVMValueRef i)
{
    struct be_module *m = c->e.m;
    const struct ir_type *out = &c->ins->type, *t = &operand(c, j)->type;
    const size_t n = ir_count(out);
    int64_t *table;

    if (ir_count(t) == n)
        return i;
    if (ir_count(t) == 1)
        return be_i64(m, 0);
    table = arena_new(&m->mem, int64_t, n);
    for (size_t e = 0; e < n; e++)
        table[e] = (int64_t)ir_broadcast_index(out, t, e);
    return indexed(c, table, n, i);
}

static void
map(struct clear *c)
{
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type));
    LLVMValueRef x = load(c, 0, broadcast(c, 0, l.i)), y = NULL;

    if (c->ins->nin == 2)
        y = load(c, 1, broadcast(c, 1, l.i));
    store(c, l.i,
          be_map(&c->e, c->ins, x, y, operand(c, 0)->type.base == IR_REAL));
    be_loop_end(&c->e, &l);
}

static void
gather(struct clear *c)
{
    struct be_module *m = c->e.m;
    const struct ir_blob *b = ir_data(m->f, c->ins->as.gather.index);
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type));
    LLVMValueRef from = indexed(c, &b->cell[0].i, ir_count(&b->type), l.i);

    store(c, l.i, load(c, 0, from));
    be_loop_end(&c->e, &l);
}

/* operand j, all of it, to the result from element `first` on */
static void
copy(struct clear *c, size_t j, size_t first)
{
    struct be_module *m = c->e.m;
    struct be_loop l = be_loop_begin(&c->e, ir_count(&operand(c, j)->type));
    LLVMValueRef x = load(c, j, l.i);

    store(c, LLVMBuildAdd(c->e.b, l.i, be_i64(m, (int64_t)first), ""), x);
    be_loop_end(&c->e, &l);
}

static void
concat(struct clear *c)
{
    size_t first = 0;

    for (size_t j = 0; j < c->ins->nin; j++) {
        copy(c, j, first);
        first += ir_count(&operand(c, j)->type);
    }
}

/* a * i + b with constant a, b */
static LLVMValueRef
affine(struct clear *c, LLVMValueRef i, size_t a, LLVMValueRef b)
{
    LLVMValueRef p = LLVMBuildMul(c->e.b, i, be_i64(c->e.m, (int64_t)a), "");

    return LLVMBuildAdd(c->e.b, p, b, "");
}

static LLVMValueRef
quotient(struct clear *c, LLVMValueRef i, size_t n)
{
    return LLVMBuildUDiv(c->e.b, i, be_i64(c->e.m, (int64_t)n), "");
}

static LLVMValueRef
rest(struct clear *c, LLVMValueRef i, size_t n)
{
    return LLVMBuildURem(c->e.b, i, be_i64(c->e.m, (int64_t)n), "");
}

/* table[i % rows][x], x clipped to what the table has */
static void
choose(struct clear *c)
{
    struct be_module *m = c->e.m;
    const struct ir_blob *b = ir_data(m->f, c->ins->as.select.table);
    LLVMValueRef table = be_words(m, b->cell, ir_count(&b->type));
    LLVMValueRef zero = be_i64(m, 0), most = be_i64(m, b->type.dim[1] - 1);
    LLVMTypeRef t = cell_type(c, &c->ins->type);
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type));
    LLVMValueRef x = load(c, 0, l.i), row = rest(c, l.i, b->type.dim[0]);

    if ((b->kind == IR_PARAM && !c->open) || operand(c, 0)->type.base != IR_INT)
        bug("table @%s is wanted at the client", b->name);
    x = LLVMBuildSelect(c->e.b, LLVMBuildICmp(c->e.b, LLVMIntSLT, x, zero, ""),
                        zero, x, "");
    x = LLVMBuildSelect(c->e.b, LLVMBuildICmp(c->e.b, LLVMIntSGT, x, most, ""),
                        most, x, "");
    x = affine(c, row, b->type.dim[1], x);
    store(c, l.i, LLVMBuildLoad2(c->e.b, t, be_at(&c->e, table, t, x), ""));
    be_loop_end(&c->e, &l);
}

static LLVMValueRef
zero(struct clear *c, LLVMTypeRef t)
{
    (void)c;
    return LLVMConstNull(t);
}

static void
matmul(struct clear *c)
{
    const struct ir_type *right = &operand(c, 1)->type;
    const size_t inner = right->dim[0];
    const size_t cols = right->rank == 2 ? right->dim[1] : 1;
    const bool real = c->ins->type.base == IR_REAL;
    LLVMTypeRef t = cell_type(c, &c->ins->type);
    LLVMValueRef sum = be_slot(&c->e, t), x, y, p, s;
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type)), k;

    LLVMBuildStore(c->e.b, zero(c, t), sum);
    k = be_loop_begin(&c->e, inner);
    x = load(c, 0, affine(c, quotient(c, l.i, cols), inner, k.i));
    y = load(c, 1, affine(c, k.i, cols, rest(c, l.i, cols)));
    s = LLVMBuildLoad2(c->e.b, t, sum, "");
    p = real ? LLVMBuildFMul(c->e.b, x, y, "") : LLVMBuildMul(c->e.b, x, y, "");
    s = real ? LLVMBuildFAdd(c->e.b, s, p, "") : LLVMBuildAdd(c->e.b, s, p, "");
    LLVMBuildStore(c->e.b, s, sum);
    be_loop_end(&c->e, &k);
    store(c, l.i, LLVMBuildLoad2(c->e.b, t, sum, ""));
    be_loop_end(&c->e, &l);
}

/* index of element j of line i around an axis */
static LLVMValueRef
along(struct clear *c, struct ir_around a, LLVMValueRef i, LLVMValueRef j)
{
    LLVMValueRef first = affine(c, quotient(c, i, a.inner), a.length * a.inner,
                                rest(c, i, a.inner));

    return affine(c, j, a.inner, first);
}

/* best = better(best, y), where = j when y is taken */
static void
step(struct clear *c, LLVMValueRef best, LLVMValueRef where, LLVMValueRef y,
     LLVMValueRef j)
{
    const bool real = operand(c, 0)->type.base == IR_REAL;
    LLVMTypeRef t = cell_type(c, &operand(c, 0)->type);
    LLVMValueRef b = LLVMBuildLoad2(c->e.b, t, best, ""), more, w;

    if (c->ins->op == IR_sum || c->ins->op == IR_mean) {
        b = real ? LLVMBuildFAdd(c->e.b, b, y, "")
                 : LLVMBuildAdd(c->e.b, b, y, "");
        LLVMBuildStore(c->e.b, b, best);
        return;
    }
    more = real ? LLVMBuildFCmp(c->e.b, LLVMRealOGT, y, b, "")
                : LLVMBuildICmp(c->e.b, LLVMIntSGT, y, b, "");
    LLVMBuildStore(c->e.b, LLVMBuildSelect(c->e.b, more, y, b, ""), best);
    w = LLVMBuildLoad2(c->e.b, c->e.m->i64, where, "");
    LLVMBuildStore(c->e.b, LLVMBuildSelect(c->e.b, more, j, w, ""), where);
}

/* sum, mean, max and argmax */
static void
reduce(struct clear *c)
{
    struct be_module *m = c->e.m;
    const struct ir_around a =
        ir_around(&operand(c, 0)->type, c->ins->as.sum.axis);
    LLVMTypeRef t = cell_type(c, &operand(c, 0)->type);
    LLVMValueRef best = be_slot(&c->e, t), where = be_slot(&c->e, m->i64), j, r;
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type)), k;

    LLVMBuildStore(c->e.b, load(c, 0, along(c, a, l.i, be_i64(m, 0))), best);
    LLVMBuildStore(c->e.b, be_i64(m, 0), where);
    k = be_loop_begin(&c->e, a.length - 1);
    j = LLVMBuildAdd(c->e.b, k.i, be_i64(m, 1), "");
    step(c, best, where, load(c, 0, along(c, a, l.i, j)), j);
    be_loop_end(&c->e, &k);
    r = LLVMBuildLoad2(c->e.b, t, best, "");
    if (c->ins->op == IR_mean)
        r = LLVMBuildFDiv(c->e.b, r, be_f64(m, (double)a.length), "");
    if (c->ins->op == IR_argmax)
        r = LLVMBuildLoad2(c->e.b, m->i64, where, "");
    store(c, l.i, r);
    be_loop_end(&c->e, &l);
}

/* of each element, how many come before it: larger ones, equal ones of a lower
 * index */
static void
rank(struct clear *c)
{
    struct be_module *m = c->e.m;
    const bool real = operand(c, 0)->type.base == IR_REAL;
    const struct ir_around a = ir_around(&c->ins->type, c->ins->as.rank.axis);
    LLVMValueRef sum = be_slot(&c->e, m->i64), own, x, y, more, equal, s;
    struct be_loop l = be_loop_begin(&c->e, a.outer * a.inner), k, j;

    k = be_loop_begin(&c->e, a.length);
    own = along(c, a, l.i, k.i);
    LLVMBuildStore(c->e.b, be_i64(m, 0), sum);
    j = be_loop_begin(&c->e, a.length);
    x = load(c, 0, along(c, a, l.i, j.i));
    y = load(c, 0, own);
    more = real ? LLVMBuildFCmp(c->e.b, LLVMRealOGT, x, y, "")
                : LLVMBuildICmp(c->e.b, LLVMIntSGT, x, y, "");
    equal = real ? LLVMBuildFCmp(c->e.b, LLVMRealUGE, x, y, "")
                 : LLVMBuildICmp(c->e.b, LLVMIntSGE, x, y, "");
    equal = LLVMBuildAnd(c->e.b, equal,
                         LLVMBuildICmp(c->e.b, LLVMIntULT, j.i, k.i, ""), "");
    more = LLVMBuildOr(c->e.b, more, equal, "");
    s = LLVMBuildLoad2(c->e.b, m->i64, sum, "");
    s = LLVMBuildAdd(c->e.b, s, LLVMBuildZExt(c->e.b, more, m->i64, ""), "");
    LLVMBuildStore(c->e.b, s, sum);
    be_loop_end(&c->e, &j);
    store(c, own, LLVMBuildLoad2(c->e.b, m->i64, sum, ""));
    be_loop_end(&c->e, &k);
    be_loop_end(&c->e, &l);
}

static LLVMValueRef
load_own(struct clear *c, LLVMValueRef i)
{
    LLVMTypeRef t = cell_type(c, &c->ins->type);

    return LLVMBuildLoad2(c->e.b, t, be_at(&c->e, base(c, c->id), t, i), "");
}

static void
softmax(struct clear *c)
{
    struct be_module *m = c->e.m;
    const struct ir_around a =
        ir_around(&c->ins->type, c->ins->as.softmax.axis);
    LLVMValueRef top = be_slot(&c->e, m->f64), sum = be_slot(&c->e, m->f64);
    struct be_loop l = be_loop_begin(&c->e, a.outer * a.inner), k;
    LLVMValueRef at, x, t;

    LLVMBuildStore(c->e.b, load(c, 0, along(c, a, l.i, be_i64(m, 0))), top);
    LLVMBuildStore(c->e.b, be_f64(m, 0), sum);
    k = be_loop_begin(&c->e, a.length);
    x = load(c, 0, along(c, a, l.i, k.i));
    t = LLVMBuildLoad2(c->e.b, m->f64, top, "");
    t = LLVMBuildSelect(c->e.b, LLVMBuildFCmp(c->e.b, LLVMRealOGT, x, t, ""), x,
                        t, "");
    LLVMBuildStore(c->e.b, t, top);
    be_loop_end(&c->e, &k);
    k = be_loop_begin(&c->e, a.length);
    at = along(c, a, l.i, k.i);
    t = LLVMBuildLoad2(c->e.b, m->f64, top, "");
    x = be_libm(&c->e, "exp", LLVMBuildFSub(c->e.b, load(c, 0, at), t, ""),
                NULL);
    store(c, at, x);
    t = LLVMBuildLoad2(c->e.b, m->f64, sum, "");
    LLVMBuildStore(c->e.b, LLVMBuildFAdd(c->e.b, t, x, ""), sum);
    be_loop_end(&c->e, &k);
    k = be_loop_begin(&c->e, a.length);
    at = along(c, a, l.i, k.i);
    t = LLVMBuildLoad2(c->e.b, m->f64, sum, "");
    store(c, at, LLVMBuildFDiv(c->e.b, load_own(c, at), t, ""));
    be_loop_end(&c->e, &k);
    be_loop_end(&c->e, &l);
}

static LLVMValueRef
scale(struct clear *c, LLVMValueRef i)
{
    struct be_module *m = c->e.m;
    const struct ir_blob *b = ir_data(m->f, c->ins->as.dequant.scale);
    const size_t n = ir_count(&b->type);
    LLVMValueRef g;

    if (n == 1)
        return be_f64(m, b->cell[0].r);
    g = be_words(m, b->cell, n);
    return LLVMBuildLoad2(c->e.b, m->f64,
                          be_at(&c->e, g, m->f64, rest(c, i, n)), "");
}

/* clip(rint(x / scale), lo, hi); what was outside is counted, what is not a
 * number makes the count negative */
static void
quant(struct clear *c)
{
    struct be_module *m = c->e.m;
    LLVMValueRef lo = be_f64(m, (double)c->ins->as.quant.lo);
    LLVMValueRef hi = be_f64(m, (double)c->ins->as.quant.hi);
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type));
    LLVMValueRef x = LLVMBuildFDiv(c->e.b, load(c, 0, l.i), scale(c, l.i), "");
    LLVMValueRef above, below, none, n, out;

    x = be_libm(&c->e, "rint", x, NULL);
    none = LLVMBuildFCmp(c->e.b, LLVMRealUNO, x, x, "");
    below = LLVMBuildFCmp(c->e.b, LLVMRealULT, x, lo, "");
    x = LLVMBuildSelect(c->e.b, below, lo, x, "");
    above = LLVMBuildFCmp(c->e.b, LLVMRealOGT, x, hi, "");
    x = LLVMBuildSelect(c->e.b, above, hi, x, "");
    store(c, l.i, LLVMBuildFPToSI(c->e.b, x, m->i64, ""));
    if (c->clipped) {
        out = LLVMBuildOr(c->e.b, above, below, "");
        n = LLVMBuildLoad2(c->e.b, m->i64, c->clipped, "");
        n = LLVMBuildAdd(c->e.b, n, LLVMBuildZExt(c->e.b, out, m->i64, ""), "");
        out = LLVMBuildSelect(c->e.b, none, be_i64(m, INT64_MIN), be_i64(m, 0),
                              "");
        n = LLVMBuildOr(c->e.b, n, out, "");
        LLVMBuildStore(c->e.b, n, c->clipped);
    }
    be_loop_end(&c->e, &l);
}

static void
dequant(struct clear *c)
{
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type));
    LLVMValueRef x = LLVMBuildSIToFP(c->e.b, load(c, 0, l.i), c->e.m->f64, "");

    store(c, l.i, LLVMBuildFMul(c->e.b, x, scale(c, l.i), ""));
    be_loop_end(&c->e, &l);
}

/* The nodes as rows of 64-bit words; a real threshold by its bits. */
static LLVMValueRef
forest_nodes(struct clear *c, const struct ir_forest *t)
{
    int64_t *word = arena_new(&c->e.m->mem, int64_t, IR_NODE_FIELDS * t->n);

    for (size_t i = 0; i < t->n; i++) {
        const struct ir_node n = ir_forest_node(t, i);
        int64_t *w = word + i * IR_NODE_FIELDS;

        w[IR_FEATURE] = (int64_t)n.feature;
        w[IR_THRESHOLD] = n.threshold.i;
        w[IR_LEFT] = n.child[0];
        w[IR_RIGHT] = n.child[1];
        w[IR_MISSING] = n.missing_right;
    }
    return be_words(c->e.m, word, IR_NODE_FIELDS * t->n);
}

/* word `at` of node i */
static LLVMValueRef
field(struct clear *c, LLVMTypeRef type, LLVMValueRef nodes, LLVMValueRef i,
      LLVMValueRef at)
{
    return LLVMBuildLoad2(
        c->e.b, type,
        be_at(&c->e, nodes, type, affine(c, i, IR_NODE_FIELDS, at)), "");
}

/* The child of node i where the operand goes. */
static LLVMValueRef
next_node(struct clear *c, bool real, LLVMValueRef nodes, LLVMValueRef i)
{
    struct be_module *m = c->e.m;
    LLVMTypeRef t = real ? m->f64 : m->i64;
    LLVMValueRef x =
        load(c, 0, field(c, m->i64, nodes, i, be_i64(m, IR_FEATURE)));
    LLVMValueRef at = field(c, t, nodes, i, be_i64(m, IR_THRESHOLD));
    LLVMValueRef right, missing;

    if (!real) {
        right = LLVMBuildICmp(c->e.b, LLVMIntSGE, x, at, "");
    } else {
        right = LLVMBuildFCmp(c->e.b, LLVMRealOGE, x, at, "");
        missing = field(c, m->i64, nodes, i, be_i64(m, IR_MISSING));
        missing = LLVMBuildICmp(c->e.b, LLVMIntNE, missing, be_i64(m, 0), "");
        right = LLVMBuildSelect(c->e.b,
                                LLVMBuildFCmp(c->e.b, LLVMRealUNO, x, x, ""),
                                missing, right, "");
    }
    right = LLVMBuildZExt(c->e.b, right, m->i64, "");
    return field(c, m->i64, nodes, i, affine(c, right, 1, be_i64(m, IR_LEFT)));
}

/* The leaf, counted from 0, that the operand reaches from node `root`. */
static LLVMValueRef
walk(struct clear *c, bool real, LLVMValueRef nodes, LLVMValueRef root)
{
    struct be_module *m = c->e.m;
    LLVMValueRef slot = be_slot(&c->e, m->i64), at, more;
    LLVMBasicBlockRef head = LLVMAppendBasicBlockInContext(m->cx, c->e.fn, "");
    LLVMBasicBlockRef body = LLVMAppendBasicBlockInContext(m->cx, c->e.fn, "");
    LLVMBasicBlockRef end = LLVMAppendBasicBlockInContext(m->cx, c->e.fn, "");

    LLVMBuildStore(c->e.b, root, slot);
    LLVMBuildBr(c->e.b, head);
    LLVMPositionBuilderAtEnd(c->e.b, head);
    at = LLVMBuildLoad2(c->e.b, m->i64, slot, "");
    more = LLVMBuildICmp(c->e.b, LLVMIntSGE, at, be_i64(m, 0), "");
    LLVMBuildCondBr(c->e.b, more, body, end);
    LLVMPositionBuilderAtEnd(c->e.b, body);
    LLVMBuildStore(c->e.b, next_node(c, real, nodes, at), slot);
    LLVMBuildBr(c->e.b, head);
    LLVMPositionBuilderAtEnd(c->e.b, end);
    return LLVMBuildSub(c->e.b, be_i64(m, -1), at, "");
}

/* sums over the trees, in their order, from 0 */
static void
forest(struct clear *c)
{
    struct be_module *m = c->e.m;
    const struct ir_forest t = ir_forest_of(m->f, c->ins);
    const bool real = c->ins->type.base == IR_REAL;
    LLVMTypeRef type = cell_type(c, &c->ins->type);
    LLVMValueRef leaves =
        be_words(m, t.leaves->cell, ir_count(&t.leaves->type));
    LLVMValueRef table = forest_nodes(c, &t), leaf, x, y;
    struct be_loop l = be_loop_begin(&c->e, t.outputs), k;

    store(c, l.i, zero(c, type));
    be_loop_end(&c->e, &l);
    l = be_loop_begin(&c->e, t.trees);
    leaf = walk(c, t.nodes->type.base == IR_REAL, table,
                indexed(c, &t.roots->cell[0].i, t.trees, l.i));
    k = be_loop_begin(&c->e, t.outputs);
    x = be_at(&c->e, leaves, type, affine(c, leaf, t.outputs, k.i));
    x = LLVMBuildLoad2(c->e.b, type, x, "");
    y = load_own(c, k.i);
    store(c, k.i,
          real ? LLVMBuildFAdd(c->e.b, y, x, "")
               : LLVMBuildAdd(c->e.b, y, x, ""));
    be_loop_end(&c->e, &k);
    be_loop_end(&c->e, &l);
}

/* How many cuts an element has reached; a missing one that has no place is told
 * as quant tells what is not a number. */
static void
bin(struct clear *c)
{
    struct be_module *m = c->e.m;
    const struct ir_blob *cuts = ir_data(m->f, c->ins->as.bin.cuts);
    const struct ir_blob *missing = ir_data(m->f, c->ins->as.bin.missing);
    const size_t n = cuts->type.dim[1];
    LLVMValueRef table = be_words(m, cuts->cell, ir_count(&cuts->type));
    LLVMValueRef zero_ = be_i64(m, 0), x, y, at, none, count;
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type)), k;

    x = load(c, 0, l.i);
    store(c, l.i, zero_);
    k = be_loop_begin(&c->e, n);
    at = be_at(&c->e, table, m->f64, affine(c, l.i, n, k.i));
    y = LLVMBuildLoad2(c->e.b, m->f64, at, "");
    y = LLVMBuildZExt(c->e.b, LLVMBuildFCmp(c->e.b, LLVMRealOGE, x, y, ""),
                      m->i64, "");
    store(c, l.i, LLVMBuildAdd(c->e.b, load_own(c, l.i), y, ""));
    be_loop_end(&c->e, &k);
    none = LLVMBuildFCmp(c->e.b, LLVMRealUNO, x, x, "");
    y = indexed(c, &missing->cell[0].i, ir_count(&missing->type), l.i);
    at = LLVMBuildICmp(c->e.b, LLVMIntSLT, y, zero_, "");
    count = LLVMBuildSelect(c->e.b, at, zero_, y, "");
    count = LLVMBuildSelect(c->e.b, none, count, load_own(c, l.i), "");
    store(c, l.i, count);
    none = LLVMBuildAnd(c->e.b, none, at, "");
    if (c->clipped) {
        y = LLVMBuildSelect(c->e.b, none, be_i64(m, INT64_MIN), zero_, "");
        count = LLVMBuildLoad2(c->e.b, m->i64, c->clipped, "");
        LLVMBuildStore(c->e.b, LLVMBuildOr(c->e.b, count, y, ""), c->clipped);
    }
    be_loop_end(&c->e, &l);
}

/* Messages to encrypt, or an output as doubles. */
static void
leave(struct clear *c)
{
    struct be_module *m = c->e.m;
    const bool output = c->ins->op == IR_output;
    LLVMTypeRef t = output ? m->f64 : m->i64;
    LLVMValueRef to =
        be_at(&c->e, c->e.out, t, be_i64(m, (int64_t)m->offset[c->id]));
    struct be_loop l = be_loop_begin(&c->e, ir_count(&operand(c, 0)->type));
    LLVMValueRef x = load(c, 0, l.i);

    if (output && operand(c, 0)->type.base == IR_INT)
        x = LLVMBuildSIToFP(c->e.b, x, m->f64, "");
    LLVMBuildStore(c->e.b, x, be_at(&c->e, to, t, l.i));
    be_loop_end(&c->e, &l);
}

/* table[i % rows][x + offset] */
static void
lut(struct clear *c)
{
    struct be_module *m = c->e.m;
    const struct ir_blob *b = ir_data(m->f, c->ins->as.lut.table);
    LLVMValueRef table = be_words(m, b->cell, ir_count(&b->type));
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type));
    LLVMValueRef x = LLVMBuildAdd(c->e.b, load(c, 0, l.i),
                                  be_i64(m, c->ins->as.lut.offset), "");

    x = affine(c, rest(c, l.i, b->type.dim[0]), b->type.dim[1], x);
    store(c, l.i,
          LLVMBuildLoad2(c->e.b, m->i64, be_at(&c->e, table, m->i64, x), ""));
    be_loop_end(&c->e, &l);
}

/* the lowest bit, or a power of two less, which leaves nothing */
static void
shifted(struct clear *c)
{
    struct be_module *m = c->e.m;
    const bool low = c->ins->op == IR_low_bit;
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type));
    LLVMValueRef x = load(c, 0, l.i);

    x = low ? LLVMBuildAnd(c->e.b, x, be_i64(m, 1), "")
            : LLVMBuildAShr(c->e.b, x, be_i64(m, c->ins->as.proved.shift), "");
    store(c, l.i, x);
    be_loop_end(&c->e, &l);
}

/* A word a message, as the client sent it. */
static void
arrive(struct clear *c)
{
    struct be_module *m = c->e.m;
    LLVMValueRef from = LLVMBuildLoad2(
        c->e.b, m->ptr, be_at(&c->e, c->e.in, m->ptr, be_i64(m, m->nvalues)),
        "");
    struct be_loop l = be_loop_begin(&c->e, ir_count(&c->ins->type));

    from = be_at(&c->e, from, m->i64, be_i64(m, (int64_t)m->word[c->id]));
    store(c, l.i,
          LLVMBuildLoad2(c->e.b, m->i64, be_at(&c->e, from, m->i64, l.i), ""));
    be_loop_end(&c->e, &l);
}

static void
emit(struct clear *c)
{
    be_fn_at(&c->e, c->ins->at);
    if (c->open && c->ins->op == IR_disclose) {
        arrive(c);
        return;
    }
    switch ((int)c->ins->op) {
    case IR_input:
    case IR_constant:
    case IR_lwe_decrypt:
    case IR_glwe_decrypt: return;
    case IR_disclose:
    case IR_glwe_encrypt:
    case IR_ggsw_encrypt:
    case IR_output: leave(c); return;
    case IR_lut: lut(c); return;
    case IR_low_bit:
    case IR_proved: shifted(c); return;
    case IR_gather: gather(c); return;
    case IR_select: choose(c); return;
    case IR_named:
    case IR_reshape: copy(c, 0, 0); return;
    case IR_concat: concat(c); return;
    case IR_matmul: matmul(c); return;
    case IR_sum:
    case IR_mean:
    case IR_max:
    case IR_argmax: reduce(c); return;
    case IR_rank: rank(c); return;
    case IR_softmax: softmax(c); return;
    case IR_forest: forest(c); return;
    case IR_bin: bin(c); return;
    case IR_quant: quant(c); return;
    case IR_dequant: dequant(c); return;
    }
    map(c);
}

static void
body(struct clear *c, bool before)
{
    struct be_module *m = c->e.m;

    for (c->id = 0; c->id < m->f->n; c->id++) {
        const enum be_place p = m->place[c->id];

        c->ins = &m->f->ins[c->id];
        if (before ? p == BE_BEFORE || be_sent_words(c->ins) : p == BE_AFTER)
            emit(c);
    }
}

static void
begin(struct clear *c, struct be_module *m, const char *name, LLVMTypeRef ret)
{
    LLVMTypeRef params[] = { m->ptr, m->ptr, m->ptr };

    *c = (struct clear){
        .e = be_fn_begin(m, name, LLVMFunctionType(ret, params, 3, 0), true)
    };
    c->e.in = LLVMGetParam(c->e.fn, 0);
    c->e.out = LLVMGetParam(c->e.fn, 1);
    c->e.scratch = LLVMGetParam(c->e.fn, 2);
}

void
be_clear(struct be_module *m)
{
    struct clear c;

    begin(&c, m, "cml_prologue", m->i64);
    m->prologue = c.e.fn;
    c.clipped = be_slot(&c.e, m->i64);
    LLVMBuildStore(c.e.b, be_i64(m, 0), c.clipped);
    body(&c, true);
    LLVMBuildRet(c.e.b, LLVMBuildLoad2(c.e.b, m->i64, c.clipped, ""));
    be_fn_end(&c.e);
    begin(&c, m, "cml_epilogue", m->none);
    m->epilogue = c.e.fn;
    body(&c, false);
    LLVMBuildRetVoid(c.e.b);
    be_fn_end(&c.e);
}

LLVMValueRef
be_open(struct be_module *m, uint32_t i)
{
    LLVMTypeRef params[] = { m->ptr, m->ptr, m->i64, m->i64 };
    struct clear c = { .open = true, .ins = &m->f->ins[i], .id = i };
    char name[32];

    snprintf(name, sizeof name, "step_%zu", m->nsteps);
    c.e = be_fn_begin(m, name, LLVMFunctionType(m->none, params, 4, 0), false);
    c.e.in = LLVMGetParam(c.e.fn, 1);
    emit(&c);
    LLVMBuildRetVoid(c.e.b);
    be_fn_end(&c.e);
    return c.e.fn;
}
