/* Making the keys of wide tables, lang-spec/crypto.md 16: for each automorphism
 * of the trace the keyswitch key of the turned masks, and for each mask c the
 * GGSW of -S_c.  Rows are encryptions of zero whose body gets the phase that
 * they are to have:
 *
 *     automorphism t, (c, j)          - S_c(X^t) q/B^j
 *     switch i, (c, j)  c < k         + S_i S_c q/B^j
 *                       c = k         - S_i q/B^j
 *
 * time  depends on the parameters only
 */
#include "runtime/inner.h"

/* ---- automorphisms */

void
cmlrt_add_turned(uint64_t *body, const struct cmlrt_secret *s, size_t c,
                 size_t t, unsigned shift)
{
    const size_t n = cmlrt_ring_degree(&s->set);

    for (size_t i = 0; i < n; i++) {
        const size_t at = i * t & (2 * n - 1); /* X^n = -1 */
        const uint64_t word = s->big[c * n + i] << shift;

        if (at < n)
            body[at] -= word;
        else
            body[at - n] += word;
    }
}

/*     body <- body - S_c(X^t) q/B^j */
static void
add_turned_key(uint64_t *body, const struct cmlrt_secret *s, size_t item,
               void *scratch)
{
    const struct cmlrt_wide *w = &s->set.wide;
    const size_t levels = w->tr_levels;
    const size_t c = item / levels % s->set.k, j = item % levels + 1;
    const size_t t = cmlrt_auto_exponent(&s->set, item / levels / s->set.k);

    (void)scratch;
    cmlrt_add_turned(body, s, c, t, 64 - w->tr_log2_base * (unsigned)j);
}

void
cmlrt_auto_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    static const struct cmlrt_rows rows = { CMLRT_AUTO_MASK, CMLRT_AUTO_NOISE,
                                            add_turned_key };

    cmlrt_rows_generate(arg, &rows, thread, begin, end);
}

/* ---- scheme switch; scratch: a polynomial, then the ring's */

static void
add_key_product(uint64_t *body, const struct cmlrt_secret *s, size_t item,
                void *scratch)
{
    const struct cmlrt_wide *w = &s->set.wide;
    const size_t n = cmlrt_ring_degree(&s->set), levels = w->ss_levels;
    const size_t rows = (s->set.k + 1) * levels, row = item % rows;
    const size_t c = row / levels, j = row % levels + 1;
    const uint64_t *own = s->big + item / rows * n;
    uint64_t *scaled = scratch;
    const unsigned shift = 64 - w->ss_log2_base * (unsigned)j;

    if (c == s->set.k) {
        for (size_t i = 0; i < n; i++)
            body[i] -= own[i] << shift;
        return;
    }
    for (size_t i = 0; i < n; i++)
        scaled[i] = own[i] << shift;
    cmlrt_ring_mul_add(body, &s->ring, scaled, s->points + c * n,
                       (double *)scratch + n);
}

void
cmlrt_switch_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    static const struct cmlrt_rows rows = { CMLRT_SWITCH_MASK,
                                            CMLRT_SWITCH_NOISE,
                                            add_key_product };

    cmlrt_rows_generate(arg, &rows, thread, begin, end);
}
