/* Every chain of functions of one encrypted integer becomes one table.
 *
 *     dequant -> functions -> quant        =>   lut
 *
 * The table has an entry for every integer of the proved interval, computed by
 * the evaluator; elements whose entries differ (a scale or a bias a channel)
 * get rows of their own.  Where the intervals of the elements lie apart and
 * that costs bits, each is shifted to begin at 0, which is free.
 */
#include "passes/encode.h"
#include "passes/inner.h"
#include "passes/interval.h"
#include "passes/why.h"

#include <math.h>
#include <string.h>

struct chain {
    const struct ir_func *f;
    uint32_t quant;
    ir_ref root;                /* the integer, in f */
    bool *in_chain;             /* ops between root and quant, both left out */
    const struct interval *own; /* of each element */
    int64_t factor;             /* the root is so many times the operand */
    bool shifted;               /* each element's begins at 0 */
    bool undefined;             /* there was a message */
};

/* An op between a dequant at the server, included, and a quant. */
static bool
is_function(const struct ir_ins *ins, const bool *function)
{
    if (!ins->type.enc || ins->op == IR_quant)
        return false;
    for (size_t j = 0; j < ins->nin; j++)
        if (function[ins->in[j].id])
            return true;
    return ins->op == IR_dequant;
}

/* Marks the ops that quant depends on, down to the dequant; false if they are
 * no element-wise functions of one integer. */
static bool
find_chain(struct chain *c)
{
    const struct ir_type *shape = &c->f->ins[c->quant].type;
    bool found = false;

    for (uint32_t i = c->quant + 1; i-- > 0;) {
        const struct ir_ins *ins = &c->f->ins[i];

        if (i != c->quant && !c->in_chain[i])
            continue;
        if (ins->type.enc && !ir_same_shape(&ins->type, shape))
            return false;
        if (ins->op == IR_dequant) {
            if (found && c->root.id != ins->in[0].id)
                return false;
            c->root = ins->in[0];
            found = true;
            continue;
        }
        if (ins->op != IR_constant && !(ir_ops[ins->op].traits & IR_MAP))
            return false;
        for (size_t j = 0; j < ins->nin; j++)
            c->in_chain[ins->in[j].id] = true;
    }
    return found;
}

/* An op gives not-a-number for element e, from numbers. */
static void
undefined(struct pass_ctx *cx, struct chain *c, const struct ir_ins *ins,
          const union ir_cell *const *in, size_t e)
{
    const char *name = ir_ops[ins->op].name;
    double x[2] = { 0, 0 };

    for (size_t j = 0; j < ins->nin && j < 2; j++) {
        const struct ir_type *t = &ir_at(c->f, ins->in[j])->type;

        x[j] = t->base == IR_REAL ? in[j][e % ir_count(t)].r
                                  : (double)in[j][e % ir_count(t)].i;
        if (isnan(x[j]))
            return;
    }
    if (ins->nin == 2)
        diag_error(cx->diag, ins->at, E_not_finite,
                   "%s of %.4g and %.4g, which can occur, is not a number",
                   name, x[0], x[1]);
    else
        diag_error(cx->diag, ins->at, E_not_finite,
                   "%s of %.4g, which can occur, is not a number", name, x[0]);
    diag_help(cx->diag, "clip the argument, as in log(clip(x, 0.01, 10))");
    cx->status = 1;
    c->undefined = true;
}

/* The chain on all elements, each with the integer v; if they are shifted, v
 * above its own least, and what cannot occur as the nearest that can. */
static const union ir_cell *
run(struct pass_ctx *cx, struct chain *c, int64_t v)
{
    struct arena *mem = cx->scratch;
    const struct ir_func *f = c->f;
    const union ir_cell **value =
        arena_new(mem, const union ir_cell *, c->quant + 1u);
    const size_t n = ir_count(&ir_at(f, c->root)->type);
    union ir_cell *x = arena_new(mem, union ir_cell, n);

    for (size_t e = 0; e < n; e++) {
        x[e].i = c->shifted ? c->own[e].lo + v : v;
        if (c->shifted && x[e].i > c->own[e].hi)
            x[e].i = c->own[e].hi;
        x[e].i *= c->factor;
    }
    value[c->root.id] = x;
    for (uint32_t i = 0; i <= c->quant; i++) {
        const struct ir_ins *ins = &f->ins[i];
        const union ir_cell *in[2] = { NULL, NULL };

        if (!c->in_chain[i] && i != c->quant)
            continue;
        for (size_t j = 0; j < ins->nin && j < 2; j++)
            in[j] = value[ins->in[j].id];
        value[i] = ir_eval_ins(mem, f, ins, in);
        for (size_t e = 0; e < n && ins->type.base == IR_REAL && ins->type.enc
                           && !c->undefined;
             e++)
            if (isnan(value[i][e].r) && x[e].i >= c->factor * c->own[e].lo
                && x[e].i <= c->factor * c->own[e].hi)
                undefined(cx, c, ins, in, e);
    }
    return value[c->quant];
}

/* The least number of rows that tells all elements. */
static size_t
rows_needed(const union ir_cell *cell, size_t n, size_t channels, size_t size)
{
    const size_t candidate[] = { 1, channels };

    for (size_t k = 0; k < 2; k++) {
        bool same = true;

        for (size_t e = candidate[k]; e < n && same; e++)
            same = memcmp(cell + e * size, cell + e % candidate[k] * size,
                          size * sizeof *cell)
                   == 0;
        if (same)
            return candidate[k];
    }
    return n;
}

/* Integers of the source are exact: one that its grid cannot hold is refused.
 */
static void
check_exact(struct pass_ctx *cx, const struct ir_ins *quant,
            const union ir_cell *cell, size_t n)
{
    if (quant->as.quant.hi < PASS_EXACT)
        return;
    for (size_t e = 0; e < n; e++)
        if (cell[e].i >= PASS_EXACT || cell[e].i <= -PASS_EXACT) {
            diag_error(cx->diag, quant->at, E_integer_overflow,
                       "this table would hold an integer of more than 52 bits");
            cx->status = 1;
            return;
        }
}

/* Whether y = sign x + offset, entry by entry, for one offset. */
static bool
is_image(const struct ir_blob *x, const union ir_cell *y,
         const struct ir_type *t, int64_t sign, int64_t *offset)
{
    if (!ir_same_shape(&x->type, t))
        return false;
    *offset = y[0].i - sign * x->cell[0].i;
    for (size_t i = 0; i < ir_count(t); i++)
        if (y[i].i != sign * x->cell[i].i + *offset)
            return false;
    return true;
}

/* A table of the root that exists already, or its mirror image: 1 - [x < 3] for
 * [x >= 3]. */
static bool
exists(struct ir_func *g, const struct ir_ins *wanted, const struct ir_type *t,
       const union ir_cell *cell, ir_ref *v)
{
    const struct ir_type scalar = ir_type_of(IR_INT, 0, NULL);

    for (uint32_t i = wanted->in[0].id + 1; i < g->n; i++) {
        const struct ir_ins *ins = &g->ins[i];

        if (ins->op != IR_lut || ins->in[0].id != wanted->in[0].id
            || ins->as.lut.offset != wanted->as.lut.offset
            || ins->as.lut.approx != wanted->as.lut.approx)
            continue;
        for (int64_t sign = 1; sign >= -1; sign -= 2) {
            union ir_cell offset;

            if (!is_image(ir_data(g, ins->as.lut.table), cell, t, sign,
                          &offset.i))
                continue;
            *v = (ir_ref){ i };
            if (sign < 0)
                *v = ir_build1(g, IR_neg, wanted->at, *v);
            if (offset.i)
                *v = ir_build2(g, IR_add, wanted->at, *v,
                               ir_constant(g, wanted->at, NULL, IR_PARAM,
                                           &scalar, &offset));
            return true;
        }
    }
    return false;
}

static ir_ref
table(struct pass_ctx *cx, struct ir_func *g, struct chain *c,
      struct interval h, ir_ref root)
{
    const struct ir_ins *last = &c->f->ins[c->quant];
    const size_t n = ir_count(&last->type);
    const size_t size = (size_t)(h.hi - h.lo) + 1;
    union ir_cell *cell = arena_new(cx->scratch, union ir_cell, n * size);
    const double asked = ir_get(g, "rounding.approx", 0);
    union ir_attrs as = { 0 };
    struct ir_type t;
    ir_ref same;
    uint32_t dim[2] = { 0, (uint32_t)size };

    for (size_t s = 0; s < size; s++) {
        struct arena_mark m = arena_mark(cx->scratch);
        const union ir_cell *y = run(cx, c, h.lo + (int64_t)s);

        for (size_t e = 0; e < n; e++)
            cell[e * size + s] = y[e];
        arena_release(cx->scratch, m);
    }
    check_exact(cx, last, cell, n * size);
    dim[0] = (uint32_t)rows_needed(cell, n, ir_channels(&last->type), size);
    t = ir_type_of(IR_INT, 2, dim);
    as.lut.offset = -h.lo;
    if (asked > 0 && ir_bits(h.lo, h.hi) > (unsigned)asked
        && !ir_at(g, root)->type.open)
        as.lut.approx = (uint32_t)asked;
    if (exists(g, &(struct ir_ins){ .in = &root, .as = as, .at = last->at }, &t,
               cell, &same))
        return same;
    as.lut.table = ir_blob_add(g, NULL, IR_PARAM, &t, cell)->name;
    g->ins[root.id].type.ranged = true;
    g->ins[root.id].type.ilo = h.lo;
    g->ins[root.id].type.ihi = h.hi;
    return ir_build(g, IR_lut, last->at, &root, 1, &as);
}

/* The interval of each element; the longest, as the distance of its ends, or
 * INT64_MAX if one leaves 61 bits. */
static int64_t
find_intervals(struct pass_ctx *cx, struct chain *c, const struct affine *a,
               ir_ref v)
{
    const size_t n = ir_count(&ir_at(a->f, v)->type);
    const int64_t limit = (int64_t)1 << 62;
    struct interval *own = arena_new(cx->scratch, struct interval, n);
    int64_t most = 0;

    c->own = own;
    for (size_t e = 0; e < n; e++) {
        const struct interval i = own[e] = interval_of(a, v, e);

        if (i.lo < -limit / 2 || i.hi > limit / 2)
            return INT64_MAX;
        most = i.hi - i.lo > most ? i.hi - i.lo : most;
    }
    return most;
}

/* v with every element's interval moved to begin at 0. */
static ir_ref
shift(struct pass_ctx *cx, struct ir_func *g, struct chain *c, ir_ref v)
{
    const struct ir_ins *ins = ir_at(g, v);
    const struct ir_type t = ir_type_of(IR_INT, ins->type.rank, ins->type.dim);
    const size_t n = ir_count(&t);
    union ir_cell *cell = arena_new(cx->scratch, union ir_cell, n);

    for (size_t e = 0; e < n; e++)
        cell[e].i = -c->own[e].lo;
    c->shifted = true;
    return ir_build2(g, IR_add, ins->at, v,
                     ir_constant(g, ins->at, NULL, IR_PARAM, &t, cell));
}

/* The value that v is a multiple of: the table then has entries for multiples
 * only. */
static ir_ref
whole_part(struct chain *c, const struct ir_func *g, ir_ref v)
{
    const struct ir_blob *b;

    c->factor = 1;
    while (ir_at(g, v)->op == IR_mul) {
        const ir_ref *in = ir_at(g, v)->in;
        const size_t enc = pass_constant(g, in[0], &b) ? 1 : 0;

        if (!pass_constant(g, in[1 - enc], &b) || ir_count(&b->type) != 1
            || !ir_same_shape(&ir_at(g, in[enc])->type, &ir_at(g, v)->type)
            || b->cell[0].i == 0 || b->cell[0].i > PASS_EXACT / c->factor)
            break;
        if (b->cell[0].i < 0)
            break;
        c->factor *= b->cell[0].i;
        v = in[enc];
    }
    return v;
}

static ir_ref
fuse(struct pass_ctx *cx, struct ir_func *g, struct chain *c, const ir_ref *map)
{
    const bool approx = ir_get(g, "rounding.approx", 0) > 0;
    const struct affine *a;
    struct interval h;
    int64_t length;
    ir_ref bad, root;

    if (!find_chain(c)) {
        diag_error(cx->diag, ir_at(c->f, (ir_ref){ c->quant })->at, E_ir_text,
                   "a table replaces element-wise functions of one integer");
        cx->status = 1;
        return (ir_ref){ 0 };
    }
    root = whole_part(c, g, map[c->root.id]);
    a = affine_new(cx->scratch, g, &bad);
    if (!a) {
        diag_error(cx->diag, ir_at(g, bad)->at, E_integer_overflow,
                   "this integer needs more than 62 bits");
        cx->status = 1;
        return root;
    }
    h = interval_hull(a, root);
    length = find_intervals(cx, c, a, root);
    if (length < INT64_MAX && ir_bits(0, length) < ir_bits(h.lo, h.hi)) {
        h = (struct interval){ 0, length };
        root = shift(cx, g, c, root);
    }
    if (ir_bits(h.lo, h.hi) > encode_widest(approx) + (approx ? 0 : 1)) {
        why_table_too_wide(cx, c->f->ins[c->quant].at, g, root, h,
                           ir_bits(h.lo, h.hi), approx);
        return root;
    }
    if (h.lo < -PASS_EXACT / c->factor || h.hi > PASS_EXACT / c->factor) {
        diag_error(cx->diag, ir_at(g, root)->at, E_integer_overflow,
                   "this integer of a table needs more than 52 bits");
        cx->status = 1;
        return root;
    }
    return table(cx, g, c, h, root);
}

/* The reals of a chain have one use: its quant. */
static bool
leaves_chain(struct pass_ctx *cx, const struct ir_ins *ins,
             const bool *function)
{
    for (size_t j = 0; j < ins->nin; j++)
        if (function[ins->in[j].id]) {
            diag_error(cx->diag, ins->at, E_ir_text,
                       "%s of a real of the circuit: only quant takes one",
                       ir_ops[ins->op].name);
            cx->status = 1;
            return true;
        }
    return false;
}

/* Before tables ask for it. */
static void
own_interval(struct pass_ctx *cx, struct ir_func *g, uint32_t i)
{
    if (interval_infer(cx->scratch, g, i))
        return;
    diag_error(cx->diag, g->ins[i].at, E_integer_overflow,
               "this integer needs more than 62 bits");
    cx->status = 1;
}

struct ir_func *
pass_fuse(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    bool *function = arena_new(cx->scratch, bool, f->n);
    struct ir_func *g = ir_func_like(cx->out, f);

    for (uint32_t i = 0; i < f->n && !cx->status; i++) {
        const struct ir_ins *ins = &f->ins[i];
        struct chain c = { .f = f, .quant = i };

        function[i] = is_function(ins, function);
        if (function[i])
            continue;
        if (ins->op != IR_quant || !ins->type.enc) {
            if (leaves_chain(cx, ins, function))
                break;
            map[i] = ir_copy(g, ins, map);
            if (interval_is_own(g, map[i].id)) {
                interval_of_operands(cx->scratch, g, map[i].id);
                own_interval(cx, g, map[i].id);
            }
            continue;
        }
        c.in_chain = arena_new(cx->scratch, bool, i + 1);
        map[i] = fuse(cx, g, &c, map);
    }
    return cx->status ? NULL : g;
}
