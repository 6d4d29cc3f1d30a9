/* Complex vectors of W lanes and their butterflies.  An ISA file defines the
 * vector type V and its operations, and includes this file first.
 *
 * In memory a vector is | re W | im W |.  Sums go to the adders and, where it
 * helps, differences to the multipliers as fnmadd(b, 1, a): both then work at
 * once.
 */
#include <stdbool.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

enum { CV = 2 * W }; /* doubles of a complex vector */

struct cv {
    V re, im;
};

INLINE struct cv
load(const double *p)
{
    return (struct cv){ LOAD(p), LOAD(p + W) };
}

INLINE void
store(double *p, struct cv x)
{
    STORE(p, x.re);
    STORE(p + W, x.im);
}

INLINE struct cv
broadcast(const double *w)
{
    return (struct cv){ SET1(w[0]), SET1(w[1]) };
}

INLINE struct cv
add(struct cv a, struct cv b)
{
    return (struct cv){ ADD(a.re, b.re), ADD(a.im, b.im) };
}

INLINE struct cv
sub(struct cv a, struct cv b)
{
    return (struct cv){ SUB(a.re, b.re), SUB(a.im, b.im) };
}

/* a + i b and a - i b */
INLINE struct cv
add_i(struct cv a, struct cv b)
{
    return (struct cv){ SUB(a.re, b.im), ADD(a.im, b.re) };
}

INLINE struct cv
sub_i(struct cv a, struct cv b)
{
    return (struct cv){ ADD(a.re, b.im), SUB(a.im, b.re) };
}

/* the same with a factor h of b, one or sqrt(1/2), on the multipliers */
INLINE struct cv
add_h(struct cv a, struct cv b, V h)
{
    return (struct cv){ FMADD(b.re, h, a.re), FMADD(b.im, h, a.im) };
}

INLINE struct cv
sub_h(struct cv a, struct cv b, V h)
{
    return (struct cv){ FNMADD(b.re, h, a.re), FNMADD(b.im, h, a.im) };
}

INLINE struct cv
add_ih(struct cv a, struct cv b, V h)
{
    return (struct cv){ FNMADD(b.im, h, a.re), FMADD(b.re, h, a.im) };
}

INLINE struct cv
sub_ih(struct cv a, struct cv b, V h)
{
    return (struct cv){ FMADD(b.im, h, a.re), FNMADD(b.re, h, a.im) };
}

INLINE struct cv
mul(struct cv a, struct cv b)
{
    return (struct cv){ FMSUB(a.re, b.re, MUL(a.im, b.im)),
                        FMADD(a.re, b.im, MUL(a.im, b.re)) };
}

/* a conj(b) */
INLINE struct cv
mul_conj(struct cv a, struct cv b)
{
    return (struct cv){ FMADD(a.re, b.re, MUL(a.im, b.im)),
                        FMSUB(a.im, b.re, MUL(a.re, b.im)) };
}

INLINE struct cv
mul_add(struct cv sum, struct cv a, struct cv b)
{
    return (struct cv){ FNMADD(a.im, b.im, FMADD(a.re, b.re, sum.re)),
                        FMADD(a.im, b.re, FMADD(a.re, b.im, sum.im)) };
}

/* ---- DFT of R vectors in natural order; inverse: conjugate roots */

INLINE struct cv
turn(struct cv a, struct cv b, bool inverse)
{
    return inverse ? sub_i(a, b) : add_i(a, b);
}

INLINE struct cv
turn_h(struct cv a, struct cv b, V h, bool inverse)
{
    return inverse ? sub_ih(a, b, h) : add_ih(a, b, h);
}

INLINE void
dft2(struct cv *x)
{
    const struct cv d = sub(x[0], x[1]);

    x[0] = add(x[0], x[1]);
    x[1] = d;
}

INLINE void
dft4(struct cv *x, bool inverse)
{
    const struct cv a = add(x[0], x[2]), b = sub(x[0], x[2]);
    const struct cv c = add(x[1], x[3]), d = sub(x[1], x[3]);

    x[0] = add(a, c);
    x[2] = sub(a, c);
    x[1] = turn(b, d, inverse);
    x[3] = turn(b, d, !inverse);
}

/* sqrt2 times the eighth root of unity times x, and minus sqrt2 times its
 * cube times x */
INLINE struct cv
eighth(struct cv x, bool inverse)
{
    const V s = ADD(x.re, x.im);

    return inverse ? (struct cv){ s, SUB(x.im, x.re) }
                   : (struct cv){ SUB(x.re, x.im), s };
}

INLINE struct cv
minus_cube(struct cv x, bool inverse)
{
    return eighth(x, !inverse);
}

/* The DFT of the sums x_j + x_(j+4) gives the even elements, that of the
 * differences times powers of the eighth root the odd ones. */
INLINE void
dft8(struct cv *x, bool inverse)
{
    const V one = OPAQUE_ONE(), h = SET1(0.70710678118654752440);
    struct cv a[4], b[4];

    EACH (j, 0, 4) {
        a[j] = add(x[j], x[j + 4]);
        b[j] = sub(x[j], x[j + 4]);
    }
    {
        const struct cv p = add(a[0], a[2]), q = sub_h(a[0], a[2], one);
        const struct cv r = add(a[1], a[3]), s = sub_h(a[1], a[3], one);

        x[0] = add(p, r);
        x[4] = sub_h(p, r, one);
        x[2] = turn(q, s, inverse);
        x[6] = turn_h(q, s, one, !inverse);
    }
    {
        const struct cv u = eighth(b[1], inverse);
        const struct cv v = minus_cube(b[3], inverse);
        const struct cv e = turn(b[0], b[2], inverse);
        const struct cv f = turn_h(b[0], b[2], one, !inverse);
        const struct cv g = sub_h(u, v, one), k = add(u, v);

        x[1] = add_h(e, g, h);
        x[5] = sub_h(e, g, h);
        x[3] = turn_h(f, k, h, inverse);
        x[7] = turn_h(f, k, h, !inverse);
    }
}

INLINE void
dft(struct cv *x, const unsigned radix, bool inverse)
{
    if (radix == 2)
        dft2(x);
    else if (radix == 4)
        dft4(x, inverse);
    else
        dft8(x, inverse);
}

/* ---- a radix of the tree: twiddle, then DFT; back: DFT, then conjugate
 * twiddle.  w: s, s^2 .. s^(radix-1), one complex number each */

INLINE void
radix_fwd(struct cv *x, const double *w, const unsigned radix)
{
    EACH (k, 1, radix)
        x[k] = mul(x[k], broadcast(w + 2 * (k - 1)));
    dft(x, radix, false);
}

INLINE void
radix_inv(struct cv *x, const double *w, const unsigned radix)
{
    dft(x, radix, true);
    EACH (k, 1, radix)
        x[k] = mul_conj(x[k], broadcast(w + 2 * (k - 1)));
}
