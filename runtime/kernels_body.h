/* The part of a table that is plain C: integer loops, which the compiler
 * vectorises for the flags of the file that includes this one.
 *
 * The includer has defined fft_fwd and scatter.
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

/* The same digits, as integers modulo 2^32, of a batch: [input][level][b]. */
static void
decompose_u32(uint32_t *restrict digit, const uint64_t *const *a,
              unsigned batch, const struct cmlrt_ks_shape *s)
{
    const struct gadget g = gadget_of(s->levels, s->log2_base);
    const uint32_t mask = (UINT32_C(1) << s->log2_base) - 1;
    const uint32_t half = UINT32_C(1) << (s->log2_base - 1);

    for (unsigned b = 0; b < batch; b++)
        for (size_t i = 0; i < s->inputs; i++) {
            const uint64_t x = a[b][i], turn = turned(x, &g);
            const uint64_t y = ((x ^ turn) - turn) + g.add;

            for (unsigned j = 0; j < s->levels; j++) {
                const unsigned shift = 64 - s->log2_base * (j + 1);
                const uint32_t d = ((uint32_t)(y >> shift) & mask) - half;

                digit[(i * s->levels + j) * batch + b] =
                    (d ^ (uint32_t)turn) - (uint32_t)turn;
            }
        }
}

/* A panel of the key times the digits of a batch: the sums stay in registers.
 * GCC's vectors become those of the file's instruction set. */
#define UNROLL _Pragma("GCC unroll 8")

enum { KS_AHEAD = 2048 }; /* words between use and prefetch of the key */

typedef uint32_t ks_lanes
    __attribute__((vector_size(CMLRT_PANEL * 2), may_alias));

static inline __attribute__((always_inline)) void
keyswitch_panel(uint32_t *out, size_t stride, const uint32_t *key,
                const uint32_t *digit, size_t rows, const unsigned batch)
{
    ks_lanes sum[8][2];

    UNROLL for (unsigned b = 0; b < batch; b++) sum[b][0] = sum[b][1] =
        (ks_lanes){ 0 };
    for (size_t r = 0; r < rows; r++, key += CMLRT_PANEL, digit += batch) {
        const ks_lanes *k = (const void *)key;

        __builtin_prefetch(key + KS_AHEAD, 0, 2);
        __builtin_prefetch(key + KS_AHEAD + CMLRT_PANEL / 2, 0, 2);
        UNROLL for (unsigned b = 0; b < batch; b++)
        {
            sum[b][0] += k[0] * digit[b];
            sum[b][1] += k[1] * digit[b];
        }
    }
    UNROLL for (unsigned b = 0; b < batch; b++)
    {
        const ks_lanes minus[2] = { -sum[b][0], -sum[b][1] };

        memcpy(out + b * stride, minus, sizeof minus);
    }
}

static void
keyswitch(uint32_t *out, const struct cmlrt_ks_shape *s, const uint32_t *key,
          const uint64_t *const *a, unsigned batch, void *scratch)
{
    const size_t rows = s->inputs * s->levels;
    uint32_t *digit = scratch;

    decompose_u32(digit, a, batch, s);
    for (size_t j = 0; j < s->stride; j += CMLRT_PANEL) {
        uint32_t *to = out + j;
        const uint32_t *panel = key + j * rows;

        switch (batch) {
#define CASE(n) \
    case n: keyswitch_panel(to, s->stride, panel, digit, rows, n); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
        }
    }
}

static void
automorphism(uint64_t *restrict out, const uint64_t *restrict a, size_t n,
             uint32_t t)
{
    size_t to = 0;

    for (size_t i = 0; i < n; i++) {
        out[to & (n - 1)] = to < n ? a[i] : 0 - a[i];
        to = (to + t) & (2 * n - 1);
    }
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
