/* The first radix of fft_lanes.h for 8 lanes. */

/* the 8th root of unity times x, and its conjugate times x */
INLINE struct cv
eighth(struct cv x)
{
    const V h = SET1(0.70710678118654752440);

    return (struct cv){ MUL(SUB(x.re, x.im), h), MUL(ADD(x.re, x.im), h) };
}

INLINE struct cv
eighth_conj(struct cv x)
{
    const V h = SET1(0.70710678118654752440);

    return (struct cv){ MUL(ADD(x.re, x.im), h), MUL(SUB(x.im, x.re), h) };
}

/* DFT of the even and of the odd elements, then one level of radix 2. */
INLINE void
dft_first(struct cv *x)
{
    struct cv e[4] = { x[0], x[2], x[4], x[6] };
    struct cv o[4] = { x[1], x[3], x[5], x[7] };

    dft4(e);
    dft4(o);
    o[1] = eighth(o[1]);
    o[3] = eighth(o[3]);
    x[0] = add(e[0], o[0]);
    x[4] = sub(e[0], o[0]);
    x[1] = add(e[1], o[1]);
    x[5] = sub(e[1], o[1]);
    x[2] = add_i(e[2], o[2]);
    x[6] = sub_i(e[2], o[2]);
    x[3] = add_i(e[3], o[3]); /* w^3 = i w */
    x[7] = sub_i(e[3], o[3]);
}

INLINE void
dft_first_inv(struct cv *x)
{
    struct cv e[4] = { x[0], x[2], x[4], x[6] };
    struct cv o[4] = { x[1], x[3], x[5], x[7] };

    dft4_inv(e);
    dft4_inv(o);
    o[1] = eighth_conj(o[1]);
    o[3] = eighth_conj(o[3]);
    x[0] = add(e[0], o[0]);
    x[4] = sub(e[0], o[0]);
    x[1] = add(e[1], o[1]);
    x[5] = sub(e[1], o[1]);
    x[2] = sub_i(e[2], o[2]);
    x[6] = add_i(e[2], o[2]);
    x[3] = sub_i(e[3], o[3]);
    x[7] = add_i(e[3], o[3]);
}

#define LOW(a, b) _mm512_unpacklo_pd(a, b)
#define HIGH(a, b) _mm512_unpackhi_pd(a, b)
#define HALVES(a, b, which) _mm512_shuffle_f64x2(a, b, which)

/* 8 by 8: pairs of lanes, then quarters of vectors twice. */
INLINE void
transpose8(V *x)
{
    V a[8], b[8];

    EACH for (size_t i = 0; i < 8; i += 2)
    {
        a[i] = LOW(x[i], x[i + 1]);
        a[i + 1] = HIGH(x[i], x[i + 1]);
    }
    /* quarters 0 2 and 1 3 of the rows of a 4 by 4 block of quarters */
    EACH for (size_t i = 0; i < 2; i++)
    {
        b[i] = HALVES(a[i], a[i + 2], 0x88);
        b[i + 2] = HALVES(a[i], a[i + 2], 0xdd);
        b[i + 4] = HALVES(a[i + 4], a[i + 6], 0x88);
        b[i + 6] = HALVES(a[i + 4], a[i + 6], 0xdd);
    }
    EACH for (size_t i = 0; i < 2; i++)
    {
        x[i] = HALVES(b[i], b[i + 4], 0x88);
        x[i + 4] = HALVES(b[i], b[i + 4], 0xdd);
        x[i + 2] = HALVES(b[i + 2], b[i + 6], 0x88);
        x[i + 6] = HALVES(b[i + 2], b[i + 6], 0xdd);
    }
}

INLINE void
transpose(struct cv *x)
{
    V re[8], im[8];

    EACH for (size_t i = 0; i < 8; i++)
    {
        re[i] = x[i].re;
        im[i] = x[i].im;
    }
    transpose8(re);
    transpose8(im);
    EACH for (size_t i = 0; i < 8; i++) x[i] = (struct cv){ re[i], im[i] };
}
