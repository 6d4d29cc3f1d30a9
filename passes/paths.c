/* Forests as sums of tables, where selections do not reach: on integers made at
 * the server, for results that are used there, beside bootstraps.
 *
 *     b = [x_f >= c]                          a table of one integer
 *     i = 2 sum_path [turn not taken] + b     of a node between two leaves
 *     T = left, right, 0, 0, ..               a table of i
 *     the sum of T over all such nodes        a leaf alone: T = leaf, 0, ..
 *
 * lang-spec/crypto.md 17.6.  Of a client's x the bits cost no bootstrap
 * (`one-hot`), then there is one for each pair of leaves.  All forests of a
 * model go the same way: selections have a key of their own.
 */
#include "passes/affine.h"
#include "passes/inner.h"
#include "passes/onehot.h"

#include "ir/forest.h"

#include <string.h>

enum { MAX_GROUP = 8, MAX_GRID = 1 << 16 };

struct turn {
    uint32_t bit;
    bool right;
};

/* A table: the path to it, and what it chooses between. */
struct row {
    uint32_t depth;
    const struct turn *turn;
    bool pair;
    uint32_t bit;    /* of a pair */
    int64_t leaf[2]; /* children of ir_forest; one alone is both */
};

struct paths {
    struct pass_ctx *cx;
    struct ir_func *g;
    struct arena *mem;
    struct span at;
    struct ir_forest t;
    const struct ir_type *x;
    size_t grid;
    uint32_t *number; /* [features][grid]: a bit, plus one */
    size_t bits, rows;
    int64_t *feature, *threshold; /* of each bit */
    struct row *row;
    struct turn turn[IR_FOREST_DEPTH];
    ir_ref bit;   /* [bits] */
    ir_ref *part; /* tables, one a group and output with some */
    uint32_t *output, *length;
    size_t parts, total;
};

/* ---- what the trees hold */

static uint32_t
bit_of(struct paths *p, const struct ir_node *n)
{
    uint32_t *number;

    number =
        &p->number[n->feature * p->grid + (size_t)(n->threshold.i - p->x->ilo)];
    if (!*number) {
        p->feature[p->bits] = (int64_t)n->feature;
        p->threshold[p->bits] = n->threshold.i;
        *number = (uint32_t)++p->bits;
    }
    return *number - 1;
}

static void
add_row(struct paths *p, uint32_t depth, const int64_t *leaf, bool pair,
        uint32_t bit)
{
    struct turn *turn = arena_new(p->mem, struct turn, depth);

    if (depth)
        memcpy(turn, p->turn, depth * sizeof *turn);
    p->row[p->rows++] =
        (struct row){ depth, turn, pair, bit, { leaf[0], leaf[pair ? 1 : 0] } };
}

static void
read_tree(struct paths *p, int64_t child, uint32_t depth)
{
    struct ir_node n;

    if (child < 0) {
        add_row(p, depth, &child, false, 0);
        return;
    }
    n = ir_forest_node(&p->t, (size_t)child);
    if (n.threshold.i <= p->x->ilo || n.threshold.i > p->x->ihi) {
        read_tree(p, n.child[n.threshold.i <= p->x->ilo], depth);
        return;
    }
    if (n.child[0] < 0 && n.child[1] < 0) {
        add_row(p, depth, n.child, true, bit_of(p, &n));
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        p->turn[depth] = (struct turn){ bit_of(p, &n), side == 1 };
        read_tree(p, n.child[side], depth + 1);
    }
}

static bool
read_forest(struct paths *p)
{
    const size_t features = ir_count(p->x);
    const size_t most = p->t.n + p->t.trees;

    if (p->x->ihi - p->x->ilo >= MAX_GRID
        || (uint64_t)(p->x->ihi - p->x->ilo + 1) * features > IR_MAX_CELLS) {
        diag_error(p->cx->diag, p->at, E_too_wide,
                   "a forest on integers of %u bits",
                   ir_bits(p->x->ilo, p->x->ihi));
        diag_help(p->cx->diag, "inputs of a forest have 2 to 10 bits: "
                               "quantize { ... }, or clip");
        p->cx->status = 6;
        return false;
    }
    p->grid = (size_t)(p->x->ihi - p->x->ilo) + 1;
    p->number = arena_new(p->mem, uint32_t, features * p->grid);
    p->feature = arena_new(p->mem, int64_t, most);
    p->threshold = arena_new(p->mem, int64_t, most);
    p->row = arena_new(p->mem, struct row, most);
    for (size_t i = 0; i < p->t.trees; i++)
        read_tree(p, ir_forest_root(&p->t, i), 0);
    if ((uint64_t)p->bits * p->rows <= IR_MAX_CELLS)
        return true;
    diag_error(p->cx->diag, p->at, E_too_large,
               "a forest of %zu tables of %zu bits: it needs so many where its "
               "result is used at the server",
               p->rows, p->bits);
    diag_help(p->cx->diag, "fewer trees, or give its result out as it is");
    p->cx->status = 1;
    return false;
}

/* ---- tables */

static ir_ref
table(struct paths *p, ir_ref x, int64_t offset, size_t rows, size_t width,
      const union ir_cell *cell)
{
    union ir_attrs as = { 0 };

    as.lut.table = pass_integers(p->g, IR_PARAM, rows, width, cell);
    as.lut.offset = offset;
    return ir_build(p->g, IR_lut, p->at, &x, 1, &as);
}

static void
make_bits(struct paths *p, ir_ref x)
{
    union ir_cell *index = arena_new(p->mem, union ir_cell, p->bits);
    union ir_cell *cell = arena_new(p->mem, union ir_cell, p->bits * p->grid);

    for (size_t b = 0; b < p->bits; b++) {
        index[b].i = p->feature[b];
        for (size_t v = 0; v < p->grid; v++)
            cell[b * p->grid + v].i = p->x->ilo + (int64_t)v >= p->threshold[b];
    }
    p->bit = table(p, pass_gathered(p->g, p->at, x, p->bits, index), -p->x->ilo,
                   p->bits, p->grid, cell);
}

/* the largest index of a row's table */
static unsigned
most_of(const struct row *r)
{
    return r->pair ? 2 * r->depth + 1 : r->depth;
}

/* A group is of the rows whose tables read so many bits; 0: no row does. */
static unsigned
group_of(const struct row *r)
{
    const unsigned most = most_of(r);

    return most ? ir_bits(0, most) : 0;
}

/* the index of each row's table */
static ir_ref
make_index(struct paths *p, const struct row *const *row, size_t n)
{
    union ir_cell *weight = arena_new(p->mem, union ir_cell, p->bits * n);
    union ir_cell *base = arena_new(p->mem, union ir_cell, n);
    union ir_attrs as = { 0 };
    ir_ref w, x;

    for (size_t i = 0; i < n; i++) {
        const int64_t miss = row[i]->pair ? 2 : 1;

        for (uint32_t d = 0; d < row[i]->depth; d++) {
            const struct turn *t = &row[i]->turn[d];

            weight[t->bit * n + i].i += t->right ? -miss : miss;
            base[i].i += t->right ? miss : 0;
        }
        if (row[i]->pair)
            weight[row[i]->bit * n + i].i += 1;
        if (most_of(row[i]) > as.proved.hi)
            as.proved.hi = most_of(row[i]);
    }
    w = pass_matrix(p->g, p->at, IR_PARAM, p->bits, n, weight);
    x = ir_build2(p->g, IR_matmul, p->at, p->bit, w);
    w = pass_matrix(p->g, p->at, IR_PARAM, n, 0, base);
    x = ir_build2(p->g, IR_add, p->at, x, w);
    return ir_build(p->g, IR_proved, p->at, &x, 1, &as);
}

static int64_t
leaf(const struct paths *p, const struct row *r, int side, size_t k)
{
    return ir_forest_leaf(&p->t, r->leaf[side])[k].i;
}

/* The tables of one output that are not 0 everywhere. */
static void
make_tables(struct paths *p, ir_ref index, const struct row *const *row,
            size_t n, unsigned bits, size_t k)
{
    const size_t width = (size_t)1 << bits;
    union ir_cell *used = arena_new(p->mem, union ir_cell, n);
    union ir_cell *cell = arena_new(p->mem, union ir_cell, n * width);
    size_t m = 0;
    bool all;

    for (size_t i = 0; i < n; i++)
        m += leaf(p, row[i], 0, k) || leaf(p, row[i], 1, k);
    all = 4 * m > 3 * n; /* tables of one operand may share a bootstrap */
    m = 0;
    for (size_t i = 0; i < n; i++) {
        if (!all && !leaf(p, row[i], 0, k) && !leaf(p, row[i], 1, k))
            continue;
        cell[m * width].i = leaf(p, row[i], 0, k);
        if (row[i]->pair)
            cell[m * width + 1].i = leaf(p, row[i], 1, k);
        used[m++].i = (int64_t)i;
    }
    if (!m)
        return;
    if (m < n)
        index = pass_gathered(p->g, p->at, index, m, used);
    p->part[p->parts] = table(p, index, 0, m, width, cell);
    p->output[p->parts] = (uint32_t)k;
    p->length[p->parts++] = (uint32_t)m;
    p->total += m;
}

static void
make_group(struct paths *p, unsigned bits)
{
    const struct row **row = arena_new(p->mem, const struct row *, p->rows);
    size_t n = 0;
    ir_ref index;

    for (size_t i = 0; i < p->rows; i++)
        if (group_of(&p->row[i]) == bits)
            row[n++] = &p->row[i];
    if (!n)
        return;
    index = make_index(p, row, n);
    for (size_t k = 0; k < p->t.outputs; k++)
        make_tables(p, index, row, n, bits, k);
}

/* ---- the sum */

/* what trees of one leaf give */
static ir_ref
with_constants(struct paths *p, ir_ref v)
{
    union ir_cell *base = arena_new(p->mem, union ir_cell, p->t.outputs);
    ir_ref c;

    for (size_t i = 0; i < p->rows; i++)
        for (size_t k = 0; k < p->t.outputs && !group_of(&p->row[i]); k++)
            base[k].i += leaf(p, &p->row[i], 0, k);
    c = pass_matrix(p->g, p->at, IR_PARAM, p->t.outputs, 0, base);
    return ir_build2(p->g, IR_add, p->at, v, c);
}

/* Constant trees: 0 times what they read, which is encrypted. */
static void
add_nothing(struct paths *p, ir_ref x)
{
    static const union ir_cell first = { .i = 0 };

    p->part[0] = pass_gathered(p->g, p->at, x, 1, &first);
    p->output[0] = (uint32_t)p->t.outputs; /* none */
    p->length[0] = 1;
    p->parts = p->total = 1;
}

static ir_ref
summed(struct paths *p)
{
    const size_t outputs = p->t.outputs;
    union ir_cell *one = arena_new(p->mem, union ir_cell, p->total * outputs);
    ir_ref v, w;
    size_t at = 0;

    for (size_t i = 0; i < p->parts; i++)
        for (uint32_t j = 0; j < p->length[i]; j++, at++)
            if (p->output[i] < outputs)
                one[at * outputs + p->output[i]].i = 1;
    v = p->parts == 1
            ? p->part[0]
            : ir_build(p->g, IR_concat, p->at, p->part, p->parts, NULL);
    w = pass_matrix(p->g, p->at, IR_PARAM, p->total, outputs, one);
    v = ir_build2(p->g, IR_matmul, p->at, v, w);
    return with_constants(p, v);
}

/* One leaf of each tree, not of each table, is in the sum. */
static ir_ref
bounded(struct paths *p, ir_ref v)
{
    int64_t *lo = arena_new(p->mem, int64_t, p->t.outputs);
    int64_t *hi = arena_new(p->mem, int64_t, p->t.outputs);
    union ir_attrs as = { .proved = { .lo = INT64_MAX, .hi = INT64_MIN } };

    if (!ir_forest_bounds(p->mem, &p->t, p->x, lo, hi))
        return v;
    for (size_t k = 0; k < p->t.outputs; k++) {
        as.proved.lo = lo[k] < as.proved.lo ? lo[k] : as.proved.lo;
        as.proved.hi = hi[k] > as.proved.hi ? hi[k] : as.proved.hi;
    }
    return ir_build(p->g, IR_proved, p->at, &v, 1, &as);
}

static ir_ref
expanded(struct pass_ctx *cx, const struct ir_func *f, const struct ir_ins *ins,
         struct ir_func *g, const ir_ref *map)
{
    struct paths p = { .cx = cx,
                       .g = g,
                       .mem = cx->scratch,
                       .at = ins->at,
                       .t = ir_forest_of(f, ins),
                       .x = &ir_at(f, ins->in[0])->type };
    const size_t most = MAX_GROUP * p.t.outputs;
    struct ir_type own = ins->type;
    ir_ref v;

    if (!read_forest(&p))
        return (ir_ref){ 0 };
    p.part = arena_new(cx->scratch, ir_ref, most);
    p.output = arena_new(cx->scratch, uint32_t, most);
    p.length = arena_new(cx->scratch, uint32_t, most);
    if (p.bits)
        make_bits(&p, map[ins->in[0].id]);
    for (unsigned bits = 1; bits < MAX_GROUP; bits++)
        make_group(&p, bits);
    if (!p.parts)
        add_nothing(&p, map[ins->in[0].id]);
    v = bounded(&p, summed(&p));
    own.enc = true;
    return ir_build_typed(g, IR_reshape, p.at, &v, 1, NULL, &own);
}

/* ---- which way */

/* Whether v is linear in the results of one forest that reads what the client
 * sends. */
static bool
is_selected(const struct ir_func *f, const struct affine *a, ir_ref v)
{
    const ir_ref *forest = NULL;

    for (size_t e = 0; e < ir_count(&ir_at(f, v)->type); e++)
        for (uint32_t t = 0; t < a->rows[v.id][e].n; t++) {
            const ir_ref *op = &a->origin[a->rows[v.id][e].origin[t]].op;

            if (ir_at(f, *op)->op != IR_forest
                || (forest && forest->id != op->id))
                return false;
            forest = op;
        }
    return !forest || ir_at(f, ir_at(f, *forest)->in[0])->op == IR_encrypt;
}

/* a forest of what the server does not see */
static bool
is_grown(const struct ir_ins *ins)
{
    return ins->op == IR_forest && ins->type.enc && !ins->type.open;
}

/* Which values are made of a forest's results, also by products with what is
 * open; what tables make of them is another matter. */
static const bool *
dependents(struct pass_ctx *cx, const struct ir_func *f, const struct affine *a)
{
    bool *made = arena_new(cx->scratch, bool, f->n);

    for (uint32_t i = 0; i < f->n; i++)
        for (size_t e = 0; a->rows[i] && e < ir_count(&f->ins[i].type); e++)
            for (uint32_t t = 0; t < a->rows[i][e].n && !made[i]; t++) {
                const struct ir_ins *o =
                    ir_at(f, a->origin[a->rows[i][e].origin[t]].op);

                made[i] = is_grown(o)
                          || (o->op == IR_mul
                              && (made[o->in[0].id] || made[o->in[1].id]));
            }
    return made;
}

static bool
selections_do(struct pass_ctx *cx, const struct ir_func *f)
{
    ir_ref bad;
    const struct affine *a = affine_new(cx->scratch, f, &bad);
    const bool *made;

    if (!a)
        return true; /* `range` says so */
    made = dependents(cx, f, a);
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_decrypt && made[f->ins[i].in[0].id]
            && !is_selected(f, a, f->ins[i].in[0]))
            return false;
    return onehot_does_all(cx, f);
}

struct ir_func *
pass_paths(struct pass_ctx *cx, const struct ir_func *f)
{
    struct ir_func *g = ir_func_like(cx->out, f);
    ir_ref *map = arena_new(cx->scratch, ir_ref, f->n);
    bool any = false;

    for (uint32_t i = 0; i < f->n; i++)
        any = any || is_grown(&f->ins[i]);
    any = any && !selections_do(cx, f);
    for (uint32_t i = 0; i < f->n && !cx->status; i++)
        map[i] = any && is_grown(&f->ins[i])
                     ? expanded(cx, f, &f->ins[i], g, map)
                     : ir_copy(g, &f->ins[i], map);
    return cx->status ? NULL : g;
}
