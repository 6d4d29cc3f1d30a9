/* From trees to the trie of their products; see slots.h.
 *
 * The way to a node multiplies what is below by X^-pos for a right turn and by
 * 1 - X^-pos for a left one, so n left turns make 2^n terms of each below.
 */
#include "ir/slots.h"

#include <stdlib.h>

enum { N = 1 << IR_LOG2_LEVELED };

/* the ring of a constant: it comes last */
static const uint32_t constant = UINT32_MAX;

/* a prefix while the trie grows: numbers of prefixes plus one, 0 is none */
struct growing {
    uint32_t ggsw, up, depth;
    uint32_t first, last, next; /* children; the next of the same parent */
};

/* +- X^exponent, exponents modulo 2N with X^N = -1 */
struct poly {
    size_t n;
    const uint32_t *exponent;
};

struct build {
    struct arena *mem;
    const struct slots_forest *f;
    struct slots_term *term;
    struct growing *prefix;
    size_t terms, room, prefixes, prefix_room;
    bool full;
};

struct slots_forest
slots_forest_of(const struct ir_func *f, const struct ir_ins *ins)
{
    const struct ir_blob *nodes = ir_data(f, ins->as.ggsw_products.nodes);
    const struct ir_blob *leaves = ir_data(f, ins->as.ggsw_products.leaves);
    const struct ir_blob *roots = ir_data(f, ins->as.ggsw_products.roots);

    return (struct slots_forest){ .node = nodes->cell,
                                  .leaf = leaves->cell,
                                  .root = roots->cell,
                                  .nodes = nodes->type.dim[0],
                                  .leaves = leaves->type.dim[0],
                                  .trees = roots->type.dim[0],
                                  .width = leaves->type.dim[1] };
}

/* Room for one more item of `size` bytes behind `used` ones. */
static void *
grown(void *list, size_t used, size_t *room, size_t size)
{
    void *more;

    if (used < *room)
        return list;
    *room = *room ? 2 * *room : 256;
    more = realloc(list, *room * size);
    if (!more)
        out_of_memory();
    return more;
}

static void
add_term(struct build *b, uint32_t prefix, uint32_t ring, uint32_t exponent,
         uint64_t weight)
{
    exponent %= 2 * N;
    if (weight == 0)
        return;
    if (b->terms == SLOTS_MOST_TERMS) {
        b->full = true;
        return;
    }
    b->term = (struct slots_term *)grown(b->term, b->terms, &b->room,
                                         sizeof *b->term);
    b->term[b->terms++] =
        (struct slots_term){ prefix, ring, exponent % N,
                             (int64_t)(exponent < N ? weight : 0 - weight) };
}

static uint32_t
new_prefix(struct build *b, uint32_t ggsw, uint32_t up, uint32_t depth)
{
    b->prefix = (struct growing *)grown(b->prefix, b->prefixes, &b->prefix_room,
                                        sizeof *b->prefix);
    b->prefix[b->prefixes] =
        (struct growing){ .ggsw = ggsw, .up = up, .depth = depth };
    return (uint32_t)b->prefixes++;
}

static uint32_t
child_of(struct build *b, uint32_t prefix, uint32_t ggsw)
{
    uint32_t c = b->prefix[prefix].first, last;

    for (; c; c = b->prefix[c - 1].next)
        if (b->prefix[c - 1].ggsw == ggsw)
            return c - 1;
    c = new_prefix(b, ggsw, prefix, b->prefix[prefix].depth + 1);
    last = b->prefix[prefix].last;
    *(last ? &b->prefix[last - 1].next : &b->prefix[prefix].first) = c + 1;
    b->prefix[prefix].last = c + 1;
    return c;
}

static const union ir_cell *
leaf_of(const struct build *b, int64_t child)
{
    return b->f->leaf + (size_t)~child * b->f->width;
}

/* u times the leaf, whose output k stands at X^k */
static void
add_leaf(struct build *b, uint32_t prefix, struct poly u, int64_t child)
{
    const union ir_cell *leaf = leaf_of(b, child);

    for (size_t i = 0; i < u.n && !b->full; i++)
        for (size_t k = 0; k < b->f->width; k++)
            add_term(b, prefix, constant, u.exponent[i] + (uint32_t)k,
                     leaf[k].w);
}

/* u times bit (right - left): the bit at coefficient pos comes to 0 */
static void
add_pair(struct build *b, uint32_t prefix, struct poly u,
         const union ir_cell *node)
{
    const union ir_cell *left = leaf_of(b, node[2].i);
    const union ir_cell *right = leaf_of(b, node[3].i);
    const uint32_t ring = (uint32_t)(node[1].i / N);
    const uint32_t pos = (uint32_t)(node[1].i % N);

    add_leaf(b, prefix, u, node[2].i);
    for (size_t i = 0; i < u.n && !b->full; i++)
        for (size_t k = 0; k < b->f->width; k++)
            add_term(b, prefix, ring, u.exponent[i] + 2 * N - pos + (uint32_t)k,
                     right[k].w - left[k].w);
}

/* (add ? u : 0) + X^e u */
static struct poly
turned(struct build *b, struct poly u, uint32_t e, bool add)
{
    uint32_t *to = arena_new(b->mem, uint32_t, (add ? 2 : 1) * u.n);
    const struct poly t = { (add ? 2 : 1) * u.n, to };

    for (size_t i = 0; add && i < u.n; i++)
        *to++ = u.exponent[i];
    for (size_t i = 0; i < u.n; i++)
        *to++ = (u.exponent[i] + e) % (2 * N);
    return t;
}

static void
emit(struct build *b, int64_t child, uint32_t prefix, struct poly u)
{
    const struct arena_mark m = arena_mark(b->mem);
    const union ir_cell *node;
    uint32_t pos, below;

    if (b->full)
        return;
    if (child < 0) {
        add_leaf(b, prefix, u, child);
        return;
    }
    node = b->f->node + 4 * child;
    if (node[0].i == 1) {
        add_pair(b, prefix, u, node);
        return;
    }
    if (2 * u.n > SLOTS_MOST_TERMS) {
        b->full = true;
        return;
    }
    pos = (uint32_t)(node[1].i % N);
    below = child_of(b, prefix, (uint32_t)(node[1].i / N));
    /* - X^-pos = X^(N - pos) */
    emit(b, node[2].i, below, turned(b, u, N - pos, true));
    emit(b, node[3].i, below, turned(b, u, 2 * N - pos, false));
    arena_release(b->mem, m);
}

static int
by_place(const void *x, const void *y)
{
    const struct slots_term *a = x, *b = y;

    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    if (a->ring != b->ring)
        return a->ring < b->ring ? -1 : 1;
    return (a->exponent > b->exponent) - (a->exponent < b->exponent);
}

static bool
alike(const struct slots_term *a, const struct slots_term *b)
{
    return by_place(a, b) == 0;
}

/* Like terms become one; those that vanish, none. */
static void
merge(struct build *b)
{
    size_t n = 0;

    if (b->terms)
        qsort(b->term, b->terms, sizeof *b->term, by_place);
    for (size_t i = 0, j; i < b->terms; i = j) {
        struct slots_term t = b->term[i];
        uint64_t sum = 0;

        for (j = i; j < b->terms && alike(&t, &b->term[j]); j++)
            sum += (uint64_t)b->term[j].weight;
        t.weight = (int64_t)sum;
        if (sum)
            b->term[n++] = t;
    }
    b->terms = n;
}

/* Monomials of a prefix come before its constants, whose ring is the last. */
static void
share_out(struct build *b, struct slots_trie *out)
{
    size_t at = 0, child = 0;

    out->mono = arena_new(b->mem, struct slots_term, b->terms + 1);
    out->constant = arena_new(b->mem, struct slots_term, b->terms + 1);
    out->child = arena_new(b->mem, uint32_t, b->prefixes);
    out->prefixes = b->prefixes;
    out->prefix = arena_new(b->mem, struct slots_prefix, b->prefixes);
    for (size_t p = 0; p < b->prefixes; p++) {
        const struct growing *from = &b->prefix[p];
        struct slots_prefix *to = &out->prefix[p];

        *to = (struct slots_prefix){ .ggsw = from->ggsw,
                                     .up = from->up,
                                     .mono = out->monos,
                                     .constant = out->constants,
                                     .child = child };
        for (; at < b->terms && b->term[at].prefix == p; at++)
            if (b->term[at].ring == constant)
                out->constant[out->constants++] = b->term[at];
            else
                out->mono[out->monos++] = b->term[at];
        for (uint32_t c = from->first; c; c = b->prefix[c - 1].next)
            out->child[child++] = c - 1;
        to->monos = out->monos - to->mono;
        to->constants = out->constants - to->constant;
        to->children = child - to->child;
        out->depth = from->depth > out->depth ? from->depth : out->depth;
    }
}

bool
slots_trie(struct slots_trie *out, struct arena *mem,
           const struct slots_forest *f)
{
    static const uint32_t zero[1] = { 0 };
    struct build b = { .mem = mem, .f = f };

    *out = (struct slots_trie){ 0 };
    new_prefix(&b, 0, 0, 0);
    for (size_t t = 0; t < f->trees; t++)
        emit(&b, f->root[t].i, 0, (struct poly){ 1, zero });
    if (!b.full) {
        merge(&b);
        share_out(&b, out);
    }
    free(b.term);
    free(b.prefix);
    return !b.full;
}
