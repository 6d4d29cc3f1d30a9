/* What must be known to the compiler: initialisers, bounds, lengths.
 *
 * The expression is lowered into a function of its own, which has constants
 * only, and the evaluator computes it: it cannot disagree with the model.
 */
#include "frontend/inner.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool
all_finite(const struct fe_constant *c)
{
    for (size_t i = 0; c->type.base == IR_REAL && i < ir_count(&c->type); i++)
        if (!isfinite(c->cell[i].r))
            return false;
    return true;
}

struct fe_constant
fe_constant(struct fe *fe, const struct ast *a, enum fe_kind kind)
{
    struct ir_func *const outer = fe->f;
    const enum fe_kind was = fe->computing;
    struct fe_constant c = { 0 };
    const union ir_cell **all;
    ir_ref v;

    fe->f = ir_func_new(fe->scratch, "constant");
    fe->computing = was == FE_VALUE ? kind : was;
    v = fe_expr(fe, a);
    if (!fe_is_none(v)) {
        all = arena_new(fe->scratch, const union ir_cell *, fe->f->n);
        ir_eval(fe->scratch, fe->f, NULL, NULL, all);
        c.type = *fe_type(fe, v);
        c.type.ranged = false;
        c.cell = all[v.id];
        if (!all_finite(&c)) {
            diag_error(fe->diag, a->at, E_not_finite,
                       "this constant is not a finite number");
            c.cell = NULL;
        }
    }
    fe->computing = was;
    fe->f = outer;
    return c;
}

/* The param of the model whose values a blob holds, or NULL. */
static const struct fe_name *
param_of(const struct fe *fe, const struct ir_blob *b)
{
    const struct fe_name *n = fe->top;

    while (n && !(n->kind == FE_PARAM && n->blob == b))
        n = n->next;
    return n;
}

/* Marks what op v is computed from, from v down, and finds the first of it;
 * false if some of that is no constant. */
static bool
mark(const struct ir_func *of, ir_ref v, bool *needed, uint32_t *first)
{
    size_t open = 1;

    needed[v.id] = true;
    for (uint32_t i = v.id + 1; open > 0 && i-- > 0;) {
        const struct ir_ins *ins = &of->ins[i];

        if (!needed[i])
            continue;
        open--;
        if (!(ir_ops[ins->op].traits & IR_PURE))
            return false;
        for (size_t j = 0; j < ins->nin; j++)
            if (!needed[ins->in[j].id])
                needed[ins->in[j].id] = true, open++;
        *first = i;
    }
    return true;
}

bool
fe_known(struct fe *fe, const struct ir_func *of, ir_ref v,
         struct fe_constant *out, const struct fe_name **secret)
{
    struct arena_mark m = arena_mark(fe->scratch);
    bool *needed = arena_new(fe->scratch, bool, v.id + 1u);
    const union ir_cell **cell;
    uint32_t first = v.id;

    *secret = NULL;
    if (!mark(of, v, needed, &first)) {
        arena_release(fe->scratch, m);
        return false;
    }
    *out = (struct fe_constant){ .type = ir_at(of, v)->type };
    cell = arena_new(fe->scratch, const union ir_cell *, v.id - first + 1u);
    for (uint32_t i = first; i <= v.id; i++) {
        const struct ir_ins *ins = &of->ins[i];
        const union ir_cell **in =
            arena_new(fe->scratch, const union ir_cell *, ins->nin);

        if (!needed[i])
            continue;
        for (size_t j = 0; j < ins->nin; j++)
            in[j] = cell[ins->in[j].id - first];
        cell[i - first] = ir_eval_ins(fe->scratch, of, ins, in);
        if (ins->op == IR_constant) {
            const struct ir_blob *b = ir_data(of, ins->as.constant.data);

            out->secret = out->secret || b->kind == IR_PARAM;
            if (!*secret)
                *secret = param_of(fe, b);
        }
    }
    out->cell = cell[v.id - first];
    out->type.ranged = false;
    return true;
}

bool
fe_number(struct fe *fe, const struct ast *a, double *out)
{
    const struct fe_constant c = fe_constant(fe, a, FE_CONST);

    if (!c.cell)
        return false;
    if (ir_count(&c.type) != 1) {
        diag_error(fe->diag, a->at, E_shape, "one number stands here");
        return false;
    }
    *out = c.type.base == IR_REAL ? c.cell->r : (double)c.cell->i;
    return true;
}

bool
fe_integer(struct fe *fe, const struct ast *a, int64_t lo, int64_t hi,
           int64_t *out)
{
    const struct fe_constant c = fe_constant(fe, a, FE_CONST);

    if (!c.cell)
        return false;
    if (c.type.base != IR_INT || ir_count(&c.type) != 1 || c.cell->i < lo
        || c.cell->i > hi) {
        diag_error(fe->diag, a->at, E_range,
                   "an integer of %" PRId64 "..%" PRId64 " stands here", lo,
                   hi);
        return false;
    }
    *out = c.cell->i;
    return true;
}

/* ---- types */

/* u1..u16, i2..i16 */
static bool
sized(const char *name, struct ir_type *t)
{
    char *end;
    const long bits = strtol(name + 1, &end, 10);

    if ((*name != 'u' && *name != 'i') || name[1] < '1' || name[1] > '9' || *end
        || bits > 16 || bits < 1 + (*name == 'i'))
        return false;
    t->base = IR_INT;
    t->ranged = true;
    t->ilo = *name == 'i' ? -((int64_t)1 << (bits - 1)) : 0;
    t->ihi = t->ilo + ((int64_t)1 << bits) - 1;
    return true;
}

static bool
read_base(const char *name, struct ir_type *t)
{
    if (strcmp(name, "real") == 0) {
        t->base = IR_REAL;
    } else if (strcmp(name, "int") == 0) {
        t->base = IR_INT;
    } else if (strcmp(name, "bool") == 0) {
        t->base = IR_INT;
        t->ranged = true;
        t->ihi = 1;
    } else {
        return sized(name, t);
    }
    return true;
}

bool
fe_read_type(struct fe *fe, const struct ast *a, struct ir_type *out)
{
    uint64_t count = 1;

    *out = ir_type_of(IR_REAL, 0, NULL);
    if (!read_base(a->text, out)) {
        diag_error(fe->diag, a->at, E_type, "there is no type '%s'", a->text);
        diag_help(fe->diag, "real, bool, int, u1 .. u16, i2 .. i16");
        return false;
    }
    for (const struct ast *k = a->kid; k; k = k->next) {
        int64_t n;

        if (!fe_integer(fe, k, 1, FE_MAX_ELEMENTS, &n))
            return false;
        count *= (uint64_t)n;
        if (out->rank == IR_MAX_RANK || count > FE_MAX_ELEMENTS) {
            diag_error(fe->diag, a->at, E_too_large,
                       "a tensor has at most 2^26 elements and %d axes",
                       IR_MAX_RANK);
            return false;
        }
        out->dim[out->rank++] = (uint32_t)n;
    }
    return true;
}

const char *
fe_type_text(struct fe *fe, const struct ir_type *t)
{
    char text[160];
    size_t len = (size_t)snprintf(text, sizeof text, "%s",
                                  t->base == IR_REAL ? "real" : "int");

    for (size_t i = 0; i < t->rank; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%" PRIu32,
                                i ? ", " : "[", t->dim[i]);
    snprintf(text + len, sizeof text - len, "%s", t->rank ? "]" : "");
    return arena_string(fe->scratch, text, strlen(text));
}

/* ---- a constant and its declaration */

static bool
to_base(struct fe_constant *c, const struct ir_type *want, union ir_cell *cell)
{
    for (size_t i = 0; i < ir_count(&c->type); i++) {
        if (want->base == IR_REAL) {
            cell[i].r = (double)c->cell[i].i;
        } else {
            const double x = c->cell[i].r;

            if (!(fabs(x) <= 0x1p53) || x < rint(x) || x > rint(x))
                return false;
            cell[i].i = (int64_t)x;
        }
    }
    return true;
}

static bool
in_range(struct fe *fe, struct span at, const struct fe_constant *c,
         const struct ir_type *want)
{
    for (size_t i = 0; want->ranged && i < ir_count(want); i++)
        if (c->cell[i].i < want->ilo || c->cell[i].i > want->ihi) {
            diag_error(fe->diag, at, E_data_value,
                       "element %zu is %" PRId64 ", not in %" PRId64
                       "..%" PRId64,
                       i, c->cell[i].i, want->ilo, want->ihi);
            return false;
        }
    return true;
}

/* A single number is one whatever axes of length 1 it has. */
static bool
fits_shape(const struct ir_type *has, const struct ir_type *want)
{
    return ir_same_shape(has, want)
           || (ir_count(has) == 1 && ir_count(want) == 1);
}

bool
fe_fit(struct fe *fe, struct span at, struct fe_constant *c,
       const struct ir_type *want)
{
    if (!fits_shape(&c->type, want)) {
        diag_error(fe->diag, at, E_data_shape, "this is %s, %s is declared",
                   fe_type_text(fe, &c->type), fe_type_text(fe, want));
        return false;
    }
    if (c->type.base != want->base) {
        union ir_cell *cell =
            arena_new(fe->scratch, union ir_cell, ir_count(want));

        if (!to_base(c, want, cell)) {
            diag_error(fe->diag, at, E_data_value,
                       "integers are declared, and some value is none");
            return false;
        }
        c->cell = cell;
    }
    c->type = *want;
    c->type.ranged = false;
    return want->base == IR_REAL || in_range(fe, at, c, want);
}
