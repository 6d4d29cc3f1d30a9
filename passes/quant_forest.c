/* Forests on integers.
 *
 * The client's reals become integers by `bin`: each feature that the forest
 * still compares, after it was pruned, has 2^bits - 1 cuts, among them its
 * thresholds (cuts.h).  Leaves become integers of one grid for all trees and
 * outputs,
 *
 *     real = scale * v,    v = round(leaf / scale)
 *
 * exactly if they are all multiples of some scale that fits.  The least leaf of
 * each tree goes into one constant, which the server adds.
 */
#include "passes/cuts.h"
#include "passes/grove.h"
#include "passes/quant.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_BITS = 2, MOST_BITS = 10, INPUT_BITS = 6, LEAF_BITS = 8 };
enum { PUBLIC_CUTS = 4095 };

struct wood {
    struct quantizer *z;
    const struct ir_ins *ins; /* of f */
    struct grove g;
    bool missing; /* values may be: 2 f, and 2 f + 1 for those that go right */
    size_t room;
    uint32_t used;    /* features that are compared */
    uint32_t *number; /* among those; of each feature */
    double **cut;     /* of each used feature */
};

/* ---- leaves */

struct range {
    size_t outputs;
    double *lo, *hi, widest;
    bool any;
};

static void
stretch(struct grove_node *n, void *arg)
{
    struct range *r = arg;

    for (size_t k = 0; k < r->outputs; k++) {
        r->lo[k] = r->any ? fmin(r->lo[k], n->real[k]) : n->real[k];
        r->hi[k] = r->any ? fmax(r->hi[k], n->real[k]) : n->real[k];
    }
    r->any = true;
}

/* The widest range of an output over the leaves of one tree; if none has one,
 * the largest leaf. */
static double
widest(const struct grove *g)
{
    double most = 0;
    struct range r = { g->outputs, arena_new(g->mem, double, g->outputs),
                       arena_new(g->mem, double, g->outputs), 0, false };

    for (size_t i = 0; i < g->trees; i++) {
        struct grove one = *g;

        one.trees = 1;
        one.root = g->root + i;
        r.any = false;
        grove_leaves(&one, stretch, &r);
        for (size_t k = 0; k < g->outputs; k++) {
            r.widest = fmax(r.widest, r.hi[k] - r.lo[k]);
            most = fmax(most, fmax(fabs(r.lo[k]), fabs(r.hi[k])));
        }
    }
    return r.widest > 0 ? r.widest : most;
}

struct grid {
    size_t outputs;
    double scale;
    bool whole;
};

static void
is_whole(struct grove_node *n, void *arg)
{
    struct grid *r = arg;

    for (size_t k = 0; k < r->outputs && r->whole; k++) {
        const double x = n->real[k] / r->scale;

        r->whole = fabs(x) < 0x1p40 && fabs(x - rint(x)) <= 0x1p-24;
    }
}

static void
put_on_grid(struct grove_node *n, void *arg)
{
    const struct grid *r = arg;

    for (size_t k = 0; k < r->outputs; k++)
        n->leaf[k] = llrint(n->real[k] / r->scale);
}

/* The coarsest scale of which all leaves are multiples, or else so fine that a
 * tree has integers of 0 .. 2^bits - 1: of a range of (2^bits - 2) steps both
 * ends may be rounded away from each other. */
static double
leaf_scale(struct wood *w)
{
    const double bits = quant_bits(w->z, "leaves", "leaves", LEAF_BITS);
    const double steps = exp2(bits) - 1, r = widest(&w->g);
    struct grid grid = { w->g.outputs, 1, false };

    for (double m = 1; r > 0 && m <= steps; m++) {
        grid.scale = r / m;
        grid.whole = true;
        grove_leaves(&w->g, is_whole, &grid);
        if (grid.whole)
            return grid.scale;
    }
    return r > 0 ? r / fmax(steps - 1, 1) : 1;
}

static void
no_leaf(struct grove_node *n, void *arg)
{
    const struct wood *w = arg;

    n->leaf = arena_new(w->g.mem, int64_t, w->g.outputs);
}

/* Leaves as integers; their scale, or 0 after a message. */
static double
quantise_leaves(struct wood *w)
{
    struct grid grid = { w->g.outputs, 1, true };
    double most = 0;

    if (w->ins->type.base == IR_INT)
        return 1;
    grid.scale = leaf_scale(w);
    for (size_t i = 0; i < w->g.trees; i++)
        if (!w->g.root[i]->kid[0])
            for (size_t k = 0; k < w->g.outputs; k++)
                most = fmax(most, fabs(w->g.root[i]->real[k]));
    quant_round(w->z, w->ins->at, most / grid.scale);
    grove_leaves(&w->g, no_leaf, w);
    if (!w->z->cx->status)
        grove_leaves(&w->g, put_on_grid, &grid);
    return grid.scale;
}

/* ---- cuts */

static void
split_missing(struct grove_node *n, void *arg)
{
    const struct wood *w = arg;

    n->feature = w->missing ? 2 * n->feature + n->missing_right : n->feature;
    n->missing_right = false; /* the feature says it */
}

struct thresholds {
    struct wood *w;
    size_t *n;   /* of each feature */
    double **at; /* ascending after sorting */
    size_t **uses, **to;
};

static void
count_nodes(struct grove_node *n, void *arg)
{
    struct thresholds *t = arg;

    t->n[n->feature]++;
}

static void
list_nodes(struct grove_node *n, void *arg)
{
    struct thresholds *t = arg;

    t->at[n->feature][t->n[n->feature]++] = n->at;
}

static int
ascending(const void *x, const void *y)
{
    const double *a = x, *b = y;

    return (*a > *b) - (*a < *b);
}

/* The thresholds of every feature, sorted, each once. */
static struct thresholds
list_thresholds(struct wood *w)
{
    struct arena *mem = w->g.mem;
    const uint32_t features = w->g.features;
    struct thresholds t = { w, arena_new(mem, size_t, features),
                            arena_new(mem, double *, features),
                            arena_new(mem, size_t *, features),
                            arena_new(mem, size_t *, features) };

    grove_each(&w->g, count_nodes, &t);
    for (uint32_t f = 0; f < features; f++) {
        t.at[f] = arena_new(mem, double, t.n[f]);
        t.uses[f] = arena_new(mem, size_t, t.n[f]);
        t.to[f] = arena_new(mem, size_t, t.n[f]);
        t.n[f] = 0;
    }
    grove_each(&w->g, list_nodes, &t);
    for (uint32_t f = 0; f < features; f++) {
        size_t n = 0;

        if (t.n[f])
            qsort(t.at[f], t.n[f], sizeof *t.at[f], ascending);
        for (size_t i = 0; i < t.n[f]; i++) {
            if (n && t.at[f][n - 1] >= t.at[f][i])
                t.uses[f][n - 1]++;
            else
                t.at[f][n] = t.at[f][i], t.uses[f][n++] = 1;
        }
        t.n[f] = n;
    }
    return t;
}

/* The values of a feature in the rows of calibration, ascending. */
static const double *
column(const struct wood *w, const struct ir_blob *rows, uint32_t f, size_t *n)
{
    const uint32_t own = w->missing ? f / 2 : f;
    double *x;

    *n = 0;
    if (!rows || rows->type.rank != 2 || own >= rows->type.dim[1])
        return NULL;
    x = arena_new(w->g.mem, double, rows->type.dim[0]);
    for (uint32_t i = 0; i < rows->type.dim[0]; i++) {
        const double v = rows->cell[(size_t)i * rows->type.dim[1] + own].r;

        if (isfinite(v))
            x[(*n)++] = v;
    }
    qsort(x, *n, sizeof *x, ascending);
    return x;
}

static void
to_cut(struct grove_node *n, void *arg)
{
    const struct thresholds *t = arg;
    const double *at = bsearch(&n->at, t->at[n->feature], t->n[n->feature],
                               sizeof n->at, ascending);

    n->at = (double)t->to[n->feature][at - t->at[n->feature]];
}

static size_t
room_for(const struct wood *w, const struct thresholds *t, unsigned bits)
{
    size_t most = 1;

    if (!(ir_get(w->z->f, "thresholds.public", 0) > 0))
        return ((size_t)1 << bits) - 1;
    for (uint32_t f = 0; f < w->g.features; f++)
        most = t->n[f] > most ? t->n[f] : most;
    return most < PUBLIC_CUTS ? most : PUBLIC_CUTS;
}

/* Thresholds become cuts, counted from 1. */
static void
choose_cuts(struct wood *w, const struct ir_blob *rows, unsigned bits)
{
    struct thresholds t = list_thresholds(w);

    w->room = room_for(w, &t, bits);
    w->cut = arena_new(w->g.mem, double *, w->g.features);
    for (uint32_t f = 0; f < w->g.features; f++) {
        struct cuts_wish wish = {
            .want = t.at[f], .uses = t.uses[f], .n = t.n[f], .room = w->room
        };

        if (!t.n[f])
            continue;
        w->cut[f] = arena_new(w->g.mem, double, w->room);
        wish.data = column(w, rows, f, &wish.rows);
        w->z->moved += cuts_choose(w->g.mem, &wish, w->cut[f], t.to[f]);
        w->z->thresholds += t.n[f];
    }
    grove_each(&w->g, to_cut, &t);
}

/* ---- features */

static void
mark_used(struct grove_node *n, void *arg)
{
    struct wood *w = arg;

    w->number[n->feature] = 1;
}

static void
renumber(struct grove_node *n, void *arg)
{
    const struct wood *w = arg;

    n->feature = w->number[n->feature];
}

/* Features that are compared, numbered from 0; the first if none is. */
static const uint32_t *
use_features(struct wood *w)
{
    uint32_t *list = arena_new(w->g.mem, uint32_t, w->g.features);

    w->number = arena_new(w->g.mem, uint32_t, w->g.features);
    grove_each(&w->g, mark_used, w);
    for (uint32_t f = 0; f < w->g.features; f++)
        if (w->number[f]) {
            w->number[f] = w->used;
            list[w->used++] = f;
        }
    grove_each(&w->g, renumber, w);
    w->used = w->used ? w->used : 1;
    return list;
}

/* x[f] of the features of a list; x itself if that is all of them */
static ir_ref
pick(struct wood *w, ir_ref x, const uint32_t *feature)
{
    struct ir_func *g = w->z->g;
    const struct ir_type t = ir_type_of(IR_INT, 1, &w->used);
    union ir_cell *index = arena_new(w->g.mem, union ir_cell, w->used);
    bool all = w->used == ir_count(&ir_at(g, x)->type);
    union ir_attrs as = { 0 };

    for (uint32_t i = 0; i < w->used; i++) {
        index[i].i = w->missing ? feature[i] / 2 : feature[i];
        all = all && index[i].i == i;
    }
    if (all)
        return x;
    as.gather.index = ir_blob_add(g, NULL, IR_CONST, &t, index)->name;
    return ir_build(g, IR_gather, w->ins->at, &x, 1, &as);
}

static ir_ref
binned(struct wood *w, ir_ref x, const uint32_t *feature)
{
    struct ir_func *g = w->z->g;
    const uint32_t dim[2] = { w->used, (uint32_t)w->room };
    const struct ir_type tc = ir_type_of(IR_REAL, 2, dim);
    const struct ir_type tm = ir_type_of(IR_INT, 1, dim);
    union ir_cell *cut = arena_new(w->g.mem, union ir_cell, ir_count(&tc));
    union ir_cell *missing = arena_new(w->g.mem, union ir_cell, w->used);
    union ir_attrs as = { 0 };

    for (uint32_t i = 0; i < w->used; i++) {
        for (size_t j = 0; j < w->room && w->cut[feature[i]]; j++)
            cut[i * w->room + j].r = w->cut[feature[i]][j];
        missing[i].i = feature[i] % 2 ? (int64_t)w->room : 0;
        if (!w->missing)
            missing[i].i = -1;
    }
    as.bin.cuts = ir_blob_add(g, NULL, IR_CONST, &tc, cut)->name;
    as.bin.missing = ir_blob_add(g, NULL, IR_CONST, &tm, missing)->name;
    return ir_build(g, IR_bin, w->ins->at, &x, 1, &as);
}

/* ---- the op */

static void
too_large(struct wood *w)
{
    diag_error(w->z->cx->diag, w->ins->at, E_integer_overflow,
               "the sum of these trees needs more than 62 bits");
    w->z->cx->status = 1;
}

/* The forest on the encrypted integers e, of [from, to), plus its constant. */
static void
finish(struct wood *w, struct quant *q, ir_ref e, const int64_t *total)
{
    struct ir_func *g = w->z->g;
    const union ir_attrs as = grove_write(&w->g, g);
    const struct ir_type t =
        ir_type_of(IR_INT, w->ins->type.rank, w->ins->type.dim);
    union ir_cell *cell = arena_new(w->g.mem, union ir_cell, w->g.outputs);
    bool any = false;

    q->v = ir_build(g, IR_forest, w->ins->at, &e, 1, &as);
    for (size_t k = 0; k < w->g.outputs; k++) {
        cell[k].i = total[k];
        any = any || total[k];
    }
    if (any)
        q->v = ir_build2(g, IR_add, w->ins->at, q->v,
                         ir_constant(g, w->ins->at, NULL, IR_PARAM, &t, cell));
}

static unsigned
bits_of_input(struct wood *w, const struct ir_ins *encrypt)
{
    const char *name = quant_input_name(w->z->f, encrypt->in[0]);
    const unsigned bits = quant_bits(w->z, name, "inputs", INPUT_BITS);

    if (bits >= LEAST_BITS && bits <= MOST_BITS)
        return bits;
    diag_error(w->z->cx->diag, w->ins->at, E_bits,
               "an input of a forest has %d to %d bits, not %u", LEAST_BITS,
               MOST_BITS, bits);
    w->z->cx->status = 1;
    return LEAST_BITS;
}

/* On reals of the client: cuts. */
static void
of_client(struct wood *w, struct quant *q, uint32_t encrypt)
{
    struct quantizer *z = w->z;
    const struct ir_ins *e = &z->f->ins[encrypt];
    const unsigned bits = bits_of_input(w, e);
    int64_t *total = arena_new(w->g.mem, int64_t, w->g.outputs);
    ir_ref x = z->q[e->in[0].id].v;
    const uint32_t *feature;
    char name[32];

    snprintf(name, sizeof name, "forest.%" PRIu32,
             (uint32_t)(w->ins - z->f->ins));
    w->missing = ir_get(z->f, "missing", 0) > 0;
    w->g.features *= w->missing ? 2 : 1;
    grove_each(&w->g, split_missing, w);
    grove_prune(&w->g, (double)-INFINITY, (double)INFINITY);
    choose_cuts(w, ir_calibration(z->f, name), bits);
    *q->scale = quantise_leaves(w);
    if (z->cx->status)
        return;
    grove_join(&w->g, 0, (double)w->room + 1, total);
    feature = use_features(w);
    if (ir_at(z->g, x)->type.base == IR_INT)
        x = ir_build1(z->g, IR_to_real, w->ins->at, x);
    x = binned(w, pick(w, x, feature), feature);
    finish(w, q, ir_build1(z->g, (enum ir_op)e->op, w->ins->at, x), total);
}

/* A threshold of what an integer stands for as one of the integer. */
struct regrid {
    const struct quant *q;
};

static void
to_integer(struct grove_node *n, void *arg)
{
    const struct quant *q = ((struct regrid *)arg)->q;
    const double x = n->at - (q->offset ? q->offset[n->feature] : 0);

    n->at = ceil(x / q->scale[quant_channel(q, n->feature)]);
    n->at = fmin(fmax(n->at, -0x1p53), 0x1p53);
    n->missing_right = false;
}

/* On integers that are there: thresholds move to the next of them. */
static void
of_server(struct wood *w, struct quant *q, uint32_t operand)
{
    struct quantizer *z = w->z;
    struct quant *x = quant_integer(z, operand);
    const struct ir_type *t = &ir_at(z->g, x->v)->type;
    int64_t *total = arena_new(w->g.mem, int64_t, w->g.outputs);
    struct regrid r = { x };

    grove_each(&w->g, to_integer, &r);
    *q->scale = quantise_leaves(w);
    if (z->cx->status)
        return;
    grove_join(&w->g, t->ranged ? (double)t->ilo : -(double)INFINITY,
               t->ranged ? (double)t->ihi + 1 : (double)INFINITY, total);
    finish(w, q, x->v, total);
}

void
quant_forest(struct quantizer *z, uint32_t i)
{
    struct wood w = { .z = z, .ins = &z->f->ins[i] };
    const uint32_t operand = w.ins->in[0].id;
    const struct ir_ins *in = &z->f->ins[operand];
    const struct ir_forest t = ir_forest_of(z->f, w.ins);
    struct quant *q = &z->q[i];

    w.g = grove_read(z->cx->scratch, &t, in->type.dim[0]);
    q->state = QUANT_INTEGER;
    q->nscale = 1;
    q->scale = arena_new(z->cx->scratch, double, 1);
    if (pass_sent(in)
        && (in->type.base == IR_REAL
            || ir_bits(in->type.ilo, in->type.ihi) > MOST_BITS))
        of_client(&w, q, operand);
    else
        of_server(&w, q, operand);
    if (w.g.overflow)
        too_large(&w);
    if (z->cx->status)
        quant_wrong(z, i);
}
