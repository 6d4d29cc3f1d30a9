/* Affine forms, one op after the other; see affine.h.
 *
 * Rows are merged by ascending origin, so a value that arrives by two ways has
 * one weight, w1 + w2: intervals and noise then add in amplitude, as they must
 * (lang-spec/crypto.md 6.3).
 */
#include "passes/affine.h"

#include "passes/inner.h"
#include "passes/multi_value.h"
#include "passes/twins.h"

#include <string.h>

enum { MAX_BITS = 62 };

struct builder {
    struct affine *a;
    const struct ir_ins *ins;
    size_t n; /* elements of the result */
    struct affine_row *out;
    bool overflow;
};

static int64_t
checked(struct builder *b, int64_t x)
{
    if (x > ((int64_t)1 << MAX_BITS) || x < -((int64_t)1 << MAX_BITS))
        b->overflow = true;
    return x;
}

static int64_t
times(struct builder *b, int64_t x, int64_t y)
{
    int64_t z;

    if (__builtin_mul_overflow(x, y, &z)) {
        b->overflow = true;
        return 0;
    }
    return checked(b, z);
}

static int64_t
plus(struct builder *b, int64_t x, int64_t y)
{
    int64_t z;

    if (__builtin_add_overflow(x, y, &z)) {
        b->overflow = true;
        return 0;
    }
    return checked(b, z);
}

/* x + c y of the constants: integers, which do not wrap; of ciphertexts torus
 * words, which do. */
static int64_t
constants(struct builder *b, int64_t x, int64_t c, int64_t y)
{
    if (ir_ops[b->ins->op].cipher)
        return (int64_t)((uint64_t)x + (uint64_t)c * (uint64_t)y);
    return plus(b, x, times(b, c, y));
}

static void
push(struct affine_row *r, uint32_t *origin, int64_t *weight, uint32_t o,
     int64_t w)
{
    if (w == 0)
        return;
    origin[r->n] = o;
    weight[r->n++] = w;
}

/* x + c y */
static struct affine_row
combine(struct builder *b, const struct affine_row *x,
        const struct affine_row *y, int64_t c)
{
    struct arena *mem = b->a->mem;
    uint32_t *origin = arena_new(mem, uint32_t, x->n + y->n);
    int64_t *weight = arena_new(mem, int64_t, x->n + y->n);
    struct affine_row r = { 0, origin, weight,
                            constants(b, x->constant, c, y->constant) };
    uint32_t i = 0, j = 0;

    while (i < x->n || j < y->n) {
        if (j == y->n || (i < x->n && x->origin[i] < y->origin[j])) {
            push(&r, origin, weight, x->origin[i], x->weight[i]);
            i++;
        } else if (i == x->n || y->origin[j] < x->origin[i]) {
            push(&r, origin, weight, y->origin[j], times(b, c, y->weight[j]));
            j++;
        } else {
            push(&r, origin, weight, x->origin[i],
                 plus(b, x->weight[i], times(b, c, y->weight[j])));
            i++, j++;
        }
    }
    return r;
}

/* sum of terms c[t] row[t]: pairwise, so that merging stays near linear */
static struct affine_row
combine_all(struct builder *b, const struct affine_row **row, const int64_t *c,
            size_t n)
{
    static const struct affine_row zero;
    struct affine_row left, right;

    if (n == 0)
        return zero;
    if (n == 1)
        return combine(b, &zero, row[0], c[0]);
    left = combine_all(b, row, c, n / 2);
    right = combine_all(b, row + n / 2, c + n / 2, n - n / 2);
    return combine(b, &left, &right, 1);
}

static const struct ir_type *
type(const struct builder *b, size_t j)
{
    return &b->a->f->ins[b->ins->in[j].id].type;
}

/* 1 among the messages of the operand, as a torus word */
static int64_t
unit(const struct builder *b)
{
    return (int64_t)(UINT64_C(1) << type(b, 0)->log2_delta);
}

static const struct affine_row *
rows(const struct builder *b, size_t j)
{
    return b->a->rows[b->ins->in[j].id];
}

/* Element i of operand j as a row: clear integers are rows as well. */
static struct affine_row
element(const struct builder *b, size_t j, size_t i)
{
    const struct ir_blob *blob;
    struct affine_row r = { 0 };

    if (rows(b, j))
        return rows(b, j)[i];
    if (!pass_constant(b->a->f, b->ins->in[j], &blob))
        bug("%s of an encrypted and a clear value that is no constant",
            ir_ops[b->ins->op].name);
    r.constant = blob->cell[i].i;
    return r;
}

static uint32_t
new_origin(struct builder *b, size_t element)
{
    struct affine *a = b->a;

    if (a->norigins == a->cap) {
        struct affine_origin *old = a->origin;

        a->cap = a->cap ? 2 * a->cap : 64;
        a->origin = arena_new(a->mem, struct affine_origin, a->cap);
        if (old)
            memcpy(a->origin, old, a->norigins * sizeof *old);
    }
    a->origin[a->norigins] = (struct affine_origin){
        { (uint32_t)(b->ins - a->f->ins) }, (uint32_t)element, a->norigins, 1
    };
    return a->norigins++;
}

/* 1 times the origin */
static struct affine_row
alone(struct builder *b, uint32_t o)
{
    uint32_t *origin = arena_new(b->a->mem, uint32_t, 1);
    int64_t *one = arena_new(b->a->mem, int64_t, 1);

    *origin = o;
    *one = 1;
    return (struct affine_row){ 1, origin, one, 0 };
}

static void
fresh_origins(struct builder *b)
{
    for (size_t i = 0; i < b->n; i++)
        b->out[i] = alone(b, new_origin(b, i));
}

/* Element i of operand j, kept. */
static const struct affine_row *
kept(struct builder *b, size_t j, size_t i)
{
    struct affine_row *r = arena_new(b->a->mem, struct affine_row, 1);

    *r = element(b, j, ir_broadcast_index(&b->ins->type, type(b, j), i));
    return r;
}

/* Element-wise, of what is open: the same elements of the same operands are
 * one, as ciphertexts too. */
static void
open_origins(struct builder *b)
{
    for (size_t i = 0; i < b->n; i++) {
        struct twin_open x = { .ins = b->ins, .origin = b->a->norigins };
        uint32_t o;

        for (size_t j = 0; j < b->ins->nin && j < 2; j++)
            x.in[j] = kept(b, j, i);
        o = twins_open(b->a, &x);
        b->out[i] = alone(b, o == x.origin ? new_origin(b, i) : o);
    }
}

/* Element i of a shared bootstrap, to be told from others. */
static struct twin
twin_of(struct builder *b, size_t i, size_t n)
{
    const union ir_attrs *as = &b->ins->as;
    const struct ir_blob *table = ir_data(b->a->f, as->lwe_pbs_many.table);
    const uint32_t outputs = as->lwe_pbs_many.outputs;
    const size_t turns = table->type.dim[0] / outputs;
    const struct affine_row *in = &rows(b, 0)[i % n];

    return (struct twin){
        .in = in,
        .index = constants(b, in->constant, unit(b), as->lwe_pbs_many.offset),
        .entry = table->cell
                 + ((i / n * turns + i % n % turns) << as->lwe_pbs_many.bits),
        .bits = as->lwe_pbs_many.bits,
        .log2_delta = as->lwe_pbs_many.log2_delta,
        .outputs = outputs,
        .products = as->lwe_pbs_many.products,
        .origin = b->a->norigins,
    };
}

/* Outputs of one rotation are correlated, lang-spec/crypto.md (41): they count
 * as one and its mirror images.  So do the same tables elsewhere, whose noise
 * is the same if all that share the rotation are. */
static void
shared_bootstraps(struct builder *b)
{
    const size_t n = ir_bootstraps(b->a->f, b->ins);

    for (size_t i = 0; i < b->n; i++) {
        const struct twin x = twin_of(b, i, n);
        uint32_t mirror;
        const struct twin *same = twins_add(b->a, &x, &mirror);
        const uint32_t o = new_origin(b, i); /* which moves the array */
        struct affine_origin *at = b->a->origin;

        b->out[i] = alone(b, o);
        if (x.products)
            at[o].gain = multi_gain(x.entry, x.bits);
        if (i >= n)
            at[o].mirror = at[*b->out[i - n].origin].mirror;
        else if (same)
            at[o].mirror = at[same->origin].mirror;
        else if (mirror != o)
            at[o].mirror = at[mirror].mirror;
    }
}

static void
bootstraps(struct builder *b)
{
    const union ir_attrs *as = &b->ins->as;
    const bool wide = b->ins->op == IR_lwe_bit_lut;
    const struct ir_blob *table =
        ir_data(b->a->f, wide ? as->lwe_bit_lut.table : as->lwe_pbs.table);
    const uint32_t bits = wide ? as->lwe_bit_lut.bits : as->lwe_pbs.bits;
    const int64_t offset = wide ? as->lwe_bit_lut.offset : as->lwe_pbs.offset;

    for (size_t i = 0; i < b->n; i++) {
        const struct affine_row *in = &rows(b, 0)[i];
        const struct twin x = {
            .in = in,
            .index = constants(b, in->constant, unit(b), offset),
            .entry = table->cell + (i % table->type.dim[0] << bits),
            .wide = wide,
            .bits = bits,
            .outputs = 1,
            .log2_delta = b->ins->type.log2_delta,
            .origin = b->a->norigins,
        };
        uint32_t mirror;
        const struct twin *same = twins_add(b->a, &x, &mirror);

        if (!same) {
            const uint32_t o = new_origin(b, i); /* which moves the array */

            b->a->origin[o].mirror = mirror;
        }
        b->out[i] = alone(b, same ? same->origin : x.origin);
    }
}

/* add, sub, neg of operands broadcast; sub and neg have c = -1 */
static void
sums(struct builder *b, int64_t c)
{
    static const struct affine_row zero;
    const struct ir_type *out = &b->ins->type;

    for (size_t i = 0; i < b->n; i++) {
        const bool binary = b->ins->nin == 2;
        const size_t last = binary ? 1 : 0;
        struct affine_row y =
            element(b, last, ir_broadcast_index(out, type(b, last), i));
        struct affine_row x = zero;

        if (binary)
            x = element(b, 0, ir_broadcast_index(out, type(b, 0), i));
        b->out[i] = combine(b, &x, &y, c);
    }
}

static void
products(struct builder *b)
{
    const size_t enc = rows(b, 0) ? 0 : 1;
    const struct ir_type *out = &b->ins->type;

    if (rows(b, 0) && rows(b, 1)) { /* x x before fuse, or one is open */
        open_origins(b);
        return;
    }
    for (size_t i = 0; i < b->n; i++) {
        struct affine_row x =
            element(b, enc, ir_broadcast_index(out, type(b, enc), i));
        struct affine_row c =
            element(b, 1 - enc, ir_broadcast_index(out, type(b, 1 - enc), i));
        const struct affine_row *row = &x;

        b->out[i] = combine_all(b, &row, &c.constant, 1);
    }
}

static void
clear_operand(struct builder *b, const char *data, bool product)
{
    const struct ir_blob *blob = ir_data(b->a->f, data);

    for (size_t i = 0; i < b->n; i++) {
        const struct affine_row *x = &rows(b, 0)[i];

        if (product) {
            b->out[i] = combine_all(b, &x, &blob->cell[i].i, 1);
        } else {
            b->out[i] = *x;
            b->out[i].constant =
                constants(b, x->constant, unit(b), blob->cell[i].i);
        }
    }
}

/* out[r][c] = sum_j x[r][j] w[j][c] with x encrypted, or with w encrypted */
static void
matmul(struct builder *b, const struct ir_type *right,
       const union ir_cell *clear, bool clear_left)
{
    const size_t inner = right->dim[0];
    const size_t cols = right->rank == 2 ? right->dim[1] : 1;
    const struct affine_row **row =
        arena_new(b->a->mem, const struct affine_row *, inner);
    int64_t *c = arena_new(b->a->mem, int64_t, inner);

    for (size_t i = 0; i < b->n; i++) {
        for (size_t j = 0; j < inner; j++) {
            const size_t x = i / cols * inner + j, w = j * cols + i % cols;

            row[j] = &rows(b, clear_left ? 1 : 0)[clear_left ? w : x];
            c[j] = clear[clear_left ? x : w].i;
        }
        b->out[i] = combine_all(b, row, c, inner);
    }
}

static void
matmul_op(struct builder *b)
{
    const bool clear_left = !rows(b, 0);
    const struct ir_blob *blob;

    if (rows(b, 0) && rows(b, 1) && b->ins->type.open) {
        fresh_origins(b);
        return;
    }
    if (!pass_constant(b->a->f, b->ins->in[clear_left ? 0 : 1], &blob))
        bug("a product of two encrypted values");
    matmul(b, type(b, 1), blob->cell, clear_left);
}

static void
sum(struct builder *b)
{
    const struct ir_around a = ir_around(type(b, 0), b->ins->as.sum.axis);
    const struct affine_row **row =
        arena_new(b->a->mem, const struct affine_row *, a.length);
    int64_t *one = arena_new(b->a->mem, int64_t, a.length);

    for (size_t i = 0; i < b->n; i++) {
        for (size_t j = 0; j < a.length; j++) {
            row[j] = &rows(
                b, 0)[(i / a.inner * a.length + j) * a.inner + i % a.inner];
            one[j] = 1;
        }
        b->out[i] = combine_all(b, row, one, a.length);
    }
}

static void
gather(struct builder *b, const char *index)
{
    const struct ir_blob *blob = ir_data(b->a->f, index);

    for (size_t i = 0; i < b->n; i++)
        b->out[i] = rows(b, 0)[blob->cell[i].i];
}

static void
concat(struct builder *b)
{
    size_t at = 0;

    for (size_t j = 0; j < b->ins->nin; j++)
        for (size_t i = 0; i < ir_count(type(b, j)); i++)
            b->out[at++] = element(b, j, i);
}

static void
copy(struct builder *b)
{
    memcpy(b->out, rows(b, 0), b->n * sizeof *b->out);
}

static bool
all_integers(const struct builder *b)
{
    for (size_t j = 0; j < b->ins->nin; j++)
        if (type(b, j)->base != IR_INT)
            return false;
    return true;
}

/* The ops that keep integers affine; all others start anew. */
static void
forms(struct builder *b)
{
    const union ir_attrs *as = &b->ins->as;

    switch ((int)b->ins->op) {
    case IR_add:
    case IR_lwe_add: sums(b, 1); return;
    case IR_sub:
    case IR_lwe_sub:
    case IR_neg:
    case IR_lwe_neg: sums(b, -1); return;
    case IR_mul: products(b); return;
    case IR_matmul: matmul_op(b); return;
    case IR_sum:
    case IR_lwe_sum: sum(b); return;
    case IR_gather: gather(b, as->gather.index); return;
    case IR_lwe_gather: gather(b, as->lwe_gather.index); return;
    case IR_concat:
    case IR_lwe_concat: concat(b); return;
    case IR_reshape:
    case IR_lwe_keyswitch:
    case IR_lwe_convert:
    case IR_lwe_answer: copy(b); return;
    case IR_lwe_pbs:
    case IR_lwe_bit_lut: bootstraps(b); return;
    case IR_lwe_pbs_many: shared_bootstraps(b); return;
    case IR_lwe_add_clear:
        clear_operand(b, as->lwe_add_clear.data, false);
        return;
    case IR_lwe_mul_clear:
        clear_operand(b, as->lwe_mul_clear.data, true);
        return;
    case IR_lwe_matmul_clear: {
        const struct ir_blob *w =
            ir_data(b->a->f, as->lwe_matmul_clear.weights);

        matmul(b, &w->type, w->cell, false);
        return;
    }
    }
    if (b->ins->op == IR_lwe_trivial || b->ins->op == IR_lwe_mul_open
        || (b->ins->type.open && b->ins->op != IR_disclose
            && (ir_ops[b->ins->op].traits & IR_MAP) && all_integers(b)))
        open_origins(b);
    else
        fresh_origins(b);
}

static bool
has_forms(const struct ir_ins *ins)
{
    if (ins->type.base == IR_LWE)
        return true;
    return ins->type.base == IR_INT && ins->type.enc
           && !(ir_ops[ins->op].traits & IR_VOID);
}

struct affine *
affine_new(struct arena *mem, const struct ir_func *f, ir_ref *bad)
{
    struct affine *a = arena_new(mem, struct affine, 1);

    a->f = f;
    a->mem = mem;
    a->rows = arena_new(mem, struct affine_row *, f->n);
    for (uint32_t i = 0; i < f->n; i++) {
        struct builder b = { a, &f->ins[i], ir_count(&f->ins[i].type), NULL,
                             false };

        if (!has_forms(b.ins))
            continue;
        b.out = arena_new(mem, struct affine_row, b.n);
        forms(&b);
        a->rows[i] = b.out;
        if (b.overflow) {
            bad->id = i;
            return NULL;
        }
    }
    return a;
}

bool
affine_same_terms(const struct affine_row *x, const struct affine_row *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t t = 0; t < x->n; t++)
        if (x->origin[t] != y->origin[t] || x->weight[t] != y->weight[t])
            return false;
    return true;
}

bool
affine_same(const struct affine_row *x, const struct affine_row *y)
{
    return x->constant == y->constant && affine_same_terms(x, y);
}

uint64_t
affine_hash(uint64_t h, const struct affine_row *r)
{
    for (uint32_t t = 0; t < r->n; t++)
        h = (h ^ r->origin[t] ^ (uint64_t)r->weight[t] << 32)
            * UINT64_C(0x9e3779b97f4a7c15);
    return h;
}
