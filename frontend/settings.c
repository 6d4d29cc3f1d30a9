/* quantize { } and target { }: every entry is a row of a table. */
#include "frontend/inner.h"

#include <string.h>

/* ---- reading words */

static bool
is_word(const struct ast *a, const char *text)
{
    return a && a->kind == AST_name && strcmp(a->text, text) == 0;
}

static void
refuse(struct fe *fe, const struct ast *entry, const char *form)
{
    diag_error(fe->diag, entry->at, E_setting, "this entry does not read as %s",
               form);
}

static const char *
key(struct fe *fe, const char *prefix, const char *name)
{
    const size_t n = strlen(prefix) + strlen(name);
    char *s = arena_new(fe->scratch, char, n + 1);

    snprintf(s, n + 1, "%s%s", prefix, name);
    return s;
}

static void
set(struct fe *fe, const struct ast *entry, const char *name, double value)
{
    const struct ir_setting *first = ir_setting(fe->f, name);

    if (first) {
        diag_error(fe->diag, entry->at, E_second_name, "this is set twice");
        diag_note(fe->diag, first->at, "the first time is here");
        return;
    }
    ir_set(fe->f, name, value, entry->at);
}

/* ---- bits */

enum { MAX_BITS = 16 };

static const struct {
    const char *name;
    int64_t least;
} families[] = {
    { "inputs", 1 }, { "weights", 2 }, { "activations", 1 }, { "leaves", 1 }
};

enum { NFAMILIES = sizeof families / sizeof *families };

/* The least width that a name may have, or 0 if it has none. */
static int64_t
least_bits(const struct fe *fe, const char *name)
{
    const struct fe_name *n = fe_find(fe, name);

    if (n && n->kind == FE_PARAM)
        return 2;
    if (n && n->kind == FE_VALUE && !fe_is_none(n->value)
        && (ir_at(fe->f, n->value)->op == IR_input
            || ir_at(fe->f, n->value)->op == IR_named))
        return 1;
    for (size_t i = 0; !n && i < NFAMILIES; i++)
        if (strcmp(families[i].name, name) == 0)
            return families[i].least;
    return 0;
}

/* The words behind NAME N bits: per channel; symmetric; affine. */
static bool
bits_words(struct fe *fe, const struct ast *e, const char *name, bool weights,
           const struct ast *w)
{
    for (; w; w = w->next)
        if (is_word(w, "per") && is_word(w->next, "channel")) {
            if (!weights)
                diag_error(fe->diag, w->at, E_setting,
                           "only weights have a scale a channel");
            else
                set(fe, e, key(fe, "per_channel.", name), 1);
            w = w->next;
        } else if (is_word(w, "affine") || is_word(w, "symmetric")) {
            set(fe, e, key(fe, "affine.", name), is_word(w, "affine"));
        } else {
            return false;
        }
    return true;
}

#define BITS_FORM \
    "'NAME 8 bits', perhaps with 'per channel', 'symmetric' or 'affine'"

/* NAME N bits [per channel] [symmetric | affine] */
static void
bits(struct fe *fe, const struct ast *e, const struct ast *w)
{
    const struct ast *n = w->next, *unit = n ? n->next : NULL;
    const int64_t least = least_bits(fe, w->text);

    if (!n || n->kind != AST_whole || !is_word(unit, "bits")) {
        refuse(fe, e, BITS_FORM);
        return;
    }
    if (!least) {
        diag_error(fe->diag, w->at, E_setting,
                   "'%s' is no input, no param and no let of reals", w->text);
        diag_help(fe->diag, "or one of inputs, weights, activations, leaves");
        return;
    }
    if (n->whole < least || n->whole > MAX_BITS) {
        diag_error(fe->diag, n->at, E_bits, "'%s' has %d to %d bits", w->text,
                   (int)least, MAX_BITS);
        return;
    }
    set(fe, e, key(fe, "bits.", w->text), (double)n->whole);
    if (!bits_words(fe, e, w->text, least == 2, unit->next))
        refuse(fe, e, BITS_FORM);
}

/* ---- ranges */

static void
ranges(struct fe *fe, const struct ast *e, const struct ast *w)
{
    const struct ast *how = w->next, *n = how ? how->next : NULL;

    if (is_word(how, "minmax") && !n) {
        set(fe, e, "ranges.percentile", 100);
    } else if (is_word(how, "mse") && !n) {
        set(fe, e, "ranges.mse", 1);
    } else if (is_word(how, "percentile") && n && !n->next
               && (n->kind == AST_whole || n->kind == AST_real)) {
        const double p = n->kind == AST_whole ? (double)n->whole : n->number;

        if (p >= 50 && p <= 100)
            set(fe, e, "ranges.percentile", p);
        else
            diag_error(fe->diag, n->at, E_setting,
                       "a percentile of ranges is 50 to 100");
    } else {
        refuse(fe, e,
               "'ranges minmax', 'ranges percentile 99.9' or "
               "'ranges mse'");
    }
}

/* ---- rounding */

enum { APPROX_BITS = 6 }; /* what a ring of N = 2048 rounds to */

static void
rounding(struct fe *fe, const struct ast *e, const struct ast *w)
{
    const struct ast *how = w->next, *n = how ? how->next : NULL;

    if (is_word(how, "exact") && !n) {
        set(fe, e, "rounding.approx", 0);
    } else if (is_word(how, "approx") && !n) {
        set(fe, e, "rounding.approx", APPROX_BITS);
    } else if (is_word(how, "approx") && n->kind == AST_whole
               && is_word(n->next, "bits") && !n->next->next) {
        if (n->whole < 2 || n->whole > 8)
            diag_error(fe->diag, n->at, E_bits, "approx has 2 to 8 bits");
        else
            set(fe, e, "rounding.approx", (double)n->whole);
    } else {
        refuse(fe, e,
               "'rounding exact', 'rounding approx' or 'rounding "
               "approx 6 bits'");
    }
}

/* ---- forests */

static void
one_word(struct fe *fe, const struct ast *e, const struct ast *w,
         const char *word, const char *name)
{
    if (is_word(w->next, word) && !w->next->next) {
        set(fe, e, name, 1);
        return;
    }
    diag_error(fe->diag, e->at, E_setting,
               "this entry does not read as '%s %s'", w->text, word);
}

static void
thresholds(struct fe *fe, const struct ast *e, const struct ast *w)
{
    one_word(fe, e, w, "public", "thresholds.public");
}

static void
missing(struct fe *fe, const struct ast *e, const struct ast *w)
{
    one_word(fe, e, w, "allowed", "missing");
}

bool
fe_missing(const struct ast *model)
{
    for (const struct ast *a = model->kid; a; a = a->next)
        for (const struct ast *e = a->kid; a->kind == AST_quantize && e;
             e = e->next)
            if (is_word(e->kid, "missing") && is_word(e->kid->next, "allowed"))
                return true;
    return false;
}

bool
fe_asks_bits(const struct ast *model, const char *name)
{
    for (const struct ast *a = model->kid; a; a = a->next)
        for (const struct ast *e = a->kid; a->kind == AST_quantize && e;
             e = e->next)
            if (is_word(e->kid, name) && e->kid->next
                && e->kid->next->kind == AST_whole)
                return true;
    return false;
}

/* ---- calibrate */

/* Names of the columns of all inputs, those of one input together, as the
 * emitted program has them: its names, or NAME[i]. */
static const char **
columns(struct fe *fe, size_t *count)
{
    size_t n = 0, inputs = 0;
    const char **name;

    for (uint32_t i = 0; i < fe->f->n; i++)
        if (fe->f->ins[i].op == IR_input)
            n += ir_count(&fe->f->ins[i].type), inputs++;
    name = arena_new(fe->scratch, const char *, n + 1);
    *count = 0;
    for (uint32_t i = 0; i < fe->f->n && inputs; i++) {
        const struct ir_ins *ins = &fe->f->ins[i];
        const struct ir_blob *b;

        if (ins->op != IR_input)
            continue;
        b = ir_blob_find(fe->f, ins->as.input.name, true);
        for (size_t e = 0; e < ir_count(&ins->type); e++) {
            char text[128];

            snprintf(text, sizeof text,
                     ir_count(&ins->type) > 1 ? "%.60s[%zu]" : "%.60s",
                     ins->as.input.name, e);
            name[(*count)++] =
                b ? b->text[e] : arena_string(fe->scratch, text, strlen(text));
        }
    }
    return name;
}

/* The rows of one input, from `first` on. */
static void
keep_rows(struct fe *fe, const struct ir_ins *ins, const struct fe_rows *r,
          size_t first, struct span at)
{
    const size_t n = ir_count(&ins->type);
    struct ir_type t = ins->type;
    union ir_cell *cell = arena_new(fe->scratch, union ir_cell, r->rows * n);

    if (t.rank == IR_MAX_RANK) { /* rows need an axis */
        t.rank = 1;
        t.dim[0] = (uint32_t)n;
    }
    memmove(t.dim + 1, t.dim, t.rank * sizeof *t.dim);
    t.rank++;
    t.dim[0] = (uint32_t)r->rows;
    t.ranged = false;
    for (size_t i = 0; i < r->rows * n; i++) {
        const double x = r->at[i / n * r->columns + first + i % n];

        if (t.base == IR_REAL) {
            cell[i].r = x;
        } else if (x >= (double)ins->type.ilo && x <= (double)ins->type.ihi) {
            cell[i].i = (int64_t)x;
        } else {
            diag_error(fe->diag, at, E_data_value,
                       "row %zu: '%s' has the value %g, out of its range",
                       i / n + 1, ins->as.input.name, x);
            return;
        }
    }
    ir_blob_add(fe->f, ins->as.input.name, IR_CALIB, &t, cell);
}

static void
calibrate(struct fe *fe, const struct ast *e, const struct ast *w)
{
    size_t count, first = 0;
    const char *const *name = columns(fe, &count);
    struct fe_rows r;

    if (!w->next || w->next->next || !fe_is_file(w->next)) {
        refuse(fe, e,
               "'calibrate csv(\"FILE\")' or the same with npy, npz, "
               "safetensors or idx");
        return;
    }
    for (const struct ir_blob *b = fe->f->blobs; b; b = b->next)
        if (b->kind == IR_CALIB) {
            diag_error(fe->diag, e->at, E_second_name,
                       "the model is calibrated twice");
            return;
        }
    r = fe_rows(fe, w->next, count, name);
    for (uint32_t i = 0; r.at && i < fe->f->n; i++) {
        const struct ir_ins *ins = &fe->f->ins[i];

        if (ins->op != IR_input)
            continue;
        keep_rows(fe, ins, &r, first, w->next->at);
        first += ir_count(&ins->type);
    }
}

/* ---- target */

/* p_fail 2^-64 */
static void
p_fail(struct fe *fe, const struct ast *e, const struct ast *w)
{
    const struct ast *p = w->next;

    if (!p || p->next || p->kind != AST_binary || p->kid->whole != 2) {
        refuse(fe, e, "'p_fail 2^-128'");
        return;
    }
    if (p->kid->next->kid->whole < 20 || p->kid->next->kid->whole > 256) {
        diag_error(fe->diag, p->at, E_setting,
                   "the failure bound is 2^-20 to 2^-256");
        return;
    }
    set(fe, e, "log2_pfail", -(double)p->kid->next->kid->whole);
}

static void
security(struct fe *fe, const struct ast *e, const struct ast *w)
{
    const struct ast *n = w->next;

    if (!n || n->next || n->kind != AST_whole
        || (n->whole != 128 && n->whole != 132))
        refuse(fe, e, "'security 132' or 'security 128'");
    else
        set(fe, e, "security", (double)n->whole);
}

/* ---- the tables */

struct row {
    const char *word;
    void (*read)(struct fe *fe, const struct ast *entry, const struct ast *w);
};

static void
block(struct fe *fe, const struct ast *a, const struct row *row, size_t rows)
{
    for (const struct ast *e = a->kid; e; e = e->next) {
        const struct ast *w = e->kid;
        size_t i = 0;

        if (e->kind == AST_none)
            continue;
        while (i < rows && row[i].word && !is_word(w, row[i].word))
            i++;
        if (i == rows || w->kind != AST_name)
            diag_error(fe->diag, e->at, E_setting,
                       "there is no such entry in %s { }",
                       a->kind == AST_target ? "target" : "quantize");
        else
            row[i].read(fe, e, w);
    }
}

void
fe_quantize(struct fe *fe, const struct ast *a)
{
    static const struct row rows[] = {
        { "calibrate", calibrate }, { "ranges", ranges },
        { "rounding", rounding },   { "thresholds", thresholds },
        { "missing", missing },     { NULL, bits }, /* any name */
    };

    block(fe, a, rows, sizeof rows / sizeof *rows);
}

void
fe_target(struct fe *fe, const struct ast *a)
{
    static const struct row rows[] = {
        { "p_fail", p_fail },
        { "security", security },
    };

    block(fe, a, rows, sizeof rows / sizeof *rows);
}
