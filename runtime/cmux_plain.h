/* The external product step by step, for the reference table: the oracle of
 * cmux_fused.h.  The includer has defined
 *
 *     product   points of one output: sum over the rows of digit times key
 */

/* The low limb's output is added as it is, that of a high limb rounded to a
 * multiple of 2^low_bits, which is what it is but for its error. */
static void
add_output(uint64_t *acc, double *reals, uint64_t *words, size_t n,
           unsigned low_bits)
{
    const uint64_t half = UINT64_C(1) << low_bits >> 1;

    memset(words, 0, n * sizeof *words);
    add_torus(words, reals, n);
    for (size_t i = 0; i < n; i++)
        acc[i] += (words[i] + half) >> low_bits << low_bits;
}

/* digits of one polynomial and their points, one output and its row, all R
 * rows of points */
static size_t
cmux_bytes(const struct cmlrt_shape *s)
{
    const size_t n = (size_t)1 << s->log2_n;
    const size_t rows = cmlrt_shape_rows(s);

    return (1 + s->levels + rows + 1) * n * sizeof(double);
}

/*     out <- X^a x - x,   0 <= a < 2n, in words of the mask */
static void
rotate_sub(uint64_t *out, const uint64_t *x, size_t n, size_t a)
{
    const bool negative = a >= n;
    const size_t cut = a & (n - 1);

    for (size_t i = 0; i < n; i++) {
        const uint64_t w = x[i < cut ? n - cut + i : i - cut];
        const bool minus = (i < cut) != negative; /* X^n = -1 */

        out[i] = (minus ? 0 - w : w) - x[i];
    }
}

struct steps {
    uint64_t *diff;
    double *digits, *points, *sum, *reals;
};

static struct steps
steps_of(const struct cmlrt_shape *s, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n;
    const size_t rows = cmlrt_shape_rows(s);
    struct steps x = { .diff = scratch };

    x.digits = x.reals = (double *)scratch + n;
    x.points = x.digits + s->levels * n;
    x.sum = x.points + rows * n;
    return x;
}

static void
transform_digits(const struct steps *x, const struct cmlrt_shape *s, unsigned c)
{
    const size_t n = (size_t)1 << s->log2_n;

    for (unsigned j = 0; j < s->levels; j++)
        fft_fwd(x->points + (c * s->levels + j) * n, x->digits + j * n,
                s->plan);
}

/* row of output c */
static void
multiply(const struct steps *x, const struct cmlrt_shape *s, unsigned c,
         const double *ggsw)
{
    const size_t n = (size_t)1 << s->log2_n;
    const unsigned rows = cmlrt_shape_rows(s);

    product(x->sum, x->points, ggsw + c * rows * n, n, rows);
    fft_inv(x->reals, x->sum, s->plan);
}

static void
cmux64(uint64_t *acc, const struct cmlrt_shape *s, uint32_t a,
       const double *ggsw, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n, stride = n + CMLRT_PAD;
    const struct steps x = steps_of(s, scratch);

    for (unsigned c = 0; c <= s->k; c++) {
        rotate_sub(x.diff, acc + c * stride, n, a);
        decompose(x.digits, x.diff, n, s->levels, s->log2_base);
        transform_digits(&x, s, c);
    }
    for (unsigned c = 0; c <= s->k; c++) {
        multiply(&x, s, c, ggsw);
        add_torus(acc + c * stride, x.reals, n);
    }
}

static void
product64(uint64_t *acc, const uint64_t *in, const struct cmlrt_shape *s,
          const double *key, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n, stride = n + CMLRT_PAD;
    const struct steps x = steps_of(s, scratch);

    for (unsigned c = 0; c < s->inputs; c++) {
        decompose(x.digits, in + c * stride, n, s->levels, s->log2_base);
        transform_digits(&x, s, c);
    }
    for (unsigned c = 0; c < cmlrt_shape_outs(s); c++) {
        const bool high = s->low_bits && c % 2 == 0;

        multiply(&x, s, c, key);
        add_output(acc + (s->low_bits ? c / 2 : c) * stride, x.reals,
                   (uint64_t *)x.sum, n, high ? s->low_bits : 0);
    }
}

/* Plain digits in [-B/2, B/2) of words of 32 bits; ties go up at even places
 * and down at odd ones. */
static void
decompose_plain(double *digit, const uint64_t *x, size_t n, unsigned levels,
                unsigned log2_base)
{
    const unsigned used = levels * log2_base;
    uint32_t add = used < 32 ? UINT32_C(1) << (31 - used) : 0;

    for (unsigned j = 1; j <= levels; j++)
        add += UINT32_C(1) << (32 - log2_base * j + log2_base - 1);
    for (unsigned j = 0; j < levels; j++)
        for (size_t i = 0; i < n; i++) {
            const uint32_t y = (uint32_t)x[i] + add - (uint32_t)(i & 1);
            const uint32_t d = y << (j * log2_base) >> (32 - log2_base);

            digit[j * n + i] =
                (double)d - (double)(UINT32_C(1) << (log2_base - 1));
        }
}

static void
cmux32(uint32_t *acc, const struct cmlrt_shape *s, uint32_t a,
       const double *ggsw, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n, stride = n + CMLRT_PAD;
    const struct steps x = steps_of(s, scratch);
    uint64_t *wide = (uint64_t *)x.sum; /* not in use yet */

    for (unsigned c = 0; c <= s->k; c++) {
        for (size_t i = 0; i < n; i++)
            wide[i] = acc[c * stride + i];
        rotate_sub(x.diff, wide, n, a);
        decompose_plain(x.digits, x.diff, n, s->levels, s->log2_base);
        transform_digits(&x, s, c);
    }
    for (unsigned c = 0; c <= s->k; c++) {
        multiply(&x, s, c, ggsw);
        for (size_t i = 0; i < n; i++) {
            const double y = x.reals[i];
            const double r = y - ((y + MAGIC) - MAGIC);

            acc[c * stride + i] += (uint32_t)bits_of(r + 0x1.8p20);
        }
    }
}
