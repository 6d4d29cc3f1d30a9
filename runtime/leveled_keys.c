/* Making the keys of leveled circuits, lang-spec/crypto.md 17.  Rows are
 * encryptions of zero whose body gets the phase that they are to have:
 *
 *     automorphism t, level j    - S(X^t) q/B^j,    B and levels of that t
 *     square, level j            + S^2 q/B^j
 *
 * time  depends on the parameters only
 */
#include "runtime/inner.h"

#include <string.h>

/* top half of noise indices */
enum { GRADED_NOISE = 5, SQUARE_NOISE = 6 };

/*     body <- body - S(X^t) q/B^j */
static void
add_turned_key(uint64_t *body, const struct cmlrt_secret *s, size_t row)
{
    const struct cmlrt_leveled *l = &s->set.leveled;
    const size_t n = cmlrt_ring_degree(&s->set);
    const uint32_t q = cmlrt_graded_step(&s->set, &row);
    const size_t t = cmlrt_auto_exponent(&s->set, l->first + q);
    const unsigned shift = 64 - l->log2_base[q] * ((unsigned)row + 1);

    for (size_t i = 0; i < n; i++) {
        const size_t at = i * t & (2 * n - 1); /* X^n = -1 */
        const uint64_t word = s->big[i] << shift;

        if (at < n)
            body[at] -= word;
        else
            body[at - n] += word;
    }
}

/*     body <- body + S^2 q/B^j,   scratch as cmlrt_ring_mul_add and N words */
static void
add_square(uint64_t *body, const struct cmlrt_secret *s, size_t row,
           uint64_t *scratch)
{
    const size_t n = cmlrt_ring_degree(&s->set);
    const unsigned shift =
        64 - s->set.leveled.ss_log2_base * ((unsigned)row + 1);

    for (size_t i = 0; i < n; i++)
        scratch[i] = s->big[i] << shift;
    cmlrt_ring_mul_add(body, &s->ring, scratch, s->points,
                       (double *)scratch + n);
}

void
cmlrt_graded_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_keygen *g = arg;
    const size_t n = cmlrt_ring_degree(&g->secret->set);
    uint8_t *to = g->to + (size_t)begin * n * sizeof(uint64_t);
    uint64_t *body = (void *)(g->scratch + thread * g->scratch_bytes);

    begin += g->first;
    end += g->first;
    for (int64_t i = begin; i < end; i++, to += n * sizeof *body) {
        const uint64_t id = (uint64_t)GRADED_NOISE << 32 | (uint64_t)i;
        const struct cmlrt_stream mask = { g->seed, CMLRT_AUTO_MASK,
                                           (uint64_t)i };
        const struct cmlrt_stream noise = { g->noise, CMLRT_NOISE, id };

        cmlrt_zero_body(body, g->secret, &mask, &noise, body + n);
        add_turned_key(body, g->secret, (size_t)i);
        memcpy(to, body, n * sizeof *body);
    }
}

void
cmlrt_square_generate(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct cmlrt_keygen *g = arg;
    const size_t n = cmlrt_ring_degree(&g->secret->set);
    uint8_t *to = g->to + (size_t)begin * n * sizeof(uint64_t);
    uint64_t *body = (void *)(g->scratch + thread * g->scratch_bytes);

    begin += g->first;
    end += g->first;
    for (int64_t i = begin; i < end; i++, to += n * sizeof *body) {
        const uint64_t id = (uint64_t)SQUARE_NOISE << 32 | (uint64_t)i;
        const struct cmlrt_stream mask = { g->seed, CMLRT_SWITCH_MASK,
                                           (uint64_t)i };
        const struct cmlrt_stream noise = { g->noise, CMLRT_NOISE, id };

        cmlrt_zero_body(body, g->secret, &mask, &noise, body + n);
        add_square(body, g->secret, (size_t)i, body + n);
        memcpy(to, body, n * sizeof *body);
    }
}
