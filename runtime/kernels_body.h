/* The part of a table that is plain C: integer loops, which the compiler
 * vectorises for the flags of the file that includes this one.
 *
 * The includer has defined fft_fwd and scatter.
 */
#include <stdbool.h>
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

#define UNROLL _Pragma("GCC unroll 8")
#ifndef EACH
#define EACH(i, from, to) UNROLL for (unsigned i = (from); i < (to); i++)
#endif

/* GCC's vectors, no longer than the registers: longer ones would go through
 * memory. */
#if defined __AVX512F__
enum { VECTOR_BYTES = 64 };
#elif defined __AVX2__
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif

enum {
    KS_AHEAD = 2048, /* words between use and prefetch of the key */
    KS_LANES = VECTOR_BYTES / sizeof(uint32_t),
    KS_WIDTH = 2 * KS_LANES, /* columns of a pass over a panel */
};

typedef uint32_t ks_lanes __attribute__((vector_size(VECTOR_BYTES), may_alias));

/* KS_WIDTH columns of the key times the digits of a batch: the sums stay in
 * registers. */
static inline __attribute__((always_inline)) void
keyswitch_columns(uint32_t *out, size_t stride, const uint32_t *key,
                  const uint32_t *digit, size_t rows, const unsigned batch)
{
    ks_lanes sum[8][2];

    EACH (b, 0, batch)
        sum[b][0] = sum[b][1] = (ks_lanes){ 0 };
    for (size_t r = 0; r < rows; r++, key += CMLRT_PANEL, digit += batch) {
        const ks_lanes *k = (const void *)key;

        __builtin_prefetch(key + KS_AHEAD, 0, 3);
        if (KS_WIDTH * sizeof *key > 64)
            __builtin_prefetch(key + KS_AHEAD + KS_WIDTH / 2, 0, 3);
        EACH (b, 0, batch) {
            sum[b][0] += k[0] * digit[b];
            sum[b][1] += k[1] * digit[b];
        }
    }
    EACH (b, 0, batch) {
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
    for (size_t j = 0; j < s->stride; j += KS_WIDTH) {
        const size_t column = j % CMLRT_PANEL;
        const uint32_t *from = key + (j - column) * rows + column;
        uint32_t *to = out + j;

        switch (batch) {
#define CASE(n) \
    case n: keyswitch_columns(to, s->stride, from, digit, rows, n); break;
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

/* Inlined into the loops below, its vectors are a third slower. */
static __attribute__((noinline)) void
axpy64(uint64_t *restrict out, const uint64_t *restrict a, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] += c * a[i];
}

/* ---- a matrix product
 *
 * Weights are cut into blocks.  Those of a dense block are sorted into lists of
 * terms once and then serve every panel of words.  The inputs of a panel are
 * copied: ciphertexts lie about a power of two apart, so that as they are they
 * would share few sets of a cache.  Where few weights use an input, a copy does
 * not pay, and each weight has its pass over the words.
 */
enum {
    MAT_INPUTS = 64, /* of a block */
    MAT_COLS = 32,
    MAT_TILE = 4,   /* columns of a list, whose sums stay in registers */
    MAT_WORDS = 32, /* of a panel */
    MAT_PASS = 512, /* of a pass */
    MAT_REUSED = 3, /* uses of an input that are not worth a copy */
    MAT_DENSE = 5,  /* of so many weights not 0: one list for all */
    MAT_DENSE_OF = 8,
};

/* What a strip of a tile has of vectors, for which there are 16 or 32
 * registers; and that of a single column. */
enum {
    MAT_VECTORS = VECTOR_BYTES == 64 ? 4 : 2,
    MAT_MOST = 4,
    MAT_LANES = VECTOR_BYTES / sizeof(uint64_t),
};

typedef uint64_t mat_lanes __attribute__((vector_size(VECTOR_BYTES)));

static inline size_t
mat_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Ciphertext i of the product. */
static inline const uint64_t *
mat_row(const struct cmlrt_mat_shape *s, const uint64_t *in, size_t i)
{
    const size_t row = s->index ? (size_t)s->index[i] : s->first + i;
    const size_t window = s->window;

    if (window)
        return in + row / window * s->stride + (window - 1 - row % window);
    return in + row * s->stride;
}

/* What a column, or a tile of them, sums: weights next to each other. */
struct mat_list {
    unsigned count;
    bool narrow; /* weights have 32 bits */
    uint16_t input[MAT_INPUTS];
};

struct mat_tile {
    unsigned cols;
    bool sparse; /* a list a column, else one for all */
    struct mat_list list[MAT_TILE];
    int64_t weight[MAT_TILE][MAT_INPUTS];
};

/* Where a list reads and adds. */
struct mat_panel {
    uint64_t *out;
    const uint64_t *in; /* rows of MAT_WORDS */
    size_t apart;       /* rows of out */
    bool first;         /* of the inputs: sums start at 0 */
};

/* The terms of columns [0, cols) of weight, but for those of zeros only. */
static void
mat_list(struct mat_list *l, int64_t *to, const int64_t *weight, size_t pitch,
         size_t inputs, unsigned cols)
{
    l->count = 0;
    l->narrow = true;
    for (size_t i = 0; i < inputs; i++, weight += pitch) {
        int64_t any = 0;

        for (unsigned c = 0; c < cols; c++) {
            const int64_t w = weight[c];

            any |= w;
            l->narrow &= w == (int32_t)w;
            to[l->count * cols + c] = w;
        }
        l->input[l->count] = (uint16_t)i;
        if (any)
            l->count++;
    }
}

/* A list for all columns multiplies by zeros that not all of them have: with
 * many of those, lists of their own are faster. */
static void
mat_tile(struct mat_tile *t, const int64_t *weight, size_t pitch, size_t inputs,
         unsigned cols)
{
    size_t terms = 0;

    for (unsigned c = 0; c < cols; c++) {
        mat_list(&t->list[c], t->weight[c], weight + c, pitch, inputs, 1);
        terms += t->list[c].count;
    }
    t->cols = cols;
    t->sparse = terms * MAT_DENSE_OF < inputs * cols * MAT_DENSE;
    if (!t->sparse)
        mat_list(&t->list[0], t->weight[0], weight, pitch, inputs, cols);
}

static inline mat_lanes
mat_load(const uint64_t *at)
{
    mat_lanes x;

    memcpy(&x, at, sizeof x);
    return x;
}

/* The sums of a list over the words of n vectors. */
static inline __attribute__((always_inline)) void
mat_sum(const struct mat_panel *p, const struct mat_list *l,
        const int64_t *weight, const unsigned cols, const unsigned n)
{
    mat_lanes sum[MAT_TILE][MAT_MOST] = { 0 };

    if (!p->first)
        EACH (c, 0, cols)
            EACH (v, 0, n)
                sum[c][v] = mat_load(p->out + c * p->apart + v * MAT_LANES);
    for (unsigned t = 0; t < l->count; t++, weight += cols) {
        const uint64_t *x = p->in + (size_t)l->input[t] * MAT_WORDS;

        EACH (v, 0, n) {
            const mat_lanes a = mat_load(x + v * MAT_LANES);

            EACH (c, 0, cols)
                sum[c][v] += a * (uint64_t)weight[c];
        }
    }
    EACH (c, 0, cols)
        memcpy(p->out + c * p->apart, sum[c], n * sizeof(mat_lanes));
}

#ifdef MUL_I32
/* The same for weights of 32 bits, where the product of words is not one
 * instruction: x = low + 2^32 high with a signed low half, and the sums of
 * both are kept apart. */
static inline __attribute__((always_inline)) void
mat_sum_narrow(const struct mat_panel *p, const struct mat_list *l,
               const int64_t *weight, const unsigned cols, const unsigned n)
{
    mat_lanes low[MAT_TILE][MAT_MOST] = { 0 }, high[MAT_TILE][MAT_MOST] = { 0 };

    if (!p->first)
        EACH (c, 0, cols)
            EACH (v, 0, n)
                low[c][v] = mat_load(p->out + c * p->apart + v * MAT_LANES);
    for (unsigned t = 0; t < l->count; t++, weight += cols) {
        const uint64_t *x = p->in + (size_t)l->input[t] * MAT_WORDS;

        EACH (v, 0, n) {
            const mat_lanes a = mat_load(x + v * MAT_LANES);
            const mat_lanes h = (a + (UINT64_C(1) << 31)) >> 32;

            EACH (c, 0, cols) {
                const mat_lanes w = (mat_lanes){ 0 } + (uint64_t)weight[c];

                low[c][v] += MUL_I32(a, w);
                high[c][v] += MUL_I32(h, w);
            }
        }
    }
    EACH (c, 0, cols)
        EACH (v, 0, n) {
            const mat_lanes sum = low[c][v] + (high[c][v] << 32);

            memcpy(p->out + c * p->apart + v * MAT_LANES, &sum, sizeof sum);
        }
}
#endif

/* Strips of a panel, as wide as the registers allow. */
static inline __attribute__((always_inline)) void
mat_run(struct mat_panel p, const struct mat_list *l, const int64_t *weight,
        const unsigned cols)
{
    const uint64_t *end = p.out + MAT_WORDS;
    unsigned n = cols > 1 ? MAT_VECTORS : MAT_MOST;

#ifdef MUL_I32
    if (l->narrow) {
        n = cols > 1 ? 1 : MAT_MOST;
        for (; p.out < end; p.out += n * MAT_LANES, p.in += n * MAT_LANES)
            mat_sum_narrow(&p, l, weight, cols, n);
        return;
    }
#endif
    for (; p.out < end; p.out += n * MAT_LANES, p.in += n * MAT_LANES)
        mat_sum(&p, l, weight, cols, n);
}

static void
mat_tile_run(const struct mat_tile *t, struct mat_panel p)
{
    const unsigned lists = t->sparse ? t->cols : 1;

    for (unsigned i = 0; i < lists; i++, p.out += p.apart)
        switch (t->sparse ? 1 : t->cols) {
#define CASE(n) \
    case n: mat_run(p, &t->list[i], t->weight[i], n); break;
            CASE(1) CASE(2) CASE(3) CASE(4)
#undef CASE
        }
}

/* A dense block. */
static void
mat_panels(uint64_t *out, const struct cmlrt_mat_shape *s, const uint64_t *in,
           const int64_t *weight, bool first)
{
    uint64_t copy[MAT_INPUTS * MAT_WORDS] __attribute__((aligned(64)));
    struct mat_tile tile[MAT_COLS / MAT_TILE];

    for (size_t c = 0; c < s->cols; c += MAT_TILE)
        mat_tile(&tile[c / MAT_TILE], weight + c, s->pitch, s->inner,
                 (unsigned)mat_least(MAT_TILE, s->cols - c));
    for (size_t w = 0; w < s->words; w += MAT_WORDS) {
        for (size_t i = 0; i < s->inner; i++)
            memcpy(copy + i * MAT_WORDS, mat_row(s, in, i) + w,
                   MAT_WORDS * sizeof *copy);
        for (size_t c = 0; c < s->cols; c += MAT_TILE)
            mat_tile_run(&tile[c / MAT_TILE],
                         (struct mat_panel){ out + c * s->apart + w, copy,
                                             s->apart, first });
    }
}

/* A block of few weights. */
static void
mat_passes(uint64_t *out, const struct cmlrt_mat_shape *s, const uint64_t *in,
           const int64_t *weight, bool first)
{
    for (size_t w = 0; w < s->words; w += MAT_PASS)
        for (size_t c = 0; c < s->cols; c++) {
            const size_t n = mat_least(MAT_PASS, s->words - w);
            uint64_t *to = out + c * s->apart + w;

            if (first)
                memset(to, 0, n * sizeof *to);
            for (size_t i = 0; i < s->inner; i++)
                if (weight[i * s->pitch + c] != 0)
                    axpy64(to, mat_row(s, in, i) + w,
                           (uint64_t)weight[i * s->pitch + c], n);
        }
}

static void
mat_block(uint64_t *out, const struct cmlrt_mat_shape *s, const uint64_t *in,
          const int64_t *weight, bool first)
{
    size_t terms = 0;

    for (size_t i = 0; i < s->inner; i++)
        for (size_t c = 0; c < s->cols; c++)
            terms += weight[i * s->pitch + c] != 0;
    if (s->inner > 1 && terms > MAT_REUSED * s->inner)
        mat_panels(out, s, in, weight, first);
    else
        mat_passes(out, s, in, weight, first);
}

/* The words behind the last whole panel, one by one: a body, or the phase of a
 * simulation. */
static void
mat_rest(uint64_t *out, const struct cmlrt_mat_shape *s, const uint64_t *in,
         const int64_t *weight)
{
    const size_t from = s->words - s->words % MAT_WORDS;

    for (size_t c = 0; c < s->cols; c++)
        for (size_t w = from; w < s->words; w++) {
            uint64_t sum = 0;

            for (size_t i = 0; i < s->inner; i++)
                sum +=
                    mat_row(s, in, i)[w] * (uint64_t)weight[i * s->pitch + c];
            out[c * s->apart + w] = sum;
        }
}

static void
matmul64(uint64_t *out, const struct cmlrt_mat_shape *s, const uint64_t *in,
         const int64_t *weight)
{
    struct cmlrt_mat_shape block = *s;

    mat_rest(out, s, in, weight);
    block.words -= block.words % MAT_WORDS;
    if (block.words == 0)
        return;
    for (size_t c = 0; c < s->cols; c += MAT_COLS)
        for (size_t i = 0; i < s->inner; i += MAT_INPUTS) {
            block.inner = mat_least(MAT_INPUTS, s->inner - i);
            block.cols = mat_least(MAT_COLS, s->cols - c);
            block.first = s->first + i;
            block.index = s->index ? s->index + i : NULL;
            mat_block(out + c * s->apart, &block, in, weight + i * s->pitch + c,
                      i == 0);
        }
}

/* The low limb of a word, in [-2^(bits-1), 2^(bits-1)). */
static inline int64_t
low_limb(uint64_t x, unsigned bits)
{
    return (int64_t)(x << (64 - bits)) >> (64 - bits);
}

static void
prepare(double *ggsw, const struct cmlrt_shape *s, const uint64_t *poly,
        unsigned row, unsigned out, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n;
    const unsigned low = s->low_bits, limbs = low ? 2 : 1;
    const double scale = 0x1p-63 / (double)n;
    double *reals = scratch, *points = reals + n;

    for (unsigned limb = 0; limb < limbs; limb++) {
        for (size_t i = 0; i < n; i++) {
            const int64_t below = low ? low_limb(poly[i], low) : 0;
            const int64_t x = (int64_t)(poly[i] - (uint64_t)below);

            reals[i] = (double)(limb ? below : x) * scale;
        }
        fft_fwd(points, reals, s->plan);
        scatter(ggsw, points, s, row, out * limbs + limb);
    }
}

/* ---- leveled circuits */

/* Of digit_points: what is added to a word, and h, by coefficient modulo 8. */
struct dither {
    uint64_t add[8] __attribute__((aligned(64)));
    double bias[8] __attribute__((aligned(64))); /* 2^52 + h */
};

static void
dither_of(struct dither *d, unsigned levels, unsigned log2_base)
{
    for (unsigned i = 0; i < 8; i++) {
        const uint64_t less = 0x96 >> i & 1;
        const uint64_t h = (UINT64_C(1) << (log2_base - 1)) - less;

        d->add[i] = UINT64_C(1) << (63 - levels * log2_base);
        for (unsigned j = 1; j <= levels; j++)
            d->add[i] += h << (64 - log2_base * j);
        d->bias[i] = 0x1p52 + (double)h;
    }
}

/* Sums of so many words stay in registers. */
enum { COMBINE = 8 * MAT_LANES };

static void
combine64(uint64_t *restrict out, const uint64_t *const *in,
          const int64_t *weight, size_t count, size_t n)
{
    size_t j = 0;

    for (; j + COMBINE <= n; j += COMBINE) {
        mat_lanes sum[8] = { 0 };

        for (size_t i = 0; i < count; i++) {
            const uint64_t *x = in[i] + j;

            EACH (v, 0, 8)
                sum[v] += mat_load(x + v * MAT_LANES) * (uint64_t)weight[i];
        }
        memcpy(out + j, sum, sizeof sum);
    }
    for (; j < n; j++) {
        uint64_t sum = 0;

        for (size_t i = 0; i < count; i++)
            sum += in[i][j] * (uint64_t)weight[i];
        out[j] = sum;
    }
}

static void
sum_difference(uint64_t *restrict sum, uint64_t *restrict difference,
               const uint64_t *restrict c, const uint64_t *restrict u, size_t n,
               size_t shift)
{
    if (sum)
        for (size_t i = 0; i < n; i++)
            sum[i] = c[i] + u[i];
    if (!difference)
        return;
    for (size_t i = 0; i < n - shift; i++)
        difference[i] = c[i + shift] - u[i + shift];
    for (size_t i = 0; i < shift; i++)
        difference[n - shift + i] = u[i] - c[i]; /* X^n = -1 */
}
