/* Loading an evaluation key, evalkey.c: masks expanded and polynomials
 * transformed, for one kernel table.
 *
 * Any bytes of the right length load; a wrong key computes nonsense, which is
 * why files carry ids.
 */
#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>

/* ---- its parts */

void
cmlrt_zeros_load(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_eval *e = arg;
    const size_t n = cmlrt_ring_degree(&e->set), k = e->set.k;
    const uint8_t *bodies = e->payload + cmlrt_zeros_at(&e->set);
    uint64_t *poly = (void *)(e->scratch + thread * e->scratch_bytes);

    for (int64_t i = begin; i < end; i++) {
        double *to = e->zeros + (size_t)i * (k + 1) * 2 * n;
        struct cmlrt_rng masks;

        cmlrt_rng_init(&masks, e->payload, CMLRT_ZERO_MASK, (uint64_t)i);
        for (size_t c = 0; c <= k; c++) {
            if (c < k)
                cmlrt_rng_bytes(&masks, poly, n * sizeof *poly);
            else
                memcpy(poly, bodies + (size_t)i * n * sizeof *poly,
                       n * sizeof *poly);
            cmlrt_ring_limbs(to + c * 2 * n, &e->ring, poly,
                             (double *)(void *)(poly + n));
        }
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
        cmlrt_ksk_masks(masks, &e->set, e->payload, (uint64_t)i);
        for (size_t j = 0; j < levels; j++) {
            const size_t at = (size_t)i * levels + j;
            uint32_t body;

            memcpy(&body, bodies + at * sizeof body, sizeof body);
            for (size_t c = 0; c <= n; c++)
                *cmlrt_ks_word(e->ksk, &e->ks, at, c) =
                    c < n ? masks[j * n + c] : body;
        }
    }
}

void
cmlrt_bsk_load(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_eval *e = arg;
    const size_t n = cmlrt_ring_degree(&e->set),
                 rows = cmlrt_ggsw_rows(&e->set);
    const uint8_t *bodies = e->payload + cmlrt_bsk_at(&e->set);
    uint64_t *poly = (void *)(e->scratch + thread * e->scratch_bytes);

    for (int64_t i = begin; i < end; i++) {
        double *ggsw = e->bsk + (size_t)i / rows * rows * (e->set.k + 1) * n;
        struct cmlrt_rng masks;

        cmlrt_rng_init(&masks, e->payload, CMLRT_BSK_MASK, (uint64_t)i);
        for (unsigned c = 0; c <= e->set.k; c++) {
            if (c < e->set.k)
                cmlrt_rng_bytes(&masks, poly, n * sizeof *poly);
            else
                memcpy(poly, bodies + (size_t)i * n * sizeof *poly,
                       n * sizeof *poly);
            e->ring.kernels->prepare(ggsw, &e->shape, poly,
                                     (unsigned)((size_t)i % rows), c, poly + n);
        }
    }
}

/* ---- the whole */

/* A thread's, and the whole is a multiple of 64: the larger of two users. */
static size_t
at_least(size_t bytes, size_t other)
{
    return ((bytes > other ? bytes : other) + 63) & ~(size_t)63;
}

static struct cmlrt_shape
shape_of(const struct cmlrt_eval *e, uint32_t levels, uint32_t log2_base,
         uint32_t inputs)
{
    return (struct cmlrt_shape){ .plan = e->ring.plan,
                                 .log2_n = e->set.log2_n,
                                 .k = e->set.k,
                                 .levels = levels,
                                 .log2_base = log2_base,
                                 .inputs = inputs };
}

static bool
allocate_wide(struct cmlrt_eval *e)
{
    const struct cmlrt_wide *w = &e->set.wide;
    const uint32_t k = e->set.k;

    e->tr = shape_of(e, w->tr_levels, w->tr_log2_base, k);
    e->ss = shape_of(e, w->ss_levels, w->ss_log2_base, k + 1);
    e->cb = shape_of(e, w->cb_levels, w->cb_log2_base, k + 1);
    e->tr.low_bits = w->tr_low_bits;
    e->ss.low_bits = w->ss_low_bits;
    e->autos =
        cmlrt_alloc(e->set.log2_n * cmlrt_key_cells(&e->tr) * sizeof *e->autos);
    e->switches =
        cmlrt_alloc(k * cmlrt_key_cells(&e->ss) * sizeof *e->switches);
    return e->autos && e->switches;
}

static bool
allocate_leveled(struct cmlrt_eval *e)
{
    const size_t row = 2 * cmlrt_ring_degree(&e->set) * sizeof(double);

    e->graded = cmlrt_alloc(cmlrt_graded_rows(&e->set) * row);
    e->square = cmlrt_alloc(e->set.leveled.ss_levels * row);
    return e->graded && e->square;
}

static bool
allocate(struct cmlrt_eval *e, const struct cmlrt_set *set,
         const struct kernels *kernels, struct cmlrt_pool *pool)
{
    const size_t n = cmlrt_ring_degree(set), k = set->k;
    const size_t ggsw = cmlrt_ggsw_rows(set) * (k + 1) * n;

    if (!cmlrt_ring_init(&e->ring, kernels, set->log2_n))
        return false;
    e->set = *set;
    e->shape = shape_of(e, set->br_levels, set->br_log2_base, set->k + 1);
    e->ks = (struct cmlrt_ks_shape){ k * n, (size_t)set->n + 1,
                                     ((size_t)set->n / CMLRT_PANEL + 1)
                                         * CMLRT_PANEL,
                                     set->ks_levels, set->ks_log2_base };
    e->scratch_bytes =
        at_least((n + cmlrt_ring_scratch(&e->ring)) * sizeof(double),
                 cmlrt_ksk_mask_bytes(set));
    e->scratch = cmlrt_alloc(e->scratch_bytes * cmlrt_pool_threads(pool));
    e->zeros = cmlrt_alloc(k * (k + 1) * 2 * n * sizeof *e->zeros);
    if (!e->scratch || !e->zeros)
        return false;
    if (!allocate_leveled(e))
        return false;
    if (set->n == 0)
        return true;
    if (set->wide.tr_levels > 0 && !allocate_wide(e))
        return false;
    e->ksk = cmlrt_alloc_by(pool, k * n * set->ks_levels * e->ks.stride
                                      * sizeof *e->ksk);
    e->bsk = cmlrt_alloc_by(pool, set->n * ggsw * sizeof *e->bsk);
    return e->ksk && e->bsk;
}

enum cml_status
cmlrt_eval_load(struct cmlrt_eval **out, const struct cmlrt_set *set,
                const uint8_t *payload, const struct kernels *kernels,
                struct cmlrt_pool *pool)
{
    struct cmlrt_eval *e = cmlrt_alloc(sizeof *e);

    if (!e || !allocate(e, set, kernels, pool)) {
        cmlrt_eval_free(e);
        return CML_E_nomem;
    }
    e->payload = payload;
    cmlrt_pool_run(pool, set->k, 1, cmlrt_zeros_load, e);
    if (set->n > 0) {
        cmlrt_pool_run(pool, (int64_t)cmlrt_big(set), 64, cmlrt_ksk_load, e);
        cmlrt_pool_run(pool, (int64_t)(set->n * cmlrt_ggsw_rows(set)), 4,
                       cmlrt_bsk_load, e);
    }
    cmlrt_pool_run(pool, (int64_t)cmlrt_auto_rows(set), 4, cmlrt_auto_load, e);
    cmlrt_pool_run(pool, (int64_t)cmlrt_switch_rows(set), 4, cmlrt_switch_load,
                   e);
    cmlrt_pool_run(pool, (int64_t)cmlrt_graded_rows(set), 4, cmlrt_graded_load,
                   e);
    cmlrt_pool_run(pool, set->leveled.ss_levels, 4, cmlrt_square_load, e);
    free(e->scratch);
    e->scratch = NULL;
    e->payload = NULL;
    *out = e;
    return CML_E_ok;
}

void
cmlrt_eval_free(struct cmlrt_eval *e)
{
    if (!e)
        return;
    cmlrt_ring_free(&e->ring);
    free(e->scratch);
    free(e->zeros);
    free(e->ksk);
    free(e->bsk);
    free(e->autos);
    free(e->switches);
    free(e->graded);
    free(e->square);
    free(e);
}
