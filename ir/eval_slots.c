/* Products of packed bits, by phases: polynomials modulo X^N + 1 and 2^64, all
 * coefficients of them, so that what meets where it should not is seen. */
#include "ir/eval.h"

#include "ir/slots.h"

enum { N = 1 << IR_LOG2_LEVELED };

/* Slot i of a ring goes to that one's ring i mod 2^steps, evenly spread there.
 */
void
eval_glwe_expand(struct eval *e)
{
    const uint32_t steps = e->ins->as.glwe_expand.steps;
    const size_t stride = (size_t)N >> e->ins->as.glwe_expand.log2_slots;
    const size_t rings = (size_t)1 << steps;

    for (size_t i = 0; i < e->n; i++) {
        const size_t from = i / (rings * N), ring = i / N % rings, at = i % N;

        e->out[i].w = at % (stride * rings)
                          ? 0
                          : e->in[0][from * N + at + ring * stride].w << steps;
    }
}

/*     out <- out + w X^at a,   at < 2N */
static void
add_turned(uint64_t *out, const uint64_t *a, size_t at, uint64_t w)
{
    for (size_t i = 0; i < N; i++) {
        const size_t to = (i + at) % (2 * N);

        out[to % N] += to < N ? w * a[i] : 0 - w * a[i];
    }
}

static void
add_cells(uint64_t *out, const union ir_cell *a, size_t at, uint64_t w)
{
    for (size_t i = 0; i < N; i++) {
        const size_t to = (i + at) % (2 * N);

        out[to % N] += to < N ? w * a[i].w : 0 - w * a[i].w;
    }
}

static void
add_own(const struct eval *e, uint64_t *sum, const struct slots_trie *t,
        const struct slots_prefix *p)
{
    const unsigned delta = e->ins->type.log2_delta;

    for (size_t i = p->mono; i < p->mono + p->monos; i++)
        add_cells(sum, e->in[0] + (size_t)t->mono[i].ring * N,
                  t->mono[i].exponent, (uint64_t)t->mono[i].weight);
    for (size_t i = p->constant; i < p->constant + p->constants; i++)
        sum[t->constant[i].exponent] += (uint64_t)t->constant[i].weight
                                        << delta;
}

struct products {
    const struct eval *e;
    const struct slots_trie *t;
};

/* sum <- S of prefix p;  sum + N ..: a polynomial for each level below */
static void
sum_of(const struct products *x, uint64_t *sum, size_t p)
{
    const struct slots_prefix *at = &x->t->prefix[p];

    for (size_t i = 0; i < N; i++)
        sum[i] = 0;
    add_own(x->e, sum, x->t, at);
    for (size_t c = at->child; c < at->child + at->children; c++) {
        const struct slots_prefix *below = &x->t->prefix[x->t->child[c]];
        const union ir_cell *m = x->e->in[1] + (size_t)below->ggsw * N;

        sum_of(x, sum + N, x->t->child[c]);
        for (size_t i = 0; i < N; i++)
            if (m[i].w)
                add_turned(sum, sum + N, i, m[i].w);
    }
}

void
eval_ggsw_products(struct eval *e)
{
    struct arena mem = { 0 };
    const struct slots_forest f = slots_forest_of(e->f, e->ins);
    struct slots_trie t;
    const struct products x = { e, &t };
    uint64_t *sum;

    if (!slots_trie(&t, &mem, &f))
        bug("products of more than %d terms", SLOTS_MOST_TERMS);
    sum = arena_new(&mem, uint64_t, (t.depth + 1) * (size_t)N);
    sum_of(&x, sum, 0);
    for (size_t i = 0; i < e->n; i++)
        e->out[i].w = sum[i];
    arena_free(&mem);
}
