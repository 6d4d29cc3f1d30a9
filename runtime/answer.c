/* Answers: what leaves the server hides how it was computed as far as the
 * client's key allows.
 *
 *     (a, b) <- (a, b) + coefficient 0 of  sum_i u_i zero_i + (e_1 .. e_k, e)
 *     b      <- b + uniform noise of +-2^log2_flood
 *
 * u_i are fresh uniform ternary polynomials, e fresh noise, one set for every
 * output.  Without the first step the masks of a linear program are the
 * weights times masks that the client knows: it would divide.
 */
#include "runtime/abi.h"
#include "runtime/inner.h"

#include <string.h>

/* Scratch: one polynomial of words, the fresh zero, points of the u_i, ring's
 */
size_t
cmlrt_answer_bytes(const struct cmlrt_set *set)
{
    const size_t n = cmlrt_ring_degree(set);

    return (1 + (set->k + 1) + set->k + 2) * n * sizeof(uint64_t);
}

/* All masks, and of the body its first coefs coefficients; the others are
 * without noise, and stay here. */
static void
fresh_zero(uint64_t *glwe, struct cmlrt_env *env, size_t coefs, uint64_t *small,
           double *more)
{
    const struct cmlrt_eval *e = env->eval;
    const size_t n = cmlrt_ring_degree(env->set), k = env->set->k;
    double *u = more, *scratch = more + k * n;

    for (size_t i = 0; i < k; i++) {
        cmlrt_ternary(small, n, env->rng);
        cmlrt_ring_small(u + i * n, &e->ring, small, scratch);
    }
    cmlrt_tuniforms(glwe, k * n + coefs, env->rng, env->set->t_glwe);
    memset(glwe + k * n + coefs, 0, (n - coefs) * sizeof *glwe);
    for (size_t c = 0; c <= k; c++) {
        const struct cmlrt_dot d = { e->zeros + c * 2 * n, u, (k + 1) * 2 * n,
                                     k };

        cmlrt_ring_dot_add(glwe + c * n, &e->ring, &d, scratch);
    }
}

static void
rerandomise(uint64_t *lwe, struct cmlrt_env *env)
{
    const size_t n = cmlrt_ring_degree(env->set), k = env->set->k;
    uint64_t *word = env->scratch, *glwe = word + n;

    fresh_zero(glwe, env, 1, word, (double *)(void *)(glwe + (k + 1) * n));
    for (size_t c = 0; c < k; c++) {
        cmlrt_extract_mask(word, glwe + c * n, 1, n, 0);
        for (size_t x = 0; x < n; x++)
            lwe[c * n + x] += word[x];
    }
    lwe[k * n] += glwe[k * n];
}

/* The first coefs coefficients, k = 1: the masks serve all of them. */
static void
rerandomise_ring(uint64_t *glwe, struct cmlrt_env *env, size_t coefs)
{
    const size_t n = cmlrt_ring_degree(env->set);
    uint64_t *word = env->scratch, *zero = word + n;

    fresh_zero(zero, env, coefs, word, (double *)(void *)(zero + 2 * n));
    for (size_t i = 0; i < n + coefs; i++)
        glwe[i] += zero[i];
}

/* Rounded to the top 32 bits, which then are all that travels. */
static void
cut_words(uint64_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        words[i] = (words[i] + (UINT64_C(1) << 31)) & ~(uint64_t)UINT32_MAX;
}

void
cmlrt_lwe_answer(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                 const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_reply *d = with;

    for (int64_t i = begin; i < end; i++) {
        uint64_t *lwe = out + (size_t)i * env->big;

        if (out != in)
            memcpy(lwe, in + (size_t)i * env->big, env->big * sizeof *lwe);
        if (env->simulated || env->clear)
            *lwe += cmlrt_normal(env->rng, env->sd_zero);
        else
            rerandomise(lwe, env);
        if (d->log2_flood >= 0 && !env->clear)
            lwe[env->big - 1] += cmlrt_tuniform(env->rng, (int)d->log2_flood);
        if (d->word_bits != 32 || env->clear)
            continue;
        if (env->simulated)
            *lwe += cmlrt_normal(env->rng, env->sd_cut);
        cut_words(lwe, env->big);
    }
}

/* Of all groups, their sum; what is beyond the first coefs coefficients of the
 * body stays here, so it needs no care. */
void
cmlrt_glwe_answer(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                  const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_reply *d = with;
    const struct cmlrt_glwes sum = { .count = d->groups, .coefs = d->coefs };
    const bool plain = env->simulated || env->clear;
    const size_t coefs = (size_t)d->coefs;
    const size_t n = plain ? 0 : cmlrt_ring_degree(env->set);

    if (begin >= end)
        return;
    cmlrt_glwe_sum(env, out, in, &sum, 0, 1);
    if (!plain)
        rerandomise_ring(out, env, coefs);
    for (size_t i = 0; i < coefs && env->simulated; i++)
        out[i] += cmlrt_normal(env->rng, env->sd_zero);
    for (size_t i = 0; i < coefs && d->log2_flood >= 0 && !env->clear; i++)
        out[n + i] += cmlrt_tuniform(env->rng, (int)d->log2_flood);
    if (d->word_bits != 32 || env->clear)
        return;
    for (size_t i = 0; i < coefs && env->simulated; i++)
        out[i] += cmlrt_normal(env->rng, env->sd_cut);
    cut_words(out, n + coefs);
}
