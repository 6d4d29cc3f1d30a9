/* The part of a table that is plain C: integer loops, which the compiler
 * vectorises for the flags of the file that includes this one, and the product
 * built from that file's transform.
 *
 * The includer has defined NAME (of the table), plan_bytes, plan_init, fft_fwd,
 * fft_inv, points_mul_add and, for the layout of a prepared GGSW,
 *
 *     scatter   points of (row, out) to their places
 *     product   points of one output: sum over the rows of digit times key
 */
#include <string.h>

#define MAGIC 0x1.8p52 /* MAGIC + y has round(y) in its low bits */

static inline uint64_t
bits_of(double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof u);
    return u;
}

static inline double
double_of(uint64_t u)
{
    double x;

    memcpy(&x, &u, sizeof x);
    return x;
}

/* round(y) mod 2^64, |y| < 2^51 */
static inline uint64_t
integer_of(double y)
{
    return bits_of(y + MAGIC) - bits_of(MAGIC);
}

static void
split_limbs(double *restrict low, double *restrict high,
            const uint64_t *restrict a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t lo = (int32_t)(uint32_t)a[i];
        const int32_t hi = (int32_t)(uint32_t)(a[i] >> 32);

        low[i] = (double)lo;
        high[i] = (double)hi + (lo < 0 ? 1.0 : 0.0);
    }
}

static void
add_integers(uint64_t *restrict out, const double *restrict y, size_t n,
             unsigned shift)
{
    for (size_t i = 0; i < n; i++)
        out[i] += integer_of(y[i]) << shift;
}

static void
add_torus(uint64_t *restrict out, const double *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double r = y[i] - ((y[i] + MAGIC) - MAGIC);
        const double high = r * 0x1p32;
        const double low = (high - ((high + MAGIC) - MAGIC)) * 0x1p32;

        out[i] += (integer_of(high) << 32) + integer_of(low);
    }
}

/* What decompose adds before it cuts digits, and where its tie bit is. */
struct gadget {
    uint64_t add, tie_mask;
    unsigned tie_bit;
};

static struct gadget
gadget_of(unsigned levels, unsigned log2_base)
{
    const unsigned used = levels * log2_base;
    struct gadget g = { 0, 0, 0 };

    if (used < 64)
        g.add = UINT64_C(1) << (63 - used);
    for (unsigned j = 1; j <= levels; j++)
        g.add += UINT64_C(1) << (64 - log2_base * j + log2_base - 1);
    if (used < 63) {
        g.tie_mask = 1;
        g.tie_bit = 62 - used;
    }
    return g;
}

/* All ones where -x is decomposed. */
static inline uint64_t
turned(uint64_t x, const struct gadget *g)
{
    return (uint64_t)0 - (x >> g->tie_bit & g->tie_mask);
}

static void
decompose(double *restrict digit, const uint64_t *restrict x, size_t n,
          unsigned levels, unsigned log2_base)
{
    const struct gadget g = gadget_of(levels, log2_base);
    const uint64_t mask = (UINT64_C(1) << log2_base) - 1;
    const uint64_t sign = UINT64_C(1) << 63;
    const double bias = 0x1p52 + (double)(UINT64_C(1) << (log2_base - 1));

    for (unsigned j = 0; j < levels; j++) {
        const unsigned shift = 64 - log2_base * (j + 1);
        double *restrict d = digit + j * n;

        for (size_t i = 0; i < n; i++) {
            const uint64_t turn = turned(x[i], &g);
            const uint64_t y = ((x[i] ^ turn) - turn) + g.add;
            const uint64_t e = (y >> shift & mask) | bits_of(0x1p52);

            d[i] = double_of(bits_of(double_of(e) - bias) ^ (turn & sign));
        }
    }
}

/* The same digits, as integers modulo 2^32, levels of one word together. */
static void
decompose_u32(uint32_t *restrict digit, const uint64_t *restrict x,
              const struct cmlrt_ks_shape *s)
{
    const struct gadget g = gadget_of(s->levels, s->log2_base);
    const uint32_t mask = (UINT32_C(1) << s->log2_base) - 1;
    const uint32_t half = UINT32_C(1) << (s->log2_base - 1);

    for (size_t i = 0; i < s->inputs; i++) {
        const uint64_t turn = turned(x[i], &g);
        const uint64_t y = ((x[i] ^ turn) - turn) + g.add;

        for (unsigned j = 0; j < s->levels; j++) {
            const unsigned shift = 64 - s->log2_base * (j + 1);
            const uint32_t d = ((uint32_t)(y >> shift) & mask) - half;

            *digit++ = (d ^ (uint32_t)turn) - (uint32_t)turn;
        }
    }
}

/* Four rows of the key at a time, so that out is read and written less. */
static void
keyswitch(uint32_t *restrict out, const struct cmlrt_ks_shape *s,
          const uint32_t *restrict key, const uint64_t *restrict a,
          void *scratch)
{
    const size_t rows = s->inputs * s->levels, stride = s->stride;
    uint32_t *d = scratch;
    size_t r = 0;

    decompose_u32(d, a, s);
    memset(out, 0, s->columns * sizeof *out);
    for (; r + 4 <= rows; r += 4) {
        const uint32_t *restrict p = key + r * stride;

        for (size_t j = 0; j < s->columns; j++)
            out[j] -= d[r] * p[j] + d[r + 1] * p[stride + j]
                      + d[r + 2] * p[2 * stride + j]
                      + d[r + 3] * p[3 * stride + j];
    }
    for (; r < rows; r++)
        for (size_t j = 0; j < s->columns; j++)
            out[j] -= d[r] * key[r * stride + j];
}

static void
axpy64(uint64_t *restrict out, const uint64_t *restrict a, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] += c * a[i];
}

static void
prepare(double *ggsw, const struct cmlrt_shape *s, const uint64_t *poly,
        unsigned row, unsigned out, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n;
    const double scale = 0x1p-63 / (double)n;
    double *reals = scratch, *points = reals + n;

    for (size_t i = 0; i < n; i++)
        reals[i] = (double)(int64_t)poly[i] * scale;
    fft_fwd(points, reals, s->plan);
    scatter(ggsw, points, s, row, out);
}

/*     out <- X^a x - x,   0 <= a < 2n */
static void
rotate_sub(uint64_t *restrict out, const uint64_t *restrict x, size_t n,
           size_t a)
{
    const uint64_t flip = a < n ? 0 : ~UINT64_C(0); /* X^n = -1 */
    const size_t cut = a < n ? a : a - n;

    for (size_t i = 0; i < cut; i++)
        out[i] = (~x[n - cut + i] ^ flip) + (1 + flip) - x[i];
    for (size_t i = cut; i < n; i++)
        out[i] = (x[i - cut] ^ flip) - flip - x[i];
}

/* digits of one polynomial and their points, one output and its row, all R rows
 * of points */
static size_t
cmux64_bytes(const struct cmlrt_shape *s)
{
    const size_t n = (size_t)1 << s->log2_n;
    const size_t rows = (size_t)(s->k + 1) * s->levels;

    return (1 + s->levels + rows + 1) * n * sizeof(double);
}

static void
cmux64(uint64_t *acc, const struct cmlrt_shape *s, uint32_t a,
       const double *ggsw, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n;
    const unsigned rows = (s->k + 1) * s->levels;
    uint64_t *diff = scratch;
    double *digits = (double *)scratch + n, *reals = digits;
    double *points = digits + s->levels * n, *sum = points + rows * n;

    for (unsigned c = 0; c <= s->k; c++) {
        double *to = points + c * s->levels * n;

        rotate_sub(diff, acc + c * n, n, a);
        decompose(digits, diff, n, s->levels, s->log2_base);
        for (unsigned j = 0; j < s->levels; j++)
            fft_fwd(to + j * n, digits + j * n, s->plan);
    }
    for (unsigned c = 0; c <= s->k; c++) {
        product(sum, points, ggsw + c * rows * n, n, rows);
        fft_inv(reals, sum, s->plan);
        add_torus(acc + c * n, reals, n);
    }
}

extern const struct kernels NAME;

const struct kernels NAME = {
    .name = NAME_STRING,
#define K(kernel, ret, params) .kernel = kernel,
#include "runtime/kernels.def"
};
