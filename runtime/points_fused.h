/* Products of leveled circuits on fft_blocks.h: the first radix cuts digits,
 * the last one reduces modulo 1.  A row is finished before the next, so that it
 * stays in the first cache.
 *
 *     key    [vector][row][output] vectors | re W | im W |
 */

/* lang-spec/crypto.md (80): digits above `shift` of a word at coefficient j
 * modulo 8. */
INLINE V
dithered(const uint64_t *x, const struct dither *d, size_t j, unsigned shift,
         U64 mask)
{
    const U64 sum = ADD_U64(LOADU_U64(x), LOAD_U64(d->add + j % 8));
    const U64 e =
        OR_U64(AND_U64(SHR_U64(sum, shift), mask), SET_U64(bits_of(0x1p52)));

    return SUB(AS_V(e), LOAD(d->bias + j % 8));
}

INLINE void
digits_first(double *points, const uint64_t *x, const struct plan *p,
             const struct dither *d, unsigned shift, uint64_t mask,
             const unsigned radix)
{
    const size_t m = p->half / radix;
    const U64 digit = SET_U64(mask);

    for (size_t j = 0; j < m; j += W) {
        struct cv t[8];

        EACH (k, 0, radix) {
            t[k].re = dithered(x + k * m + j, d, j, shift, digit);
            t[k].im = dithered(x + p->half + k * m + j, d, j, shift, digit);
        }
        radix_fwd(t, p->roots[0], radix);
        EACH (k, 0, radix)
            store(points + 2 * (k * m + j), t[k]);
    }
}

static void
rest_fwd(double *points, const struct plan *p)
{
    const size_t m = p->half / p->radix[0];

    for (unsigned q = 0; q < p->radix[0]; q++)
        below_fwd(p, points + 2 * q * m, 1, q, m);
}

static void
digit_points(double *points, const uint64_t *x, const struct cmlrt_shape *s)
{
    const struct plan *p = s->plan;
    const uint64_t mask = (UINT64_C(1) << s->log2_base) - 1;
    struct dither d;

    dither_of(&d, s->levels, s->log2_base);
    for (unsigned j = 0; j < s->levels; j++) {
        const unsigned shift = 64 - s->log2_base * (j + 1);

        switch (p->radix[0]) {
        case 2: digits_first(points, x, p, &d, shift, mask, 2); break;
        case 4: digits_first(points, x, p, &d, shift, mask, 4); break;
        default: digits_first(points, x, p, &d, shift, mask, 8); break;
        }
        rest_fwd(points, p);
        points += 2 * p->half + CMLRT_ROW_PAD;
    }
}

INLINE void
torus_first(double *points, const uint64_t *x, const struct plan *p,
            const unsigned radix)
{
    const size_t m = p->half / radix;
    const V scale = SET1(0x1p-64 / (double)p->half);

    for (size_t j = 0; j < m; j += W) {
        struct cv t[8];

        EACH (k, 0, radix) {
            t[k].re = MUL(FROM_I64(LOADU_U64(x + k * m + j)), scale);
            t[k].im = MUL(FROM_I64(LOADU_U64(x + p->half + k * m + j)), scale);
        }
        radix_fwd(t, p->roots[0], radix);
        EACH (k, 0, radix)
            store(points + 2 * (k * m + j), t[k]);
    }
}

static void
torus_points(double *points, const uint64_t *x, const void *plan)
{
    const struct plan *p = plan;

    switch (p->radix[0]) {
    case 2: torus_first(points, x, p, 2); break;
    case 4: torus_first(points, x, p, 4); break;
    default: torus_first(points, x, p, 8); break;
    }
    rest_fwd(points, p);
}

INLINE void
torus_last(uint64_t *out, const double *points, const struct plan *p,
           const unsigned radix)
{
    const size_t m = p->half / radix;

    for (size_t j = 0; j < m; j += W) {
        struct cv t[8];

        EACH (k, 0, radix)
            t[k] = load(points + 2 * (k * m + j));
        radix_inv(t, p->roots[0], radix);
        EACH (k, 0, radix) {
            uint64_t *re = out + k * m + j, *im = re + p->half;

            STORE_U64(re, ADD_U64(LOAD_U64(re), TORUS64(t[k].re)));
            STORE_U64(im, ADD_U64(LOAD_U64(im), TORUS64(t[k].im)));
        }
    }
}

static void
points_torus(uint64_t *out, double *points, const void *plan)
{
    const struct plan *p = plan;
    const size_t m = p->half / p->radix[0];

    for (unsigned q = 0; q < p->radix[0]; q++)
        below_inv(p, points + 2 * q * m, 1, q, m);
    switch (p->radix[0]) {
    case 2: torus_last(out, points, p, 2); break;
    case 4: torus_last(out, points, p, 4); break;
    default: torus_last(out, points, p, 8); break;
    }
}

static void
key_put(double *key, const double *points, unsigned rows, unsigned row,
        unsigned out, size_t n)
{
    for (size_t v = 0; v < n / CV; v++)
        store(key + ((v * rows + row) * 2 + out) * CV, load(points + v * CV));
}

INLINE void
key_mul_of(double *sum, const double *points, const double *key, size_t n,
           bool add, const unsigned rows)
{
    const size_t stride = n + CMLRT_ROW_PAD;
    const V zero = SET1(0);

    for (size_t v = 0; v < n; v += CV) {
        struct cv a = { zero, zero }, b = a;

        if (add) {
            a = load(sum + v);
            b = load(sum + stride + v);
        }
        for (unsigned r = 0; r < rows; r++, key += 2 * CV) {
            const struct cv x = load(points + r * stride + v);

            a = mul_add(a, x, load(key));
            b = mul_add(b, x, load(key + CV));
        }
        store(sum + v, a);
        store(sum + stride + v, b);
    }
}

static void
key_mul(double *sum, const double *points, const double *key, unsigned rows,
        size_t n, bool add)
{
    key_mul_of(sum, points, key, n, add, rows);
}
