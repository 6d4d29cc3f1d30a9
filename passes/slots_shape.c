/* Bits of the levels of trees, and their places in polynomials. */
#include "passes/slots.h"

#include <string.h>

enum { LOG2_N = IR_LOG2_LEVELED, N = 1 << LOG2_N };

static uint32_t
log2_up(size_t x)
{
    uint32_t r = 0;

    while ((size_t)1 << r < x)
        r++;
    return r;
}

/* ---- bits: canonical order, by feature and threshold */

static void
mark(struct slots_shape *p, struct arena *mem, int64_t child, uint32_t depth)
{
    const struct leveled_node *n;
    struct slots_level *l;

    if (child < 0)
        return;
    n = &p->s->node[child];
    if (n->pair) {
        p->pair[n->slot] = 1;
        return;
    }
    l = &p->level[depth];
    if (!l->number)
        l->number = arena_new(mem, uint32_t, p->s->slots);
    l->number[n->slot] = 1;
    p->levels = depth + 1 > p->levels ? depth + 1 : p->levels;
    mark(p, mem, n->child[0], depth + 1);
    mark(p, mem, n->child[1], depth + 1);
}

static uint32_t
numbered(uint32_t *number, size_t slots)
{
    uint32_t n = 0;

    for (size_t i = 0; i < slots; i++)
        if (number[i])
            number[i] = ++n;
    return n;
}

void
slots_shape(struct slots_shape *p, struct arena *mem,
            const struct leveled_shape *s)
{
    *p = (struct slots_shape){ .s = s };
    p->pair = arena_new(mem, uint32_t, s->slots);
    for (size_t t = 0; t < s->trees; t++)
        mark(p, mem, s->root[t], 0);
    for (uint32_t d = 0; d < p->levels; d++)
        p->level[d].bits = numbered(p->level[d].number, s->slots);
    p->pairs = numbered(p->pair, s->slots);
}

/* ---- radices */

struct radices {
    const struct slots_shape *p;
    uint32_t now[IR_LEVELED_DEPTH], best[IR_LEVELED_DEPTH];
    uint32_t least; /* GGSWs of the best */
    double noise;   /* its sum of products of the radices above a level */
};

static uint32_t
ggsws_of(const struct slots_level *l, uint32_t radix)
{
    return radix > 1 ? (l->bits + radix - 2) / (radix - 1) : l->bits;
}

/* Of the fewest GGSWs, those of least noise, (93). */
static void
choose(struct radices *r, uint32_t level, uint32_t room, uint32_t ggsws,
       double above, double noise)
{
    const struct slots_level *l = &r->p->level[level];

    if (ggsws > r->least || (ggsws == r->least && noise >= r->noise))
        return;
    if (level == r->p->levels) {
        r->least = ggsws;
        r->noise = noise;
        memcpy(r->best, r->now, sizeof r->best);
        return;
    }
    if (room >> (r->p->levels - level) == 0) /* 2 for each below */
        return;
    for (uint32_t n = 2; n <= room && n <= l->bits + 1; n++) {
        r->now[level] = n;
        choose(r, level + 1, room / n, ggsws + ggsws_of(l, n), above * n,
               noise + above * ggsws_of(l, n));
    }
}

bool
slots_pack(struct slots_shape *p, uint32_t width, uint32_t log2_n3)
{
    const uint32_t first = log2_up(width);
    struct radices r = { .p = p, .least = UINT32_MAX };
    uint32_t sigma = 1u << first;

    p->log2_slots = log2_up(p->pairs);
    p->log2_slots = p->log2_slots > log2_n3 ? p->log2_slots : log2_n3;
    p->steps = p->log2_slots - log2_n3;
    p->ggsws = 0;
    if (p->log2_slots > LOG2_N || first + log2_n3 + p->levels > LOG2_N)
        return false;
    choose(&r, 0, (uint32_t)N >> (first + log2_n3), 0, 1, 0);
    if (r.least == UINT32_MAX)
        return false;
    for (uint32_t d = 0; d < p->levels; d++) {
        struct slots_level *l = &p->level[d];

        l->radix = r.best[d];
        l->sigma = sigma;
        l->first = p->ggsws;
        sigma *= l->radix;
        p->ggsws += ggsws_of(l, l->radix);
    }
    return true;
}

uint32_t
slots_inner(const struct slots_level *l, uint32_t slot)
{
    const uint32_t i = l->number[slot] - 1, each = l->radix - 1;

    return each ? (l->first + i / each) * N + (i % each + 1) * l->sigma : 0;
}

uint32_t
slots_pair(const struct slots_shape *p, uint32_t slot)
{
    const uint32_t i = p->pair[slot] - 1, ring = i & ((1u << p->steps) - 1);

    return ring * N + (i >> p->steps << (LOG2_N - p->log2_slots + p->steps));
}

/* ---- constants */

static void
place(const struct slots_shape *p, union ir_cell *cell, int64_t child,
      uint32_t depth)
{
    const struct leveled_node *n;

    if (child < 0)
        return;
    n = &p->s->node[child];
    cell[4 * child].i = n->pair;
    cell[4 * child + 1].i = n->pair ? slots_pair(p, n->slot)
                                    : slots_inner(&p->level[depth], n->slot);
    cell[4 * child + 2].i = n->child[0];
    cell[4 * child + 3].i = n->child[1];
    place(p, cell, n->child[0], depth + 1);
    place(p, cell, n->child[1], depth + 1);
}

struct slots_forest
slots_cells(struct arena *mem, const struct slots_shape *p,
            const struct leveled_sums *sums)
{
    const struct leveled_shape *s = p->s;
    union ir_cell *node = arena_new(mem, union ir_cell, 4 * s->nodes);
    union ir_cell *root = arena_new(mem, union ir_cell, s->trees);

    for (size_t t = 0; t < s->trees; t++) {
        place(p, node, s->root[t], 0);
        root[t].i = s->root[t];
    }
    return (struct slots_forest){
        node,     leveled_digits(mem, s, sums), root, s->nodes, s->leaves,
        s->trees, sums->digits * s->outputs,
    };
}
