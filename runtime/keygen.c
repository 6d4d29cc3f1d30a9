/* Making an evaluation key: the walk over its payload, evalkey.c.  Every part
 * has streams of its own, so that any thread may make it.
 */
#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>

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
        at_least(body + cmlrt_zero_scratch(s), cmlrt_ksk_mask_bytes(&s->set));
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
