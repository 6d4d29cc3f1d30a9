/* Noise of products of packed bits, lang-spec/crypto.md 18: bounds that hold
 * whatever the bits are.
 */
#include "passes/slots.h"

#include <math.h>
#include <stdlib.h>

enum { N = 1 << IR_LOG2_LEVELED };

/* ---- rows, expansions, products */

double
slots_v_row(double sigma2, uint32_t keep_bits)
{
    return sigma2 + (keep_bits < 64 ? ldexp(1, -2 * (int)keep_bits) / 12 : 0);
}

/* (86) with rows of the client */
double
slots_v_product(struct model_gadget g, double v_row, double ones)
{
    const struct model_ring r = leveled_ring();

    return model_degree(r) * g.levels * model_digit_m2(g) * 2 * v_row
           + ones * (1 + model_key_norm2(r)) * model_round_err(g) / 12
           + model_v_fft(r, 2 * g.levels, g.log2_base);
}

/* (94) */
double
slots_v_forest(const struct slots_weights *w, struct model_gadget g,
               double v_row, double v_pair)
{
    return w->products * slots_v_product(g, v_row, 0)
           + w->ones * (slots_v_product(g, 0, 1) - slots_v_product(g, 0, 0))
           + w->pairs * v_pair;
}

/* ---- what errors are multiplied by */

struct weighing {
    const struct slots_forest *f;
    const struct slots_trie *t;
    bool *used;   /* [ggsw][N]: a bit */
    double *ones; /* [ggsw]: those and the 1 */
    /* [ggsw][N]: |F+| + |F-| of (95), of right and left turns */
    double *turn[2];
    double *pair; /* [ring][N]: what a bit between leaves is multiplied by */
};

static void
find_bits(struct weighing *w, size_t ggsws)
{
    for (size_t g = 0; g < ggsws; g++)
        w->ones[g] = w->used[g * N] = 1;
    for (size_t i = 0; i < w->f->nodes; i++) {
        const union ir_cell *node = w->f->node + 4 * i;

        if (node[0].i == 0 && !w->used[node[1].i]) {
            w->used[node[1].i] = true;
            w->ones[node[1].i / N]++;
        }
    }
}

/* X^-pos M, and (1 - X^-pos) M: coefficients are -1, 0 and 1; how many may be
 * there, of exponents from 0 on and below. */
static void
weigh_turns(struct weighing *w, size_t ggsw, size_t pos)
{
    const bool *m = w->used + ggsw * N;
    size_t below = 0, right = 0, left = 0;

    for (size_t x = 0; x < N; x++) {
        const bool shifted = x + pos < N && m[x + pos];

        below += x < pos && m[x];
        right += shifted;
        left += m[x] || shifted;
    }
    w->turn[1][ggsw * N + pos] = sqrt((double)right) + sqrt((double)below);
    w->turn[0][ggsw * N + pos] = sqrt((double)left) + sqrt((double)below);
}

static void
weigh_pairs(struct weighing *w, int64_t child, double by)
{
    const union ir_cell *node = w->f->node + 4 * (child < 0 ? 0 : child);
    double square = 0;

    if (child < 0)
        return;
    if (node[0].i == 0) {
        weigh_pairs(w, node[2].i, by * w->turn[0][node[1].i]);
        weigh_pairs(w, node[3].i, by * w->turn[1][node[1].i]);
        return;
    }
    for (size_t k = 0; k < w->f->width; k++) {
        const double d =
            (double)w->f->leaf[(size_t)~node[3].i * w->f->width + k].i
            - (double)w->f->leaf[(size_t)~node[2].i * w->f->width + k].i;

        square += d * d;
    }
    w->pair[node[1].i] += by * sqrt(square);
}

/* (95): nodes of one bit add in size; windows of two bits overlap at most in
 * pairs. */
static double
weight_of_pairs(struct weighing *w, struct arena *mem)
{
    double sum = 0;
    size_t most = 0;

    for (size_t i = 0; i < w->f->nodes; i++)
        if (w->f->node[4 * i].i == 1 && (size_t)w->f->node[4 * i + 1].i >= most)
            most = (size_t)w->f->node[4 * i + 1].i + 1;
    w->pair = arena_new(mem, double, most);
    for (size_t t = 0; t < w->f->trees; t++)
        weigh_pairs(w, w->f->root[t].i, 1);
    for (size_t i = 0; i < most; i++)
        sum += w->pair[i] * w->pair[i];
    return w->t->depth ? 2 * sum : sum;
}

/* ---- products */

/* a product, what its sum looks like, and what multiplies its error */
struct product {
    uint64_t like;
    double by, ones;
};

static uint64_t
mixed(uint64_t h, uint64_t x)
{
    h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

/* Sums that differ by a factor +-X^e look alike, and others may: no order, no
 * sign, no exponent counts. */
static uint64_t
likeness(const struct slots_trie *t, const struct slots_prefix *p,
         const struct product *of)
{
    uint64_t h = mixed(1, p->ggsw);

    for (size_t i = p->mono; i < p->mono + p->monos; i++)
        h += mixed(t->mono[i].ring + UINT64_C(2),
                   (uint64_t)llabs(t->mono[i].weight));
    for (size_t i = p->child; i < p->child + p->children; i++)
        h += mixed(0, of[t->child[i]].like);
    return h;
}

static int
by_likeness(const void *a, const void *b)
{
    const uint64_t x = ((const struct product *)a)->like;
    const uint64_t y = ((const struct product *)b)->like;

    return (x > y) - (x < y);
}

/* Products of like sums by one GGSW may have one error: their factors add up in
 * size. */
static void
weigh_products(struct slots_weights *out, const struct weighing *w,
               struct arena *mem)
{
    const struct slots_trie *t = w->t;
    struct product *of = arena_new(mem, struct product, t->prefixes);
    size_t end;

    for (size_t i = 1; i < t->prefixes; i++) {
        const struct slots_prefix *p = &t->prefix[i];

        of[i].ones = w->ones[p->ggsw];
        of[i].by = p->up ? of[p->up].by * sqrt(of[p->up].ones) : 1;
    }
    for (size_t i = t->prefixes; i-- > 1;)
        of[i].like = likeness(t, &t->prefix[i], of);
    qsort(of + 1, t->prefixes - 1, sizeof *of, by_likeness);
    for (size_t i = 1; i < t->prefixes; i = end) {
        double sum = 0;

        for (end = i; end < t->prefixes && of[end].like == of[i].like; end++)
            sum += of[end].by;
        out->products += sum * sum;
        out->ones += sum * sum * of[i].ones;
    }
}

struct slots_weights
slots_weights(struct arena *mem, const struct slots_forest *f,
              const struct slots_trie *t, size_t ggsws)
{
    const struct arena_mark m = arena_mark(mem);
    struct slots_weights out = { 0 };
    struct weighing w = { .f = f, .t = t };

    w.used = arena_new(mem, bool, ggsws *N);
    w.ones = arena_new(mem, double, ggsws);
    w.turn[0] = arena_new(mem, double, ggsws *N);
    w.turn[1] = arena_new(mem, double, ggsws *N);
    find_bits(&w, ggsws);
    for (size_t g = 0; g < ggsws; g++)
        for (size_t pos = 1; pos < N; pos++)
            if (w.used[g * N + pos])
                weigh_turns(&w, g, pos);
    out.pairs = weight_of_pairs(&w, mem);
    weigh_products(&out, &w, mem);
    arena_release(mem, m);
    return out;
}

/* ---- ops */

static double
v_products(struct arena *mem, const struct ir_func *f, const struct ir_ins *ins,
           double sigma2)
{
    const struct slots_forest forest = slots_forest_of(f, ins);
    const struct ir_ins *bits = ir_at(f, ins->in[0]);
    const struct ir_ins *packed = ir_at(f, ins->in[1]);
    const struct model_gadget g = { packed->as.ggsw_encrypt.levels,
                                    packed->as.ggsw_encrypt.log2_base };
    struct slots_trie t;
    struct slots_weights w;

    if (!slots_trie(&t, mem, &forest))
        bug("products of more than %d terms", SLOTS_MOST_TERMS);
    w = slots_weights(mem, &forest, &t, packed->type.dim[0]);
    return slots_v_forest(&w, g, packed->type.lo,
                          bits->op == IR_glwe_expand ? bits->type.lo : sigma2);
}

bool
slots_variance(struct arena *mem, const struct ir_func *f,
               const struct ir_ins *ins, double sigma2, double *lo, double *hi)
{
    struct leveled_keys k;

    switch ((int)ins->op) {
    case IR_ggsw_encrypt:
        *lo = *hi = slots_v_row(sigma2, ins->as.ggsw_encrypt.keep_bits);
        return true;
    case IR_glwe_expand:
        k = leveled_keys_of(ir_expansion_of(f, ins));
        *lo = leveled_v_expand(&k, sigma2);
        return true;
    case IR_ggsw_products: *lo = v_products(mem, f, ins, sigma2); return true;
    }
    return false;
}
