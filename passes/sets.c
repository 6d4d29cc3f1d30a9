/* What a circuit looks like to the choice of sets: clusters, classes, events.
 */
#include "passes/sets.h"

#include "passes/budget.h"
#include "passes/origins.h"

#include <math.h>
#include <stdlib.h>

bool
sets_is_table(const struct ir_ins *ins)
{
    return ir_is_bootstrap(ins) || ins->op == IR_lwe_bit_lut;
}

/* ---- clusters: a forest of ops, its roots are their numbers */

static uint32_t
root(uint32_t *up, uint32_t i)
{
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

/* A keyswitch leaves a cluster, a table begins another. */
static void
find_clusters(struct sets_problem *p, struct arena *mem)
{
    const struct ir_func *f = p->f;

    p->cluster = arena_new(mem, uint32_t, f->n);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        p->cluster[i] = i;
        if (!ir_ops[ins->op].cipher || ins->op == IR_glwe_encrypt
            || ins->op == IR_lwe_keyswitch || sets_is_table(ins))
            continue;
        for (size_t j = 0; j < ins->nin; j++)
            if (f->ins[ins->in[j].id].type.base >= IR_GLWE)
                p->cluster[root(p->cluster, ins->in[j].id)] =
                    root(p->cluster, i);
    }
    for (uint32_t i = 0; i < f->n; i++)
        p->cluster[i] = root(p->cluster, i);
}

/* ---- classes */

enum { WIDE = 64 }; /* bits: more than any other has */

struct kind {
    uint32_t bits;
    int norm; /* ceil(log2) of the norm of the weights */
};

static int
by_cost(const void *x, const void *y)
{
    const struct kind *a = x, *b = y;

    if (a->bits != b->bits)
        return a->bits < b->bits ? -1 : 1;
    return (a->norm > b->norm) - (a->norm < b->norm);
}

static struct kind
kind_of(const struct search_event *e, bool norms)
{
    struct kind k = { e->wide ? WIDE : e->min_log2_n, 0 };

    if (norms && !e->wide)
        k.norm = (int)ceil(log2(fmax(e->c_in + e->c_br, 1)) / 2);
    return k;
}

/* The number of kinds, ascending; SETS_CLASSES + 1 if there are more. */
static uint32_t
list_kinds(struct kind list[SETS_CLASSES], const struct search_problem *one,
           bool norms)
{
    uint32_t n = 0;

    for (size_t i = 0; i < one->n; i++) {
        const struct kind k = kind_of(&one->event[i], norms);
        uint32_t at = 0;

        while (at < n && by_cost(&k, &list[at]) != 0)
            at++;
        if (!one->event[i].table || at < n)
            continue;
        if (n == SETS_CLASSES)
            return n + 1;
        list[n++] = k;
    }
    qsort(list, n, sizeof *list, by_cost);
    return n;
}

/* Tables read at most 16 bits, so that without norms the list holds all. */
static void
find_classes(struct sets_problem *p, const struct search_problem *one,
             struct arena *mem)
{
    struct kind list[SETS_CLASSES];
    bool norms = true;

    p->classes = list_kinds(list, one, norms);
    if (p->classes > SETS_CLASSES) {
        norms = false;
        p->classes = list_kinds(list, one, norms);
    }
    if (p->classes > SETS_CLASSES)
        p->classes = 0; /* no choice */
    p->class = arena_new(mem, int, p->f->n);
    for (size_t i = 0; i < one->n; i++) {
        const struct search_event *e = &one->event[i];
        const struct kind k = kind_of(e, norms);

        for (uint32_t c = 0; e->table && c < p->classes; c++)
            if (by_cost(&k, &list[c]) == 0)
                p->class[e->tag] = (int)c;
    }
}

/* ---- events: as the pass `noise`, by class */

struct sums {
    double in, br[SETS_CLASSES], ext, wide;
};

static struct sums
sums_of(const struct sets_problem *p, struct origins *o,
        const struct affine_row *r)
{
    struct sums s = { 0 };

    origins_set(o, r);
    for (uint32_t t = 0; t < o->n; t++) {
        const struct ir_ins *ins;
        const double norm2 = origins_norm2(o, t, &ins);

        if (ir_is_bootstrap(ins))
            s.br[p->class[ins - p->f->ins]] += norm2;
        else if (ins->op != IR_lwe_bit_lut)
            s.in += norm2;
        else
            s.ext += ins->as.lwe_bit_lut.bits * norm2, s.wide += norm2;
    }
    return s;
}

/* The largest coefficient of each origin over the elements of a tensor. */
static void
add_origins(struct sets_event *e, const struct sets_problem *p,
            struct origins *o, uint32_t op)
{
    for (size_t i = 0; i < ir_count(&p->f->ins[op].type); i++) {
        const struct sums s = sums_of(p, o, &o->a->rows[op][i]);

        e->c_in = fmax(e->c_in, s.in);
        e->c_ext = fmax(e->c_ext, s.ext);
        e->c_wide = fmax(e->c_wide, s.wide);
        for (uint32_t c = 0; c < p->classes; c++)
            e->c_br[c] = fmax(e->c_br[c], s.br[c]);
    }
}

/* A table reads a keyswitch, a wide table and an answer what they are of: all
 * are one step from a value of the cluster. */
static uint32_t
read_from(const struct ir_func *f, uint32_t op)
{
    const uint32_t in = f->ins[op].in[0].id;

    return ir_is_bootstrap(&f->ins[op]) ? f->ins[in].in[0].id : in;
}

/* Tables with the same noise are one origin (twins.h), which is of one class.
 * In two sets they are not the same; then there is no choice of sets. */
static bool
origins_have_classes(const struct sets_problem *p, const struct affine *a)
{
    for (uint32_t i = 0; i < p->f->n; i++) {
        const struct ir_ins *ins = &p->f->ins[i];

        for (size_t e = 0; sets_is_table(ins) && e < ir_count(&ins->type);
             e++) {
            const struct affine_origin *o = &a->origin[a->rows[i][e].origin[0]];

            if (p->class[o->op.id] != p->class[i]
                || p->class[a->origin[o->mirror].op.id] != p->class[i])
                return false;
        }
    }
    return true;
}

/* The events of the bits of a wide table are neighbours. */
static void
wide_event(struct sets_problem *p, size_t i, const struct search_event *from)
{
    const uint32_t bits = p->f->ins[from->tag].as.lwe_bit_lut.bits;
    struct sets_event *e = &p->event[i];

    e->wide = p->any_wide = true;
    e->bit = from->width ? 0 : e[-1].bit + 1;
    e->scale = exp2(2.0 * (bits - 1 - e->bit));
    e->width = from->width;
}

static void
find_events(struct sets_problem *p, const struct search_problem *one,
            const struct affine *a, struct arena *mem)
{
    struct origins o = origins_new(mem, a);

    p->event = arena_new(mem, struct sets_event, one->n);
    p->n = one->n;
    for (size_t i = 0; i < one->n; i++) {
        const struct search_event *from = &one->event[i];
        const uint32_t value = read_from(p->f, from->tag);
        struct sets_event *e = &p->event[i];

        e->op = from->tag;
        e->cluster = p->cluster[value];
        e->class = from->table ? p->class[from->tag] : -1;
        e->tau = from->tau;
        e->v_max = from->v_max;
        e->count = from->count;
        e->min_log2_n = from->min_log2_n;
        e->theta = from->theta;
        e->scale = 1;
        if (from->wide)
            wide_event(p, i, from);
        add_origins(e, p, &o, value);
    }
}

static void
count_work(struct sets_problem *p, struct arena *mem)
{
    const struct ir_func *f = p->f;

    p->additions = arena_new(mem, double, f->n);
    p->result = arena_alloc(mem, f->n, sizeof *p->result);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_ins *ins = &f->ins[i];

        p->additions[p->cluster[i]] += budget_additions(f, ins);
        if (sets_is_table(ins))
            p->result[p->cluster[i]][p->class[i]] +=
                (double)ir_count(&ins->type);
    }
}

bool
sets_problem(struct sets_problem *p, struct arena *mem, const struct ir_func *f,
             const struct search_problem *one)
{
    const struct affine *a;
    ir_ref bad;

    *p = (struct sets_problem){ .f = f,
                                .log2_pfail = one->log2_pfail,
                                .level = one->level };
    find_classes(p, one, mem);
    if (p->classes < 2)
        return false;
    a = affine_new(mem, f, &bad);
    if (!a || !origins_have_classes(p, a))
        return false;
    find_clusters(p, mem);
    find_events(p, one, a, mem);
    count_work(p, mem);
    return true;
}
