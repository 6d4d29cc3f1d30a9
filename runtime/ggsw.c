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

/*     body <- body + message g,  see above */
static void
add_message(uint64_t *body, const struct cmlrt_secret *s, size_t item,
            void *scratch)
{
    const size_t n = cmlrt_ring_degree(&s->set),
                 rows = cmlrt_ggsw_rows(&s->set);
    const size_t row = item % rows, c = row / s->set.br_levels;
    const size_t level = row % s->set.br_levels + 1;
    const uint64_t word = s->small[item / rows]
                          << (64 - s->set.br_log2_base * level);

    (void)scratch;
    if (c == s->set.k)
        body[0] += word;
    else
        for (size_t i = 0; i < n; i++)
            body[i] -= word * s->big[c * n + i];
}

void
cmlrt_bsk_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    static const struct cmlrt_rows rows = { CMLRT_BSK_MASK, CMLRT_BSK_NOISE,
                                            add_message };

    cmlrt_rows_generate(arg, &rows, thread, begin, end);
}
