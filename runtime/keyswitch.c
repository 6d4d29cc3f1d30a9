/* Keyswitch of LWE ciphertexts from the big key to the small one, modulo 2^32.
 *
 *     KSK_ij = LWE_small( S_i q / B^j )       i < kN,  j = 1 .. levels
 *     out    = (0, .., 0, b) - sum_ij d_ij KSK_ij
 *
 * Only the top halves of the key's words exist, see ksk.c.  Adds (14) and (15).
 */
#include "runtime/abi.h"
#include "runtime/inner.h"

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
