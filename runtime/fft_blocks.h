/* The transform for vectors of W lanes, on complex_lanes.h.
 *
 *     X^m - c  splits into R children with roots s w^q,   s = c^(1/R),
 *     w = e^(2 pi i/R);  a node has c = e^(2 pi i theta), the root theta = 1/4,
 *     child q of theta has (theta + q)/R
 *
 *     forward   t_k = x_k s^k;  y = DFT_R(t)
 *     inverse   t = DFT_R^-1(y);  x_k = t_k conj(s^k)
 *
 * A node has one s, so its powers are broadcast; the twist costs nothing and
 * nothing is permuted.  The tree ends in blocks of W W points, which stay in
 * registers: DFT_W across the vectors, a transpose, powers that differ from
 * lane to lane, DFT_W again.
 *
 *     points    N/(2 W W) blocks of W vectors | re W | im W |
 *
 * The rows of a product have `pad` doubles behind each block: at a power of two
 * apart, the streams of a pass would share a few sets of the cache.
 *
 * Subtrees are finished one after the other, so that they stay in the cache.
 */
#include "runtime/twiddle.h"

enum {
    BLOCK = W * W,           /* points */
    BLOCK_CELLS = 2 * BLOCK, /* doubles, of a block and of its roots */
    MAX_LEVELS = 8,
};

struct plan {
    size_t half;   /* N/2 */
    size_t blocks; /* N/(2 BLOCK) */
    unsigned levels, radix[MAX_LEVELS];
    const double *roots[MAX_LEVELS]; /* of a level: 2 radix doubles a node */
    const double *blocks_roots;      /* BLOCK_CELLS a block */
    double data[] __attribute__((aligned(64)));
};

static size_t
plan_bytes(unsigned log2_n)
{
    /* roots of blocks: N; of the levels: 2 a child, children double at least */
    return sizeof(struct plan) + ((size_t)8 << log2_n) + ((size_t)8 << log2_n)
           + 1024;
}

/* As few levels as registers allow, of radices as equal as can be; but three of
 * radix 8 above blocks of 64 round too often for C = 1.5 of
 * lang-spec/crypto.md (19). */
static void
choose_radices(struct plan *p)
{
    unsigned left = 0;

    while ((size_t)1 << left < p->blocks)
        left++;
    p->levels = (left + LOG2_RADIX - 1) / LOG2_RADIX;
    if (p->levels == 3 && left == 3 * 3)
        p->levels++;
    for (unsigned i = 0; i < p->levels; i++) {
        const unsigned to_come = p->levels - i;
        const unsigned bits = (left + to_come - 1) / to_come;

        p->radix[i] = 1u << bits;
        left -= bits;
    }
}

/* theta of node i of those at a level */
static double
theta_of(const struct plan *p, unsigned level, size_t i)
{
    double theta = 0.25;
    size_t below = 1; /* nodes of the level below one child */

    for (unsigned l = 0; l < level; l++)
        below *= p->radix[l];
    for (unsigned l = 0; l < level; l++) {
        size_t child;

        below /= p->radix[l];
        child = i / below;
        theta = (theta + (double)child) / (double)p->radix[l];
        i %= below;
    }
    return theta;
}

/* s^1 .. s^(radix-1) of a node, one after the other */
static void
node_roots(double *to, double theta, unsigned radix)
{
    for (unsigned k = 1; k < radix; k++)
        cmlrt_twiddle(to + 2 * (k - 1), theta * k / radix);
}

/* Those of a block's own first radix, then W - 1 vectors for its lanes. */
static void
block_roots(double *to, double theta)
{
    node_roots(to, theta, W);
    to += CV;
    for (unsigned k = 1; k < W; k++, to += CV)
        for (unsigned lane = 0; lane < W; lane++) {
            double w[2];

            cmlrt_twiddle(w, (theta + (double)lane) * k / (double)BLOCK);
            to[lane] = w[0];
            to[W + lane] = w[1];
        }
}

static void
plan_init(void *plan, unsigned log2_n)
{
    struct plan *p = plan;
    double *to = p->data;
    size_t nodes = 1;

    p->half = (size_t)1 << (log2_n - 1);
    p->blocks = p->half / BLOCK;
    choose_radices(p);
    p->blocks_roots = to;
    for (size_t i = 0; i < p->blocks; i++, to += BLOCK_CELLS)
        block_roots(to, theta_of(p, p->levels, i));
    for (unsigned l = 0; l < p->levels; l++) {
        p->roots[l] = to;
        for (size_t i = 0; i < nodes; i++, to += 2 * p->radix[l])
            node_roots(to, theta_of(p, l, i), p->radix[l]);
        nodes *= p->radix[l];
    }
}

/* Doubles before point j of a row, a multiple of W. */
INLINE size_t
place(size_t j, const size_t pad)
{
    return 2 * j + j / BLOCK * pad;
}

/* ---- blocks in registers, in two halves each */

INLINE void
block_load(struct cv *x, const double *p)
{
    EACH (k, 0, W)
        x[k] = load(p + CV * k);
}

INLINE void
block_store(double *p, const struct cv *x)
{
    EACH (k, 0, W)
        store(p + CV * k, x[k]);
}

INLINE void
block_fwd_1(struct cv *x, const double *roots)
{
    radix_fwd(x, roots, W);
    transpose(x);
}

INLINE void
block_fwd_2(struct cv *x, const double *roots)
{
    EACH (k, 1, W)
        x[k] = mul(x[k], load(roots + CV * k));
    dft(x, W, false);
}

INLINE void
block_inv_1(struct cv *x, const double *roots)
{
    dft(x, W, true);
    EACH (k, 1, W)
        x[k] = mul_conj(x[k], load(roots + CV * k));
    transpose(x);
}

INLINE void
block_inv_2(struct cv *x, const double *roots)
{
    radix_inv(x, roots, W);
}

/* ---- passes over a node of radix * length points */

INLINE void
pass_fwd(double *x, size_t length, const double *roots, const unsigned radix,
         const size_t pad)
{
    const size_t step = place(length, pad);

    for (size_t j = 0; j < length; j += W) {
        struct cv t[8];

        EACH (k, 0, radix)
            t[k] = load(x + k * step + place(j, pad));
        radix_fwd(t, roots, radix);
        EACH (k, 0, radix)
            store(x + k * step + place(j, pad), t[k]);
    }
}

INLINE void
pass_inv(double *x, size_t length, const double *roots, const unsigned radix,
         const size_t pad)
{
    const size_t step = place(length, pad);

    for (size_t j = 0; j < length; j += W) {
        struct cv t[8];

        EACH (k, 0, radix)
            t[k] = load(x + k * step + place(j, pad));
        radix_inv(t, roots, radix);
        EACH (k, 0, radix)
            store(x + k * step + place(j, pad), t[k]);
    }
}

/* A node's pass, by its radix. */
INLINE void
node_fwd(const struct plan *p, double *x, unsigned level, size_t node,
         size_t length, const size_t pad)
{
    const double *roots = p->roots[level] + node * 2 * p->radix[level];

    switch (p->radix[level]) {
    case 2: pass_fwd(x, length, roots, 2, pad); break;
    case 4: pass_fwd(x, length, roots, 4, pad); break;
    default: pass_fwd(x, length, roots, 8, pad); break;
    }
}

INLINE void
node_inv(const struct plan *p, double *x, unsigned level, size_t node,
         size_t length, const size_t pad)
{
    const double *roots = p->roots[level] + node * 2 * p->radix[level];

    switch (p->radix[level]) {
    case 2: pass_inv(x, length, roots, 2, pad); break;
    case 4: pass_inv(x, length, roots, 4, pad); break;
    default: pass_inv(x, length, roots, 8, pad); break;
    }
}

/* ---- transforms of one row; a subtree of `size` points is finished before
 * the next */

static void
below_fwd(const struct plan *p, double *x, unsigned level, size_t node,
          size_t size)
{
    if (level == p->levels) {
        const double *roots = p->blocks_roots + node * BLOCK_CELLS;
        struct cv t[W];

        block_load(t, x);
        block_fwd_1(t, roots);
        block_fwd_2(t, roots);
        block_store(x, t);
        return;
    }
    size /= p->radix[level];
    node_fwd(p, x, level, node, size, 0);
    for (unsigned q = 0; q < p->radix[level]; q++)
        below_fwd(p, x + 2 * q * size, level + 1, node * p->radix[level] + q,
                  size);
}

static void
below_inv(const struct plan *p, double *x, unsigned level, size_t node,
          size_t size)
{
    if (level == p->levels) {
        const double *roots = p->blocks_roots + node * BLOCK_CELLS;
        struct cv t[W];

        block_load(t, x);
        block_inv_1(t, roots);
        block_inv_2(t, roots);
        block_store(x, t);
        return;
    }
    size /= p->radix[level];
    for (unsigned q = 0; q < p->radix[level]; q++)
        below_inv(p, x + 2 * q * size, level + 1, node * p->radix[level] + q,
                  size);
    node_inv(p, x, level, node, size, 0);
}

/* The first radix takes halves of the row for real and imaginary parts. */
INLINE void
first_fwd(double *points, const double *row, const struct plan *p,
          const unsigned radix)
{
    const size_t m = p->half / radix;

    for (size_t j = 0; j < m; j += W) {
        struct cv t[8];

        EACH (k, 0, radix) {
            t[k].re = LOAD(row + k * m + j);
            t[k].im = LOAD(row + p->half + k * m + j);
        }
        radix_fwd(t, p->roots[0], radix);
        EACH (k, 0, radix)
            store(points + 2 * (k * m + j), t[k]);
    }
}

INLINE void
first_inv(double *row, const double *points, const struct plan *p,
          const unsigned radix)
{
    const size_t m = p->half / radix;

    for (size_t j = 0; j < m; j += W) {
        struct cv t[8];

        EACH (k, 0, radix)
            t[k] = load(points + 2 * (k * m + j));
        radix_inv(t, p->roots[0], radix);
        EACH (k, 0, radix) {
            STORE(row + k * m + j, t[k].re);
            STORE(row + p->half + k * m + j, t[k].im);
        }
    }
}

static void
fft_fwd(double *points, const double *row, const void *plan)
{
    const struct plan *p = plan;
    const size_t m = p->half / p->radix[0];

    switch (p->radix[0]) {
    case 2: first_fwd(points, row, p, 2); break;
    case 4: first_fwd(points, row, p, 4); break;
    default: first_fwd(points, row, p, 8); break;
    }
    for (unsigned q = 0; q < p->radix[0]; q++)
        below_fwd(p, points + 2 * q * m, 1, q, m);
}

static void
fft_inv(double *row, double *points, const void *plan)
{
    const struct plan *p = plan;
    const size_t m = p->half / p->radix[0];

    for (unsigned q = 0; q < p->radix[0]; q++)
        below_inv(p, points + 2 * q * m, 1, q, m);
    switch (p->radix[0]) {
    case 2: first_inv(row, points, p, 2); break;
    case 4: first_inv(row, points, p, 4); break;
    default: first_inv(row, points, p, 8); break;
    }
}

/* Points of (row, out) to their places in a prepared GGSW: all rows of a lane
 * of a block one after the other, the order of cmux_fused.h. */
static void
scatter(double *ggsw, const double *points, const struct cmlrt_shape *s,
        unsigned row, unsigned out)
{
    const size_t n = (size_t)1 << s->log2_n, outs = cmlrt_shape_outs(s);
    const size_t rows = cmlrt_shape_rows(s);

    for (size_t b = 0; b < n / BLOCK_CELLS; b++)
        for (size_t v = 0; v < W; v++)
            store(ggsw + ((b * outs + out) * W + v) * rows * CV + row * CV,
                  load(points + b * BLOCK_CELLS + v * CV));
}

static void
points_mul_add(double *sum, const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i += CV)
        store(sum + i, mul_add(load(sum + i), load(a + i), load(b + i)));
}
