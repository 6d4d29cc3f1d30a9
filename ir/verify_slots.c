/* Rules of products of packed bits, lang-spec/crypto.md 18. */
#include "ir/slots.h"
#include "ir/verify.h"

#include <math.h>

enum { N = 1 << IR_LOG2_LEVELED };

/* What is packed are bits; words that keep b bits have at least the noise of
 * their rounding, in body and mask rows alike. */
bool
verify_packed_bits(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    const struct ir_type *in;
    double cut;

    if (ins->op != IR_ggsw_encrypt)
        return true;
    in = &ir_at(f, ins->in[0])->type;
    cut = ins->as.ggsw_encrypt.keep_bits < 64
              ? ldexp(1, -2 * (int)ins->as.ggsw_encrypt.keep_bits) / 12
              : 0;
    return in->ranged && in->ilo >= 0 && in->ihi <= 1
           && (!ins->type.ranged
               || (ins->type.lo >= cut && ins->type.hi >= cut));
}

/* ---- exponents are a mixed radix, (89) */

struct packing {
    struct slots_forest f;
    bool *used;  /* [ggsw][N]: a bit stands there */
    bool *level; /* [ggsw]: nodes of the level at hand have it */
    bool pairs[N];
    size_t ggsws;
    uint32_t *depth; /* [node] */
};

static void
mark(struct packing *p, int64_t child, uint32_t depth)
{
    const union ir_cell *node;

    if (child < 0)
        return;
    node = p->f.node + 4 * child;
    p->depth[child] = depth;
    if (node[0].i == 1) {
        p->pairs[node[1].i % N] = true;
        return;
    }
    p->used[node[1].i] = true;
    mark(p, node[2].i, depth + 1);
    mark(p, node[3].i, depth + 1);
}

/* Positions that stand further apart than `sum`, to which the largest is
 * added. */
static bool
apart(const bool *at, size_t *sum, bool zero)
{
    size_t last = 0, room = *sum;
    bool any = zero;

    for (size_t x = 0; x < N; x++)
        if (at[x]) {
            if (any && x - last <= room)
                return false;
            any = true;
            last = x;
        }
    *sum += last;
    return true;
}

static bool
level_fits(struct packing *p, uint32_t depth, size_t *sum)
{
    bool at[N] = { false };

    for (size_t g = 0; g < p->ggsws; g++)
        p->level[g] = false;
    for (size_t i = 0; i < p->f.nodes; i++)
        if (p->f.node[4 * i].i == 0 && p->depth[i] == depth)
            p->level[p->f.node[4 * i + 1].i / N] = true;
    for (size_t g = 0; g < p->ggsws; g++)
        for (size_t x = 0; x < N && p->level[g]; x++)
            at[x] = at[x] || p->used[g * N + x];
    return apart(at, sum, true);
}

bool
verify_products(const struct ir_func *f, uint32_t i)
{
    const struct ir_ins *ins = &f->ins[i];
    struct arena mem = { 0 };
    struct packing *p;
    struct slots_trie t;
    size_t sum;
    bool fits;

    if (ins->op != IR_ggsw_products)
        return true;
    p = arena_new(&mem, struct packing, 1);
    p->f = slots_forest_of(f, ins);
    p->ggsws = ir_at(f, ins->in[1])->type.dim[0];
    p->used = arena_new(&mem, bool, p->ggsws *N);
    p->level = arena_new(&mem, bool, p->ggsws);
    p->depth = arena_new(&mem, uint32_t, p->f.nodes);
    for (size_t r = 0; r < p->f.trees; r++)
        mark(p, p->f.root[r].i, 0);
    fits = slots_trie(&t, &mem, &p->f);
    sum = p->f.width - 1;
    for (uint32_t d = 0; d < t.depth && fits; d++)
        fits = level_fits(p, d, &sum);
    fits = fits && apart(p->pairs, &sum, false) && sum < N;
    arena_free(&mem);
    return fits;
}
