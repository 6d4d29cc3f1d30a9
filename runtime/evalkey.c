/* The evaluation key.  Portable payload, little-endian words:
 *
 *     seed                32 bytes, of all masks
 *     zeros               k bodies, u64 [N]
 *     keyswitch bodies    u32 [kN][ks_levels]            only if n > 0
 *     bootstrap bodies    u64 [n][(k+1) br_levels][N]    only if n > 0
 *     automorphism bodies u64 [log2 N][k tr_levels][N]   only for wide tables
 *     switch bodies       u64 [k][(k+1) ss_levels][N]    likewise
 *     graded bodies       u64 [sum of levels][N]         only for leveled
 *     bodies of s^2       u64 [ss_levels][N]             circuits
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

static size_t
behind(size_t at, const struct cmlrt_set *set, size_t rows)
{
    return at + rows * cmlrt_ring_degree(set) * sizeof(uint64_t);
}

size_t
cmlrt_auto_at(const struct cmlrt_set *set)
{
    return behind(cmlrt_bsk_at(set), set, set->n * cmlrt_ggsw_rows(set));
}

size_t
cmlrt_switch_at(const struct cmlrt_set *set)
{
    return behind(cmlrt_auto_at(set), set, cmlrt_auto_rows(set));
}

size_t
cmlrt_graded_at(const struct cmlrt_set *set)
{
    return behind(cmlrt_switch_at(set), set, cmlrt_switch_rows(set));
}

size_t
cmlrt_square_at(const struct cmlrt_set *set)
{
    return behind(cmlrt_graded_at(set), set, cmlrt_graded_rows(set));
}

size_t
cmlrt_eval_bytes(const struct cmlrt_set *set)
{
    return behind(cmlrt_square_at(set), set, set->leveled.ss_levels);
}

size_t
cmlrt_graded_rows(const struct cmlrt_set *set)
{
    return cmlrt_graded_before(set, set->leveled.steps);
}

size_t
cmlrt_graded_before(const struct cmlrt_set *set, uint32_t step)
{
    size_t rows = 0;

    for (uint32_t q = 0; q < step; q++)
        rows += set->leveled.levels[q];
    return rows;
}

uint32_t
cmlrt_graded_step(const struct cmlrt_set *set, size_t *row)
{
    uint32_t q = 0;

    for (; *row >= set->leveled.levels[q]; q++)
        *row -= set->leveled.levels[q];
    return q;
}

size_t
cmlrt_auto_rows(const struct cmlrt_set *set)
{
    return (size_t)set->log2_n * set->k * set->wide.tr_levels;
}

size_t
cmlrt_switch_rows(const struct cmlrt_set *set)
{
    return (size_t)set->k * (set->k + 1) * set->wide.ss_levels;
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
