/* Ring ciphertexts: products with GGSWs, sparse sums, and how those of the
 * input become values. */
#include "runtime/leveled.h"

#include <string.h>

enum { BATCH_NODES = 8 }; /* of leveled_expand.c, a step */

static size_t
nodes_of(const struct cmlrt_set *set)
{
    const struct cmlrt_leveled *l = &set->leveled;
    const size_t expand = (l->steps + 1) * BATCH_NODES;
    const size_t path = 2 * ((size_t)l->depth + 2);

    return expand > path ? expand : path;
}

static bool
is_leveled(const struct cmlrt_set *set)
{
    return set->n == 0 && set->k == 1;
}

size_t
cmlrt_leveled_bytes(const struct cmlrt_set *set)
{
    const size_t n = cmlrt_ring_degree(set);
    const size_t row = n + CMLRT_ROW_PAD;
    const size_t rows = CMLRT_MOST_ROWS + 4 + (2 + nodes_of(set)) * 2;

    return is_leveled(set) ? rows * row * sizeof(uint64_t) : 0;
}

struct cmlrt_lev
cmlrt_lev_open(const struct cmlrt_env *env)
{
    const size_t n = cmlrt_ring_degree(env->set), row = n + CMLRT_ROW_PAD;
    struct cmlrt_lev x = { .n = n, .log2_n = env->set->log2_n };

    x.k = env->eval->ring.kernels;
    x.plan = env->eval->ring.plan;
    x.rows = env->scratch;
    x.sum = x.rows + CMLRT_MOST_ROWS * row;
    x.acc = x.sum + 2 * row;
    x.u = (uint64_t *)(void *)(x.acc + 2 * row);
    x.turned = x.u + 2 * n;
    x.nodes = x.turned + 2 * n;
    return x;
}

void
cmlrt_lev_multiply(const struct cmlrt_lev *x, double *sum, const uint64_t *glwe,
                   const double *ggsw, const struct cmlrt_shape *s, bool add)
{
    const size_t row = x->n + CMLRT_ROW_PAD;

    x->k->digit_points(x->rows, glwe + x->n, s);
    x->k->digit_points(x->rows + s->levels * row, glwe, s);
    x->k->key_mul(sum, x->rows, ggsw, 2 * s->levels, x->n, add);
}

void
cmlrt_lev_reduce(const struct cmlrt_lev *x, uint64_t *glwe, double *sum)
{
    x->k->points_torus(glwe, sum, x->plan);
    x->k->points_torus(glwe + x->n, sum + x->n + CMLRT_ROW_PAD, x->plan);
}

void
cmlrt_lev_term(struct cmlrt_terms *t, const uint64_t *doubled, size_t n,
               int64_t exponent, int64_t weight)
{
    const size_t e = (size_t)exponent & (2 * n - 1);
    const bool minus = e >= n; /* X^n = -1 */

    t->in[t->count] = doubled + n - (minus ? e - n : e);
    t->weight[t->count++] = minus ? -weight : weight;
}

void
cmlrt_lev_combine(const struct cmlrt_lev *x, uint64_t *glwe,
                  const struct cmlrt_terms *t, bool add)
{
    for (unsigned c = 0; c < 2; c++) {
        const uint64_t *in[CMLRT_MOST_TERMS];
        uint64_t *to = add ? x->turned : glwe + c * x->n;

        for (size_t i = 0; i < t->count; i++)
            in[i] = t->in[i] + c * 2 * x->n;
        x->k->combine64(to, in, t->weight, t->count, x->n);
        if (add)
            x->k->axpy64(glwe + c * x->n, to, 1, x->n);
    }
}

void
cmlrt_lev_input(uint64_t *glwe, const struct cmlrt_env *env, size_t n,
                int64_t number, const uint64_t *body)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, env->mask_seed, CMLRT_MASK,
                   env->first_glwe + (uint64_t)number);
    cmlrt_rng_bytes(&g, glwe, n * sizeof *glwe);
    memcpy(glwe + n, body, n * sizeof *glwe);
}

void
cmlrt_lev_double(uint64_t *doubled, const uint64_t *glwe, size_t n)
{
    for (size_t c = 0; c < 2; c++)
        for (size_t i = 0; i < n; i++) {
            doubled[2 * c * n + i] = 0 - glwe[c * n + i];
            doubled[(2 * c + 1) * n + i] = glwe[c * n + i];
        }
}

/* ---- rows of the ABI */

void
cmlrt_glwe_load(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_load_glwe *d = with;
    struct cmlrt_lev x;

    if (cmlrt_lev_plain(env)) {
        cmlrt_plain_glwe_load(env, out, in, with, begin, end);
        return;
    }
    x = cmlrt_lev_open(env);
    for (int64_t i = begin; i < end; i++) {
        cmlrt_lev_input(x.u, env, x.n, d->glwe + i,
                        in + d->word + i * (int64_t)x.n);
        cmlrt_lev_double(out + (size_t)i * 4 * x.n, x.u, x.n);
    }
}

void
cmlrt_ggsw_load(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_load_ggsw *d = with;
    const int64_t rows = 2 * d->levels;
    struct cmlrt_lev x;

    if (cmlrt_lev_plain(env)) {
        cmlrt_plain_ggsw_load(env, out, in, with, begin, end);
        return;
    }
    x = cmlrt_lev_open(env);
    for (int64_t i = begin; i < end; i++) {
        double *key =
            (double *)(void *)out + (size_t)(i / rows * rows) * 2 * x.n;

        cmlrt_lev_input(x.u, env, x.n, d->glwe + i,
                        in + d->word + i * (int64_t)x.n);
        for (unsigned c = 0; c < 2; c++) {
            x.k->torus_points(x.sum, x.u + c * x.n, x.plan);
            x.k->key_put(key, x.sum, (unsigned)rows, (unsigned)(i % rows), c,
                         x.n);
        }
    }
}

void
cmlrt_glwe_sum(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
               const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_glwes *d = with;
    const size_t words = cmlrt_lev_plain(env) ? (size_t)d->coefs
                                              : 2 * cmlrt_ring_degree(env->set);

    if (begin >= end)
        return;
    memcpy(out, in, words * sizeof *out);
    for (size_t i = 1; i < (size_t)d->count; i++)
        for (size_t w = 0; w < words; w++)
            out[w] += in[i * words + w];
}
