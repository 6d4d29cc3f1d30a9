/* The parameter sets of a program, and what lies between them.
 *
 * A circuit may use a few sets, each with keys of its own, made and loaded by
 * evalkey.c.  Borders are keyswitches from the big key of one to the small or
 * the big key of another, modulo 2^32 as ksk.c.  Portable payload of all:
 *
 *     for each set        its payload, evalkey.c
 *     for each switch     seed, 32 bytes; bodies u32 [kN of from][levels]
 */
#include "runtime/inner.h"

size_t
cmlrt_switch_inputs(const struct cmlrt_sets *s, size_t i)
{
    return cmlrt_big(&s->at[s->sw[i].from]);
}

size_t
cmlrt_switch_outputs(const struct cmlrt_sets *s, size_t i)
{
    const struct cmlrt_set *to = &s->at[s->sw[i].to];

    return s->sw[i].big ? cmlrt_big(to) : to->n;
}

size_t
cmlrt_switch_mask_bytes(const struct cmlrt_sets *s, size_t i)
{
    return cmlrt_switch_outputs(s, i) * s->sw[i].levels * sizeof(uint32_t);
}

size_t
cmlrt_switch_bytes(const struct cmlrt_sets *s, size_t i)
{
    return CMLRT_SEED
           + cmlrt_switch_inputs(s, i) * s->sw[i].levels * sizeof(uint32_t);
}

size_t
cmlrt_sets_bytes(const struct cmlrt_sets *s)
{
    size_t bytes = 0;

    for (size_t i = 0; i < s->n; i++)
        bytes += cmlrt_eval_bytes(&s->at[i]);
    for (size_t i = 0; i < s->switches; i++)
        bytes += cmlrt_switch_bytes(s, i);
    return bytes;
}

void
cmlrt_switch_masks(uint32_t *masks, const struct cmlrt_sets *s, size_t i,
                   const uint8_t seed[CMLRT_SEED], uint64_t word)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, seed, CMLRT_KSK_MASK, word);
    cmlrt_rng_bytes(&g, masks, cmlrt_switch_mask_bytes(s, i));
}
