/* Keyswitch of LWE ciphertexts from the big key to the small one, modulo 2^32.
 *
 *     KSK_ij = LWE_small( S_i q / B^j )       i < kN,  j = 1 .. levels
 *     out    = (0, .., 0, b) - sum_ij d_ij KSK_ij
 *
 * Only the top halves of the key's words exist, see ksk.c.  Adds (14) and (15).
 * Between two sets it is the same, with a key of their own, to the small key or
 * to the big one.
 */
#include "runtime/abi.h"
#include "runtime/inner.h"

static size_t
round_up(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static size_t
digit_bytes(size_t inputs, size_t levels)
{
    return round_up(CMLRT_BATCH * inputs * levels * sizeof(uint32_t));
}

static size_t
scratch_bytes(size_t inputs, size_t levels, size_t outputs)
{
    return digit_bytes(inputs, levels)
           + CMLRT_BATCH * (outputs + CMLRT_PANEL) * sizeof(uint32_t);
}

size_t
cmlrt_keyswitch_bytes(const struct cmlrt_set *set)
{
    return scratch_bytes(cmlrt_big(set), set->ks_levels, set->n);
}

size_t
cmlrt_switch_scratch(const struct cmlrt_sets *s, size_t i)
{
    return scratch_bytes(cmlrt_switch_inputs(s, i), s->sw[i].levels,
                         cmlrt_switch_outputs(s, i));
}

/* A batch takes one pass over the key. */
static void
switch_list(const struct kernels *k, const struct cmlrt_hop *hop, uint64_t *out,
            const uint64_t *const *in, unsigned batch, void *scratch)
{
    const struct cmlrt_ks_shape *s = &hop->shape;
    uint32_t *sum =
        (void *)((char *)scratch + digit_bytes(s->inputs, s->levels));

    k->keyswitch(sum, s, hop->key, in, batch, scratch);
    for (unsigned b = 0; b < batch; b++) {
        uint64_t *to = out + b * s->columns;

        for (size_t j = 0; j < s->columns; j++)
            to[j] = (uint64_t)sum[b * s->stride + j] << 32;
        to[s->columns - 1] += in[b][s->inputs];
    }
}

void
cmlrt_keyswitch(const struct cmlrt_eval *e, uint64_t *out,
                const uint64_t *const *in, unsigned batch, void *scratch)
{
    const struct cmlrt_hop own = { e->ks, e->ksk };

    switch_list(e->ring.kernels, &own, out, in, batch, scratch);
}

static void
switch_batch(const struct cmlrt_env *env, const struct cmlrt_hop *hop,
             uint64_t *out, const uint64_t *in, unsigned batch)
{
    const uint64_t *lwe[CMLRT_BATCH];

    for (unsigned b = 0; b < batch; b++)
        lwe[b] = in + b * env->big;
    switch_list(env->eval->ring.kernels, hop, out, lwe, batch, env->scratch);
}

/* hop: NULL in the clear and in simulation, where noise of sd is added */
static void
switch_all(struct cmlrt_env *env, const struct cmlrt_hop *hop, double sd,
           uint64_t *out, const uint64_t *in, int64_t begin, int64_t end)
{
    unsigned batch;

    for (int64_t i = begin; i < end; i += batch) {
        batch = end - i < CMLRT_BATCH ? (unsigned)(end - i) : CMLRT_BATCH;
        if (!hop)
            for (unsigned b = 0; b < batch; b++)
                out[i + b] = in[i + b] + cmlrt_normal(env->rng, sd);
        else
            switch_batch(env, hop, out + (size_t)i * hop->shape.columns,
                         in + (size_t)i * env->big, batch);
    }
}

void
cmlrt_lwe_keyswitch(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                    const void *with, int64_t begin, int64_t end)
{
    struct cmlrt_hop own;

    (void)with;
    if (env->eval)
        own = (struct cmlrt_hop){ env->eval->ks, env->eval->ksk };
    switch_all(env, env->eval ? &own : NULL, env->sd_ks, out, in, begin, end);
}

void
cmlrt_lwe_switch(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                 const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_border *d = with;

    switch_all(env, env->eval ? &env->hop[d->index] : NULL,
               env->simulated ? env->sd_hop[d->index] : 0, out, in, begin, end);
}
