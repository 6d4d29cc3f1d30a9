/* Centred modulus switch and blind rotations, lang-spec/crypto.md 7.
 *
 *     r_i = round(a_i M/q),  e_i = r_i q/M - a_i
 *     body: floor((b + sum e_i / 2) M/q)                         adds (17)
 *
 *     ACC <- X^-body (0, .., 0, T)
 *     ACC <- ACC + BSK_i [x] (X^r_i ACC - ACC)     i < n         adds (21)
 *
 * Counts come from a ciphertext and are public: those that are 0 are skipped.
 */
#include "runtime/inner.h"

#include <string.h>

/* The sum of the errors may pass 64 bits when M is small, so halves of each
 * are added up apart. */
void
cmlrt_mod_switch(uint32_t *out, const uint64_t *lwe, size_t n, unsigned log2_m)
{
    const unsigned shift = 64 - log2_m;
    const uint32_t mask = (uint32_t)((UINT64_C(1) << log2_m) - 1);
    uint64_t high = 0, low = 0, centre;

    for (size_t i = 0; i < n; i++) {
        const uint64_t r = ((lwe[i] >> (shift - 1)) + 1) >> 1;
        const int64_t e = (int64_t)((r << shift) - lwe[i]);

        out[i] = (uint32_t)r & mask;
        high += (uint64_t)(e >> 32);
        low += (uint64_t)e & UINT32_MAX;
    }
    centre = (high << 31) + (low >> 1);
    out[n] = (uint32_t)((lwe[n] + centre) >> shift);
}

/* ---- accumulators */

bool
cmlrt_narrow(const struct cmlrt_set *set)
{
    return set->br_levels * set->br_log2_base <= CML_NARROW_BITS;
}

size_t
cmlrt_acc_words(const struct cmlrt_set *set)
{
    return (set->k + 1) * (cmlrt_ring_degree(set) + CMLRT_PAD);
}

static void
pad32(uint32_t *poly, size_t n)
{
    for (size_t i = 0; i < CMLRT_PAD; i++)
        poly[n + i] = 0 - poly[i];
}

static void
pad64(uint64_t *poly, size_t n)
{
    for (size_t i = 0; i < CMLRT_PAD; i++)
        poly[n + i] = 0 - poly[i];
}

/* Word i of X^-count T. */
static uint64_t
turned_word(const uint64_t *test, size_t n, uint32_t count, size_t i)
{
    const size_t at = (i + count) & (2 * n - 1); /* X^n = -1 */

    return at < n ? test[at] : 0 - test[at - n];
}

void
cmlrt_acc_start(void *acc, const struct cmlrt_set *set, const uint64_t *test,
                uint32_t count, bool narrow)
{
    const size_t n = cmlrt_ring_degree(set), body = set->k * (n + CMLRT_PAD);
    uint32_t *a32 = (uint32_t *)acc + body;
    uint64_t *a64 = (uint64_t *)acc + body;

    memset(acc, 0, body * (narrow ? sizeof *a32 : sizeof *a64));
    for (size_t i = 0; i < n; i++) {
        const uint64_t w = turned_word(test, n, count, i);

        if (narrow)
            a32[i] = (uint32_t)(w >> 32);
        else
            a64[i] = w;
    }
    if (narrow)
        pad32(a32, n);
    else
        pad64(a64, n);
}

/* Coefficient f of a polynomial as N words of a mask: a[f] .. a[0], -a[n-1] ..
 */
static void
extract32(uint64_t *lwe, const uint32_t *a, size_t n, size_t f)
{
    for (size_t x = 0; x <= f; x++)
        lwe[x] = (uint64_t)a[f - x] << 32;
    for (size_t x = f + 1; x < n; x++)
        lwe[x] = (uint64_t)(0 - a[n + f - x]) << 32;
}

void
cmlrt_acc_extract(uint64_t *lwe, const void *acc, const struct cmlrt_set *set,
                  bool narrow, size_t f)
{
    const size_t n = cmlrt_ring_degree(set), stride = n + CMLRT_PAD;
    const uint32_t *a32 = acc;
    const uint64_t *a64 = acc;

    for (size_t c = 0; c < set->k; c++)
        if (narrow)
            extract32(lwe + c * n, a32 + c * stride, n, f);
        else
            cmlrt_extract_mask(lwe + c * n, a64 + c * stride, 1, n, f);
    lwe[set->k * n] = narrow ? (uint64_t)a32[set->k * stride + f] << 32
                             : a64[set->k * stride + f];
}

/* The same words, times w. */
static void
add32(uint64_t *lwe, const uint32_t *a, size_t n, size_t f, uint64_t w)
{
    w <<= 32;
    for (size_t x = 0; x <= f; x++)
        lwe[x] += w * a[f - x];
    for (size_t x = f + 1; x < n; x++)
        lwe[x] -= w * a[n + f - x];
}

static void
add64(uint64_t *lwe, const uint64_t *a, size_t n, size_t f, uint64_t w)
{
    for (size_t x = 0; x <= f; x++)
        lwe[x] += w * a[f - x];
    for (size_t x = f + 1; x < n; x++)
        lwe[x] -= w * a[n + f - x];
}

void
cmlrt_acc_add(uint64_t *lwe, const void *acc, const struct cmlrt_set *set,
              bool narrow, size_t f, uint64_t weight)
{
    const size_t n = cmlrt_ring_degree(set), stride = n + CMLRT_PAD;
    const uint32_t *a32 = acc;
    const uint64_t *a64 = acc;

    for (size_t c = 0; c < set->k; c++)
        if (narrow)
            add32(lwe + c * n, a32 + c * stride, n, f, weight);
        else
            add64(lwe + c * n, a64 + c * stride, n, f, weight);
    lwe[set->k * n] += weight
                       * (narrow ? (uint64_t)a32[set->k * stride + f] << 32
                                 : a64[set->k * stride + f]);
}

/* Each row of the key is used by the whole batch while it is in the cache. */
void
cmlrt_blind_rotate(const struct cmlrt_rotations *r, const struct cmlrt_eval *e,
                   void *scratch)
{
    const struct kernels *k = e->ring.kernels;
    const size_t n = cmlrt_ring_degree(&e->set);
    const size_t ggsw = cmlrt_ggsw_rows(&e->set) * (e->set.k + 1) * n;

    for (size_t i = 0; i < e->set.n; i++) {
        if (r->done)
            atomic_store_explicit(r->done, (uint32_t)i, memory_order_relaxed);
        for (unsigned b = 0; b < r->batch; b++) {
            const double *row = e->bsk + i * ggsw;
            const uint32_t count = r->counts[b][i];

            if (count == 0)
                continue;
            if (r->narrow)
                k->cmux32(r->acc[b], &e->shape, count, row, scratch);
            else
                k->cmux64(r->acc[b], &e->shape, count, row, scratch);
        }
    }
    if (r->done)
        atomic_store_explicit(r->done, e->set.n, memory_order_relaxed);
}
