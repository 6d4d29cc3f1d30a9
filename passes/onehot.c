/* Functions of single inputs need no bootstrap: the client sends where on its
 * grid an input lies, as a thermometer of bits,
 *
 *     T_c = [x > c],  lo <= c < hi,
 *     f(x) = f(lo) + sum_c T_c (f(c + 1) - f(c)),
 *
 * and sums of such functions, over inputs as well, are one product with private
 * weights.  So is what follows from tables of one input by further tables.  The
 * client learns no more than the grid, which it has.
 *
 * An integer whose origins (affine.h) are all functions of one input element
 * each, not all of them linear, is made anew where something else uses it.
 */
#include "passes/onehot.h"

#include "passes/cost.h"
#include "passes/inner.h"
#include "passes/interval.h"
#include "passes/pairs.h"

#include <math.h>
#include <string.h>

enum { MAX_GRID = 4096, MAX_BITS = 8192 };

/* us of one bit: 8 bytes on the link, and its extraction to N words; of one
 * weight, N words of a product */
static const double bit_us = 8 * COST_US_BYTE + 0.86, weight_us = 0.5;

/* An origin as a function of an element of an input; or as a number, the only
 * value, where nothing is left of its input. */
struct function {
    uint32_t op, element;
    bool linear, constant;
    double most; /* of its values, in size */
    size_t n;
    const int64_t *value; /* at lo + i, i < n; NULL: it is none */
};

/* What stands for an element of an input in the new vector. */
struct place {
    uint32_t first; /* its bits, or itself */
    bool used, bits;
};

struct onehot {
    struct pass_ctx *cx;
    const struct ir_func *f;
    struct ir_func *g;
    const struct affine *a;
    struct function *function; /* of each origin */
    bool *convertible, *last;  /* of each op; and used by others */
    bool *copied;
    struct place **place; /* of each encrypt: its elements */
    uint32_t length;      /* of the new vector */
    ir_ref *map;
    ir_ref vector;
};

static const struct ir_type *
type(const struct onehot *o, uint32_t v)
{
    return &o->f->ins[v].type;
}

/* ---- what is a function of one element */

static bool
is_input(const struct ir_ins *ins)
{
    return ins->op == IR_encrypt && ins->type.base == IR_INT && ins->type.ranged
           && ins->type.ihi - ins->type.ilo < MAX_GRID;
}

static void
identity(struct onehot *o, uint32_t i, uint32_t op)
{
    struct function *fn = &o->function[i];
    const struct ir_type *t = type(o, op);
    int64_t *value;

    *fn = (struct function){
        .op = op,
        .element = o->a->origin[i].element,
        .linear = true,
        .most = fmax(fabs((double)t->ilo), fabs((double)t->ihi)),
        .n = (size_t)(t->ihi - t->ilo) + 1,
    };
    value = arena_new(o->cx->scratch, int64_t, fn->n);
    for (size_t c = 0; c < fn->n; c++)
        value[c] = t->ilo + (int64_t)c;
    fn->value = value;
}

/* Sums of functions and of their differences stay far within 64 bits. */
static bool
is_small(const struct onehot *o, const struct affine_row *r)
{
    double most = fabs((double)r->constant);

    for (uint32_t t = 0; t < r->n; t++)
        most += 2 * fabs((double)r->weight[t]) * o->function[r->origin[t]].most;
    return most < 0x1p60;
}

/* What all origins of a row are functions of, but for those that are constant.
 */
static const struct function *
common(const struct onehot *o, const struct affine_row *r)
{
    static const int64_t none = 0;
    static const struct function constant = { .constant = true,
                                              .n = 1,
                                              .value = &none };
    const struct function *first = &constant;

    for (uint32_t t = 0; t < r->n; t++) {
        const struct function *fn = &o->function[r->origin[t]];

        if (!fn->value
            || (!fn->constant && !first->constant
                && (fn->op != first->op || fn->element != first->element)))
            return NULL;
        first = fn->constant ? first : fn;
    }
    return first;
}

/* an op of one element of value v; false where it has none */
static bool
apply(const struct ir_func *f, const struct ir_ins *ins, size_t element,
      int64_t v, int64_t *out)
{
    if (ins->op == IR_low_bit) {
        *out = v & 1;
    } else if (ins->op == IR_proved) {
        *out = v >> ins->as.proved.shift;
    } else {
        const struct ir_blob *b = ir_data(f, ins->as.lut.table);
        const size_t row = element % b->type.dim[0];
        const int64_t at = v + ins->as.lut.offset;

        if (at < 0 || at >= (int64_t)b->type.dim[1])
            return false;
        *out = b->cell[row * b->type.dim[1] + (size_t)at].i;
    }
    return *out >= -PASS_EXACT && *out <= PASS_EXACT;
}

static int64_t
value_at(const struct function *fn, size_t c)
{
    return fn->value[fn->constant ? 0 : c];
}

static void
composed(struct onehot *o, uint32_t i, const struct ir_ins *ins)
{
    const size_t element = o->a->origin[i].element;
    const struct affine_row *r = &o->a->rows[ins->in[0].id][element];
    const struct function *in = common(o, r);
    int64_t *value;

    double most = 0;

    if (!in || !is_small(o, r))
        return;
    value = arena_new(o->cx->scratch, int64_t, in->n);
    for (size_t c = 0; c < in->n; c++) {
        int64_t v = r->constant;

        for (uint32_t t = 0; t < r->n; t++)
            v += r->weight[t] * value_at(&o->function[r->origin[t]], c);
        if (!apply(o->f, ins, element, v, &value[c]))
            return;
        most = fmax(most, fabs((double)value[c]));
    }
    o->function[i] =
        (struct function){ in->op, in->element, false, in->constant,
                           most,   in->n,       value };
}

static void
find_functions(struct onehot *o)
{
    for (uint32_t i = 0; i < o->a->norigins; i++) {
        const uint32_t op = o->a->origin[i].op.id;
        const struct ir_ins *ins = &o->f->ins[op];

        if (is_input(ins))
            identity(o, i, op);
        else if (ins->op == IR_lut || ins->op == IR_low_bit
                 || ins->op == IR_proved)
            composed(o, i, ins);
    }
}

/* ---- what is made anew */

static bool
is_convertible(const struct onehot *o, uint32_t v)
{
    bool any = false;

    if (!o->a->rows[v])
        return false;
    for (size_t e = 0; e < ir_count(type(o, v)); e++) {
        const struct affine_row *r = &o->a->rows[v][e];

        for (uint32_t t = 0; t < r->n; t++) {
            const struct function *fn = &o->function[r->origin[t]];

            if (!fn->value)
                return false;
            any = any || !fn->linear;
        }
        if (!is_small(o, r))
            return false;
    }
    return any;
}

static void
find_last(struct onehot *o)
{
    for (uint32_t i = 0; i < o->f->n; i++)
        o->convertible[i] = is_convertible(o, i);
    for (uint32_t i = 0; i < o->f->n; i++)
        for (size_t j = 0; j < o->f->ins[i].nin; j++)
            if (!o->convertible[i] && o->convertible[o->f->ins[i].in[j].id])
                o->last[o->f->ins[i].in[j].id] = true;
}

/* Elements that a function other than a line reads are sent as bits. */
static void
mark_used(struct onehot *o, uint32_t v)
{
    for (size_t e = 0; e < ir_count(type(o, v)); e++) {
        const struct affine_row *r = &o->a->rows[v][e];

        for (uint32_t t = 0; t < r->n; t++) {
            const struct function *fn = &o->function[r->origin[t]];
            struct place *p;

            if (fn->constant)
                continue;
            if (!o->place[fn->op])
                o->place[fn->op] = arena_new(o->cx->scratch, struct place,
                                             ir_count(type(o, fn->op)));
            p = &o->place[fn->op][fn->element];
            p->used = true;
            p->bits = p->bits || !fn->linear;
        }
    }
}

/* Numbers the places: all bits of an input, then what is linear. */
static void
number_places(struct onehot *o)
{
    for (uint32_t i = 0; i < o->f->n; i++) {
        const size_t n = o->place[i] ? ir_count(type(o, i)) : 0;
        const uint32_t grid = (uint32_t)(type(o, i)->ihi - type(o, i)->ilo);

        for (int bits = 1; bits >= 0; bits--)
            for (size_t e = 0; e < n; e++) {
                struct place *p = &o->place[i][e];

                if (!p->used || p->bits != (bits == 1))
                    continue;
                p->first = o->length;
                o->length += bits ? grid : 1;
            }
    }
}

/* Whether bits cost less than the bootstraps that they replace. */
static bool
is_cheaper(struct onehot *o)
{
    struct pairs *p = arena_new(o->cx->scratch, struct pairs, 1);
    double tables = 0, outputs = 0;

    p->cx = o->cx;
    p->g = o->g;
    for (uint32_t i = 0; i < o->f->n; i++) {
        const struct ir_ins *ins = &o->f->ins[i];
        const double n = (double)ir_count(&ins->type);

        if (o->last[i])
            outputs += n;
        if (o->convertible[i] && (ins->op == IR_lut || ins->op == IR_low_bit)) {
            const struct interval h = interval_hull(o->a, ins->in[0]);
            const unsigned bits = ins->op == IR_lut ? ir_bits(h.lo, h.hi) : 0;

            /* without a padding bit, if it has such a form */
            tables += n * pairs_price(p, bits > 8 ? 8 : bits ? bits - 1 : 0);
        }
    }
    return o->length > 0 && o->length <= MAX_BITS && outputs <= (double)MAX_BITS
           && 1e-3 * o->length * (bit_us + weight_us * outputs) < tables;
}

/* ---- building */

/* elements of v by their places in it, as a column */
static ir_ref
column(struct onehot *o, struct span at, ir_ref v, const union ir_cell *index,
       uint32_t n, size_t rank)
{
    const uint32_t dim[2] = { n, 1 };
    const struct ir_type t = ir_type_of(IR_INT, rank, dim);
    const union ir_attrs as = {
        .gather = { .index =
                        ir_blob_add(o->g, NULL, IR_CONST, &t, index)->name }
    };

    return ir_build(o->g, IR_gather, at, &v, 1, &as);
}

/* the thermometers of n elements, encrypted, one behind the other */
static ir_ref
thermometers(struct onehot *o, uint32_t i, const union ir_cell *index,
             uint32_t n)
{
    const struct ir_ins *ins = &o->f->ins[i];
    const uint32_t grid = (uint32_t)(ins->type.ihi - ins->type.ilo);
    union ir_cell *below = arena_new(o->cx->scratch, union ir_cell, grid);
    ir_ref v = column(o, ins->at, o->map[ins->in[0].id], index, n, 2);
    struct ir_type t;

    for (uint32_t c = 0; c < grid; c++)
        below[c].i = ins->type.ilo + c;
    v = ir_build2(o->g, IR_less, ins->at,
                  pass_matrix(o->g, ins->at, IR_CONST, grid, 0, below), v);
    v = ir_build1(o->g, IR_encrypt, ins->at, v);
    t = ir_at(o->g, v)->type;
    t.rank = 1;
    t.dim[0] = n * grid;
    return ir_build_typed(o->g, IR_reshape, ins->at, &v, 1, NULL, &t);
}

/* The parts of the vector that come of one input; how many. */
static size_t
parts_of(struct onehot *o, uint32_t i, ir_ref *part)
{
    const size_t all = ir_count(type(o, i));
    union ir_cell *index = arena_new(o->cx->scratch, union ir_cell, all);
    size_t parts = 0;

    for (int bits = 1; bits >= 0; bits--) {
        uint32_t n = 0;

        for (size_t e = 0; e < all; e++)
            if (o->place[i][e].used && o->place[i][e].bits == (bits == 1))
                index[n++].i = (int64_t)e;
        if (n && bits && type(o, i)->ihi > type(o, i)->ilo)
            part[parts++] = thermometers(o, i, index, n);
        else if (n && !bits)
            part[parts++] = column(o, o->f->ins[i].at, o->map[i], index, n, 1);
    }
    return parts;
}

static void
make_vector(struct onehot *o, struct span at)
{
    ir_ref *part = arena_new(o->cx->scratch, ir_ref, 2u * o->f->n);
    size_t parts = 0;

    for (uint32_t i = 0; i < o->f->n; i++)
        if (o->place[i])
            parts += parts_of(o, i, part + parts);
    o->vector =
        parts == 1 ? part[0] : ir_build(o->g, IR_concat, at, part, parts, NULL);
}

/* The inputs that are used, and what the client makes them of, come first:
 * values are made anew where some of them are not known yet. */
static void
copy_inputs(struct onehot *o)
{
    bool *needed = arena_new(o->cx->scratch, bool, o->f->n);
    struct span at = { 0, 0 };

    for (uint32_t i = o->f->n; i-- > 0;) {
        needed[i] = needed[i] || o->place[i] || o->f->ins[i].op == IR_input;
        for (size_t j = 0; j < o->f->ins[i].nin && needed[i]; j++)
            needed[o->f->ins[i].in[j].id] = true;
    }
    for (uint32_t i = 0; i < o->f->n; i++)
        if (needed[i]) {
            o->map[i] = ir_copy(o->g, &o->f->ins[i], o->map);
            o->copied[i] = true;
            at = o->place[i] ? o->f->ins[i].at : at;
        }
    make_vector(o, at);
}

/* Adds w fn to column `col` of the weights; the function's value at lo is the
 * result. */
static int64_t
add_weights(const struct onehot *o, union ir_cell *weight, size_t cols,
            const struct function *fn, int64_t w)
{
    const struct place *p;

    if (fn->constant)
        return w * fn->value[0];
    p = &o->place[fn->op][fn->element];
    if (!p->bits) {
        weight[p->first * cols].i += w;
        return 0;
    }
    for (size_t c = 0; c + 1 < fn->n; c++)
        weight[(p->first + c) * cols].i +=
            w * (fn->value[c + 1] - fn->value[c]);
    return w * fn->value[0];
}

/* Bits of one element that are those of an x: the ends of what it adds. */
static void
widen(const struct onehot *o, uint32_t op, size_t element,
      const union ir_cell *weight, size_t cols, struct interval *h)
{
    const struct place *p = &o->place[op][element];
    const struct ir_type *t = type(o, op);
    int64_t sum = 0, lo = 0, hi = 0;

    if (!p->bits) {
        const int64_t w = weight[p->first * cols].i;

        lo = w * (w > 0 ? t->ilo : t->ihi);
        hi = w * (w > 0 ? t->ihi : t->ilo);
    }
    for (int64_t c = 0; p->bits && c < t->ihi - t->ilo; c++) {
        sum += weight[(p->first + (size_t)c) * cols].i;
        lo = sum < lo ? sum : lo;
        hi = sum > hi ? sum : hi;
    }
    h->lo += lo;
    h->hi += hi;
}

static struct interval
interval(const struct onehot *o, const union ir_cell *weight, size_t cols,
         int64_t constant)
{
    struct interval h = { constant, constant };

    for (uint32_t i = 0; i < o->f->n; i++)
        for (size_t e = 0; o->place[i] && e < ir_count(type(o, i)); e++)
            if (o->place[i][e].used)
                widen(o, i, e, weight, cols, &h);
    return h;
}

static ir_ref
made_anew(struct onehot *o, uint32_t v)
{
    const struct ir_ins *ins = &o->f->ins[v];
    const size_t n = ir_count(&ins->type);
    union ir_cell *weight =
        arena_new(o->cx->scratch, union ir_cell, o->length * n);
    union ir_cell *base = arena_new(o->cx->scratch, union ir_cell, n);
    struct interval h = { INT64_MAX, INT64_MIN };
    struct ir_type t = ins->type;
    union ir_attrs as = { 0 };
    ir_ref r;

    for (size_t e = 0; e < n; e++) {
        const struct affine_row *row = &o->a->rows[v][e];
        struct interval own;

        base[e].i = row->constant;
        for (uint32_t k = 0; k < row->n; k++)
            base[e].i += add_weights(
                o, weight + e, n, &o->function[row->origin[k]], row->weight[k]);
        own = interval(o, weight + e, n, base[e].i);
        h.lo = own.lo < h.lo ? own.lo : h.lo;
        h.hi = own.hi > h.hi ? own.hi : h.hi;
    }
    r = ir_build2(o->g, IR_matmul, ins->at, o->vector,
                  pass_matrix(o->g, ins->at, IR_PARAM, o->length, n, weight));
    r = ir_build2(o->g, IR_add, ins->at, r,
                  pass_matrix(o->g, ins->at, IR_PARAM, n, 0, base));
    as.proved.lo = h.lo;
    as.proved.hi = h.hi;
    r = ir_build(o->g, IR_proved, ins->at, &r, 1, &as);
    t.ranged = true;
    t.ilo = h.lo;
    t.ihi = h.hi;
    return ir_build_typed(o->g, IR_reshape, ins->at, &r, 1, NULL, &t);
}

static bool
prepare(struct onehot *o)
{
    ir_ref bad;

    o->a = affine_new(o->cx->scratch, o->f, &bad);
    if (!o->a)
        return false; /* `range` says so */
    o->function = arena_new(o->cx->scratch, struct function, o->a->norigins);
    find_functions(o);
    find_last(o);
    for (uint32_t i = 0; i < o->f->n; i++)
        if (o->last[i])
            mark_used(o, i);
    number_places(o);
    return is_cheaper(o);
}

static struct onehot
open_onehot(struct pass_ctx *cx, const struct ir_func *f, struct ir_func *g)
{
    return (struct onehot){
        .cx = cx,
        .f = f,
        .g = g,
        .convertible = arena_new(cx->scratch, bool, f->n),
        .last = arena_new(cx->scratch, bool, f->n),
        .place = arena_new(cx->scratch, struct place *, f->n),
        .map = arena_new(cx->scratch, ir_ref, f->n),
        .copied = arena_new(cx->scratch, bool, f->n),
    };
}

static bool
is_bootstrap(const struct ir_ins *ins)
{
    return pass_encrypted(&ins->type) && !ins->type.open
           && (ins->op == IR_lut || ins->op == IR_low_bit);
}

bool
onehot_does_all(struct pass_ctx *cx, const struct ir_func *f)
{
    struct onehot o = open_onehot(cx, f, ir_func_like(cx->scratch, f));
    bool any = false, all = true;

    for (uint32_t i = 0; i < f->n; i++)
        any = any || is_bootstrap(&f->ins[i]);
    if (!any)
        return true;
    if (ir_get(f, "one_hot", 1) <= 0 || !prepare(&o))
        return false;
    for (uint32_t i = 0; i < f->n; i++)
        all = all && (o.convertible[i] || !is_bootstrap(&f->ins[i]));
    return all;
}

/* Whether integers of an interval have an entry. */
static bool
in_table(const struct ir_func *g, const struct ir_ins *lut, struct interval h)
{
    const int64_t size = ir_data(g, lut->as.lut.table)->type.dim[1];

    return h.lo >= -lut->as.lut.offset && h.hi < size - lut->as.lut.offset;
}

/* Elements made anew have one interval together: a table of some of them keeps
 * the one that was proved when it was made. */
static struct ir_func *
with_intervals(struct pass_ctx *cx, const struct ir_func *g)
{
    ir_ref *map = arena_new(cx->scratch, ir_ref, g->n), bad;
    const struct affine *a = affine_new(cx->scratch, g, &bad);
    struct ir_func *r = ir_func_like(cx->out, g);

    for (uint32_t i = 0; i < g->n; i++) {
        const struct ir_ins *ins = &g->ins[i];
        const ir_ref in = ins->nin ? ins->in[0] : (ir_ref){ 0 };
        const ir_ref was = map[in.id];

        if (a && ins->op == IR_lut && !in_table(g, ins, interval_hull(a, in))) {
            const int64_t size = ir_data(g, ins->as.lut.table)->type.dim[1];
            const union ir_attrs as = {
                .proved = { .lo = -ins->as.lut.offset,
                            .hi = size - 1 - ins->as.lut.offset }
            };

            map[in.id] = ir_build(r, IR_proved, ins->at, &was, 1, &as);
        }
        map[i] = ir_copy(r, ins, map);
        if (ins->op == IR_lut)
            map[in.id] = was;
    }
    return r;
}

struct ir_func *
pass_onehot(struct pass_ctx *cx, const struct ir_func *f)
{
    struct onehot o = open_onehot(cx, f, ir_func_like(cx->out, f));
    const bool any = ir_get(f, "one_hot", 1) > 0 && prepare(&o);

    if (any)
        copy_inputs(&o);
    for (uint32_t i = 0; i < f->n; i++)
        if (!o.copied[i] && (!any || !o.convertible[i]))
            o.map[i] = ir_copy(o.g, &f->ins[i], o.map);
        else if (any && o.last[i])
            o.map[i] = made_anew(&o, i);
    return any ? with_intervals(cx, o.g) : o.g;
}
