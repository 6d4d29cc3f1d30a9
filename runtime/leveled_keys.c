/* Making the keys of leveled circuits, lang-spec/crypto.md 17.  Rows are
 * encryptions of zero whose body gets the phase that they are to have:
 *
 *     automorphism t, level j    - S(X^t) q/B^j,    B and levels of that t
 *     square, level j            + S^2 q/B^j
 *
 * time  depends on the parameters only
 */
#include "runtime/inner.h"

/*     body <- body - S(X^t) q/B^j */
static void
add_turned_key(uint64_t *body, const struct cmlrt_secret *s, size_t item,
               void *scratch)
{
    const struct cmlrt_leveled *l = &s->set.leveled;
    const uint32_t q = cmlrt_graded_step(&s->set, &item);
    const size_t t = cmlrt_auto_exponent(&s->set, l->first + q);

    (void)scratch;
    cmlrt_add_turned(body, s, 0, t,
                     64 - l->log2_base[q] * ((unsigned)item + 1));
}

/*     body <- body + S^2 q/B^j,   scratch as cmlrt_ring_mul_add and N words */
static void
add_square(uint64_t *body, const struct cmlrt_secret *s, size_t item,
           void *scratch)
{
    const size_t n = cmlrt_ring_degree(&s->set);
    const unsigned shift =
        64 - s->set.leveled.ss_log2_base * ((unsigned)item + 1);
    uint64_t *scaled = scratch;

    for (size_t i = 0; i < n; i++)
        scaled[i] = s->big[i] << shift;
    cmlrt_ring_mul_add(body, &s->ring, scaled, s->points,
                       (double *)scratch + n);
}

void
cmlrt_graded_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    static const struct cmlrt_rows rows = { CMLRT_AUTO_MASK, CMLRT_GRADED_NOISE,
                                            add_turned_key };

    cmlrt_rows_generate(arg, &rows, thread, begin, end);
}

void
cmlrt_square_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    static const struct cmlrt_rows rows = { CMLRT_SWITCH_MASK,
                                            CMLRT_SQUARE_NOISE, add_square };

    cmlrt_rows_generate(arg, &rows, thread, begin, end);
}
