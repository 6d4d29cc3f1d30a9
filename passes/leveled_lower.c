/* A forest of a client's integers becomes ciphertexts.
 *
 *     client    bits [x_f >= c] in slots      glwe.encrypt, a level each
 *     server    slots to GGSWs                glwe.to_ggsw
 *               trees of selections, summed   ggsw.forest
 *               one ring ciphertext           glwe.answer
 *     client    digits, their sum             glwe.decrypt, matmul
 *
 * With public thresholds products of packed bits may be cheaper: slots_lower.c.
 */
#include "passes/leveled.h"

#include "passes/affine.h"
#include "passes/slots.h"

#include <math.h>
#include <string.h>

enum { RING = 1 << IR_LOG2_LEVELED };

struct lowering {
    struct ir_func *g;
    struct arena *mem;
    struct span at;
    const struct leveled_shape *s;
    const struct leveled_plan *p;
    const struct leveled_sums *sums;
    uint32_t width;   /* coefficients of a leaf */
    ir_ref bits;      /* [slots] of 0 and 1, then 0 and 1 */
    uint32_t *place;  /* of a slot among those that are expanded */
    uint32_t *ring;   /* its bit between leaves: N ring + coefficient */
    uint32_t *sent;   /* the same, before it was expanded */
    uint32_t *number; /* of a slot's GGSW */
    size_t packs, rings, wanted;
};

/* ---- client */

static void
make_bits(struct lowering *l, ir_ref x)
{
    const size_t n = l->s->slots;
    union ir_cell *feature = arena_new(l->mem, union ir_cell, n);
    union ir_cell *at = arena_new(l->mem, union ir_cell, n);
    static const union ir_cell ends[2] = { { .i = 0 }, { .i = 1 } };
    ir_ref in[2];

    for (size_t i = 0; i < n; i++) {
        feature[i].i = l->s->feature[i];
        at[i].i = l->s->at[i];
    }
    in[0] = pass_matrix(l->g, l->at, IR_CONST, n, 0, at);
    in[1] = pass_gathered(l->g, l->at, x, n, feature);
    in[0] = ir_build2(l->g, IR_less_equal, l->at, in[0], in[1]);
    in[1] = pass_matrix(l->g, l->at, IR_CONST, 2, 0, ends);
    l->bits = ir_build(l->g, IR_concat, l->at, in, 2, NULL);
}

/* rings whole ring ciphertexts; slot i goes to coefficient place[i] of all */
static ir_ref
placed(struct lowering *l, size_t rings, const uint32_t *place,
       const bool *sent)
{
    union ir_cell *index = arena_new(l->mem, union ir_cell, rings * RING);

    for (size_t i = 0; i < rings * RING; i++)
        index[i].i = (int64_t)l->s->slots;
    for (size_t i = 0; i < l->s->slots; i++)
        if (sent[i])
            index[place[i]].i = (int64_t)i;
    return pass_gathered(l->g, l->at, l->bits, rings * RING, index);
}

static ir_ref
encrypted(struct lowering *l, ir_ref bits, uint32_t log2_delta)
{
    union ir_attrs as = { .glwe_encrypt = { .log2_delta = log2_delta } };

    return ir_build(l->g, IR_glwe_encrypt, l->at, &bits, 1, &as);
}

/* ---- places */

static uint32_t
reversed(uint32_t x, uint32_t bits)
{
    uint32_t y = 0;

    for (uint32_t i = 0; i < bits; i++)
        y |= (x >> i & 1) << (bits - 1 - i);
    return y;
}

/* The bit between leaves of this number: coefficient as it is sent, N ring +
 * coefficient, and after the expansion to 2^spread rings. */
static void
place_pair(const struct lowering *l, uint32_t number, uint32_t *sent,
           uint32_t *used)
{
    const uint32_t m = l->p->keys.steps, q = l->p->spread;
    const uint32_t each = leveled_bits_a_ring(l->p, l->width);
    const uint32_t ring = number / each, slot = number % each;
    const uint32_t stride = RING >> m;

    if (q == 0) {
        *sent = *used = ring * RING + slot * l->width;
        return;
    }
    *sent = ring * RING + slot * stride;
    *used = ((ring << q) + (slot & ((1u << q) - 1))) * RING
            + (slot >> q) * (stride << q);
}

static void
choose_places(struct lowering *l, bool *expanded, bool *paired)
{
    const struct leveled_shape *s = l->s;
    const uint32_t m = l->p->keys.steps;
    const uint32_t per_ring = leveled_bits_a_ring(l->p, l->width);
    uint32_t bits = 0, wanted = 0;

    for (size_t i = 0; i < s->slots; i++) {
        expanded[i] = s->inner[i] || !s->open;
        paired[i] = s->pair[i] || !s->open;
        if (expanded[i]) {
            l->place[i] =
                (wanted >> m) * RING
                + ((wanted & ((1u << m) - 1)) << (IR_LOG2_LEVELED - m));
            wanted++;
        }
        if (paired[i])
            place_pair(l, bits++, &l->sent[i], &l->ring[i]);
    }
    l->packs = ((size_t)wanted + (1u << m) - 1) >> m;
    l->rings = (bits + per_ring - 1) / per_ring;
}

/* GGSWs in the order in which they are made: by pack, then by the slot with its
 * bits reversed. */
static const char *
number_ggsws(struct lowering *l)
{
    const uint32_t m = l->p->keys.steps, stride = RING >> m;
    uint32_t *at = arena_new(l->mem, uint32_t, l->packs << m);
    union ir_cell *slot = arena_new(l->mem, union ir_cell, l->packs << m);

    for (size_t i = 0; i < l->s->slots; i++)
        if (l->s->inner[i])
            at[(size_t)(l->place[i] / RING) << m
               | reversed(l->place[i] % RING / stride, m)] = (uint32_t)i + 1;
    for (size_t k = 0; k < l->packs << m; k++)
        if (at[k]) {
            const uint32_t i = at[k] - 1;

            l->number[i] = (uint32_t)l->wanted;
            slot[l->wanted++].i = (int64_t)(l->place[i] / RING) << m
                                  | l->place[i] % RING / stride;
        }
    return pass_integers(l->g, IR_PARAM, l->wanted, 0, slot);
}

/* ---- server */

const char *
leveled_gadgets(struct arena *mem, struct ir_func *g,
                const struct leveled_keys *k)
{
    union ir_cell *cell = arena_new(mem, union ir_cell, 2 * (size_t)k->steps);

    for (size_t q = 0; q < k->steps; q++) {
        cell[2 * q].i = k->step[q].levels;
        cell[2 * q + 1].i = k->step[q].log2_base;
    }
    return pass_integers(g, IR_CONST, k->steps, 2, cell);
}

static ir_ref
expansion(struct lowering *l, const bool *expanded)
{
    const struct leveled_plan *p = l->p;
    const ir_ref bits = placed(l, l->packs, l->place, expanded);
    const char *const slots = number_ggsws(l);
    union ir_attrs as = { .glwe_to_ggsw = {
                              .slots = slots,
                              .log2_slots = p->keys.steps,
                              .log2_base = p->gg.log2_base,
                              .keys = leveled_gadgets(l->mem, l->g, &p->keys),
                              .switch_levels = p->keys.ss.levels,
                              .switch_log2_base = p->keys.ss.log2_base,
                          } };
    ir_ref *level = arena_new(l->mem, ir_ref, p->gg.levels);

    for (uint32_t j = 0; j < p->gg.levels; j++)
        level[j] =
            encrypted(l, bits, 64 - p->keys.steps - p->gg.log2_base * (j + 1));
    return ir_build(l->g, IR_glwe_to_ggsw, l->at, level, p->gg.levels, &as);
}

/* The bits between leaves, a leaf apart. */
static ir_ref
pairs(struct lowering *l, const bool *paired)
{
    const struct leveled_plan *p = l->p;
    const struct leveled_keys steps = leveled_first(p->keys, p->spread);
    union ir_attrs to = { .glwe_expand = { .log2_slots = p->keys.steps,
                                           .steps = p->spread } };
    const ir_ref x = encrypted(l, placed(l, l->rings, l->sent, paired),
                               64 - p->sums.bits - p->spread);

    if (p->spread == 0)
        return x;
    to.glwe_expand.keys = leveled_gadgets(l->mem, l->g, &steps);
    return ir_build(l->g, IR_glwe_expand, l->at, &x, 1, &to);
}

static const char *
leaf_digits(struct lowering *l)
{
    return pass_integers(l->g, IR_PARAM, l->s->leaves, l->width,
                         leveled_digits(l->mem, l->s, &l->p->sums));
}

static ir_ref
selection(struct lowering *l, const ir_ref *in, size_t nin)
{
    const struct leveled_shape *s = l->s;
    union ir_cell *node = arena_new(l->mem, union ir_cell, 4 * s->nodes);
    union ir_cell *root = arena_new(l->mem, union ir_cell, s->trees);
    union ir_attrs as = { .ggsw_forest = { .leaves = leaf_digits(l) } };

    for (size_t i = 0; i < s->nodes; i++) {
        const struct leveled_node *n = &s->node[i];

        node[4 * i].i = n->pair;
        node[4 * i + 1].i = (n->pair ? l->ring : l->number)[n->slot];
        node[4 * i + 2].i = n->child[0];
        node[4 * i + 3].i = n->child[1];
    }
    for (size_t t = 0; t < s->trees; t++)
        root[t].i = s->root[t];
    as.ggsw_forest.nodes = pass_integers(l->g, IR_PARAM, s->nodes, 4, node);
    as.ggsw_forest.roots = pass_integers(l->g, IR_PARAM, s->trees, 0, root);
    return ir_build(l->g, IR_ggsw_forest, l->at, in, nin, &as);
}

/* ---- client again */

/* sum of radix^d digit_d, plus what the leaves have lost */
static ir_ref
scores(struct lowering *l, ir_ref x, const struct ir_type *type)
{
    const struct leveled_sums *p = l->sums;
    const uint32_t dim[2] = { (uint32_t)l->s->outputs, p->digits };
    const struct ir_type matrix = ir_type_of(IR_INT, 2, dim);
    const struct ir_type own = ir_type_of(IR_INT, type->rank, type->dim);
    union ir_cell *power = arena_new(l->mem, union ir_cell, p->digits);
    union ir_cell *offset = arena_new(l->mem, union ir_cell, dim[0]);

    for (uint32_t d = 0; d < p->digits; d++)
        power[d].i = d ? power[d - 1].i * p->radix : 1;
    for (uint32_t k = 0; k < dim[0]; k++)
        offset[k].i = l->s->offset[k];
    x = ir_build_typed(l->g, IR_reshape, l->at, &x, 1, NULL, &matrix);
    x = ir_build2(l->g, IR_matmul, l->at, x,
                  pass_matrix(l->g, l->at, IR_CONST, p->digits, 0, power));
    x = ir_build2(l->g, IR_add, l->at, x,
                  pass_matrix(l->g, l->at, IR_CONST, dim[0], 0, offset));
    return ir_build_typed(l->g, IR_reshape, l->at, &x, 1, NULL, &own);
}

static ir_ref
answered(struct lowering *l, ir_ref x, const struct ir_type *type)
{
    union ir_attrs reply = { .glwe_answer = { .log2_flood = -1,
                                              .word_bits = 64 } };
    union ir_attrs as = { .glwe_decrypt = { .lo = 0, .hi = l->sums->most } };

    x = ir_build(l->g, IR_glwe_answer, l->at, &x, 1, &reply);
    x = ir_build(l->g, IR_glwe_decrypt, l->at, &x, 1, &as);
    return scores(l, x, type);
}

static ir_ref
lower(struct lowering *l)
{
    bool *expanded = arena_new(l->mem, bool, l->s->slots + 1);
    bool *paired = arena_new(l->mem, bool, l->s->slots + 1);
    const bool any = l->p->keys.steps > 0;
    ir_ref in[2];

    l->width = l->p->sums.digits * (uint32_t)l->s->outputs;
    l->place = arena_new(l->mem, uint32_t, l->s->slots + 1);
    l->ring = arena_new(l->mem, uint32_t, l->s->slots + 1);
    l->sent = arena_new(l->mem, uint32_t, l->s->slots + 1);
    l->number = arena_new(l->mem, uint32_t, l->s->slots + 1);
    choose_places(l, expanded, paired);
    if (any)
        in[1] = expansion(l, expanded);
    in[0] = pairs(l, paired);
    return selection(l, in, any ? 2 : 1);
}

/* ---- what is decrypted, as weights times the results of one forest */

static const struct ir_ins *
only_forest(const struct ir_func *f, const struct affine *a, ir_ref v)
{
    const struct ir_ins *forest = NULL;

    for (size_t e = 0; e < ir_count(&ir_at(f, v)->type); e++)
        for (uint32_t t = 0; t < a->rows[v.id][e].n; t++) {
            const ir_ref op = a->origin[a->rows[v.id][e].origin[t]].op;

            if (ir_at(f, op)->op != IR_forest
                || (forest && forest != ir_at(f, op)))
                return NULL;
            forest = ir_at(f, op);
        }
    return forest;
}

/* tests only: 1 wherever it can be, 0 never; else -1, where it is cheaper */
static int
packed_wanted(const struct ir_func *f)
{
    return (int)ir_get(f, "packed", -1);
}

/* Products of packed bits: with public thresholds, if nothing else expands. */
static bool
may_pack(const struct ir_func *f, const struct affine *a,
         const struct leveled_shape *s)
{
    size_t n = 0;
    bool inner = false;

    for (uint32_t i = 0; i < f->n; i++)
        n += f->ins[i].op == IR_decrypt && only_forest(f, a, f->ins[i].in[0]);
    for (size_t i = 0; i < s->slots; i++)
        inner = inner || s->inner[i];
    return s->open && inner && n == 1 && packed_wanted(f) != 0;
}

/* The sums, by the cheaper of the two ways there are; cx->status if neither. */
static ir_ref
cheaper(struct lowering *l, struct pass_ctx *cx, const struct ir_func *f,
        const struct ir_ins *forest, bool pack, ir_ref x)
{
    struct slots_shape *shape = arena_new(l->mem, struct slots_shape, 1);
    struct slots_plan *packed = arena_new(l->mem, struct slots_plan, 1);
    struct leveled_plan *p = arena_new(l->mem, struct leveled_plan, 1);
    /* all forests of a program have one set of keys */
    const struct leveled_keys before = leveled_keys_of(ir_expansion_keys(l->g));
    const struct leveled_keys *keys = before.steps ? &before : NULL;
    struct diag quiet = *cx->diag;
    struct pass_ctx own = *cx;
    bool selects;

    quiet.errors = DIAG_MAX; /* if there is another way, no messages */
    own.diag = &quiet;
    selects = leveled_plan(p, pack ? &own : cx, f, forest, l->s, keys);
    if (pack)
        slots_shape(shape, l->mem, l->s);
    pack = pack
           && slots_plan(packed, l->mem, f, shape,
                         selects && packed_wanted(f) < 0 ? p->cost
                                                         : (double)INFINITY);
    if (!selects && !pack && !cx->status) /* again, with the message */
        (void)leveled_plan(p, cx, f, forest, l->s, keys);
    if (cx->status)
        return (ir_ref){ 0 };
    l->p = p;
    l->sums = pack ? &packed->sums : &p->sums;
    make_bits(l, x);
    return pack ? slots_lower(l->mem, l->g, l->at, l->bits, shape, packed)
                : lower(l);
}

static ir_ref
refuse(struct pass_ctx *cx, struct span at, const char *what)
{
    diag_error(cx->diag, at, E_at_server, "%s", what);
    diag_help(cx->diag, "give the forest's result out, and do the rest with "
                        "public numbers: the client then does it");
    cx->status = 1;
    return (ir_ref){ 0 };
}

ir_ref
leveled_lower(struct pass_ctx *cx, const struct ir_func *f,
              const struct affine *a, const struct ir_ins *decrypt,
              struct ir_func *g, const ir_ref *map)
{
    const ir_ref v = decrypt->in[0];
    const size_t n = ir_count(&ir_at(f, v)->type);
    const struct ir_ins *forest = only_forest(f, a, v);
    struct leveled_shape s;
    struct lowering l = { .g = g, .mem = cx->scratch, .at = decrypt->at };
    int64_t *weights, *constants;
    size_t outputs;
    ir_ref x;

    if (!forest)
        return refuse(cx, decrypt->at,
                      "a forest's result meets other encrypted values");
    if (ir_at(f, forest->in[0])->op != IR_encrypt)
        return refuse(cx, forest->at,
                      "a forest takes inputs as the client sends them");
    outputs = ir_count(&forest->type);
    weights = arena_new(cx->scratch, int64_t, n *outputs);
    constants = arena_new(cx->scratch, int64_t, n);
    for (size_t e = 0; e < n; e++) {
        const struct affine_row *r = &a->rows[v.id][e];

        constants[e] = r->constant;
        for (uint32_t t = 0; t < r->n; t++)
            weights[e * outputs + a->origin[r->origin[t]].element] =
                r->weight[t];
    }
    if (!leveled_shape(&s, cx, f, forest, weights, constants, n))
        return (ir_ref){ 0 };
    l.at = forest->at;
    l.s = &s;
    if (s.nodes == 0) {
        union ir_cell *cell = arena_new(cx->scratch, union ir_cell, n);
        const struct ir_type own =
            ir_type_of(IR_INT, decrypt->type.rank, decrypt->type.dim);

        for (size_t e = 0; e < n; e++)
            cell[e].i = s.offset[e];
        return ir_constant(g, decrypt->at, NULL, IR_CONST, &own, cell);
    }
    x = cheaper(&l, cx, f, forest, may_pack(f, a, &s),
                map[ir_at(f, forest->in[0])->in[0].id]);
    if (cx->status)
        return x;
    return answered(&l, x, &decrypt->type);
}
