/* The external product in one go, on fft_blocks.h:
 *
 *     1  rotate, subtract, cut digits, first radix        acc  -> rows
 *     2  for each block: forward, multiply, inverse       rows -> rows
 *     3  last radix, reduction modulo 1, add              rows -> acc
 *
 * The product is never stored: sums over the rows are formed in the registers
 * in which the inverse begins.  In step 2 one half of a block is done for all
 * rows before the other half, so that independent work is adjacent, and the
 * key is read front to back:
 *
 *     GGSW      [block][output][vector][row] vectors | re W | im W |
 *
 * Accumulators have CMLRT_PAD words behind each polynomial, of which the first
 * W repeat its first words with the other sign: X^N = -1, so a vector that
 * crosses the wrap of a rotation is one load.
 */

enum {
    /* bytes between use and prefetch of the key, measured */
    AHEAD = 98304,
    AHEAD_LARGE = 32768, /* N >= 2048 */
    PAD = 8,             /* doubles behind a block of a row */
};

/* keeps the compiler from mixing phases that must not be mixed */
#define FENCE() __asm__ volatile("" ::: "memory")

struct product {
    const struct plan *plan;
    const double *key; /* of the next block */
    double *rows; /* the larger of R and NC; the first NC become the outputs */
    size_t row;   /* doubles from one to the next */
    size_t ahead; /* AHEAD of this ring */
    double *halves; /* R blocks */
    unsigned nrows, nouts;
};

/* ---- step 2 */

/* lines of the key, `each` of them for the i-th time */
INLINE void
prefetch(const char *ahead, size_t i, const size_t each)
{
    const char *p = ahead + i * each * 64;

    EACH (j, 0, each)
        PREFETCH(p + 64 * j);
}

/* Block b at `at` of each row.  A block of the key has 2 R lines for each pair
 * of vectors of an output; they are asked for evenly. */
INLINE void
middle(struct product *x, size_t b, size_t at, const unsigned R,
       const unsigned NC)
{
    const size_t n = x->row;
    const double *roots = x->plan->blocks_roots + b * BLOCK_CELLS;
    const double *key = x->key;
    double *rows = x->rows + at, *half = x->halves;
    const size_t lines = (size_t)NC * BLOCK_CELLS / 16;
    const char *ahead = (const char *)key + x->ahead;
    struct cv t[W];

    EACH (r, 0, R) {
        prefetch(ahead, r, lines);
        block_load(t, rows + r * n);
        block_fwd_1(t, roots);
        block_store(half + r * BLOCK_CELLS, t);
        FENCE();
    }
    EACH (r, 0, R) {
        prefetch(ahead, R + r, lines);
        block_load(t, half + r * BLOCK_CELLS);
        block_fwd_2(t, roots);
        block_store(half + r * BLOCK_CELLS, t);
        FENCE();
    }
    for (unsigned c = 0; c < NC; c++, key += (size_t)R * BLOCK_CELLS) {
        EACH (v, 0, W) {
            t[v] = mul(load(half + v * CV), load(key + v * R * CV));
            EACH (r, 1, R)
                t[v] = mul_add(t[v], load(half + r * BLOCK_CELLS + v * CV),
                               load(key + (v * R + r) * CV));
        }
        block_inv_1(t, roots);
        block_store(rows + c * n, t);
        FENCE();
    }
    EACH (c, 0, NC) {
        block_load(t, rows + c * n);
        block_inv_2(t, roots);
        block_store(rows + c * n, t);
        FENCE();
    }
    x->key = key;
}

/* One function a shape that the parameter search likes, and one for all. */
#define SHAPE(R, NC) \
    static void middle_##R##_##NC(struct product *x, size_t b, size_t at) \
    { \
        middle(x, b, at, R, NC); \
    }
#include "runtime/shapes.def"

static void
middle_any(struct product *x, size_t b, size_t at)
{
    middle(x, b, at, x->nrows, x->nouts);
}

typedef void middle_fn(struct product *x, size_t b, size_t at);

static middle_fn *
middle_of(unsigned rows, unsigned outs)
{
#define SHAPE(R, NC) \
    if (rows == R && outs == NC) \
        return middle_##R##_##NC;
#include "runtime/shapes.def"
    return middle_any;
}

static void
below(struct product *x, middle_fn *mid, unsigned level, size_t node, size_t at,
      size_t size)
{
    const struct plan *p = x->plan;

    if (level == p->levels) {
        mid(x, node, at);
        return;
    }
    size /= p->radix[level];
    for (unsigned r = 0; r < x->nrows; r++)
        node_fwd(p, x->rows + r * x->row + at, level, node, size, PAD);
    for (unsigned q = 0; q < p->radix[level]; q++)
        below(x, mid, level + 1, node * p->radix[level] + q,
              at + place(q * size, PAD), size);
    for (unsigned c = 0; c < x->nouts; c++)
        node_inv(p, x->rows + c * x->row + at, level, node, size, PAD);
}

static void
multiply(struct product *x)
{
    const struct plan *p = x->plan;
    const size_t m = p->half / p->radix[0];
    middle_fn *mid = middle_of(x->nrows, x->nouts);

    for (unsigned q = 0; q < p->radix[0]; q++)
        below(x, mid, 1, q, place(q * m, PAD), m);
}

/* ---- step 1: the streams of X^a acc, one a child of the root and part */

/* X^a acc at the streams' places: stream t begins t m words into a polynomial.
 * In the only stream that contains the wrap the sign changes at `cut`. */
struct streams {
    size_t from[16]; /* of word 0; may be N less than 0 */
    bool minus[16];
    unsigned wrap;     /* the stream with the wrap; 16: none */
    size_t cut;        /* from this word on, rounded up to W */
    size_t begin, end; /* words of this part: [0, cut), then [cut, m) */
};

INLINE void
rotate_streams(struct streams *s, size_t n, size_t a, const unsigned count)
{
    const size_t m = n / count, shift = a & (n - 1);
    const bool negative = a >= n;

    s->wrap = 16;
    s->cut = m;
    for (unsigned t = 0; t < count; t++) {
        const size_t begin = t * m;
        const bool wrapped = begin < shift;

        if (wrapped && shift < begin + m) {
            s->wrap = t;
            s->cut = (shift - begin + W - 1) / W * W;
        }
        s->from[t] = begin - shift + (wrapped ? n : 0);
        s->minus[t] = wrapped != negative;
    }
    s->begin = 0;
    s->end = s->cut;
}

/* To the part behind the wrap; false if there is none. */
INLINE bool
next_part(struct streams *s, size_t n, size_t m)
{
    if (s->end == m)
        return false;
    s->from[s->wrap] -= n;
    s->minus[s->wrap] = !s->minus[s->wrap];
    s->begin = s->cut;
    s->end = m;
    return true;
}

/* Digits in 32 bits: plain ones, in [-B/2, B/2).  Their mean of -1/2 does no
 * harm with a fresh key, lang-spec/crypto.md 4.  Ties of the rounding go up at
 * even places and down at odd ones, 5.4. */
struct cut32 {
    uint32_t carries;
    U32 sign[16], plus[16]; /* of the streams: plus + (word ^ sign) is signed */
};

INLINE void
cut32_init(struct cut32 *x, const struct streams *st,
           const struct cmlrt_shape *s, const unsigned count)
{
    const unsigned used = s->levels * s->log2_base;
    const uint32_t half = used < 32 ? UINT32_C(1) << (31 - used) : 0;
    uint32_t ties[W];

    x->carries = 0;
    for (unsigned i = 1; i < s->levels; i++)
        x->carries += UINT32_C(1) << (31 - i * s->log2_base);
    for (unsigned i = 0; i < W; i++)
        ties[i] = x->carries + half - (i & 1);
    EACH (t, 0, count) {
        x->sign[t] = SET_U32(st->minus[t] ? UINT32_MAX : 0);
        x->plus[t] = SUB_U32(LOADU_U32(ties), x->sign[t]);
    }
}

INLINE void
digits32(double *row, const uint32_t *acc, const struct cmlrt_shape *s,
         const struct streams *st, const struct cut32 *cut, unsigned level,
         const unsigned radix)
{
    const struct plan *p = s->plan;
    const size_t m = p->half / radix, step = place(m, PAD);

    for (size_t j = st->begin; j < st->end; j += W) {
        struct cv x[8];

        EACH (k, 0, radix) {
            V part_of[2];

            EACH (h, 0, 2) {
                const unsigned t = k + h * radix;
                U32 w = LOADU_U32(acc + (st->from[t] + j));

                w = SUB_U32(XOR_U32(w, cut->sign[t]),
                            LOAD_U32(acc + h * p->half + k * m + j));
                w = ADD_U32(w, cut->plus[t]);
                if (level > 0)
                    w = XOR_U32(w, SET_U32(cut->carries));
                w = SHL_U32(w, level * s->log2_base);
                part_of[h] = FROM_I32(SAR_U32(w, 32 - s->log2_base));
            }
            x[k] = (struct cv){ part_of[0], part_of[1] };
        }
        radix_fwd(x, p->roots[0], radix);
        EACH (k, 0, radix)
            store(row + k * step + place(j, PAD), x[k]);
    }
}

/* Words of X^a acc - acc at streams t, or of acc itself without
 * streams; turned to -x and rounded as gadget_of says. */
INLINE void
words64(U64 *word, U64 *flip, const uint64_t *acc, const struct streams *st,
        size_t j, size_t m, const struct gadget *g, const unsigned count)
{
    EACH (t, 0, count) {
        U64 w = LOAD_U64(acc + t * m + j), turn;

        if (st) {
            const U64 sign = SET_U64(st->minus[t] ? UINT64_MAX : 0);
            const U64 x = LOADU_U64(acc + (st->from[t] + j));

            w = SUB_U64(SUB_U64(XOR_U64(x, sign), sign), w);
        }
        turn = SUB_U64(SET_U64(0),
                       AND_U64(SHR_U64(w, g->tie_bit), SET_U64(g->tie_mask)));
        word[t] = ADD_U64(SUB_U64(XOR_U64(w, turn), turn), SET_U64(g->add));
        flip[t] = SHL_U64(turn, 63);
    }
}

/* The digit of a word above `shift`: its bits become the last ones of 2^52. */
INLINE V
digit64(U64 word, U64 flip, unsigned shift, unsigned log2_base)
{
    const U64 mask = SET_U64((UINT64_C(1) << log2_base) - 1);
    const V bias = SET1(0x1p52 + (double)(UINT64_C(1) << (log2_base - 1)));
    const U64 e =
        OR_U64(AND_U64(SHR_U64(word, shift), mask), SET_U64(bits_of(0x1p52)));

    return AS_V(XOR_U64(AS_U64(SUB(AS_V(e), bias)), flip));
}

/* Digits of mean zero, as decompose cuts them; all levels of a word at once. */
INLINE void
digits64(double *rows, const uint64_t *acc, const struct cmlrt_shape *s,
         const struct streams *st, const unsigned radix, size_t apart,
         const bool rotated)
{
    const struct plan *p = s->plan;
    const size_t m = p->half / radix, step = place(m, PAD);
    const struct gadget g = gadget_of(s->levels, s->log2_base);

    for (size_t j = st->begin; j < st->end; j += W) {
        U64 word[16], flip[16];

        words64(word, flip, acc, rotated ? st : NULL, j, m, &g, 2 * radix);
        for (unsigned l = 0; l < s->levels; l++) {
            const unsigned shift = 64 - s->log2_base * (l + 1);
            double *row = rows + l * apart;
            struct cv x[8];

            EACH (k, 0, radix) {
                x[k].re = digit64(word[k], flip[k], shift, s->log2_base);
                x[k].im = digit64(word[k + radix], flip[k + radix], shift,
                                  s->log2_base);
            }
            radix_fwd(x, p->roots[0], radix);
            EACH (k, 0, radix)
                store(row + k * step + place(j, PAD), x[k]);
        }
    }
}

/* ---- step 3 */

INLINE void
reduce32(uint32_t *acc, const double *row, const struct plan *p,
         const unsigned radix)
{
    const size_t m = p->half / radix, step = place(m, PAD);

    for (size_t j = 0; j < m; j += W) {
        struct cv x[8];

        EACH (k, 0, radix)
            x[k] = load(row + k * step + place(j, PAD));
        radix_inv(x, p->roots[0], radix);
        EACH (k, 0, radix) {
            uint32_t *re = acc + k * m + j, *im = re + p->half;

            STORE_U32(re, ADD_U32(LOAD_U32(re), TORUS32(x[k].re)));
            STORE_U32(im, ADD_U32(LOAD_U32(im), TORUS32(x[k].im)));
        }
    }
    for (size_t i = 0; i < W; i++)
        acc[2 * p->half + i] = 0 - acc[i];
}

/* The product of a high limb is a multiple of 2^low: with `high` it is rounded
 * to that, which takes its error away. */
INLINE void
reduce64(uint64_t *acc, const double *row, const struct plan *p,
         const unsigned radix, unsigned low, const bool high)
{
    const size_t m = p->half / radix, step = place(m, PAD);
    const U64 half = SET_U64(UINT64_C(1) << low >> 1);
    const U64 mask = SET_U64(0 - (UINT64_C(1) << low));

    for (size_t j = 0; j < m; j += W) {
        struct cv x[8];

        EACH (k, 0, radix)
            x[k] = load(row + k * step + place(j, PAD));
        radix_inv(x, p->roots[0], radix);
        EACH (k, 0, radix) {
            uint64_t *re = acc + k * m + j, *im = re + p->half;
            U64 a = TORUS64(x[k].re), b = TORUS64(x[k].im);

            if (high) {
                a = AND_U64(ADD_U64(a, half), mask);
                b = AND_U64(ADD_U64(b, half), mask);
            }
            STORE_U64(re, ADD_U64(LOAD_U64(re), a));
            STORE_U64(im, ADD_U64(LOAD_U64(im), b));
        }
    }
    for (size_t i = 0; i < W; i++)
        acc[2 * p->half + i] = 0 - acc[i];
}

/* ---- the whole */

/* doubles of a padded row, a multiple of a line that is no power of two */
static size_t
row_cells(size_t n)
{
    return place(n / 2, PAD) + PAD;
}

static size_t
cmux_bytes(const struct cmlrt_shape *s)
{
    const size_t n = (size_t)1 << s->log2_n;
    const size_t rows = cmlrt_shape_rows(s), outs = cmlrt_shape_outs(s);
    const size_t most = rows > outs ? rows : outs;

    return (most * row_cells(n) + rows * BLOCK_CELLS) * sizeof(double);
}

static struct product
product_of(const struct cmlrt_shape *s, const double *ggsw, void *scratch)
{
    const size_t n = (size_t)1 << s->log2_n;
    struct product x = { .plan = s->plan, .key = ggsw, .rows = scratch };

    x.nouts = cmlrt_shape_outs(s);
    x.nrows = cmlrt_shape_rows(s);
    x.row = row_cells(n);
    x.ahead = n >= 2048 ? AHEAD_LARGE : AHEAD;
    x.halves = x.rows + (x.nrows > x.nouts ? x.nrows : x.nouts) * x.row;
    return x;
}

INLINE void
cmux32_of(uint32_t *acc, const struct cmlrt_shape *s, uint32_t a,
          struct product *x, const unsigned radix)
{
    const size_t n = (size_t)1 << s->log2_n, stride = n + CMLRT_PAD;
    struct streams st;
    struct cut32 cut;

    rotate_streams(&st, n, a, 2 * radix);
    do {
        cut32_init(&cut, &st, s, 2 * radix);
        for (unsigned c = 0; c < x->nouts; c++)
            for (unsigned l = 0; l < s->levels; l++)
                digits32(x->rows + (c * s->levels + l) * x->row,
                         acc + c * stride, s, &st, &cut, l, radix);
    } while (next_part(&st, n, n / 2 / radix));
    multiply(x);
    for (unsigned c = 0; c < x->nouts; c++)
        reduce32(acc + c * stride, x->rows + c * x->row, s->plan, radix);
}

INLINE void
cmux64_of(uint64_t *acc, const struct cmlrt_shape *s, uint32_t a,
          struct product *x, const unsigned radix)
{
    const size_t n = (size_t)1 << s->log2_n, stride = n + CMLRT_PAD;
    struct streams st;

    rotate_streams(&st, n, a, 2 * radix);
    do {
        for (unsigned c = 0; c < x->nouts; c++)
            digits64(x->rows + c * s->levels * x->row, acc + c * stride, s, &st,
                     radix, x->row, true);
    } while (next_part(&st, n, n / 2 / radix));
    multiply(x);
    for (unsigned c = 0; c < x->nouts; c++)
        reduce64(acc + c * stride, x->rows + c * x->row, s->plan, radix, 0,
                 false);
}

INLINE void
product64_of(uint64_t *acc, const uint64_t *in, const struct cmlrt_shape *s,
             struct product *x, const unsigned radix)
{
    const size_t n = (size_t)1 << s->log2_n, stride = n + CMLRT_PAD;
    const struct streams all = { .begin = 0, .end = n / 2 / radix };

    for (unsigned c = 0; c < s->inputs; c++)
        digits64(x->rows + c * s->levels * x->row, in + c * stride, s, &all,
                 radix, x->row, false);
    multiply(x);
    for (unsigned c = 0; c <= s->k; c++, acc += stride) {
        const double *row = x->rows + c * x->row;

        if (s->low_bits) {
            row += c * x->row; /* output 2c, and the low limb's */
            reduce64(acc, row, s->plan, radix, s->low_bits, true);
            row += x->row;
        }
        reduce64(acc, row, s->plan, radix, 0, false);
    }
}

static void
cmux32(uint32_t *acc, const struct cmlrt_shape *s, uint32_t a,
       const double *ggsw, void *scratch)
{
    const struct plan *p = s->plan;
    struct product x = product_of(s, ggsw, scratch);

    switch (p->radix[0]) {
    case 2: cmux32_of(acc, s, a, &x, 2); break;
    case 4: cmux32_of(acc, s, a, &x, 4); break;
    default: cmux32_of(acc, s, a, &x, 8); break;
    }
}

static void
cmux64(uint64_t *acc, const struct cmlrt_shape *s, uint32_t a,
       const double *ggsw, void *scratch)
{
    const struct plan *p = s->plan;
    struct product x = product_of(s, ggsw, scratch);

    switch (p->radix[0]) {
    case 2: cmux64_of(acc, s, a, &x, 2); break;
    case 4: cmux64_of(acc, s, a, &x, 4); break;
    default: cmux64_of(acc, s, a, &x, 8); break;
    }
}

static void
product64(uint64_t *acc, const uint64_t *in, const struct cmlrt_shape *s,
          const double *key, void *scratch)
{
    const struct plan *p = s->plan;
    struct product x = product_of(s, key, scratch);

    switch (p->radix[0]) {
    case 2: product64_of(acc, in, s, &x, 2); break;
    case 4: product64_of(acc, in, s, &x, 4); break;
    default: product64_of(acc, in, s, &x, 8); break;
    }
}
