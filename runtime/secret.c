/* The secret keys, from a master seed of 32 bytes: the big one (ring), uniform
 * binary or ternary, and the small one, uniform binary.
 *
 * Everything lies in one block with guard pages, locked in memory if the system
 * allows it and erased when freed.  No branch or address depends on a key.
 */
#include "runtime/inner.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* The block: struct, big, small, points; each part a multiple of 64 bytes, so
 * that sodium_malloc, which aligns the end, aligns them all. */
static size_t
round_up(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static struct cmlrt_secret *
block_new(const struct cmlrt_set *set)
{
    const size_t head = round_up(sizeof(struct cmlrt_secret));
    const size_t big = cmlrt_big(set) * sizeof(uint64_t);
    const size_t small = round_up(set->n * sizeof(uint64_t));
    unsigned char *p = sodium_malloc(head + big + small + big);
    struct cmlrt_secret *s = (void *)p;

    if (!p)
        return NULL;
    memset(p, 0, head + big + small + big);
    s->set = *set;
    s->big = (void *)(p + head);
    s->small = (void *)(p + head + big);
    s->points = (void *)(p + head + big + small);
    return s;
}

static bool
derive(struct cmlrt_secret *s)
{
    const size_t n = cmlrt_ring_degree(&s->set), bytes = n * sizeof(double);
    double *scratch = cmlrt_alloc(bytes);
    struct cmlrt_rng g;

    if (!scratch)
        return false;
    cmlrt_rng_init(&g, s->master, CMLRT_BIG_KEY, 0);
    (s->set.ternary ? cmlrt_ternary : cmlrt_binary)(s->big, cmlrt_big(&s->set),
                                                    &g);
    cmlrt_rng_init(&g, s->master, CMLRT_SMALL_KEY, 0);
    cmlrt_binary(s->small, s->set.n, &g);
    for (size_t c = 0; c < s->set.k; c++)
        cmlrt_ring_small(s->points + c * n, &s->ring, s->big + c * n, scratch);
    cmlrt_wipe(&g, sizeof g);
    cmlrt_wipe(scratch, bytes);
    free(scratch);
    return true;
}

enum cml_status
cmlrt_secret_new(struct cmlrt_secret **out, const struct cmlrt_set *set,
                 const uint8_t master[CMLRT_SEED])
{
    struct cmlrt_secret *s = sodium_init() < 0 ? NULL : block_new(set);

    if (!s)
        return CML_E_nomem;
    memcpy(s->master, master, CMLRT_SEED);
    if (!cmlrt_ring_init(&s->ring, cmlrt_kernels_select(NULL), set->log2_n)
        || !derive(s)) {
        cmlrt_secret_free(s);
        return CML_E_nomem;
    }
    *out = s;
    return CML_E_ok;
}

void
cmlrt_secret_free(struct cmlrt_secret *s)
{
    if (!s)
        return;
    cmlrt_ring_free(&s->ring);
    sodium_free(s);
}

uint64_t
cmlrt_phase(const struct cmlrt_secret *s, const uint64_t *lwe)
{
    const size_t d = cmlrt_big(&s->set);
    uint64_t phase = lwe[d];

    for (size_t i = 0; i < d; i++)
        phase -= lwe[i] * s->big[i];
    return phase;
}

/* coefficient i of A S: sum of a[i-x] s[x], with a[n+j] for -a[j] */
uint64_t
cmlrt_phase_at(const struct cmlrt_secret *s, const uint64_t *glwe, size_t i)
{
    const size_t n = cmlrt_ring_degree(&s->set);
    uint64_t phase = glwe[n + i];

    for (size_t x = 0; x <= i; x++)
        phase -= glwe[i - x] * s->big[x];
    for (size_t x = i + 1; x < n; x++)
        phase += glwe[n + i - x] * s->big[x];
    return phase;
}

void
cmlrt_secret_noise(uint8_t out[CMLRT_SEED], const struct cmlrt_secret *s,
                   const uint8_t seed[CMLRT_SEED])
{
    (void)crypto_generichash(out, CMLRT_SEED, seed, CMLRT_SEED, s->master,
                             CMLRT_SEED);
}
