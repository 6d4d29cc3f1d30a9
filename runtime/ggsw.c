/* The bootstrapping key: for each bit m of the small key a GGSW, rows (c, j) of
 * encryptions of zero with m q/B^(j+1) added to component c.
 *
 *     c < k    added to the mask, which is to come from a stream: the phase it
 *              would have, -m S_c q/B^(j+1), goes into the body instead
 *     c = k    added to the constant of the body
 *
 * time  depends on the parameters only
 */
#include "runtime/inner.h"

#include <string.h>

enum { NOISE_INDEX = 2 }; /* in the top half of the index of noise streams */

/*     body <- body + message g,  see above */
static void
add_message(uint64_t *body, const struct cmlrt_secret *s, uint64_t bit,
            size_t row)
{
    const size_t n = cmlrt_ring_degree(&s->set), c = row / s->set.br_levels;
    const size_t level = row % s->set.br_levels + 1;
    const uint64_t word = bit << (64 - s->set.br_log2_base * level);

    if (c == s->set.k)
        body[0] += word;
    else
        for (size_t i = 0; i < n; i++)
            body[i] -= word * s->big[c * n + i];
}

void
cmlrt_bsk_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_keygen *g = arg;
    const struct cmlrt_set *set = &g->secret->set;
    const size_t n = cmlrt_ring_degree(set), rows = cmlrt_ggsw_rows(set);
    uint8_t *to = g->to + (size_t)begin * n * sizeof(uint64_t);
    uint64_t *body = (void *)(g->scratch + thread * g->scratch_bytes);

    begin += g->first;
    end += g->first;
    for (int64_t i = begin; i < end; i++, to += n * sizeof *body) {
        const uint64_t id = (uint64_t)NOISE_INDEX << 32 | (uint64_t)i;
        const struct cmlrt_stream mask = { g->seed, CMLRT_BSK_MASK,
                                           (uint64_t)i };
        const struct cmlrt_stream noise = { g->noise, CMLRT_NOISE, id };

        cmlrt_zero_body(body, g->secret, &mask, &noise, body + n);
        add_message(body, g->secret, g->secret->small[(size_t)i / rows],
                    (size_t)i % rows);
        memcpy(to, body, n * sizeof *body);
    }
}
