/* Finds the range of every real value, by running the model on rows.
 *
 * The rows are the user's calibration data; an input without data is drawn
 * from its declared box, evenly and with its corners.  These ranges choose
 * scales; they never prove a width (that is `range`).
 */
#include "passes/inner.h"
#include "passes/tails.h"

#include <math.h>
#include <string.h>

enum { MAX_ROWS = 2000, DRAWN_ROWS = 200 };

static const uint64_t DRAW_SEED = 0x9e3779b97f4a7c15;

struct rows {
    const struct ir_func *f;
    ir_ref *input;
    size_t ninputs, count;
    uint64_t state; /* of the draw: fixed, so that a build repeats */
};

static uint64_t
draw(struct rows *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state >> 11;
}

/* Even rows: the box evenly; odd rows: corners. */
static union ir_cell
drawn(struct rows *r, const struct ir_type *t, size_t row)
{
    const uint64_t u = draw(r);
    union ir_cell c;

    if (t->base == IR_INT) {
        const uint64_t span = (uint64_t)t->ihi - (uint64_t)t->ilo;

        c.w = (uint64_t)t->ilo
              + (row % 2         ? (u & 1) * span
                 : span + 1 == 0 ? u
                                 : u % (span + 1));
    } else {
        const double x = row % 2 ? (double)(u & 1) : (double)u * 0x1p-53;

        c.r = t->lo + x * (t->hi - t->lo);
    }
    return c;
}

static const union ir_cell *
input_row(struct pass_ctx *cx, struct rows *r, size_t input, size_t row)
{
    const struct ir_ins *ins = ir_at(r->f, r->input[input]);
    const struct ir_blob *b = ir_calibration(r->f, ins->as.input.name);
    const size_t n = ir_count(&ins->type);
    union ir_cell *cell;

    if (b)
        return b->cell + row % b->type.dim[0] * n;
    cell = arena_new(cx->scratch, union ir_cell, n);
    for (size_t i = 0; i < n; i++)
        cell[i] = drawn(r, &ins->type, row);
    return cell;
}

/* Whether b holds rows of an input of type t. */
static bool
are_rows(const struct ir_blob *b, const struct ir_type *t)
{
    struct ir_type row = b->type;

    if (b->type.base != t->base || b->type.rank != t->rank + 1u)
        return false;
    row.rank = t->rank;
    memcpy(row.dim, b->type.dim + 1, t->rank * sizeof *row.dim);
    return ir_same_shape(&row, t);
}

/* Every input has rows or a box. */
static bool
find_rows(struct pass_ctx *cx, struct rows *r)
{
    bool ok = true;

    r->ninputs = ir_inputs(r->f, NULL, 0);
    r->input = arena_new(cx->scratch, ir_ref, r->ninputs);
    ir_inputs(r->f, r->input, r->ninputs);
    for (size_t i = 0; i < r->ninputs; i++) {
        const struct ir_ins *ins = ir_at(r->f, r->input[i]);
        const struct ir_blob *b = ir_calibration(r->f, ins->as.input.name);

        if (!b && !ins->type.ranged) {
            diag_error(cx->diag, ins->at, E_no_range,
                       "nothing says how large '%s' can be: give it a range "
                       "(in LO..HI) or calibrate with rows of data",
                       ins->as.input.name);
            ok = false;
        }
        if (b && !are_rows(b, &ins->type)) {
            diag_error(cx->diag, ins->at, E_data_shape,
                       "the calibration data of '%s' are no rows of it",
                       ins->as.input.name);
            ok = false;
        }
        if (b && b->type.rank > 0 && b->type.dim[0] > r->count)
            r->count = b->type.dim[0];
    }
    if (r->count == 0)
        r->count = DRAWN_ROWS;
    if (r->count > MAX_ROWS)
        r->count = MAX_ROWS;
    return ok;
}

static void
widen(struct ir_type *t, const union ir_cell *cell)
{
    for (size_t i = 0; i < ir_count(t); i++) {
        if (!isfinite(cell[i].r))
            continue;
        if (!t->ranged || cell[i].r < t->lo)
            t->lo = cell[i].r;
        if (!t->ranged || cell[i].r > t->hi)
            t->hi = cell[i].r;
        t->ranged = true;
    }
}

/* Tables are made from these ranges, so there is none yet. */
static bool
has_tables(struct pass_ctx *cx, const struct ir_func *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_lut || f->ins[i].op == IR_quant
            || ir_ops[f->ins[i].op].cipher) {
            diag_error(cx->diag, f->ins[i].at, E_ir_text,
                       "this model is quantised already");
            return true;
        }
    return false;
}

/* A real of the circuit that no row gives a finite value has no scale. */
static void
check_ranges(struct pass_ctx *cx, const struct ir_func *f,
             const struct ir_type *type)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (type[i].base == IR_REAL && type[i].enc && !type[i].ranged) {
            diag_error(cx->diag, f->ins[i].at, E_not_finite,
                       "no row of data gives this a finite value");
            cx->status = 1;
            return;
        }
}

/* What is declared stays; shape ops pass it on. */
static bool
declared(const struct ir_func *f, uint32_t i, const bool *fixed)
{
    const struct ir_ins *ins = &f->ins[i];

    if (ins->op == IR_input)
        return ins->type.ranged;
    return (pass_sent(ins) || ins->op == IR_gather || ins->op == IR_reshape)
           && fixed[ins->in[0].id];
}

static void
range_of(struct ir_type *t, const struct ir_type *from)
{
    t->ranged = from->ranged;
    t->lo = from->lo;
    t->hi = from->hi;
    t->ilo = from->ilo;
    t->ihi = from->ihi;
}

/* The values of each forest's operand on the rows, for `quantize` to lay cuts
 * among: calib @forest.N, N the index of the op. */
static union ir_cell **
operands_wanted(struct pass_ctx *cx, const struct ir_func *f, size_t rows)
{
    union ir_cell **kept = arena_new(cx->scratch, union ir_cell *, f->n);

    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        if (ins->op == IR_forest && ins->type.enc
            && pass_sent(ir_at(f, ins->in[0])))
            kept[i] = arena_new(cx->scratch, union ir_cell,
                                rows * ir_at(f, ins->in[0])->type.dim[0]);
    }
    return kept;
}

static void
keep_operand(const struct ir_func *f, uint32_t i, size_t row,
             const union ir_cell *x, union ir_cell *kept)
{
    const struct ir_type *t = &ir_at(f, f->ins[i].in[0])->type;

    for (uint32_t e = 0; e < t->dim[0]; e++)
        kept[row * t->dim[0] + e].r =
            t->base == IR_REAL ? x[e].r : (double)x[e].i;
}

static void
add_operands(struct ir_func *g, const struct ir_func *f, size_t rows,
             union ir_cell *const *kept)
{
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t dim[2] = { (uint32_t)rows, 0 };
        struct ir_type t;
        char name[32];

        if (!kept[i])
            continue;
        dim[1] = ir_at(f, f->ins[i].in[0])->type.dim[0];
        t = ir_type_of(IR_REAL, 2, dim);
        snprintf(name, sizeof name, "forest.%u", i);
        ir_blob_add(g, name, IR_CALIB, &t, kept[i]);
    }
}

/* The cells of every op on a row. */
static const union ir_cell **
run_row(struct pass_ctx *cx, struct rows *r, size_t row)
{
    const struct ir_func *f = r->f;
    const union ir_cell **in =
        arena_new(cx->scratch, const union ir_cell *, r->ninputs);
    const union ir_cell **all =
        arena_new(cx->scratch, const union ir_cell *, f->n);
    const union ir_cell **out =
        arena_new(cx->scratch, const union ir_cell *, ir_outputs(f, NULL, 0));

    for (size_t i = 0; i < r->ninputs; i++)
        in[i] = input_row(cx, r, i, row);
    ir_eval(cx->scratch, f, in, out, all);
    return all;
}

/* ---- ranges without tails, if they are asked for */

/* Bits of the grid that an op will have. */
static unsigned
bits_of(const struct ir_func *f, uint32_t i)
{
    const bool input = pass_sent(&f->ins[i]);

    char key[256];

    if (f->ins[i].op == IR_named) {
        snprintf(key, sizeof key, "bits.%s", f->ins[i].as.named.name);
        return (unsigned)ir_get(f, key, 4);
    }
    return (unsigned)(input ? ir_get(f, "bits.inputs", 8)
                            : ir_get(f, "bits.activations", 4));
}

static void
cut_tails(struct pass_ctx *cx, struct rows *r, struct ir_type *type,
          const bool *fixed)
{
    const struct ir_func *f = r->f;
    const double percent = ir_get(f, "ranges.percentile", 100);
    const bool mse = ir_get(f, "ranges.mse", 0) > 0;
    struct tails **tails = arena_new(cx->scratch, struct tails *, f->n);

    if (!mse && !(percent < 100))
        return;
    for (uint32_t i = 0; i < f->n; i++)
        if (type[i].base == IR_REAL && type[i].enc && !fixed[i]
            && type[i].hi > type[i].lo && isfinite(type[i].hi - type[i].lo))
            tails[i] = tails_new(cx->scratch, &type[i]);
    for (size_t row = 0; row < r->count; row++) {
        struct arena_mark m = arena_mark(cx->scratch);
        const union ir_cell **all = run_row(cx, r, row);

        for (uint32_t i = 0; i < f->n; i++)
            if (tails[i])
                tails_add(tails[i], all[i], ir_count(&type[i]));
        arena_release(cx->scratch, m);
    }
    for (uint32_t i = 0; i < f->n; i++)
        if (tails[i] && mse)
            tails_least_error(tails[i], bits_of(f, i), &type[i]);
        else if (tails[i])
            tails_percentile(tails[i], percent, &type[i]);
}

static void
find_ranges(struct pass_ctx *cx, struct rows *r, struct ir_type *type,
            const bool *fixed, union ir_cell *const *kept)
{
    const struct ir_func *f = r->f;

    for (size_t row = 0; row < r->count; row++) {
        struct arena_mark m = arena_mark(cx->scratch);
        const union ir_cell **all = run_row(cx, r, row);

        for (uint32_t i = 0; i < f->n; i++)
            if (type[i].base == IR_REAL && !fixed[i])
                widen(&type[i], all[i]);
        for (uint32_t i = 0; i < f->n; i++)
            if (kept[i])
                keep_operand(f, i, row, all[f->ins[i].in[0].id], kept[i]);
        arena_release(cx->scratch, m);
    }
    r->state = DRAW_SEED; /* the same rows again */
    cut_tails(cx, r, type, fixed);
}

struct ir_func *
pass_calibrate(struct pass_ctx *cx, const struct ir_func *f)
{
    struct rows r = { .f = f, .state = DRAW_SEED };
    struct ir_type *type = arena_new(cx->scratch, struct ir_type, f->n);
    bool *fixed = arena_new(cx->scratch, bool, f->n);
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    struct ir_func *g = ir_func_bare(cx->out, f);
    union ir_cell **kept;

    if (has_tables(cx, f) || !find_rows(cx, &r)) {
        cx->status = 1;
        return NULL;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        type[i] = f->ins[i].type;
        fixed[i] = declared(f, i, fixed);
        if (type[i].base == IR_REAL && !fixed[i])
            type[i].ranged = false;
        else if (fixed[i] && f->ins[i].nin)
            range_of(&type[i], &type[f->ins[i].in[0].id]);
    }
    kept = operands_wanted(cx, f, r.count);
    find_ranges(cx, &r, type, fixed, kept);
    check_ranges(cx, f, type);
    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        if (b->kind != IR_CALIB)
            ir_blob_copy(g, b);
    add_operands(g, f, r.count, kept);
    for (uint32_t i = 0; i < f->n; i++) {
        map[i] = ir_copy(g, &f->ins[i], map);
        if (f->ins[i].op != IR_input) /* a range there means it is declared */
            g->ins[i].type = type[i];
    }
    return cx->status ? NULL : g;
}
