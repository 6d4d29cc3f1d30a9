/* Linear maps of LWE ciphertexts under the big key.  Words are combined one by
 * one, so that the phases of a simulation, one word each, need no other code.
 * Variances by lang-spec/crypto.md (12). */
#include "runtime/abi.h"
#include "runtime/inner.h"

#include <string.h>

void
cmlrt_lwe_add(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
              const void *with, int64_t begin, int64_t end)
{
    const uint64_t *other = with;

    for (size_t w = (size_t)begin * env->big; w < (size_t)end * env->big; w++)
        out[w] = in[w] + other[w];
}

void
cmlrt_lwe_sub(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
              const void *with, int64_t begin, int64_t end)
{
    const uint64_t *other = with;

    for (size_t w = (size_t)begin * env->big; w < (size_t)end * env->big; w++)
        out[w] = in[w] - other[w];
}

void
cmlrt_lwe_neg(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
              const void *with, int64_t begin, int64_t end)
{
    (void)with;
    for (size_t w = (size_t)begin * env->big; w < (size_t)end * env->big; w++)
        out[w] = (uint64_t)0 - in[w];
}

void
cmlrt_lwe_gather(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                 const void *with, int64_t begin, int64_t end)
{
    const int64_t *from = with;

    for (int64_t i = begin; i < end; i++)
        memcpy(out + (size_t)i * env->big, in + (size_t)from[i] * env->big,
               env->big * sizeof *out);
}

void
cmlrt_lwe_place(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_place *d = with;

    memcpy(out + (size_t)(d->first + begin) * env->big,
           in + (size_t)begin * env->big,
           (size_t)(end - begin) * env->big * sizeof *out);
}

void
cmlrt_lwe_add_clear(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                    const void *with, int64_t begin, int64_t end)
{
    const size_t from = (size_t)begin * env->big;
    const uint64_t *words = with;

    if (out != in)
        memcpy(out + from, in + from,
               (size_t)(end - begin) * env->big * sizeof *out);
    for (int64_t i = begin; i < end; i++)
        out[(size_t)(i + 1) * env->big - 1] += words[i];
}

void
cmlrt_lwe_mul_clear(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                    const void *with, int64_t begin, int64_t end)
{
    const int64_t *factor = with;

    for (int64_t i = begin; i < end; i++)
        for (size_t w = 0; w < env->big; w++)
            out[(size_t)i * env->big + w] =
                (uint64_t)factor[i] * in[(size_t)i * env->big + w];
}

/* (0, .., 0, m delta): of no noise, and of every key */
void
cmlrt_lwe_trivial(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                  const void *with, int64_t begin, int64_t end)
{
    const int64_t *log2_delta = with;

    memset(out + (size_t)begin * env->big, 0,
           (size_t)(end - begin) * env->big * sizeof *out);
    for (int64_t i = begin; i < end; i++)
        out[(size_t)(i + 1) * env->big - 1] = in[i] << *log2_delta;
}

/* single words need no vectors; a server has those of its processor */
static const struct kernels *
kernels_of(const struct cmlrt_env *env)
{
    return env->eval ? env->eval->ring.kernels : cmlrt_kernels_select("ref");
}

/* Elements [begin, end) of a product; s says where their words are. */
static void
multiply(const struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
         const struct cmlrt_matmul *d, struct cmlrt_mat_shape s, int64_t begin,
         int64_t end)
{
    const int64_t *weights = d->weights, *index = d->index;

    s.inner = (size_t)d->inner;
    s.apart = env->big;
    s.pitch = (size_t)d->cols;
    while (begin < end) {
        const int64_t row = begin / d->cols, col = begin % d->cols;
        const int64_t left = end - begin, cols = d->cols - col;

        s.cols = (size_t)(left < cols ? left : cols);
        s.first = (size_t)(row * d->inner);
        s.index = index ? index + row * d->inner : NULL;
        kernels_of(env)->matmul64(out + (size_t)begin * env->big, &s, in,
                                  weights + col);
        begin += (int64_t)s.cols;
    }
}

void
cmlrt_lwe_matmul_clear(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                       const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_mat_shape s = { .words = env->big, .stride = env->big };

    multiply(env, out, in, with, s, begin, end);
}

/* The same of coefficients of rings that cmlrt_glwe_windows has laid out: none
 * of their ciphertexts is ever made. */
void
cmlrt_glwe_matmul_clear(struct cmlrt_env *env, uint64_t *out,
                        const uint64_t *in, const void *with, int64_t begin,
                        int64_t end)
{
    const size_t n = cmlrt_ring_degree(env->set), k = env->set->k;
    struct cmlrt_mat_shape s = { .words = n,
                                 .stride = cmlrt_window_words(env->set),
                                 .window = n };

    if (env->simulated || env->clear) {
        cmlrt_lwe_matmul_clear(env, out, in, with, begin, end);
        return;
    }
    for (size_t c = 0; c < k; c++)
        multiply(env, out + c * n, in + c * 2 * n, with, s, begin, end);
    s.words = 1;
    multiply(env, out + k * n, in + k * 2 * n, with, s, begin, end);
}

void
cmlrt_lwe_sum(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
              const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_sum *d = with;

    for (int64_t e = begin; e < end; e++) {
        const int64_t o = e / d->inner, i = e % d->inner;
        uint64_t *to = out + (size_t)e * env->big;

        memset(to, 0, env->big * sizeof *to);
        for (int64_t j = 0; j < d->length; j++) {
            const int64_t at = (o * d->length + j) * d->inner + i;
            const uint64_t *from = in + (size_t)at * env->big;

            for (size_t w = 0; w < env->big; w++)
                to[w] += from[w];
        }
    }
}
