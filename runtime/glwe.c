/* GLWE ciphertexts: masks from a stream, rotation, extraction of coefficients.
 *
 * Coefficient f of (A_1 .. A_k, B) as an LWE under the big key:
 *
 *     a[cN + x] = A_c[f - x]   x <= f,     -A_c[N + f - x]   x > f
 *     b         = B[f]
 *
 * As windows, w = N - 1 - f .. 2N - 2 - f of
 *
 *     R_c[z] = A_c[N - 1 - z]   z < N,     -A_c[2N - 1 - z]   z >= N
 *     r[z]   = B[N - 1 - z]
 *
 * a product with clear integers reads all coefficients where R_c is.
 */
#include "runtime/abi.h"
#include "runtime/inner.h"

#include <string.h>

void
cmlrt_extract_mask(uint64_t *lwe, const uint64_t *masks, size_t k, size_t n,
                   size_t f)
{
    for (size_t c = 0; c < k; c++) {
        const uint64_t *a = masks + c * n;
        uint64_t *to = lwe + c * n;

        for (size_t x = 0; x <= f; x++)
            to[x] = a[f - x];
        for (size_t x = f + 1; x < n; x++)
            to[x] = (uint64_t)0 - a[n + f - x];
    }
}

void
cmlrt_rotate(uint64_t *out, const uint64_t *in, size_t n, size_t a)
{
    const uint64_t sign = a < n ? 1 : ~UINT64_C(0); /* X^n = -1 */
    const size_t cut = a < n ? a : a - n;

    for (size_t i = 0; i < cut; i++)
        out[i] = ((uint64_t)0 - sign) * in[n - cut + i];
    for (size_t i = cut; i < n; i++)
        out[i] = sign * in[i - cut];
}

size_t
cmlrt_extract_bytes(const struct cmlrt_set *set)
{
    return cmlrt_big(set) * sizeof(uint64_t);
}

/* Simulation: the body word is the phase; encryption adds its noise here. */
static void
extract_phases(struct cmlrt_env *env, uint64_t *out, const uint64_t *body,
               int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        out[i] = body[i] + cmlrt_normal(env->rng, env->sd_fresh);
}

/* The masks of ring ciphertext `at` of the row. */
static void
expand_masks(uint64_t *masks, const struct cmlrt_env *env, int64_t at)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, env->mask_seed, CMLRT_MASK,
                   env->first_glwe + (uint64_t)at);
    cmlrt_rng_bytes(&g, masks, cmlrt_extract_bytes(env->set));
}

/* A mask is expanded once for all coefficients of its GLWE in the range. */
void
cmlrt_glwe_extract(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                   const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_extract *d = with;
    const uint64_t *body = in + d->word;
    const int64_t n = (int64_t)1 << env->set->log2_n;
    uint64_t *masks = env->scratch;
    int64_t expanded = -1;

    if (env->simulated || env->clear) {
        extract_phases(env, out, body, begin, end);
        return;
    }
    for (int64_t i = begin; i < end; i++) {
        uint64_t *lwe = out + (size_t)i * env->big;

        if (i / n != expanded) {
            expanded = i / n;
            expand_masks(masks, env, d->glwe + expanded);
        }
        cmlrt_extract_mask(lwe, masks, env->set->k, (size_t)n, (size_t)(i % n));
        lwe[env->big - 1] = body[i];
    }
}

/* Items are ring ciphertexts; without encryption, the phases of all of their
 * coefficients. */
void
cmlrt_glwe_windows(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                   const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_extract *d = with;
    const int64_t n = (int64_t)1 << env->set->log2_n;
    const uint64_t *body = in + d->word;
    uint64_t *masks = env->scratch;

    for (int64_t i = begin; i < end; i++) {
        const int64_t left = d->count - i * n, count = left < n ? left : n;
        uint64_t *to = out + (size_t)i * cmlrt_window_words(env->set);

        if (env->simulated || env->clear) {
            extract_phases(env, out, body, i * n, i * n + count);
            continue;
        }
        expand_masks(masks, env, d->glwe + i);
        for (uint32_t c = 0; c < env->set->k; c++, to += 2 * n, masks += n)
            for (int64_t z = 0; z < n; z++) {
                to[z] = masks[n - 1 - z];
                to[n + z] = 0 - masks[n - 1 - z];
            }
        for (int64_t f = 0; f < count; f++)
            to[n - 1 - f] = body[i * n + f];
        masks = env->scratch;
    }
}
