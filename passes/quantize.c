/* Reals to integers with scales.
 *
 * What is encrypted becomes an integer on a grid over its range; linear work
 * becomes integer work (quant_linear.c); a chain of element-wise functions of
 * one integer stays real between a `dequant` and a `quant`, for `fuse` to make
 * a table of.  Integers of the source are exact: their scale is 1.
 */
#include "passes/compare.h"
#include "passes/quant.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const struct ir_ins *
op(const struct quantizer *z, uint32_t i)
{
    return &z->f->ins[i];
}

void
quant_wrong(struct quantizer *z, uint32_t i)
{
    z->q[i].state = QUANT_WRONG;
    z->cx->status = 1;
}

double
quant_setting(const struct quantizer *z, const char *key, const char *name,
              const char *family, double otherwise)
{
    char text[256];
    double value;

    snprintf(text, sizeof text, "%s.%s", key, family);
    value = ir_get(z->f, text, otherwise);
    snprintf(text, sizeof text, "%s.%.*s", key, (int)ir_blob_declared(name),
             name);
    return ir_get(z->f, text, value);
}

unsigned
quant_bits(const struct quantizer *z, const char *name, const char *family,
           unsigned otherwise)
{
    return (unsigned)quant_setting(z, "bits", name, family, otherwise);
}

int64_t
quant_round(struct quantizer *z, struct span at, double x)
{
    if (fabs(x) <= 0x1p62)
        return llrint(x);
    diag_error(z->cx->diag, at, E_integer_overflow,
               "on the grid of this value a constant needs more than 62 bits");
    z->cx->status = 1;
    return 0;
}

static double *
one_scale(struct quantizer *z, double scale)
{
    double *s = arena_new(z->cx->scratch, double, 1);

    *s = scale;
    return s;
}

/* The grid of an integer of so many bits over [lo, hi]:
 *
 *     scale = (hi - lo) / steps, the integers are round(x / scale)
 *
 * They stay within 52 bits: a range far from 0 has no more digits than that. */
static struct quant_grid
even_grid(struct quantizer *z, double lo, double hi, double steps)
{
    const double most = fmax(fabs(lo), fabs(hi));
    double scale = (hi - lo) / steps;
    struct quant_grid g = { .nscale = 1 };

    if (!isfinite(scale))
        scale = fmin(hi / steps - lo / steps, DBL_MAX);
    if (!(scale > 0)) /* one value only */
        scale = fabs(lo) > 0 ? fabs(lo) : 1;
    if (scale < most * 0x1p-51)
        scale = most * 0x1p-51;
    g.scale = one_scale(z, scale);
    g.lo = (int64_t)rint(lo / scale);
    g.hi = g.lo + (int64_t)steps;
    return g;
}

/* The grid that op i, a real, lies on by itself, or one of the asked bits; a
 * symmetric one has as much on both sides of 0. */
static struct quant_grid
grid_of(struct quantizer *z, uint32_t i, const char *name, const char *family,
        unsigned otherwise)
{
    const struct ir_type *t = &op(z, i)->type;
    const unsigned bits = quant_bits(z, name, family, otherwise);
    const double steps = (double)((1ull << bits) - 1);
    const double most = fmax(fabs(t->lo), fabs(t->hi));
    struct quant_grid g;

    if (quant_lattice(z, i, &g))
        return g;
    if (bits > 1 && !(quant_setting(z, "affine", name, family, 1) > 0))
        return even_grid(z, -most, most, steps - 1);
    return even_grid(z, t->lo, t->hi, steps);
}

static const char *
scale_blob(struct quantizer *z, size_t n, const double *scale)
{
    const uint32_t dim = (uint32_t)n;
    const struct ir_type t = ir_type_of(IR_REAL, n > 1, &dim);
    union ir_cell *cell = arena_new(z->cx->scratch, union ir_cell, n);

    for (size_t i = 0; i < n; i++)
        cell[i].r = scale[i];
    return ir_blob_add(z->g, NULL, IR_CONST, &t, cell)->name;
}

static void
on_grid(struct quantizer *z, struct quant *q, const struct quant_grid *g,
        union ir_attrs *as)
{
    q->nscale = g->nscale;
    q->scale = g->scale;
    as->quant.lo = g->lo;
    as->quant.hi = g->hi;
    as->quant.scale = scale_blob(z, g->nscale, g->scale);
}

const char *
quant_input_name(const struct ir_func *f, ir_ref v)
{
    for (;;) {
        const struct ir_ins *ins = ir_at(f, v);
        const struct ir_blob *b;
        size_t j = 0;

        if (ins->op == IR_input)
            return ins->as.input.name;
        while (j < ins->nin && pass_constant(f, ins->in[j], &b))
            j++;
        if (j == ins->nin)
            return "";
        v = ins->in[j];
    }
}

static void
encrypt(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type;
    struct quant *q = &z->q[i];
    ir_ref v = z->q[ins->in[0].id].v;
    union ir_attrs as = { 0 };

    q->state = QUANT_INTEGER;
    q->nscale = 1;
    q->scale = one_scale(z, 1);
    if (t->base == IR_REAL) {
        const struct quant_grid g =
            grid_of(z, i, quant_input_name(z->f, ins->in[0]), "inputs", 8);

        on_grid(z, q, &g, &as);
        v = ir_build(z->g, IR_quant, ins->at, &v, 1, &as);
    } else if (!ir_at(z->g, v)->type.ranged) {
        diag_error(z->cx->diag, ins->at, E_no_range,
                   "nothing says how large this integer can be: give its "
                   "input a range (in LO..HI)");
        quant_wrong(z, i);
        return;
    }
    q->v = ir_build1(z->g, (enum ir_op)ins->op, ins->at, v);
}

/* ---- functions of one integer */

/* The integer of q, in the new function, as the reals that it stands for. */
static ir_ref
as_real(struct quantizer *z, uint32_t i)
{
    const struct quant *q = &z->q[i];
    const struct ir_ins *ins = op(z, i);
    union ir_attrs as = { 0 };
    ir_ref r;

    as.dequant.scale = scale_blob(z, q->nscale, q->scale);
    r = ir_build(z->g, IR_dequant, ins->at, &q->v, 1, &as);
    if (q->offset) {
        struct ir_type t = ins->type;
        const size_t n = ir_count(&t);
        union ir_cell *cell = arena_new(z->cx->scratch, union ir_cell, n);

        t.base = IR_REAL;
        t.ranged = false;
        for (size_t e = 0; e < n; e++)
            cell[e].r = q->offset[e];
        r = ir_build2(z->g, IR_add, ins->at, r,
                      ir_constant(z->g, ins->at, NULL, IR_PARAM, &t, cell));
    }
    return r;
}

/* A constant operand among reals. */
static ir_ref
clear_real(struct quantizer *z, uint32_t i)
{
    const ir_ref v = z->q[i].v;
    const struct ir_blob *b;
    union ir_cell *cell;
    struct ir_type t;

    if (!pass_constant(z->g, v, &b) || b->type.base == IR_REAL)
        return v;
    t = b->type;
    t.base = IR_REAL;
    cell = arena_new(z->cx->scratch, union ir_cell, ir_count(&t));
    for (size_t e = 0; e < ir_count(&t); e++)
        cell[e].r = (double)b->cell[e].i;
    return ir_constant(z->g, op(z, i)->at, NULL, b->kind, &t, cell);
}

/* A call of replay: so many operands are known. */
struct replayed {
    uint32_t op, known;
    ir_ref in[2];
};

/* What is built of op i of a chain, whose operands are known. */
static ir_ref
rebuilt(struct quantizer *z, const struct replayed *a)
{
    const struct ir_ins *ins = op(z, a->op);
    ir_ref r;

    if (ins->op == IR_to_real || ins->op == IR_named)
        return a->in[0];
    r = ir_build(z->g, (enum ir_op)ins->op, ins->at, a->in, ins->nin, &ins->as);
    /* a comparison gives an integer; the chain goes on in reals */
    return ir_at(z->g, r)->type.base == IR_INT
               ? ir_build1(z->g, IR_to_real, ins->at, r)
               : r;
}

/* Op i of f over reals in g, operands first; real[] remembers. */
static ir_ref
replay(struct quantizer *z, uint32_t i, uint32_t root, ir_ref root_real)
{
    struct replayed *call = z->call, *top = call;
    uint32_t made = 0;
    ir_ref r;

    if (i == root)
        return root_real;
    *top = (struct replayed){ .op = i };
    for (;;) { /* chains may be long: no recursion */
        const struct ir_ins *ins = op(z, top->op);

        if (top->known < ins->nin) {
            const uint32_t v = ins->in[top->known].id;

            if (v == root)
                r = root_real;
            else if (z->q[v].state == QUANT_CLEAR)
                r = clear_real(z, v);
            else if (z->real[v].id != UINT32_MAX)
                r = z->real[v];
            else {
                *++top = (struct replayed){ .op = v };
                continue;
            }
        } else {
            r = z->real[top->op] = rebuilt(z, top);
            z->replayed[made++] = top->op;
            if (top == call)
                break;
            top--;
        }
        top->in[top->known++] = r;
    }
    while (made > 0)
        z->real[z->replayed[--made]].id = UINT32_MAX;
    return r;
}

static void
materialise(struct quantizer *z, uint32_t i)
{
    struct quant *q = &z->q[i];
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type;
    union ir_attrs as = { 0 };
    ir_ref r;

    r = replay(z, i, q->root, as_real(z, q->root));
    q->nscale = 1;
    if (t->base == IR_INT) { /* exact; the table will say in what range */
        const bool known =
            t->ranged && t->ilo > -PASS_EXACT && t->ihi < PASS_EXACT;

        q->scale = one_scale(z, 1);
        as.quant.lo = known ? t->ilo : -PASS_EXACT;
        as.quant.hi = known ? t->ihi : PASS_EXACT;
        as.quant.scale = scale_blob(z, 1, q->scale);
    } else {
        const char *name = ins->op == IR_named ? ins->as.named.name : "";
        const struct quant_grid g = grid_of(z, i, name, "activations", 4);

        on_grid(z, q, &g, &as);
    }
    q->made = ir_build(z->g, IR_quant, ins->at, &r, 1, &as);
    q->is_made = true;
}

/* v as an integer, made now if it is a function. */
struct quant *
quant_integer(struct quantizer *z, uint32_t v)
{
    struct quant *q = &z->q[v];

    if (q->state == QUANT_FUNCTION) {
        if (!q->is_made)
            materialise(z, v);
        q->v = q->made;
    }
    return q;
}

static bool
clear_operand(const struct quantizer *z, uint32_t i, size_t j)
{
    return z->q[op(z, i)->in[j].id].state == QUANT_CLEAR;
}

/* Linear in the encrypted operands, the others clear. */
static bool
is_linear(const struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);

    if (ir_ops[ins->op].traits & IR_LINEAR)
        return true;
    if (ins->op == IR_mul || ins->op == IR_matmul)
        return clear_operand(z, i, 0) || clear_operand(z, i, 1);
    return ins->op == IR_div && clear_operand(z, i, 1);
}

/* The integer that v, by itself linear in one, is made of; v if there is none.
 */
static uint32_t
source(const struct quantizer *z, uint32_t v)
{
    const struct ir_ins *ins = op(z, v);
    uint32_t from = v;

    if (!(ir_ops[ins->op].traits & IR_MAP) || !is_linear(z, v))
        return v;
    for (size_t j = 0; j < ins->nin; j++)
        if (!clear_operand(z, v, j)) {
            if (from != v)
                return v;
            from = ins->in[j].id;
        }
    return ir_same_shape(&op(z, from)->type, &ins->type) ? from : v;
}

/* The integer that both are functions of, x and 2 x of x; values come after
 * what they are made of. */
static bool
meet(const struct quantizer *z, uint32_t *a, uint32_t b)
{
    while (*a != b) {
        uint32_t *later = *a > b ? a : &b;
        const uint32_t from = source(z, *later);

        if (from == *later)
            return false;
        *later = from;
    }
    return true;
}

/* The one integer that all encrypted operands are functions of. */
static bool
common_root(const struct quantizer *z, uint32_t i, uint32_t *root, bool *any)
{
    const struct ir_ins *ins = op(z, i);
    bool found = false;

    *any = false;
    for (size_t j = 0; j < ins->nin; j++) {
        const uint32_t v = ins->in[j].id;
        const struct quant *q = &z->q[v];
        const uint32_t own = q->state == QUANT_FUNCTION ? q->root : v;

        if (q->state == QUANT_CLEAR)
            continue;
        *any = *any || q->state == QUANT_FUNCTION;
        if (!found)
            *root = own;
        else if (own != *root && (is_linear(z, i) || !meet(z, root, own)))
            return false;
        found = true;
    }
    return ir_same_shape(&op(z, *root)->type, &ins->type);
}

/* Clear operands of the circuit are constants: what the client computes
 * without encrypting it does not reach the server. */
static bool
clear_is_constant(const struct quantizer *z, uint32_t i)
{
    const struct ir_blob *b;

    for (size_t j = 0; j < op(z, i)->nin; j++)
        if (clear_operand(z, i, j) && !pass_constant(z->f, op(z, i)->in[j], &b))
            return false;
    return true;
}

/* A comparison of a real of the circuit with constants, which stands for
 * itself: of any width. */
static bool
wide_comparison(struct quantizer *z, uint32_t i, ir_ref *v)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_blob *b;
    struct comparison c = { .op = (enum ir_op)ins->op };
    const struct quant *q;
    double *limit;

    if ((ins->op != IR_less && ins->op != IR_less_equal) || z->q[i].is_made)
        return false;
    c.right = clear_operand(z, i, 0);
    q = &z->q[ins->in[c.right ? 1 : 0].id];
    if (q->state != QUANT_INTEGER
        || !pass_constant(z->f, ins->in[c.right ? 0 : 1], &b)
        || b->type.base != IR_REAL
        || !ir_same_shape(&op(z, ins->in[c.right ? 1 : 0].id)->type,
                          &ins->type))
        return false;
    limit = arena_new(z->cx->scratch, double, ir_count(&ins->type));
    for (size_t e = 0; e < ir_count(&ins->type); e++)
        limit[e] = b->cell[ir_broadcast_index(&ins->type, &b->type, e)].r;
    c.v = q->v;
    c.nscale = q->nscale;
    c.scale = q->scale;
    c.offset = q->offset;
    c.limit = limit;
    return compare_reals(z->cx, z->g, ins->at, &c, v);
}

/* Integers of the source, whose scale is 1, to integers. */
static void
of_integer(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    struct quant *q = &z->q[i];
    ir_ref v;

    if (!wide_comparison(z, ins->in[0].id, &v))
        v = quant_integer(z, ins->in[0].id)->v;
    q->state = QUANT_INTEGER;
    q->nscale = 1;
    q->scale = one_scale(z, 1);
    q->v = ir_build(z->g, (enum ir_op)ins->op, ins->at, &v, 1, &ins->as);
}

/* A value whose bits were asked for is a table's, whatever it is made of, and
 * what follows is made of that. */
static void
of_its_own_width(struct quantizer *z, uint32_t i)
{
    const uint32_t v = op(z, i)->in[0].id;
    struct quant *q = &z->q[i];

    q->root = z->q[v].state == QUANT_FUNCTION ? z->q[v].root : v;
    materialise(z, i);
    q->state = QUANT_INTEGER;
    q->v = q->made;
}

/* Integers that the server sees: it computes with them as the client would. */
static bool
is_open_integer(const struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);

    if (!ins->type.open || ins->type.base != IR_INT)
        return false;
    for (size_t j = 0; j < ins->nin; j++)
        if (op(z, ins->in[j].id)->type.base != IR_INT)
            return false;
    return true;
}

static void
open_integer(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    struct quant *q = &z->q[i];
    ir_ref *in = arena_new(z->cx->scratch, ir_ref, ins->nin);

    for (size_t j = 0; j < ins->nin; j++)
        in[j] = clear_operand(z, i, j) ? z->q[ins->in[j].id].v
                                       : quant_integer(z, ins->in[j].id)->v;
    q->state = QUANT_INTEGER;
    q->nscale = 1;
    q->scale = one_scale(z, 1);
    q->v = ir_build_typed(z->g, (enum ir_op)ins->op, ins->at, in, ins->nin,
                          &ins->as, &ins->type);
}

static ir_ref whole(struct quantizer *z, uint32_t i, const double **scale);

/* x y, one of which the server sees: the product of their integers has the
 * product of their scales */
static void
open_product(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const struct ir_type *t = &ins->type;
    struct quant *q = &z->q[i], *of[2];
    const double *scale[2];
    ir_ref v[2];

    for (size_t j = 0; j < 2; j++) {
        v[j] = whole(z, ins->in[j].id, &scale[j]);
        of[j] = &z->q[ins->in[j].id];
    }
    q->state = QUANT_INTEGER;
    q->nscale = of[0]->nscale == 1 && of[1]->nscale == 1 ? 1 : ir_count(t);
    q->scale = arena_new(z->cx->scratch, double, q->nscale);
    for (size_t e = 0; e < q->nscale; e++) {
        q->scale[e] = 1;
        for (size_t j = 0; j < 2; j++)
            q->scale[e] *= scale[j][quant_channel(
                of[j], ir_broadcast_index(t, &op(z, ins->in[j].id)->type, e))];
    }
    q->v = ir_build2(z->g, IR_mul, ins->at, v[0], v[1]);
}

/* A product of two values at the server, one of them open. */
static bool
is_open_product(const struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);

    return ins->op == IR_mul && !clear_operand(z, i, 0)
           && !clear_operand(z, i, 1)
           && (op(z, ins->in[0].id)->type.open
               || op(z, ins->in[1].id)->type.open);
}

static void
server_op(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const bool map = ir_ops[ins->op].traits & IR_MAP;
    uint32_t root = 0;
    bool any, one = map && common_root(z, i, &root, &any);

    if (!clear_is_constant(z, i))
        bug("%s of an encrypted and a clear value", ir_ops[ins->op].name);
    if (is_open_integer(z, i)) {
        open_integer(z, i);
        return;
    }
    if (ins->op == IR_forest) {
        quant_forest(z, i);
        return;
    }
    if (ins->op == IR_low_bit || ins->op == IR_proved) {
        of_integer(z, i);
        return;
    }
    if (ins->op == IR_named) {
        of_its_own_width(z, i);
        return;
    }
    if (one && (any || !is_linear(z, i))) {
        z->q[i].state = QUANT_FUNCTION;
        z->q[i].root = root;
        return;
    }
    if (is_linear(z, i)) {
        quant_linear(z, i);
        return;
    }
    if (is_open_product(z, i)) {
        open_product(z, i);
        return;
    }
    if (map || ins->op == IR_matmul)
        diag_error(z->cx->diag, ins->at, E_two_encrypted,
                   "%s of two encrypted values is not supported yet: a table "
                   "has one encrypted operand",
                   ir_ops[ins->op].name);
    else
        diag_error(z->cx->diag, ins->at, E_at_server,
                   "%s of encrypted values is only supported at the client, "
                   "after the last private operation",
                   ir_ops[ins->op].name);
    quant_wrong(z, i);
}

static ir_ref
factor(struct quantizer *z, uint32_t i, double x)
{
    const struct ir_type t = ir_type_of(IR_INT, 0, NULL);
    const union ir_cell cell = { .i = (int64_t)x };

    return ir_constant(z->g, op(z, i)->at, NULL, IR_CONST, &t, &cell);
}

/* How much finer the grid of q must be for its offsets: half a step of it is to
 * be small beside the range of the value. */
static double
finer(const struct quant *q, const struct ir_type *t)
{
    const double least = 0x1p-8 * (t->hi - t->lo);
    double most = 0, fine = 1;

    for (size_t e = 0; e < ir_count(t); e++) {
        const double s = q->scale[quant_channel(q, e)], x = q->offset[e] / s;

        most = fmax(most, s * fabs(x - rint(x)));
    }
    for (int k = 0; k < 7 && most / fine > least; k++)
        fine *= 2;
    return fine;
}

/* An offset that stays is added as an integer; *scale is that of the sum. */
static ir_ref
whole(struct quantizer *z, uint32_t i, const double **scale)
{
    struct quant *q = quant_integer(z, i);
    struct ir_type t = op(z, i)->type;
    const size_t n = ir_count(&t);
    union ir_cell *cell;
    double fine, *own;
    ir_ref v = q->v;

    *scale = q->scale;
    if (!q->offset || q->state == QUANT_FUNCTION)
        return v;
    fine = finer(q, &t);
    *scale = own = arena_new(z->cx->scratch, double, q->nscale);
    for (size_t c = 0; c < q->nscale; c++)
        own[c] = q->scale[c] / fine;
    if (fine > 1)
        v = ir_build2(z->g, IR_mul, op(z, i)->at, v, factor(z, i, fine));
    cell = arena_new(z->cx->scratch, union ir_cell, n);
    t.base = IR_INT;
    t.ranged = false;
    for (size_t e = 0; e < n; e++)
        cell[e].i = quant_round(z, op(z, i)->at,
                                q->offset[e] / own[quant_channel(q, e)]);
    return ir_build2(z->g, IR_add, op(z, i)->at, v,
                     ir_constant(z->g, op(z, i)->at, NULL, IR_PARAM, &t, cell));
}

static void
decrypt(struct quantizer *z, uint32_t i)
{
    const struct ir_ins *ins = op(z, i);
    const uint32_t from = ins->in[0].id;
    const double *scale;
    ir_ref v = whole(z, from, &scale);
    union ir_attrs as = { 0 };

    v = ir_build1(z->g, IR_decrypt, ins->at, v);
    if (ins->type.base == IR_REAL) {
        as.dequant.scale = scale_blob(z, z->q[from].nscale, scale);
        v = ir_build(z->g, IR_dequant, ins->at, &v, 1, &as);
    }
    z->q[i].v = v;
}

/* The only user of each op. */
static uint32_t *
only_users(struct pass_ctx *cx, const struct ir_func *f)
{
    uint32_t *user = arena_new(cx->scratch, uint32_t, f->n);
    uint32_t *uses = arena_new(cx->scratch, uint32_t, f->n);

    for (uint32_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < f->ins[i].nin; j++) {
            user[f->ins[i].in[j].id] = i;
            uses[f->ins[i].in[j].id]++;
        }
    for (uint32_t i = 0; i < f->n; i++)
        if (uses[i] != 1)
            user[i] = 0;
    return user;
}

static bool
wrong_operand(const struct quantizer *z, uint32_t i)
{
    for (size_t j = 0; j < op(z, i)->nin; j++)
        if (z->q[op(z, i)->in[j].id].state == QUANT_WRONG)
            return true;
    return false;
}

static void
step(struct quantizer *z, uint32_t i, ir_ref *map)
{
    const struct ir_ins *ins = op(z, i);

    if (wrong_operand(z, i)) {
        quant_wrong(z, i);
    } else if (pass_sent(ins)) {
        encrypt(z, i);
    } else if (ins->op == IR_decrypt) {
        decrypt(z, i);
    } else if (pass_encrypted(&ins->type)) {
        server_op(z, i);
    } else {
        for (size_t j = 0; j < ins->nin; j++)
            map[ins->in[j].id] = z->q[ins->in[j].id].v;
        z->q[i].v = ir_copy(z->g, ins, map);
    }
}

struct ir_func *
pass_quantize(struct pass_ctx *cx, const struct ir_func *f)
{
    struct quantizer z = { .cx = cx, .f = f, .g = ir_func_bare(cx->out, f) };
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);

    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        if (b->kind != IR_CALIB)
            ir_blob_copy(z.g, b);
    z.q = arena_new(cx->scratch, struct quant, f->n);
    z.real = arena_new(cx->scratch, ir_ref, f->n);
    for (uint32_t i = 0; i < f->n; i++)
        z.real[i].id = UINT32_MAX;
    z.replayed = arena_new(cx->scratch, uint32_t, f->n);
    z.call = arena_new(cx->scratch, struct replayed, f->n);
    z.user = only_users(cx, f);
    for (uint32_t i = 0; i < f->n; i++)
        step(&z, i, map);
    if (z.thresholds) {
        ir_set(z.g, "thresholds.all", (double)z.thresholds, (struct span){ 0 });
        ir_set(z.g, "thresholds.moved", (double)z.moved, (struct span){ 0 });
    }
    return cx->status ? NULL : z.g;
}
