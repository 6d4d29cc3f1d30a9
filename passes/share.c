/* Tables of one ciphertext by one bootstrap, lang-spec/crypto.md (39), (40).
 *
 *     lwe.pbs x {t}, lwe.pbs x {u}   =>   lwe.pbs_many x {t, u}, two gathers
 *
 * Elements of x that are the same ciphertext (a value that was broadcast) share
 * one as well; x has it once then.  The results have one delta, the least;
 * those that had a larger one have entries that are so much larger, and get it
 * back by name.
 */
#include "passes/share.h"

#include "passes/affine.h"

#include <math.h>
#include <string.h>

enum { MOST = 256, MOST_INTERLEAVED = 8, MAX_BITS = 16 };

/* Tables of the operand of f's op `member[0]`. */
struct group {
    uint32_t member[MOST], n;
    unsigned bits, log2_delta;
    /* which elements of the operand are the same: one of each class, and the
     * one before it in its class, plus 1 */
    uint32_t *class, *one, *before, classes;
    uint32_t rows; /* of each output's table */
    /* slot[m][i]: the output that has the table of member m and element i */
    uint32_t **slot, outputs;
    int64_t *centre; /* of each row of the tables: what was subtracted */
};

struct sharing {
    struct arena *mem;
    const struct ir_func *f;
    struct affine *a;
    struct ir_func *to;
    ir_ref *map;
    enum share_how how;
};

static bool
can_share(const struct ir_func *f, uint32_t i, uint32_t j)
{
    const struct ir_ins *a = &f->ins[i], *b = &f->ins[j];

    return a->op == IR_lwe_pbs && b->op == IR_lwe_pbs
           && a->in[0].id == b->in[0].id
           && a->as.lwe_pbs.bits == b->as.lwe_pbs.bits
           && a->as.lwe_pbs.offset == b->as.lwe_pbs.offset
           && !a->as.lwe_pbs.approx && !b->as.lwe_pbs.approx
           && a->type.rank < IR_MAX_RANK
           && ir_at(f, a->in[0])->op == IR_lwe_keyswitch;
}

static const struct ir_blob *
table_of(const struct sharing *s, uint32_t op)
{
    return ir_data(s->f, s->f->ins[op].as.lwe_pbs.table);
}

/* ---- which elements are the same */

enum { LISTS = 1 << 10 };

static void
find_classes(struct sharing *s, struct group *g, ir_ref operand)
{
    const uint32_t n = (uint32_t)ir_count(&ir_at(s->f, operand)->type);
    const struct affine_row *row = s->a->rows[operand.id];
    uint32_t *last = arena_new(s->mem, uint32_t, n); /* of a class */
    uint32_t *next = arena_new(s->mem, uint32_t, n); /* class of a list */
    uint32_t *list = arena_alloc(s->mem, LISTS, sizeof *list);

    g->class = arena_new(s->mem, uint32_t, n);
    g->one = arena_new(s->mem, uint32_t, n);
    g->before = arena_new(s->mem, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *const first =
            &list[(affine_hash((uint64_t)row[i].constant, &row[i]) >> 52)
                  % LISTS];
        uint32_t c = *first;

        while (c > 0 && !affine_same(&row[i], &row[g->one[c - 1]]))
            c = next[c - 1];
        if (c == 0) {
            c = ++g->classes;
            g->one[c - 1] = i;
            last[c - 1] = 0;
            next[c - 1] = *first;
            *first = c;
        }
        g->class[i] = c - 1;
        g->before[i] = last[c - 1];
        last[c - 1] = i + 1;
    }
}

/* ---- which table goes where */

/* Elements of a class that have the same table have one output. */
static uint32_t
slot_of(const struct group *g, uint32_t m, uint32_t i,
        const struct ir_blob *table, uint32_t *used)
{
    const uint32_t rows = table->type.dim[0], size = table->type.dim[1];
    const union ir_cell *own = table->cell + (size_t)(i % rows) * size;

    for (uint32_t j = g->before[i]; j > 0; j = g->before[j - 1])
        if (memcmp(own, table->cell + (size_t)((j - 1) % rows) * size,
                   size * sizeof *own)
            == 0)
            return g->slot[m][j - 1];
    return used[g->class[i]]++;
}

/* Whether each output has one table, whatever the class. */
static bool
uniform(const struct sharing *s, const struct group *g, uint32_t n)
{
    const struct ir_ins *ins = &s->f->ins[g->member[0]];
    const union ir_cell **first =
        arena_alloc(s->mem, g->outputs, sizeof *first);
    const struct ir_blob *b = table_of(s, g->member[0]);
    const uint32_t size = b->type.dim[1];

    for (uint32_t m = 0; m < g->n; m++) {
        if (s->f->ins[g->member[m]].type.log2_delta != ins->type.log2_delta)
            return false;
        b = table_of(s, g->member[m]);
        for (uint32_t i = 0; i < n; i++) {
            const union ir_cell *row =
                b->cell + (size_t)(i % b->type.dim[0]) * size;
            const union ir_cell **own = &first[g->slot[m][i]];

            if (*own && memcmp(*own, row, size * sizeof *row) != 0)
                return false;
            *own = row;
        }
    }
    return true;
}

static void
find_slots(struct sharing *s, struct group *g, uint32_t n)
{
    uint32_t *used = arena_alloc(s->mem, g->classes, sizeof *used);

    g->slot = arena_new(s->mem, uint32_t *, g->n);
    g->rows = g->classes < n ? g->classes : 1;
    for (uint32_t m = 0; m < g->n; m++) {
        const struct ir_blob *table = table_of(s, g->member[m]);

        g->slot[m] = arena_new(s->mem, uint32_t, n);
        for (uint32_t i = 0; i < n; i++)
            g->slot[m][i] = slot_of(g, m, i, table, used);
        if (g->classes == n && table->type.dim[0] > g->rows)
            g->rows = table->type.dim[0];
    }
    for (uint32_t c = 0; c < g->classes; c++)
        if (used[c] > g->outputs)
            g->outputs = used[c];
    if (g->classes < n && uniform(s, g, n))
        g->rows = 1;
}

static struct group
gather_group(struct sharing *s, uint32_t i, const bool *done)
{
    const struct ir_func *f = s->f;
    const uint32_t most = s->how == SHARE_PRODUCTS ? MOST : MOST_INTERLEAVED;
    struct group g = { .log2_delta = 63 };

    for (uint32_t j = i; j < f->n && g.n < most; j++) {
        if (done[j] || !can_share(f, i, j))
            continue;
        g.member[g.n++] = j;
        if (f->ins[j].type.log2_delta < g.log2_delta)
            g.log2_delta = f->ins[j].type.log2_delta;
    }
    if (g.n == 0)
        return g;
    g.bits = f->ins[i].as.lwe_pbs.bits;
    find_classes(s, &g, f->ins[i].in[0]);
    find_slots(s, &g, (uint32_t)ir_count(&f->ins[i].type));
    return g;
}

static bool
fits(const struct sharing *s, const struct group *g, size_t n)
{
    if (g->n == 0 || (g->outputs < 2 && g->classes == n))
        return false;
    if (s->how == SHARE_PRODUCTS)
        return g->outputs <= MOST && g->log2_delta > 0;
    return g->outputs <= MOST_INTERLEAVED
           && g->bits + ir_bits(1, g->outputs) <= MAX_BITS;
}

/* ---- where messages lie */

/* What an origin may be, on the torus; false: not known. */
static bool
origin_range(const struct sharing *s, const struct affine_origin *o, double *lo,
             double *hi)
{
    const struct ir_ins *ins = ir_at(s->f, o->op);
    const double unit = ldexp(1, ins->type.log2_delta);
    const struct ir_ins *sent;
    const struct ir_blob *b;
    const union ir_cell *row;

    if (ins->op == IR_glwe_extract) {
        sent = ir_at(s->f, ins->in[0]);
        if (sent->op != IR_glwe_encrypt
            || !ir_at(s->f, sent->in[0])->type.ranged)
            return false;
        *lo = unit * (double)ir_at(s->f, sent->in[0])->type.ilo;
        *hi = unit * (double)ir_at(s->f, sent->in[0])->type.ihi;
        return true;
    }
    if (ins->op != IR_lwe_pbs)
        return false;
    b = table_of(s, o->op.id);
    row = b->cell + (size_t)(o->element % b->type.dim[0]) * b->type.dim[1];
    *hi = 0;
    for (uint32_t x = 0; x < b->type.dim[1]; x++)
        *hi = fmax(*hi, unit * fabs((double)row[x].i));
    *lo = -*hi; /* in the upper half tables are negated */
    return true;
}

/* Whether its index stays below 2^bits, whatever the inputs are.  Sums of
 * doubles are wrong by far less than half a step. */
static bool
stays_below(const struct sharing *s, const struct affine_row *r,
            const struct ir_ins *pbs)
{
    const unsigned delta = ir_at(s->f, pbs->in[0])->type.log2_delta;
    double lo = (double)r->constant
                + ldexp((double)pbs->as.lwe_pbs.offset + 0.5, (int)delta);
    double hi = lo, turn;

    for (uint32_t t = 0; t < r->n; t++) {
        const double w = (double)r->weight[t];
        double a, b;

        if (!origin_range(s, &s->a->origin[r->origin[t]], &a, &b))
            return false;
        lo += fmin(w * a, w * b);
        hi += fmax(w * a, w * b);
    }
    turn = ldexp(floor(ldexp(lo, -64)), 64);
    return hi < turn + 0x1p63;
}

/* By products, a table costs the jumps from its last entry to the negated
 * first: next to none if the first and the last add up to 0.  Where the upper
 * half of the torus is not used, a constant may be subtracted for that. */
static void
find_centres(struct sharing *s, struct group *g, size_t n)
{
    const struct ir_ins *first = &s->f->ins[g->member[0]];

    g->centre =
        arena_alloc(s->mem, (size_t)g->outputs * g->rows, sizeof *g->centre);
    if (s->how != SHARE_PRODUCTS || g->outputs < 2)
        return;
    for (uint32_t c = 0; c < g->classes; c++)
        if (!stays_below(s, &s->a->rows[first->in[0].id][g->one[c]], first))
            return;
    for (uint32_t m = 0; m < g->n; m++) {
        const struct ir_ins *ins = &s->f->ins[g->member[m]];
        const struct ir_blob *b = table_of(s, g->member[m]);
        const unsigned up = ins->type.log2_delta - g->log2_delta;
        const size_t size = b->type.dim[1];

        for (uint32_t i = 0; i < n; i++) {
            const union ir_cell *cell = b->cell + i % b->type.dim[0] * size;

            g->centre[g->slot[m][i] * g->rows + g->class[i] % g->rows] =
                (cell[0].i + cell[size - 1].i) / 2 * ((int64_t)1 << up);
        }
    }
}

/* ---- the shared bootstrap */

/* Outputs one after the other; in each a row a class, or as few as go round.
 * Those without a table are 0. */
static const char *
tables(struct sharing *s, const struct group *g, size_t n)
{
    const uint32_t dim[2] = { g->outputs * g->rows, 1u << g->bits };
    const struct ir_type t = ir_type_of(IR_INT, 2, dim);
    union ir_cell *cell = arena_alloc(s->mem, ir_count(&t), sizeof *cell);

    for (uint32_t m = 0; m < g->n; m++) {
        const struct ir_ins *ins = &s->f->ins[g->member[m]];
        const struct ir_blob *b = table_of(s, g->member[m]);
        const unsigned up = ins->type.log2_delta - g->log2_delta;

        for (uint32_t i = 0; i < n; i++) {
            const uint32_t row =
                g->slot[m][i] * g->rows + g->class[i] % g->rows;

            for (uint32_t x = 0; x < dim[1]; x++)
                cell[(size_t)row * dim[1] + x].w =
                    (b->cell[(size_t)(i % b->type.dim[0]) * dim[1] + x].w << up)
                    - (uint64_t)g->centre[row];
        }
    }
    return ir_blob_add(s->to, NULL, IR_PARAM, &t, cell)->name;
}

static ir_ref
gathered(struct sharing *s, struct span at, ir_ref x, const struct ir_type *t,
         const union ir_cell *index)
{
    union ir_attrs as = { 0 };

    as.lwe_gather.index = ir_blob_add(s->to, NULL, IR_CONST, t, index)->name;
    return ir_build(s->to, IR_lwe_gather, at, &x, 1, &as);
}

/* One of each class; from before the keyswitch, which is made for them. */
static ir_ref
operand(struct sharing *s, const struct group *g, const struct ir_ins *pbs)
{
    const struct ir_ins *ks = ir_at(s->f, pbs->in[0]);
    const uint32_t dim[1] = { g->classes };
    const struct ir_type t = ir_type_of(IR_INT, 1, dim);
    union ir_cell *cell = arena_new(s->mem, union ir_cell, g->classes);
    ir_ref v;

    if (g->classes == ir_count(&pbs->type))
        return s->map[pbs->in[0].id];
    for (uint32_t c = 0; c < g->classes; c++)
        cell[c].i = g->one[c];
    v = gathered(s, pbs->at, s->map[ks->in[0].id], &t, cell);
    return ir_build1(s->to, IR_lwe_keyswitch, ks->at, v);
}

static ir_ref
with_centres(struct sharing *s, const struct group *g, uint32_t m, ir_ref v,
             const struct ir_type *t)
{
    const size_t n = ir_count(t);
    union ir_cell *cell = arena_new(s->mem, union ir_cell, n);
    union ir_attrs as = { 0 };
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        cell[i].i = g->centre[g->slot[m][i] * g->rows + g->class[i] % g->rows];
        any = any || cell[i].i != 0;
    }
    if (!any)
        return v;
    as.lwe_add_clear.data = ir_blob_add(s->to, NULL, IR_PARAM, t, cell)->name;
    return ir_build(s->to, IR_lwe_add_clear, s->f->ins[g->member[m]].at, &v, 1,
                    &as);
}

/* Member m of `many`, as the op that it replaces had it. */
static ir_ref
output(struct sharing *s, const struct group *g, ir_ref many, uint32_t m)
{
    const struct ir_ins *ins = &s->f->ins[g->member[m]];
    struct ir_type t = ir_type_of(IR_INT, ins->type.rank, ins->type.dim);
    const size_t n = ir_count(&t);
    union ir_cell *cell = arena_new(s->mem, union ir_cell, n);
    union ir_attrs as = { 0 };
    ir_ref v;

    for (size_t i = 0; i < n; i++)
        cell[i].i = (int64_t)g->slot[m][i] * g->classes + g->class[i];
    v = gathered(s, ins->at, many, &t, cell);
    v = with_centres(s, g, m, v, &t);
    if (ir_at(s->to, v)->type.log2_delta == ins->type.log2_delta)
        return v;
    for (size_t e = 0; e < n; e++)
        cell[e].i = 1;
    as.lwe_mul_clear.data = ir_blob_add(s->to, NULL, IR_CONST, &t, cell)->name;
    return ir_build_typed(s->to, IR_lwe_mul_clear, ins->at, &v, 1, &as,
                          &ins->type);
}

static void
share(struct sharing *s, const struct group *g)
{
    const struct ir_ins *first = &s->f->ins[g->member[0]];
    const union ir_attrs as = {
        .lwe_pbs_many = { .table = tables(s, g, ir_count(&first->type)),
                          .offset = first->as.lwe_pbs.offset,
                          .bits = g->bits,
                          .log2_delta = g->log2_delta,
                          .outputs = g->outputs,
                          .products =
                              s->how == SHARE_PRODUCTS && g->outputs > 1 }
    };
    uint32_t made = s->to->n;
    const ir_ref in = operand(s, g, first);
    const ir_ref many =
        ir_build(s->to, IR_lwe_pbs_many, first->at, &in, 1, &as);

    while (made < s->to->n)
        s->to->ins[made++].from = first->from;
    for (uint32_t m = 0; m < g->n; m++) {
        s->map[g->member[m]] = output(s, g, many, m);
        while (made < s->to->n)
            s->to->ins[made++].from = s->f->ins[g->member[m]].from;
    }
}

struct ir_func *
share_bootstraps(struct pass_ctx *cx, const struct ir_func *f,
                 enum share_how how)
{
    struct pass_ctx inner = { cx->out, cx->scratch, cx->diag, 0, 0 };
    struct sharing s = { .mem = cx->scratch, .f = f, .how = how };
    bool *done = arena_new(cx->scratch, bool, f->n), any = false;
    ir_ref bad;

    s.a = affine_new(cx->scratch, f, &bad);
    if (!s.a)
        return NULL;
    s.to = ir_func_like(cx->scratch, f);
    s.map = arena_new(cx->scratch, ir_ref, f->n);
    for (uint32_t i = 0; i < f->n; i++) {
        struct group g;

        if (done[i])
            continue;
        g = gather_group(&s, i, done);
        if (fits(&s, &g, ir_count(&f->ins[i].type))) {
            find_centres(&s, &g, ir_count(&f->ins[i].type));
            share(&s, &g);
            for (uint32_t m = 0; m < g.n; m++)
                done[g.member[m]] = any = true;
            continue;
        }
        s.map[i] = ir_copy(s.to, &f->ins[i], s.map);
    }
    return any ? pass_dce(&inner, s.to) : NULL;
}
