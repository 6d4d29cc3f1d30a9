/* The transform for vectors of W lanes; an ISA file defines the vector type
 * and its operations and includes this file, then kernels_body.h.
 *
 *     X^m - c  splits into R children with roots s w^q,   s = c^(1/R),
 *     w = e^(2 pi i/R);  a node has c = e^(2 pi i theta), the root theta = 1/4,
 *     child q of theta has (theta + q)/R
 *
 *     forward   t_k = x_k s^k;  y = DFT_R(t)
 *     inverse   t = DFT_R^-1(y);  x_k = t_k conj(s^k)
 *
 * The first radix is W.  Its pass reads the row and transposes, so that lane q
 * of a vector holds an element of child q: from there on no operation crosses
 * lanes, only the roots differ from lane to lane.
 *
 *     points    N/(2W) vectors | re x W | im x W |
 *     GGSW      [output][vector][row] vectors: read front to back
 *
 * Passes: W, then 2 if that is needed, then 4 as often as it takes.
 */
#include "runtime/twiddle.h"

#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))

enum { CV = 2 * W }; /* doubles of a complex vector */

struct cv {
    V re, im;
};

struct plan {
    size_t half;    /* N/2 */
    size_t vectors; /* N/(2W) */
    bool odd;       /* a pass of radix 2 follows the first */
    double first[W][2];
    /* s, s^2, s^3 of a node, a complex vector each, node after node from the
     * pass after the first to the last */
    double roots[] __attribute__((aligned(64)));
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

INLINE void
dft4(struct cv *x)
{
    const struct cv a = add(x[0], x[2]), b = sub(x[0], x[2]);
    const struct cv c = add(x[1], x[3]), d = sub(x[1], x[3]);

    x[0] = add(a, c);
    x[1] = add_i(b, d);
    x[2] = sub(a, c);
    x[3] = sub_i(b, d);
}

INLINE void
dft4_inv(struct cv *x)
{
    const struct cv a = add(x[0], x[2]), b = sub(x[0], x[2]);
    const struct cv c = add(x[1], x[3]), d = sub(x[1], x[3]);

    x[0] = add(a, c);
    x[1] = sub_i(b, d);
    x[2] = sub(a, c);
    x[3] = add_i(b, d);
}

#include FIRST_RADIX /* dft_first, dft_first_inv, transpose */

/* ---- plan */

static size_t
plan_bytes(unsigned log2_n)
{
    /* vectors of roots: fewer than the points */
    return sizeof(struct plan) + ((size_t)8 << log2_n);
}

/* theta of lane q of node i at the end of passes that make `nodes` nodes */
static double
theta_of(const struct plan *p, size_t i, size_t nodes, unsigned lane)
{
    double theta = (0.25 + lane) / (double)W;
    size_t child;

    for (bool first = p->odd; nodes > 1; first = false) {
        const size_t radix = first ? 2 : 4;

        nodes /= radix;
        child = i / nodes;
        theta = (theta + (double)child) / (double)radix;
        i %= nodes;
    }
    return theta;
}

/* The powers s^1 .. s^(radix-1) of a node. */
static double *
node_roots(double *to, const struct plan *p, size_t i, size_t nodes,
           unsigned radix)
{
    for (unsigned power = 1; power < radix; power++, to += CV)
        for (unsigned lane = 0; lane < W; lane++) {
            const double theta = theta_of(p, i, nodes, lane);
            double w[2];

            cmlrt_twiddle(w, theta * power / radix);
            to[lane] = w[0];
            to[W + lane] = w[1];
        }
    return to;
}

static void
plan_init(void *plan, unsigned log2_n)
{
    struct plan *p = plan;
    double *to = p->roots;
    size_t nodes = 1;

    p->half = (size_t)1 << (log2_n - 1);
    p->vectors = p->half / W;
    p->odd = (log2_n - 1 - LOG2_W) % 2;
    for (unsigned k = 0; k < W; k++)
        cmlrt_twiddle(p->first[k], 0.25 * k / (double)W);
    if (p->odd) {
        to = node_roots(to, p, 0, 1, 2);
        nodes = 2;
    }
    for (; nodes < p->vectors; nodes *= 4)
        for (size_t i = 0; i < nodes; i++)
            to = node_roots(to, p, i, nodes, 4);
}

/* ---- passes */

INLINE struct cv
broadcast(const double w[2])
{
    return (struct cv){ SET1(w[0]), SET1(w[1]) };
}

static void
first_fwd(double *points, const double *row, const struct plan *p)
{
    const size_t m = p->vectors; /* stream length, in coefficients */

    for (size_t j = 0; j < m; j += W) {
        struct cv x[W];

        EACH for (size_t k = 0; k < W; k++)
        {
            x[k].re = LOAD(row + k * m + j);
            x[k].im = LOAD(row + p->half + k * m + j);
            if (k > 0)
                x[k] = mul(x[k], broadcast(p->first[k]));
        }
        dft_first(x);
        transpose(x);
        EACH for (size_t k = 0; k < W; k++) store(points + CV * (j + k), x[k]);
    }
}

static void
first_inv(double *row, const double *points, const struct plan *p)
{
    const size_t m = p->vectors;

    for (size_t j = 0; j < m; j += W) {
        struct cv x[W];

        EACH for (size_t k = 0; k < W; k++) x[k] = load(points + CV * (j + k));
        transpose(x);
        dft_first_inv(x);
        EACH for (size_t k = 0; k < W; k++)
        {
            if (k > 0)
                x[k] = mul_conj(x[k], broadcast(p->first[k]));
            STORE(row + k * m + j, x[k].re);
            STORE(row + p->half + k * m + j, x[k].im);
        }
    }
}

static void
pass2_fwd(double *x, size_t m, const double *roots)
{
    const struct cv s = load(roots);

    for (size_t j = 0; j < m; j++, x += CV) {
        const struct cv a = load(x), b = mul(load(x + CV * m), s);

        store(x, add(a, b));
        store(x + CV * m, sub(a, b));
    }
}

static void
pass2_inv(double *x, size_t m, const double *roots)
{
    const struct cv s = load(roots);

    for (size_t j = 0; j < m; j++, x += CV) {
        const struct cv a = load(x), b = load(x + CV * m);

        store(x, add(a, b));
        store(x + CV * m, mul_conj(sub(a, b), s));
    }
}

/* nodes of 4 m vectors each */
INLINE void
pass4_fwd(double *x, size_t nodes, size_t m, const double *roots)
{
    for (size_t i = 0; i < nodes; i++, x += 3 * CV * m, roots += 3 * CV) {
        const struct cv s1 = load(roots), s2 = load(roots + CV);
        const struct cv s3 = load(roots + 2 * CV);

        for (size_t j = 0; j < m; j++, x += CV) {
            struct cv t[4] = { load(x), mul(load(x + CV * m), s1),
                               mul(load(x + 2 * CV * m), s2),
                               mul(load(x + 3 * CV * m), s3) };

            dft4(t);
            EACH for (size_t k = 0; k < 4; k++) store(x + k * CV * m, t[k]);
        }
    }
}

INLINE void
pass4_inv(double *x, size_t nodes, size_t m, const double *roots)
{
    for (size_t i = 0; i < nodes; i++, x += 3 * CV * m, roots += 3 * CV) {
        const struct cv s1 = load(roots), s2 = load(roots + CV);
        const struct cv s3 = load(roots + 2 * CV);

        for (size_t j = 0; j < m; j++, x += CV) {
            struct cv t[4];

            EACH for (size_t k = 0; k < 4; k++) t[k] = load(x + k * CV * m);
            dft4_inv(t);
            store(x, t[0]);
            store(x + CV * m, mul_conj(t[1], s1));
            store(x + 2 * CV * m, mul_conj(t[2], s2));
            store(x + 3 * CV * m, mul_conj(t[3], s3));
        }
    }
}

static void
fft_fwd(double *points, const double *row, const void *plan)
{
    const struct plan *p = plan;
    const double *roots = p->roots;
    size_t nodes = 1;

    first_fwd(points, row, p);
    if (p->odd) {
        pass2_fwd(points, p->vectors / 2, roots);
        roots += CV;
        nodes = 2;
    }
    for (; 4 * nodes < p->vectors; nodes *= 4) {
        pass4_fwd(points, nodes, p->vectors / nodes / 4, roots);
        roots += nodes * 3 * CV;
    }
    pass4_fwd(points, nodes, 1, roots);
}

static void
fft_inv(double *row, double *points, const void *plan)
{
    const struct plan *p = plan;
    size_t nodes = p->vectors / 4, last = p->odd ? 2 : 1, before = 0;
    const double *roots;

    for (size_t i = last; i < nodes; i *= 4)
        before += i;
    roots = p->roots + (p->odd ? CV : 0) + before * 3 * CV;
    pass4_inv(points, nodes, 1, roots);
    while (nodes > last) {
        nodes /= 4;
        roots -= nodes * 3 * CV;
        pass4_inv(points, nodes, p->vectors / nodes / 4, roots);
    }
    if (p->odd)
        pass2_inv(points, p->vectors / 2, p->roots);
    first_inv(row, points, p);
}

/* ---- products */

static void
points_mul_add(double *sum, const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i += CV)
        store(sum + i, mul_add(load(sum + i), load(a + i), load(b + i)));
}

static void
scatter(double *ggsw, const double *points, const struct cmlrt_shape *s,
        unsigned row, unsigned out)
{
    const size_t n = (size_t)1 << s->log2_n;
    const size_t rows = (size_t)(s->k + 1) * s->levels;
    double *to = ggsw + out * rows * n + row * CV;

    for (size_t i = 0; i < n; i += CV, to += rows * CV)
        store(to, load(points + i));
}

static void
product(double *sum, const double *digits, const double *key, size_t n,
        unsigned rows)
{
    for (size_t i = 0; i < n; i += CV) {
        struct cv x = { SET1(0), SET1(0) };

        for (unsigned r = 0; r < rows; r++, key += CV) {
            PREFETCH(key);
            x = mul_add(x, load(digits + r * n + i), load(key));
        }
        store(sum + i, x);
    }
}

#include "runtime/kernels_body.h"
