/* Exact products modulo X^N + 1 and 2^64 of any polynomial with a small one,
 * by f64 transforms of the two signed 32-bit halves.
 *
 * The coefficients of a half times a ternary polynomial are integers below
 * 2^31 N <= 2^47 with an error of about 2^-22 sqrt(N) (standard deviation), so
 * rounding finds them: the result has every bit of the schoolbook product.
 *
 * time  depends on N only: neither side's coefficients steer it
 */
#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>

bool
cmlrt_ring_init(struct cmlrt_ring *r, const struct kernels *k, unsigned log2_n)
{
    r->kernels = k;
    r->log2_n = log2_n;
    r->plan = cmlrt_alloc(k->plan_bytes(log2_n));
    if (r->plan)
        k->plan_init(r->plan, log2_n);
    return r->plan != NULL;
}

void
cmlrt_ring_free(struct cmlrt_ring *r)
{
    free(r->plan);
    r->plan = NULL;
}

size_t
cmlrt_ring_scratch(const struct cmlrt_ring *r)
{
    return (size_t)4 << r->log2_n;
}

void
cmlrt_ring_small(double *points, const struct cmlrt_ring *r,
                 const uint64_t *small, double *scratch)
{
    const size_t n = (size_t)1 << r->log2_n;

    for (size_t i = 0; i < n; i++)
        scratch[i] = (double)(int64_t)small[i] * (2 / (double)n);
    r->kernels->fft_fwd(points, scratch, r->plan);
}

void
cmlrt_ring_limbs(double *points, const struct cmlrt_ring *r, const uint64_t *a,
                 double *scratch)
{
    const size_t n = (size_t)1 << r->log2_n;

    r->kernels->split_limbs(scratch, scratch + n, a, n);
    r->kernels->fft_fwd(points, scratch, r->plan);
    r->kernels->fft_fwd(points + n, scratch + n, r->plan);
}

void
cmlrt_ring_dot_add(uint64_t *out, const struct cmlrt_ring *r,
                   const struct cmlrt_dot *d, double *scratch)
{
    const size_t n = (size_t)1 << r->log2_n;
    double *sum = scratch, *row = scratch + n;

    for (unsigned limb = 0; limb < 2; limb++) {
        memset(sum, 0, n * sizeof *sum);
        for (size_t i = 0; i < d->count; i++)
            r->kernels->points_mul_add(sum, d->limbs + i * d->step + limb * n,
                                       d->small + i * n, n);
        r->kernels->fft_inv(row, sum, r->plan);
        r->kernels->add_integers(out, row, n, 32 * limb);
    }
}

void
cmlrt_ring_mul_add(uint64_t *out, const struct cmlrt_ring *r, const uint64_t *a,
                   const double *small, double *scratch)
{
    const size_t n = (size_t)1 << r->log2_n;
    const struct cmlrt_dot one = { scratch + 2 * n, small, 0, 1 };

    cmlrt_ring_limbs(scratch + 2 * n, r, a, scratch);
    cmlrt_ring_dot_add(out, r, &one, scratch);
}
