/* Integers of the circuit become ciphertexts.
 *
 *     encrypt                  glwe.encrypt, glwe.extract
 *     what is open             stays, and lwe.trivial or lwe.mul_open where it
 *                              meets what is encrypted
 *     add sub neg mul matmul   lwe.*, clear operands as their constants
 *     lut, low_bit             lwe.keyswitch, lwe.pbs, and see form.h
 *     a wide lut               lwe.bit_lut
 *     proved                   nothing, or another exponent
 *     decrypt                  lwe.answer, lwe.decrypt
 *     forest                   leveled_lower.c
 *
 * What runs at the client stays as it is.  A linear value has the largest
 * exponent of its operands (encode.h); the others are multiplied by a power of
 * two, as late as possible.
 */
#include "passes/tables.h"

#include "passes/affine.h"
#include "passes/encode.h"
#include "passes/form.h"
#include "passes/leveled.h"
#include "passes/share.h"

#include <math.h>
#include <string.h>

struct lowering {
    struct pass_ctx *cx;
    const struct ir_func *f;
    struct ir_func *g;
    struct arena *scratch;
    const struct form *form; /* of each lut */
    const uint8_t *need;
    ir_ref *map; /* of a value: its ciphertexts, or its copy if clear */
    const struct affine *affine;
    const bool *grown; /* what depends on a forest */
    /* [value][exponent]: the op, plus one, that raises or switches it */
    uint32_t (*raised)[64], (*switched)[64];
};

static const struct ir_type *
type(const struct lowering *l, ir_ref v)
{
    return &ir_at(l->f, v)->type;
}

static bool
encrypted(const struct lowering *l, ir_ref v)
{
    return pass_encrypted(type(l, v));
}

static const struct ir_blob *
constant(const struct lowering *l, ir_ref v)
{
    const struct ir_blob *b;

    if (!pass_constant(l->f, v, &b))
        bug("%%%u is clear at the server and no constant", v.id);
    return b;
}

/* an op with one operand and the name of a blob */
static ir_ref
with_blob(struct lowering *l, enum ir_op op, struct span at, ir_ref v,
          const char *name)
{
    union ir_attrs as = { .lwe_gather = { .index = name } };

    return ir_build(l->g, op, at, &v, 1, &as);
}

/* Integers of the shape of *t, all x until they are set. */
static union ir_cell *
cells(struct lowering *l, const struct ir_type *t, int64_t x)
{
    const size_t n = ir_count(t);
    union ir_cell *cell = arena_new(l->scratch, union ir_cell, n);

    for (size_t i = 0; i < n; i++)
        cell[i].i = x;
    return cell;
}

static const char *
integers(struct lowering *l, enum ir_blob_kind kind, const struct ir_type *t,
         const union ir_cell *cell)
{
    const struct ir_type own = ir_type_of(IR_INT, t->rank, t->dim);

    return ir_blob_add(l->g, NULL, kind, &own, cell)->name;
}

static bool
is_open(const struct lowering *l, ir_ref v)
{
    return type(l, v)->open;
}

/* the ciphertexts of v, of exponent e; of what is open, without noise */
static ir_ref
raised(struct lowering *l, struct span at, ir_ref v, unsigned e)
{
    const ir_ref x = l->map[v.id];
    struct ir_type t = ir_at(l->g, x)->type;
    uint32_t *memo = &l->raised[v.id][e];
    union ir_attrs as = { 0 };

    if (t.open) {
        as.lwe_trivial.log2_delta = e;
        if (!*memo)
            *memo = ir_build(l->g, IR_lwe_trivial, at, &x, 1, &as).id + 1;
        return (ir_ref){ *memo - 1 };
    }
    if (t.log2_delta == e)
        return x;
    if (t.log2_delta > e)
        bug("%%%u has exponent %u, %u is wanted", v.id, t.log2_delta, e);
    if (!*memo) {
        as.lwe_mul_clear.data = integers(
            l, IR_CONST, &t, cells(l, &t, (int64_t)1 << (e - t.log2_delta)));
        t.log2_delta = (uint8_t)e;
        *memo =
            ir_build_typed(l->g, IR_lwe_mul_clear, at, &x, 1, &as, &t).id + 1;
    }
    return (ir_ref){ *memo - 1 };
}

/* the largest exponent among the encrypted operands */
static unsigned
common(const struct lowering *l, const struct ir_ins *ins)
{
    unsigned e = 0;

    for (size_t j = 0; j < ins->nin; j++) {
        const ir_ref v = ins->in[j];

        if (encrypted(l, v) && !is_open(l, v)
            && ir_at(l->g, l->map[v.id])->type.log2_delta > e)
            e = ir_at(l->g, l->map[v.id])->type.log2_delta;
    }
    return e;
}

/* x in the shape of *to: index[i] is the element that goes to place i */
static ir_ref
moved(struct lowering *l, struct span at, ir_ref x, const struct ir_type *to,
      const union ir_cell *index)
{
    return with_blob(l, IR_lwe_gather, at, x, integers(l, IR_CONST, to, index));
}

static ir_ref
shaped(struct lowering *l, struct span at, ir_ref x, const struct ir_type *to)
{
    union ir_cell *index;

    if (ir_same_shape(&ir_at(l->g, x)->type, to))
        return x;
    index = cells(l, to, 0);
    for (size_t i = 0; i < ir_count(to); i++)
        index[i].i = (int64_t)i;
    return moved(l, at, x, to, index);
}

/* which element of operand v each element of ins has */
static union ir_cell *
repeated(struct lowering *l, const struct ir_ins *ins, ir_ref v)
{
    union ir_cell *index = cells(l, &ins->type, 0);

    for (size_t i = 0; i < ir_count(&ins->type); i++)
        index[i].i = (int64_t)ir_broadcast_index(&ins->type, type(l, v), i);
    return index;
}

/* the ciphertexts of operand v of ins, repeated to the shape of the result */
static ir_ref
spread(struct lowering *l, const struct ir_ins *ins, ir_ref v)
{
    const ir_ref x = raised(l, ins->at, v, common(l, ins));
    union ir_cell *index;

    if (ir_same_shape(type(l, v), &ins->type))
        return x;
    index = repeated(l, ins, v);
    return moved(l, ins->at, x, &ins->type, index);
}

/* the same of a constant, times sign over 2^twos */
static const char *
spread_clear(struct lowering *l, const struct ir_ins *ins, ir_ref v, int sign,
             unsigned twos)
{
    const struct ir_blob *b = constant(l, v);
    union ir_cell *cell = cells(l, &ins->type, 0);

    for (size_t i = 0; i < ir_count(&ins->type); i++)
        cell[i].i = sign
                    * b->cell[ir_broadcast_index(&ins->type, &b->type, i)].i
                    / ((int64_t)1 << twos);
    return integers(l, b->kind, &ins->type, cell);
}

/* x + y, x - y, x + c, x - c, c - x */
static ir_ref
sum_of_two(struct lowering *l, const struct ir_ins *ins)
{
    const bool minus = ins->op == IR_sub;
    const size_t enc = encrypted(l, ins->in[0]) ? 0 : 1;
    const ir_ref clear = ins->in[1 - enc];
    ir_ref x = spread(l, ins, ins->in[enc]);

    if (encrypted(l, clear))
        return ir_build2(l->g, minus ? IR_lwe_sub : IR_lwe_add, ins->at, x,
                         spread(l, ins, clear));
    if (minus && enc == 1)
        x = ir_build1(l->g, IR_lwe_neg, ins->at, x);
    return with_blob(
        l, IR_lwe_add_clear, ins->at, x,
        spread_clear(l, ins, clear, minus && enc == 0 ? -1 : 1, 0));
}

static ir_ref
product(struct lowering *l, const struct ir_ins *ins)
{
    const size_t enc = encrypted(l, ins->in[0]) ? 0 : 1;
    const ir_ref clear = ins->in[1 - enc];
    unsigned twos = encode_twos(l->f, ins);
    union ir_attrs as = { 0 };
    struct ir_type t;
    ir_ref x;

    if (encrypted(l, clear))
        bug("a product of two encrypted values");
    x = spread(l, ins, ins->in[enc]);
    t = ir_at(l->g, x)->type;
    if (twos > t.log2_delta)
        twos = t.log2_delta;
    t.log2_delta = (uint8_t)(t.log2_delta - twos);
    as.lwe_mul_clear.data = spread_clear(l, ins, clear, 1, twos);
    return ir_build_typed(l->g, IR_lwe_mul_clear, ins->at, &x, 1, &as, &t);
}

/* What is open, repeated to the shape of the result of ins, as integers. */
static ir_ref
spread_open(struct lowering *l, const struct ir_ins *ins, ir_ref v)
{
    const ir_ref x = l->map[v.id];
    union ir_attrs as = { 0 };
    union ir_cell *index;

    if (ir_same_shape(type(l, v), &ins->type))
        return x;
    index = repeated(l, ins, v);
    as.gather.index = integers(l, IR_CONST, &ins->type, index);
    return ir_build(l->g, IR_gather, ins->at, &x, 1, &as);
}

/* x y, one of which the server sees */
static ir_ref
open_product(struct lowering *l, const struct ir_ins *ins)
{
    const size_t open = is_open(l, ins->in[0]) ? 0 : 1;
    const ir_ref x = spread(l, ins, ins->in[1 - open]);

    return ir_build2(l->g, IR_lwe_mul_open, ins->at, x,
                     spread_open(l, ins, ins->in[open]));
}

/* out[i] = in[index of i in the transposed matrix]; *to is its type */
static union ir_cell *
transposition(struct lowering *l, const struct ir_type *from,
              struct ir_type *to)
{
    const size_t rows = from->dim[0], cols = from->dim[1];
    union ir_cell *index;

    *to = *from;
    to->dim[0] = from->dim[1];
    to->dim[1] = from->dim[0];
    index = cells(l, to, 0);
    for (size_t i = 0; i < rows * cols; i++)
        index[i].i = (int64_t)(i % rows * cols + i / rows);
    return index;
}

static ir_ref
transposed(struct lowering *l, struct span at, ir_ref x)
{
    const struct ir_type from = ir_at(l->g, x)->type;
    struct ir_type to;
    const union ir_cell *index;

    if (from.rank < 2)
        return x;
    index = transposition(l, &from, &to);
    return moved(l, at, x, &to, index);
}

static const char *
transposed_clear(struct lowering *l, const struct ir_blob *b)
{
    struct ir_type to;
    union ir_cell *cell;

    if (b->type.rank < 2)
        return b->name;
    cell = transposition(l, &b->type, &to);
    for (size_t i = 0; i < ir_count(&to); i++)
        cell[i] = b->cell[cell[i].i];
    return integers(l, b->kind, &to, cell);
}

/* x w, or w x = (x' w')' */
static ir_ref
matrix_product(struct lowering *l, const struct ir_ins *ins)
{
    const bool left = !encrypted(l, ins->in[0]);
    const ir_ref v = ins->in[left ? 1 : 0];
    const struct ir_blob *w = constant(l, ins->in[left ? 0 : 1]);
    ir_ref x = l->map[v.id];

    if (!left)
        return with_blob(l, IR_lwe_matmul_clear, ins->at, x, w->name);
    x = transposed(l, ins->at, x);
    x = with_blob(l, IR_lwe_matmul_clear, ins->at, x, transposed_clear(l, w));
    return transposed(l, ins->at, x);
}

/* Ciphertexts of public numbers: those of x times 0, plus the numbers. */
static ir_ref
trivial(struct lowering *l, struct span at, const struct ir_blob *b, ir_ref x)
{
    const struct ir_type *t = &b->type;

    x = moved(l, at, x, t, cells(l, t, 0));
    x = with_blob(l, IR_lwe_mul_clear, at, x,
                  integers(l, IR_CONST, t, cells(l, t, 0)));
    return with_blob(l, IR_lwe_add_clear, at, x, b->name);
}

static ir_ref
joined(struct lowering *l, const struct ir_ins *ins)
{
    const unsigned e = common(l, ins);
    ir_ref *in = arena_new(l->scratch, ir_ref, ins->nin);
    ir_ref some = { 0 };

    for (size_t j = 0; j < ins->nin; j++)
        if (encrypted(l, ins->in[j]))
            some = in[j] = raised(l, ins->at, ins->in[j], e);
    for (size_t j = 0; j < ins->nin; j++)
        if (!encrypted(l, ins->in[j]))
            in[j] = trivial(l, ins->at, constant(l, ins->in[j]), some);
    return ir_build(l->g, IR_lwe_concat, ins->at, in, ins->nin, NULL);
}

static ir_ref
keyswitched(struct lowering *l, struct span at, ir_ref v, unsigned e)
{
    uint32_t *memo = &l->switched[v.id][e];

    if (!*memo)
        *memo =
            ir_build1(l->g, IR_lwe_keyswitch, at, raised(l, at, v, e)).id + 1;
    return (ir_ref){ *memo - 1 };
}

/* The numbers of rows, as elements of the shape of *t. */
static const char *
by_row(struct lowering *l, const struct ir_type *t, const int64_t *row,
       uint32_t rows)
{
    union ir_cell *cell = cells(l, t, 0);

    for (size_t i = 0; i < ir_count(t); i++)
        cell[i].i = row[i % rows];
    return integers(l, IR_PARAM, t, cell);
}

/* the same ciphertexts, of a larger exponent: their messages are halved */
static ir_ref
relabelled(struct lowering *l, struct span at, ir_ref x, unsigned by)
{
    struct ir_type t = ir_at(l->g, x)->type;
    union ir_attrs as = { 0 };

    if (by == 0)
        return x;
    as.lwe_mul_clear.data = integers(l, IR_CONST, &t, cells(l, &t, 1));
    t.log2_delta = (uint8_t)(t.log2_delta + by);
    return ir_build_typed(l->g, IR_lwe_mul_clear, at, &x, 1, &as, &t);
}

/* + constant, and then relabelled */
static ir_ref
moved_by(struct lowering *l, struct span at, ir_ref x, const struct form *m)
{
    struct ir_type t = ir_at(l->g, x)->type;
    union ir_attrs as = { 0 };

    if (!m->moved)
        return relabelled(l, at, x, m->halved);
    as.lwe_add_clear.data = by_row(l, &t, m->constant, m->rows);
    t.log2_delta = (uint8_t)(t.log2_delta + m->halved);
    return ir_build_typed(l->g, IR_lwe_add_clear, at, &x, 1, &as, &t);
}

/* v times slope, of exponent e */
static ir_ref
sloped(struct lowering *l, struct span at, ir_ref v, const struct form *m,
       unsigned e)
{
    const ir_ref x = raised(l, at, v, e);
    const struct ir_type t = ir_at(l->g, x)->type;

    if (m->rows == 1 && m->slope[0] == 1)
        return x;
    return with_blob(l, IR_lwe_mul_clear, at, x,
                     by_row(l, &t, m->slope, m->rows));
}

static ir_ref
bootstrap(struct lowering *l, const struct ir_ins *ins, const struct form *m,
          unsigned e)
{
    const uint32_t dim[2] = { m->rows, 1u << m->bits };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_attrs as = { .lwe_pbs = { .table =
                                           integers(l, IR_PARAM, &t, m->entry),
                                       .offset = m->offset,
                                       .bits = m->bits,
                                       .log2_delta = e } };
    const ir_ref x = keyswitched(l, ins->at, ins->in[0], 63 - m->bits);

    if (ins->op == IR_lut)
        as.lwe_pbs.approx = ins->as.lut.approx;
    return ir_build(l->g, IR_lwe_pbs, ins->at, &x, 1, &as);
}

static ir_ref
bit_lut(struct lowering *l, const struct ir_ins *ins, const struct form *m,
        unsigned e)
{
    const uint32_t dim[2] = { m->rows, 1u << m->bits };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_attrs as = { .lwe_bit_lut = {
                              .table = integers(l, IR_PARAM, &t, m->entry),
                              .offset = m->offset,
                              .bits = m->bits,
                              .log2_delta = e } };
    const ir_ref x = raised(l, ins->at, ins->in[0], 64 - m->bits);

    return ir_build(l->g, IR_lwe_bit_lut, ins->at, &x, 1, &as);
}

/* 2^halved f = slope v + T(v) + constant */
static ir_ref
formed(struct lowering *l, const struct ir_ins *ins, const struct form *m,
       unsigned need)
{
    const unsigned e = need - m->halved;
    ir_ref x, y;

    if (!m->table)
        x = sloped(l, ins->at, ins->in[0], m, e);
    else
        x = m->wide ? bit_lut(l, ins, m, e) : bootstrap(l, ins, m, e);
    if (m->table && m->sloped) {
        y = sloped(l, ins->at, ins->in[0], m, e);
        x = ir_build2(l->g, IR_lwe_add, ins->at, x, y);
    }
    return moved_by(l, ins->at, x, m);
}

/* The lowest bit alone is seen at the top of the torus: v q/2, and there
 *
 *     low_bit = (1 - (-1)^v) / 2,  a table of one entry
 *
 * lang-spec/crypto.md (8). */
static ir_ref
low_bit(struct lowering *l, const struct ir_ins *ins, unsigned need)
{
    static const union ir_cell entry = { .i = -1 };
    int64_t slope = 0, one = 1;
    const struct form m = { .table = true,
                            .halved = 1,
                            .moved = true,
                            .rows = 1,
                            .slope = &slope,
                            .constant = &one,
                            .entry = &entry };

    return formed(l, ins, &m, need);
}

static ir_ref
encrypt(struct lowering *l, const struct ir_ins *ins, uint32_t i)
{
    union ir_attrs as = { .glwe_encrypt = { .log2_delta = l->need[i] } };
    const ir_ref x = ir_build(l->g, IR_glwe_encrypt, ins->at,
                              &l->map[ins->in[0].id], 1, &as);

    return ir_build1(l->g, IR_glwe_extract, ins->at, x);
}

/* How far an answer is flooded, and how many bits it keeps, is for params. */
static ir_ref
decrypt(struct lowering *l, const struct ir_ins *ins)
{
    const struct ir_type *t = type(l, ins->in[0]);
    union ir_attrs reply = { .lwe_answer = { .log2_flood = -1,
                                             .word_bits = 64 } };
    union ir_attrs as = { .lwe_decrypt = { .lo = t->ilo, .hi = t->ihi } };
    ir_ref x = raised(l, ins->at, ins->in[0], encode_answer(t));

    x = ir_build(l->g, IR_lwe_answer, ins->at, &x, 1, &reply);
    return ir_build(l->g, IR_lwe_decrypt, ins->at, &x, 1, &as);
}

static ir_ref
sum(struct lowering *l, const struct ir_ins *ins)
{
    union ir_attrs as = { .lwe_sum = { .axis = ins->as.sum.axis } };

    return ir_build(l->g, IR_lwe_sum, ins->at, &l->map[ins->in[0].id], 1, &as);
}

static ir_ref
lower(struct lowering *l, uint32_t i)
{
    const struct ir_ins *ins = &l->f->ins[i];
    const ir_ref x = ins->nin ? l->map[ins->in[0].id] : (ir_ref){ 0 };

    if (ins->op == IR_decrypt && l->grown[ins->in[0].id])
        return leveled_lower(l->cx, l->f, l->affine, ins, l->g, l->map);
    if (ins->op == IR_decrypt)
        return decrypt(l, ins);
    if (!pass_encrypted(&ins->type) || ins->type.open)
        return ir_copy(l->g, ins, l->map);
    if (l->grown[i])
        return (ir_ref){ 0 }; /* with what is decrypted of it */
    switch ((int)ins->op) {
    case IR_encrypt: return encrypt(l, ins, i);
    case IR_add:
    case IR_sub: return sum_of_two(l, ins);
    case IR_neg: return ir_build1(l->g, IR_lwe_neg, ins->at, x);
    case IR_mul:
        return is_open(l, ins->in[0]) || is_open(l, ins->in[1])
                   ? open_product(l, ins)
                   : product(l, ins);
    case IR_matmul: return matrix_product(l, ins);
    case IR_gather:
        return with_blob(l, IR_lwe_gather, ins->at, x, ins->as.gather.index);
    case IR_reshape: return shaped(l, ins->at, x, &ins->type);
    case IR_concat: return joined(l, ins);
    case IR_sum: return sum(l, ins);
    case IR_lut: return formed(l, ins, &l->form[i], l->need[i]);
    case IR_low_bit: return low_bit(l, ins, l->need[i]);
    case IR_proved: return relabelled(l, ins->at, x, ins->as.proved.shift);
    }
    bug("%s of an encrypted value cannot be lowered", ir_ops[ins->op].name);
}

/* Values that depend on a forest; only linear ones may, and what is decrypted
 * of them.  NULL after a message. */
static const bool *
grown(struct pass_ctx *cx, const struct ir_func *f)
{
    bool *grown = arena_new(cx->scratch, bool, f->n);

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];
        bool from = false;

        if (!pass_encrypted(&ins->type) || ins->type.open)
            continue;
        for (size_t j = 0; j < ins->nin; j++)
            from = from || grown[ins->in[j].id];
        grown[i] = from || ins->op == IR_forest;
        if (!from
            || (ins->op != IR_lut && ins->op != IR_low_bit
                && ins->op != IR_proved && ins->op != IR_forest))
            continue;
        diag_error(cx->diag, ins->at, E_at_server,
                   "a function of a forest's result at the server");
        diag_help(cx->diag, "what uses public numbers only is done by the "
                            "client: make them const");
        cx->status = 1;
        return NULL;
    }
    return grown;
}

static struct ir_func *
lower_all(struct pass_ctx *cx, const struct ir_func *f, const struct form *form)
{
    struct pass_ctx inner = { cx->scratch, cx->scratch, cx->diag, 0, 0 };
    uint8_t *need = arena_new(cx->scratch, uint8_t, f->n);
    struct lowering l = { .f = f,
                          .g = ir_func_like(cx->scratch, f),
                          .scratch = cx->scratch,
                          .form = form,
                          .need = need };
    ir_ref bad;

    l.cx = cx;
    l.grown = grown(cx, f);
    l.affine = l.grown ? affine_new(cx->scratch, f, &bad) : NULL;
    if (!l.affine || !encode_needs(cx, f, form, need))
        return NULL;
    l.map = arena_new(cx->scratch, ir_ref, f->n);
    l.raised = arena_alloc(cx->scratch, f->n, sizeof *l.raised);
    l.switched = arena_alloc(cx->scratch, f->n, sizeof *l.switched);
    for (uint32_t i = 0; i < f->n; i++) {
        const uint32_t first = l.g->n, from = f->ins[i].from;

        l.map[i] = lower(&l, i);
        if (cx->status)
            return NULL;
        for (uint32_t j = first; j < l.g->n; j++)
            l.g->ins[j].from = from ? from : i + 1;
    }
    inner.out = cx->out; /* constants that only ops of the server had */
    return pass_dce(&inner, l.g);
}

/* The forms of all tables; whether one has a slope. */
static bool
forms(struct pass_ctx *cx, const struct ir_func *f, struct form *form,
      bool slopes, unsigned native)
{
    bool any = false;

    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_lut && !f->ins[i].type.open) {
            form[i] = form_of(cx->scratch, f, &f->ins[i], slopes, native);
            any = any || form[i].sloped;
        }
    return any;
}

/* Without messages. */
static struct pass_ctx
quietly(const struct pass_ctx *cx, struct diag *quiet)
{
    *quiet = *cx->diag;
    quiet->errors = DIAG_MAX;
    return (struct pass_ctx){ cx->out, cx->scratch, quiet, 0, 0 };
}

/* What g costs with the parameters that it would get, if that is less than
 * `most`; g NULL: no way. */
static double
price(const struct pass_ctx *cx, const struct ir_func *g, double most)
{
    struct arena out = { 0 }, scratch = { 0 };
    struct diag quiet;
    struct pass_ctx own = quietly(cx, &quiet);
    double cost = (double)INFINITY;

    own.out = &out;
    own.scratch = &scratch;
    own.most = isfinite(most) ? most : cx->most;
    g = g ? pass_noise(&own, g) : NULL;
    g = g ? pass_params(&own, g) : NULL;
    if (g)
        cost = g->params.cost;
    arena_free(&out);
    arena_free(&scratch);
    return cost;
}

/* Slopes spare bootstraps or a bit of them, and bring the noise of what they
 * multiply; sharing spares bootstraps and loses a bit in the modulus switch, or
 * multiplies their noise: every way is priced. */
enum { WAYS = 3 }; /* as they are, shared by interleaving, by products */

static void
lower_ways(struct pass_ctx *cx, const struct ir_func *f,
           const struct tables_choice *c, struct ir_func *way[2 * WAYS])
{
    struct form *form = arena_new(cx->scratch, struct form, f->n);

    for (int slopes = 0; slopes < 2; slopes++) {
        struct ir_func **here = way + WAYS * slopes;

        if ((!forms(cx, f, form, slopes, c->native) && slopes)
            || (c->way >= 0 && c->way / WAYS != slopes))
            continue;
        here[0] = lower_all(cx, f, form);
        for (int how = 0; how < WAYS - 1 && here[0]; how++)
            if (c->way < 0 || c->way % WAYS == how + 1)
                here[how + 1] =
                    share_bootstraps(cx, here[0], (enum share_how)how);
    }
}

struct ir_func *
tables_lower(struct pass_ctx *cx, const struct ir_func *f,
             struct tables_choice *c, double *cost)
{
    struct ir_func *way[2 * WAYS] = { NULL };
    double least = (double)INFINITY;
    struct diag quiet;
    struct pass_ctx inner = quietly(cx, &quiet);
    struct form *form;
    int several = 0;

    lower_ways(&inner, f, c, way);
    if (!cost && c->way >= 0 && way[c->way])
        return way[c->way];
    for (int i = 0; i < 2 * WAYS; i++)
        several += way[i] != NULL;
    for (int i = 0; i < 2 * WAYS; i++) {
        const double own = way[i] && (cost || several > 1)
                               ? price(cx, way[i], least)
                               : (double)INFINITY;

        if (way[i] && (c->way < 0 || own < least))
            least = own, c->way = i;
    }
    if (cost)
        *cost = least;
    if (c->way >= 0 || cost)
        return c->way >= 0 ? way[c->way] : NULL;
    form = arena_new(cx->scratch, struct form, f->n);
    forms(cx, f, form, false, c->native); /* again, with the message */
    return lower_all(cx, f, form);
}
