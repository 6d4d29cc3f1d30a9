/* Making the keyswitch key, modulo 2^32:
 *
 *     KSK_ij = LWE_small( S_i q / B^j )       i < kN,  j = 1 .. levels
 *
 * Only the top halves of the words exist: 32 random bits in a mask, and a body
 * rounded to 32 bits.  Adds (14).
 * time  depends on the parameters only
 */
#include "runtime/inner.h"

#include <string.h>

uint32_t
cmlrt_ksk_body(const uint32_t *a, const uint64_t *key, size_t n,
               uint64_t message)
{
    uint32_t sum = 0;

    for (size_t j = 0; j < n; j++)
        sum += a[j] * (uint32_t)key[j];
    message += (uint64_t)sum << 32;
    return (uint32_t)((message + (UINT64_C(1) << 31)) >> 32);
}

void
cmlrt_ksk_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_keygen *g = arg;
    const struct cmlrt_set *set = &g->secret->set;
    uint32_t *masks = (void *)(g->scratch + thread * g->scratch_bytes);
    uint8_t *to = g->to + (size_t)begin * set->ks_levels * sizeof(uint32_t);

    begin += g->first;
    end += g->first;
    for (int64_t i = begin; i < end; i++) {
        const uint64_t id = (uint64_t)CMLRT_KSK_NOISE << 32 | (uint64_t)i;
        struct cmlrt_rng noise;

        cmlrt_rng_init(&noise, g->noise, CMLRT_NOISE, id);
        cmlrt_ksk_masks(masks, set, g->seed, (uint64_t)i);
        for (uint32_t j = 0; j < set->ks_levels; j++, to += sizeof(uint32_t)) {
            const unsigned shift = 64 - set->ks_log2_base * (j + 1);
            const uint32_t body = cmlrt_ksk_body(
                masks + (size_t)j * set->n, g->secret->small, set->n,
                (g->secret->big[i] << shift)
                    + cmlrt_tuniform(&noise, set->t_lwe));

            memcpy(to, &body, sizeof body);
        }
        cmlrt_wipe(&noise, sizeof noise);
    }
}
