/* The evaluation key.  Portable payload, little-endian words:
 *
 *     seed                32 bytes, of all masks
 *     zeros               k bodies, u64 [N]
 *     keyswitch bodies    u32 [kN][ks_levels]            only if n > 0
 *     bootstrap bodies    u64 [n][(k+1) br_levels][N]    only if n > 0
 *
 * Here is what both ends know of it: ksk.c, ggsw.c, zero.c and keygen.c make it
 * and belong to the client, evalload.c reads it and belongs to the server.  A
 * program that links one of the two does not get the other.
 */
#include "runtime/inner.h"

size_t
cmlrt_zeros_at(const struct cmlrt_set *set)
{
    (void)set;
    return CMLRT_SEED;
}

size_t
cmlrt_ksk_at(const struct cmlrt_set *set)
{
    return cmlrt_zeros_at(set) + cmlrt_big(set) * sizeof(uint64_t);
}

size_t
cmlrt_bsk_at(const struct cmlrt_set *set)
{
    const size_t rows = set->n ? cmlrt_big(set) * set->ks_levels : 0;

    return cmlrt_ksk_at(set) + rows * sizeof(uint32_t);
}

size_t
cmlrt_eval_bytes(const struct cmlrt_set *set)
{
    const size_t rows = set->n * cmlrt_ggsw_rows(set);

    return cmlrt_bsk_at(set) + rows * cmlrt_ring_degree(set) * sizeof(uint64_t);
}

size_t
cmlrt_ksk_mask_bytes(const struct cmlrt_set *set)
{
    return (size_t)set->n * set->ks_levels * sizeof(uint32_t);
}

void
cmlrt_ksk_masks(uint32_t *masks, const struct cmlrt_set *set,
                const uint8_t seed[CMLRT_SEED], uint64_t i)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, seed, CMLRT_KSK_MASK, i);
    cmlrt_rng_bytes(&g, masks, cmlrt_ksk_mask_bytes(set));
}
