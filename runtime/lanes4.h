/* The first radix of fft_lanes.h for 4 lanes. */

#define dft_first dft4
#define dft_first_inv dft4_inv

INLINE void
transpose4(V *x0, V *x1, V *x2, V *x3)
{
    const V a = _mm256_unpacklo_pd(*x0, *x1), b = _mm256_unpackhi_pd(*x0, *x1);
    const V c = _mm256_unpacklo_pd(*x2, *x3), d = _mm256_unpackhi_pd(*x2, *x3);

    *x0 = _mm256_permute2f128_pd(a, c, 0x20);
    *x1 = _mm256_permute2f128_pd(b, d, 0x20);
    *x2 = _mm256_permute2f128_pd(a, c, 0x31);
    *x3 = _mm256_permute2f128_pd(b, d, 0x31);
}

INLINE void
transpose(struct cv *x)
{
    transpose4(&x[0].re, &x[1].re, &x[2].re, &x[3].re);
    transpose4(&x[0].im, &x[1].im, &x[2].im, &x[3].im);
}
