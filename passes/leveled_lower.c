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
#include "passes/leveled_emit.h"

#include "passes/affine.h"
#include "passes/slots.h"

#include <math.h>
#include <string.h>

enum { RING = 1 << IR_LOG2_LEVELED };

/* ---- client */

static void
make_bits(struct leveled_emit *l, ir_ref x)
{
    const size_t n = l->s->slots;
    union ir_cell *feature = arena_new(l->mem, union ir_cell, n);
    union ir_cell *at = arena_new(l->mem, union ir_cell, n);
    ir_ref in[2];

    for (size_t i = 0; i < n; i++) {
        feature[i].i = l->s->feature[i];
        at[i].i = l->s->at[i];
    }
    in[0] = pass_matrix(l->g, l->at, IR_CONST, n, 0, at);
    in[1] = pass_gathered(l->g, l->at, x, n, feature);
    leveled_send(l, ir_build2(l->g, IR_less_equal, l->at, in[0], in[1]));
}

/* ---- places */

/* The bit between leaves of this number: coefficient as it is sent, N ring +
 * coefficient, and after the expansion to 2^spread rings. */
static void
place_pair(const struct leveled_emit *l, uint32_t number, uint32_t *sent,
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
choose_places(struct leveled_emit *l, bool *expanded, bool *paired)
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

/* ---- server */

/* The bits between leaves, a leaf apart. */
static ir_ref
pairs(struct leveled_emit *l, const bool *paired)
{
    const struct leveled_plan *p = l->p;
    const struct leveled_keys steps = leveled_first(p->keys, p->spread);
    union ir_attrs to = { .glwe_expand = { .log2_slots = p->keys.steps,
                                           .steps = p->spread } };
    const ir_ref x =
        leveled_encrypted(l, leveled_placed(l, l->rings, l->sent, paired),
                          64 - p->sums.bits - p->spread);

    if (p->spread == 0)
        return x;
    to.glwe_expand.keys = leveled_gadgets(l->mem, l->g, &steps);
    return ir_build(l->g, IR_glwe_expand, l->at, &x, 1, &to);
}

static const char *
leaf_digits(struct leveled_emit *l)
{
    return pass_integers(l->g, IR_PARAM, l->s->leaves, l->width,
                         leveled_digits(l->mem, l->s, &l->p->sums));
}

static ir_ref
selection(struct leveled_emit *l, const ir_ref *in, size_t nin)
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

static ir_ref
lower(struct leveled_emit *l)
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
    leveled_number(l);
    if (any)
        in[1] = leveled_expansion(l, expanded);
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
cheaper(struct leveled_emit *l, struct pass_ctx *cx, const struct ir_func *f,
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
    struct leveled_emit l = { .g = g, .mem = cx->scratch, .at = decrypt->at };
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
    return leveled_answered(&l, x, &decrypt->type);
}
