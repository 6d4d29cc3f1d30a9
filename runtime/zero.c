/* Encryptions of zero under the ring key.  Key k has k public ones: answers are
 * re-randomised with them, inference.md 6.6, and one alone would hide the mask
 * by ring LWE of dimension N only, not kN.
 *
 *     zero i   body = sum_c A_c S_c + e      A_c from (seed, ZERO_MASK, i)
 *
 * The server keeps all components as points of their two halves, evalload.c,
 * ready for the exact product with a ternary polynomial.
 */
#include "runtime/inner.h"

#include <string.h>

size_t
cmlrt_zero_scratch(const struct cmlrt_secret *s)
{
    const size_t n = cmlrt_ring_degree(&s->set);

    return (n + cmlrt_ring_scratch(&s->ring)) * sizeof(uint64_t);
}

void
cmlrt_zero_body(uint64_t *body, const struct cmlrt_secret *s,
                const struct cmlrt_stream *mask,
                const struct cmlrt_stream *noise, void *scratch)
{
    const size_t n = cmlrt_ring_degree(&s->set);
    uint64_t *a = scratch;
    double *more = (double *)scratch + n;
    struct cmlrt_rng masks, noises;

    cmlrt_stream_open(&masks, mask);
    cmlrt_stream_open(&noises, noise);
    for (size_t i = 0; i < n; i++)
        body[i] = cmlrt_tuniform(&noises, s->set.t_glwe);
    for (size_t c = 0; c < s->set.k; c++) {
        cmlrt_rng_bytes(&masks, a, n * sizeof *a);
        cmlrt_ring_mul_add(body, &s->ring, a, s->points + c * n, more);
    }
    cmlrt_wipe(&noises, sizeof noises);
}

void
cmlrt_rows_generate(const struct cmlrt_keygen *g, const struct cmlrt_rows *rows,
                    unsigned thread, int64_t begin, int64_t end)
{
    const size_t n = cmlrt_ring_degree(&g->secret->set);
    uint8_t *to = g->to + (size_t)begin * n * sizeof(uint64_t);
    uint64_t *body = (void *)(g->scratch + thread * g->scratch_bytes);

    begin += g->first;
    end += g->first;
    for (int64_t i = begin; i < end; i++, to += n * sizeof *body) {
        const uint64_t id = (uint64_t)rows->noise << 32 | (uint64_t)i;
        const struct cmlrt_stream mask = { g->seed, rows->mask, (uint64_t)i };
        const struct cmlrt_stream noise = { g->noise, CMLRT_NOISE, id };

        cmlrt_zero_body(body, g->secret, &mask, &noise, body + n);
        if (rows->add)
            rows->add(body, g->secret, (size_t)i, body + n);
        memcpy(to, body, n * sizeof *body);
    }
}

void
cmlrt_zeros_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    static const struct cmlrt_rows zeros = { CMLRT_ZERO_MASK, CMLRT_ZERO_NOISE,
                                             NULL };

    cmlrt_rows_generate(arg, &zeros, thread, begin, end);
}
