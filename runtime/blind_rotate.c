/* Centred modulus switch and blind rotation, lang-spec/crypto.md 7.
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

void
cmlrt_blind_rotate(uint64_t *acc, const struct cmlrt_eval *e,
                   const uint32_t *counts, const uint64_t *test, void *scratch)
{
    const size_t n = cmlrt_ring_degree(&e->set), small = e->set.n;
    const size_t ggsw = cmlrt_ggsw_rows(&e->set) * (e->set.k + 1) * n;

    memset(acc, 0, e->set.k * n * sizeof *acc);
    cmlrt_rotate(acc + e->set.k * n, test, n,
                 (2 * n - counts[small]) % (2 * n));
    for (size_t i = 0; i < small; i++)
        if (counts[i] != 0)
            e->ring.kernels->cmux64(acc, &e->shape, counts[i],
                                    e->bsk + i * ggsw, scratch);
}
