/* An answer c + sum_i w_i x_i of results of tables has the noise of a table
 * times the norm of w, beside a step of 2^-bits.  Cut in digits of a radix,
 *
 *     w_i = sum_d B^d w_(i,d),    v_d = c_d + sum_i w_(i,d) x_i,
 *     v = sum_d B^d v_d           at the client,
 *
 * each sum has fewer bits and a smaller norm, and no table is read twice: what
 * grows is the answer.  lang-spec/crypto.md (97).
 */
#include "passes/answers.h"

#include "passes/affine.h"
#include "passes/interval.h"

#include <math.h>

/* log2 of range times norm, above which digits are tried */
static const double hard = 15;

/* of the matrix of a digit */
static const double most_weights = 1 << 22;

struct cut {
    struct pass_ctx *cx;
    const struct ir_func *f;
    struct ir_func *g;
    const struct affine *a;
    const ir_ref *map;
    bool asked; /* for all answers */
    unsigned digits;
    int64_t radix;
};

/* The lowest of n digits of *w, which loses it; the last is all of it. */
static int64_t
digit(int64_t *w, int64_t radix, bool last)
{
    int64_t r = *w;

    if (last)
        return r;
    r = *w % radix;
    if (r < -(radix / 2))
        r += radix;
    if (r >= radix - radix / 2)
        r -= radix;
    *w = (*w - r) / radix;
    return r;
}

/* Of the digit d sums of value v: their hull, and the largest norm. */
struct spread {
    double lo, hi, norm2;
};

static struct spread
spread_of(const struct cut *c, ir_ref v, unsigned d)
{
    struct spread all = { (double)INFINITY, -(double)INFINITY, 0 };

    for (size_t e = 0; e < ir_count(&ir_at(c->f, v)->type); e++) {
        const struct affine_row *r = &c->a->rows[v.id][e];
        struct spread own = { 0 };

        for (uint32_t t = 0; t <= r->n; t++) {
            int64_t w = t < r->n ? r->weight[t] : r->constant, x = 0;
            const struct ir_type *o =
                t < r->n ? &ir_at(c->f, c->a->origin[r->origin[t]].op)->type
                         : NULL;

            for (unsigned i = 0; i <= d; i++)
                x = digit(&w, c->radix, i + 1 == c->digits);
            own.lo += (double)x * (o ? (double)(x > 0 ? o->ilo : o->ihi) : 1);
            own.hi += (double)x * (o ? (double)(x > 0 ? o->ihi : o->ilo) : 1);
            own.norm2 += o ? (double)x * (double)x : 0;
        }
        all.lo = fmin(all.lo, own.lo);
        all.hi = fmax(all.hi, own.hi);
        all.norm2 = fmax(all.norm2, own.norm2);
    }
    return all;
}

/* log2 of what the hardest digit asks for */
static double
hardness(const struct cut *c, ir_ref v)
{
    double most = 0;

    for (unsigned d = 0; d < c->digits; d++) {
        const struct spread s = spread_of(c, v, d);

        most = fmax(most,
                    ceil(log2(s.hi - s.lo + 1)) + log2(fmax(s.norm2, 1)) / 2);
    }
    return most;
}

/* Sums of tables only, of a size that a matrix may have. */
static bool
is_cut(const struct cut *c, uint32_t i, double *elements)
{
    const struct ir_ins *ins = &c->f->ins[i];
    double n = 0;
    bool table = false;

    if (ins->op != IR_decrypt || !c->a->rows[ins->in[0].id])
        return false;
    for (size_t e = 0; e < ir_count(&ins->type); e++) {
        const struct affine_row *r = &c->a->rows[ins->in[0].id][e];

        for (uint32_t t = 0; t < r->n; t++) {
            const struct ir_ins *o = ir_at(c->f, c->a->origin[r->origin[t]].op);

            if (o->op == IR_forest)
                return false;
            table = table || o->op == IR_lut;
            n += (double)ir_count(&o->type);
        }
    }
    *elements = n;
    return table && (c->asked || hardness(c, ins->in[0]) >= hard);
}

static struct cut
open_cut(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref bad;

    return (struct cut){ .cx = cx,
                         .f = f,
                         .a = affine_new(cx->scratch, f, &bad),
                         .asked = ir_get(f, "answers.digits", 0) > 1,
                         .digits = 1,
                         .radix = 2 };
}

bool
answers_are_hard(struct pass_ctx *cx, const struct ir_func *f)
{
    struct cut c = open_cut(cx, f);
    double ignored;
    bool any = false;

    for (uint32_t i = 0; c.a && i < f->n; i++)
        any = any || is_cut(&c, i, &ignored);
    return any;
}

/* ---- building */

/* 2 3 4 6 8 12 .. */
static void
choose_radix(struct cut *c, ir_ref v)
{
    double least = (double)INFINITY;
    int64_t best = 2;

    for (int64_t p = 2; p <= 256; p *= 2)
        for (int64_t radix = p; radix <= p + p / 2; radix += p / 2) {
            double own;

            c->radix = radix;
            own = hardness(c, v);
            if (own < least)
                least = own, best = radix;
        }
    c->radix = best;
}

/* Where the origins of v stand in a vector of whole values. */
struct sources {
    ir_ref *op; /* of f */
    size_t n;
    uint32_t *first; /* of each op of f */
    uint32_t length;
};

static struct sources
sources_of(const struct cut *c, ir_ref v)
{
    struct arena *mem = c->cx->scratch;
    struct sources s = { arena_new(mem, ir_ref, c->f->n), 0,
                         arena_new(mem, uint32_t, c->f->n), 0 };
    bool *has = arena_new(mem, bool, c->f->n);

    for (size_t e = 0; e < ir_count(&ir_at(c->f, v)->type); e++)
        for (uint32_t t = 0; t < c->a->rows[v.id][e].n; t++)
            has[c->a->origin[c->a->rows[v.id][e].origin[t]].op.id] = true;
    for (uint32_t i = 0; i < c->f->n; i++)
        if (has[i]) {
            s.op[s.n++] = (ir_ref){ i };
            s.first[i] = s.length;
            s.length += (uint32_t)ir_count(&c->f->ins[i].type);
        }
    return s;
}

static ir_ref
vector(const struct cut *c, const struct sources *s, struct span at)
{
    ir_ref *part = arena_new(c->cx->scratch, ir_ref, s->n);

    for (size_t i = 0; i < s->n; i++) {
        const ir_ref x = c->map[s->op[i].id];
        struct ir_type t = ir_at(c->g, x)->type;

        t.dim[0] = (uint32_t)ir_count(&t);
        t.rank = 1;
        part[i] = ir_build_typed(c->g, IR_reshape, at, &x, 1, NULL, &t);
    }
    return s->n == 1 ? part[0]
                     : ir_build(c->g, IR_concat, at, part, s->n, NULL);
}

/* digit d of the answer v, decrypted: [n] */
static ir_ref
part_of(const struct cut *c, const struct sources *s, ir_ref x, ir_ref v,
        unsigned d, struct span at)
{
    const size_t n = ir_count(&ir_at(c->f, v)->type);
    union ir_cell *weight =
        arena_new(c->cx->scratch, union ir_cell, s->length * n);
    union ir_cell *base = arena_new(c->cx->scratch, union ir_cell, n);
    const struct spread h = spread_of(c, v, d);
    union ir_attrs as = { .proved = { .lo = (int64_t)h.lo,
                                      .hi = (int64_t)h.hi } };
    ir_ref y, w;

    for (size_t e = 0; e < n; e++) {
        const struct affine_row *r = &c->a->rows[v.id][e];

        for (uint32_t t = 0; t <= r->n; t++) {
            int64_t all = t < r->n ? r->weight[t] : r->constant, own = 0;
            const struct affine_origin *o =
                t < r->n ? &c->a->origin[r->origin[t]] : NULL;

            for (unsigned i = 0; i <= d; i++)
                own = digit(&all, c->radix, i + 1 == c->digits);
            if (o)
                weight[(s->first[o->op.id] + o->element) * n + e].i += own;
            else
                base[e].i = own;
        }
    }
    w = pass_matrix(c->g, at, IR_PARAM, s->length, n, weight);
    y = ir_build2(c->g, IR_matmul, at, x, w);
    w = pass_matrix(c->g, at, IR_PARAM, n, 0, base);
    y = ir_build2(c->g, IR_add, at, y, w);
    y = ir_build(c->g, IR_proved, at, &y, 1, &as);
    return ir_build1(c->g, IR_decrypt, at, y);
}

static ir_ref
in_digits(struct cut *c, const struct ir_ins *ins)
{
    const ir_ref v = ins->in[0];
    const struct ir_type own =
        ir_type_of(IR_INT, ins->type.rank, ins->type.dim);
    const struct sources s = sources_of(c, v);
    union ir_cell power = { .i = 1 };
    ir_ref x, sum = { 0 };

    choose_radix(c, v);
    x = vector(c, &s, ins->at);
    for (unsigned d = 0; d < c->digits; d++, power.i *= c->radix) {
        ir_ref y = part_of(c, &s, x, v, d, ins->at);
        ir_ref w;

        if (d > 0) {
            w = pass_matrix(c->g, ins->at, IR_CONST, 1, 0, &power);
            y = ir_build2(c->g, IR_mul, ins->at, y, w);
        }
        sum = d ? ir_build2(c->g, IR_add, ins->at, sum, y) : y;
    }
    return ir_build_typed(c->g, IR_reshape, ins->at, &sum, 1, NULL, &own);
}

struct ir_func *
answers_split(struct pass_ctx *cx, const struct ir_func *f, unsigned digits)
{
    struct pass_ctx inner = { cx->scratch, cx->scratch, cx->diag, 0, 0 };
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct cut c = open_cut(cx, f);
    struct ir_func *g;
    bool any = false;

    c.g = ir_func_like(cx->scratch, f);
    c.map = map;
    for (uint32_t i = 0; c.a && i < f->n; i++) {
        const uint32_t first = c.g->n;
        double elements = 0;

        c.digits = 1;
        if (is_cut(&c, i, &elements) && elements <= most_weights) {
            c.digits = digits;
            map[i] = in_digits(&c, &f->ins[i]);
            any = true;
        } else {
            map[i] = ir_copy(c.g, &f->ins[i], map);
        }
        for (uint32_t j = first; j < c.g->n; j++)
            c.g->ins[j].from = i + 1; /* the report's row */
    }
    g = any ? pass_dce(&inner, c.g) : NULL;
    inner.out = cx->out;
    return g ? pass_range(&inner, g) : NULL;
}
