/* Keyswitch of LWE ciphertexts from the big key to the small one, modulo 2^32.
 *
 *     KSK_ij = LWE_small( S_i q / B^j )       i < kN,  j = 1 .. levels
 *     out    = (0, .., 0, b) - sum_ij d_ij KSK_ij
 *
 * Only the top halves of the key's words exist: 32 random bits in a mask, and a
 * body rounded to 32 bits.  Adds (14) and (15).
 */
#include "runtime/abi.h"
#include "runtime/inner.h"

#include <string.h>

enum { NOISE_INDEX = 1 }; /* in the top half of the index of noise streams */

/* levels masks of n words each */
static void
expand(uint32_t *masks, const uint8_t seed[CMLRT_SEED], uint64_t i,
       size_t words)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, seed, CMLRT_KSK_MASK, i);
    cmlrt_rng_bytes(&g, masks, words * sizeof *masks);
}

/* round((<a, s> + e + message) / 2^32);   a in the top half of its words */
static uint32_t
encrypt(const uint32_t *a, const struct cmlrt_secret *s, uint64_t message,
        uint64_t noise)
{
    uint32_t sum = 0;

    for (size_t j = 0; j < s->set.n; j++)
        sum += a[j] * (uint32_t)s->small[j];
    message += ((uint64_t)sum << 32) + noise;
    return (uint32_t)((message + (UINT64_C(1) << 31)) >> 32);
}

void
cmlrt_ksk_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_keygen *g = arg;
    const struct cmlrt_set *set = &g->secret->set;
    uint32_t *masks = (void *)(g->scratch + thread * g->scratch_bytes);
    uint8_t *to = g->payload + cmlrt_ksk_at(set);

    for (int64_t i = begin; i < end; i++) {
        const uint64_t id = (uint64_t)NOISE_INDEX << 32 | (uint64_t)i;
        struct cmlrt_rng noise;

        cmlrt_rng_init(&noise, g->noise, CMLRT_NOISE, id);
        expand(masks, g->seed, (uint64_t)i, (size_t)set->ks_levels * set->n);
        for (uint32_t j = 0; j < set->ks_levels; j++) {
            const unsigned shift = 64 - set->ks_log2_base * (j + 1);
            const size_t at = (size_t)i * set->ks_levels + j;
            const uint32_t body = encrypt(masks + (size_t)j * set->n, g->secret,
                                          g->secret->big[i] << shift,
                                          cmlrt_tuniform(&noise, set->t_lwe));

            memcpy(to + at * sizeof body, &body, sizeof body);
        }
        cmlrt_wipe(&noise, sizeof noise);
    }
}

void
cmlrt_ksk_load(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_eval *e = arg;
    const size_t n = e->set.n, levels = e->set.ks_levels;
    uint32_t *masks = (void *)(e->scratch + thread * e->scratch_bytes);
    const uint8_t *bodies = e->payload + cmlrt_ksk_at(&e->set);

    for (int64_t i = begin; i < end; i++) {
        expand(masks, e->payload, (uint64_t)i, levels * n);
        for (size_t j = 0; j < levels; j++) {
            const size_t at = (size_t)i * levels + j;
            uint32_t *row = e->ksk + at * e->ks.stride;

            memcpy(row, masks + j * n, n * sizeof *row);
            memcpy(row + n, bodies + at * sizeof *row, sizeof *row);
        }
    }
}

static size_t
digit_bytes(const struct cmlrt_set *set)
{
    const size_t bytes = cmlrt_big(set) * set->ks_levels * sizeof(uint32_t);

    return (bytes + 63) & ~(size_t)63;
}

size_t
cmlrt_keyswitch_bytes(const struct cmlrt_set *set)
{
    return digit_bytes(set) + ((size_t)set->n + 1) * sizeof(uint32_t);
}

void
cmlrt_lwe_keyswitch(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                    const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_eval *e = env->eval;
    uint32_t *sum = (void *)((char *)env->scratch + digit_bytes(env->set));

    (void)with;
    for (int64_t i = begin; i < end; i++) {
        const uint64_t *lwe = in + (size_t)i * env->big;
        uint64_t *to = out + (size_t)i * env->small;

        if (env->simulated || env->clear) {
            *to = *lwe + cmlrt_normal(env->rng, env->sd_ks);
            continue;
        }
        e->ring.kernels->keyswitch(sum, &e->ks, e->ksk, lwe, env->scratch);
        for (size_t j = 0; j < env->small; j++)
            to[j] = (uint64_t)sum[j] << 32;
        to[env->small - 1] += lwe[env->big - 1];
    }
}
