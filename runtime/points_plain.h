/* Products of leveled circuits step by step, for the reference table.
 *
 *     key    [row][output] polynomials of points
 */

static void
digit_points(double *points, const uint64_t *x, const struct cmlrt_shape *s)
{
    const size_t n = (size_t)1 << s->log2_n;
    const uint64_t mask = (UINT64_C(1) << s->log2_base) - 1;
    struct dither d;

    dither_of(&d, s->levels, s->log2_base);
    for (unsigned j = 0; j < s->levels; j++, points += n + CMLRT_ROW_PAD) {
        const unsigned shift = 64 - s->log2_base * (j + 1);

        for (size_t i = 0; i < n; i++) {
            const uint64_t digit = (x[i] + d.add[i % 8]) >> shift & mask;

            points[i] = (0x1p52 + (double)digit) - d.bias[i % 8];
        }
        fft_fwd(points, points, s->plan);
    }
}

static void
torus_points(double *points, const uint64_t *x, const void *plan)
{
    const size_t n = 2 * ((const struct plan *)plan)->half;

    for (size_t i = 0; i < n; i++)
        points[i] = (double)(int64_t)x[i] * (0x1p-63 / (double)n);
    fft_fwd(points, points, plan);
}

static void
points_torus(uint64_t *out, double *points, const void *plan)
{
    fft_inv(points, points, plan);
    add_torus(out, points, 2 * ((const struct plan *)plan)->half);
}

static void
key_put(double *key, const double *points, unsigned rows, unsigned row,
        unsigned out, size_t n)
{
    (void)rows;
    memcpy(key + (2 * row + out) * n, points, n * sizeof *key);
}

static void
key_mul(double *sum, const double *points, const double *key, unsigned rows,
        size_t n, bool add)
{
    const size_t stride = n + CMLRT_ROW_PAD;

    for (unsigned c = 0; c < 2; c++)
        for (size_t i = 0; !add && i < n; i++)
            sum[c * stride + i] = 0;
    for (unsigned r = 0; r < rows; r++)
        for (unsigned c = 0; c < 2; c++)
            points_mul_add(sum + c * stride, points + r * stride,
                           key + (2 * r + c) * n, n);
}
