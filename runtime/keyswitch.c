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
round_up(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static size_t
digit_bytes(const struct cmlrt_set *set)
{
    return round_up(CMLRT_BATCH * cmlrt_big(set) * set->ks_levels
                    * sizeof(uint32_t));
}

size_t
cmlrt_keyswitch_bytes(const struct cmlrt_set *set)
{
    return digit_bytes(set)
           + CMLRT_BATCH * ((size_t)set->n + CMLRT_PANEL) * sizeof(uint32_t);
}

/* A batch takes one pass over the key. */
static void
switch_batch(const struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
             unsigned batch)
{
    const struct cmlrt_eval *e = env->eval;
    uint32_t *sum = (void *)((char *)env->scratch + digit_bytes(env->set));
    const uint64_t *lwe[CMLRT_BATCH];

    for (unsigned b = 0; b < batch; b++)
        lwe[b] = in + b * env->big;
    e->ring.kernels->keyswitch(sum, &e->ks, e->ksk, lwe, batch, env->scratch);
    for (unsigned b = 0; b < batch; b++) {
        uint64_t *to = out + b * env->small;

        for (size_t j = 0; j < env->small; j++)
            to[j] = (uint64_t)sum[b * e->ks.stride + j] << 32;
        to[env->small - 1] += lwe[b][env->big - 1];
    }
}

void
cmlrt_lwe_keyswitch(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                    const void *with, int64_t begin, int64_t end)
{
    unsigned batch;

    (void)with;
    for (int64_t i = begin; i < end; i += batch) {
        batch = end - i < CMLRT_BATCH ? (unsigned)(end - i) : CMLRT_BATCH;
        if (env->simulated || env->clear)
            for (unsigned b = 0; b < batch; b++)
                out[i + b] = in[i + b] + cmlrt_normal(env->rng, env->sd_ks);
        else
            switch_batch(env, out + (size_t)i * env->small,
                         in + (size_t)i * env->big, batch);
    }
}
