/* The evaluation key.  Portable payload, little-endian words:
 *
 *     seed                32 bytes, of all masks
 *     zeros               k bodies, u64 [N]
 *     keyswitch bodies    u32 [kN][ks_levels]            only if n > 0
 *     bootstrap bodies    u64 [n][(k+1) br_levels][N]    only if n > 0
 *
 * Loaded: masks expanded and polynomials transformed, for one kernel table.
 * Any bytes of the right length load; a wrong key computes nonsense, which is
 * why files carry ids.
 */
#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- generation */

static size_t
mask_bytes(const struct cmlrt_set *set)
{
    return (size_t)set->n * set->ks_levels * sizeof(uint32_t);
}

/* A thread's, and the whole is a multiple of 64: the larger of two users. */
static size_t
at_least(size_t bytes, size_t other)
{
    return ((bytes > other ? bytes : other) + 63) & ~(size_t)63;
}

enum cml_status
cmlrt_eval_derive(uint8_t *payload, const struct cmlrt_secret *s,
                  const uint8_t seed[CMLRT_SEED], struct cmlrt_pool *pool)
{
    const size_t body = cmlrt_ring_degree(&s->set) * sizeof(uint64_t);
    const int64_t rows = (int64_t)(s->set.n * cmlrt_ggsw_rows(&s->set));
    const unsigned threads = cmlrt_pool_threads(pool);
    struct cmlrt_keygen g = { .secret = s, .payload = payload };

    g.scratch_bytes =
        at_least(body + cmlrt_zero_scratch(s), mask_bytes(&s->set));
    g.scratch = cmlrt_alloc(g.scratch_bytes * threads);
    if (!g.scratch)
        return CML_E_nomem;
    memcpy(g.seed, seed, CMLRT_SEED);
    memcpy(payload, seed, CMLRT_SEED);
    cmlrt_secret_noise(g.noise, s, seed);
    cmlrt_pool_run(pool, s->set.k, 1, cmlrt_zeros_generate, &g);
    if (s->set.n > 0) {
        cmlrt_pool_run(pool, (int64_t)cmlrt_big(&s->set), 16,
                       cmlrt_ksk_generate, &g);
        cmlrt_pool_run(pool, rows, 4, cmlrt_bsk_generate, &g);
    }
    cmlrt_wipe(g.scratch, g.scratch_bytes * threads);
    cmlrt_wipe(g.noise, sizeof g.noise);
    free(g.scratch);
    return CML_E_ok;
}

enum cml_status
cmlrt_eval_generate(uint8_t *payload, const struct cmlrt_secret *s,
                    struct cmlrt_pool *pool)
{
    uint8_t seed[CMLRT_SEED];

    if (!cmlrt_system_random(seed, sizeof seed))
        return CML_E_io;
    return cmlrt_eval_derive(payload, s, seed, pool);
}

/* ---- loading */

static bool
allocate(struct cmlrt_eval *e, const struct cmlrt_set *set,
         const struct kernels *kernels, unsigned threads)
{
    const size_t n = cmlrt_ring_degree(set), k = set->k;
    const size_t ggsw = cmlrt_ggsw_rows(set) * (k + 1) * n;

    if (!cmlrt_ring_init(&e->ring, kernels, set->log2_n))
        return false;
    e->set = *set;
    e->shape = (struct cmlrt_shape){ e->ring.plan, set->log2_n, set->k,
                                     set->br_levels, set->br_log2_base };
    e->ks = (struct cmlrt_ks_shape){ k * n, (size_t)set->n + 1,
                                     ((size_t)set->n + 16) & ~(size_t)15,
                                     set->ks_levels, set->ks_log2_base };
    e->scratch_bytes = at_least(
        (n + cmlrt_ring_scratch(&e->ring)) * sizeof(double), mask_bytes(set));
    e->scratch = cmlrt_alloc(e->scratch_bytes * threads);
    e->zeros = cmlrt_alloc(k * (k + 1) * 2 * n * sizeof *e->zeros);
    if (!e->scratch || !e->zeros)
        return false;
    if (set->n == 0)
        return true;
    e->ksk =
        cmlrt_alloc(k * n * set->ks_levels * e->ks.stride * sizeof *e->ksk);
    e->bsk = cmlrt_alloc(set->n * ggsw * sizeof *e->bsk);
    return e->ksk && e->bsk;
}

enum cml_status
cmlrt_eval_load(struct cmlrt_eval **out, const struct cmlrt_set *set,
                const uint8_t *payload, const struct kernels *kernels,
                struct cmlrt_pool *pool)
{
    struct cmlrt_eval *e = cmlrt_alloc(sizeof *e);

    if (!e || !allocate(e, set, kernels, cmlrt_pool_threads(pool))) {
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
    free(e);
}
