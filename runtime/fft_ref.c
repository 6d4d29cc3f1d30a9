/* The reference kernels: C11, no intrinsics, no fused operations.  The other
 * tables are tested against this one.
 *
 *     X^m - c  splits into R children with roots s w^q,   s = c^(1/R),
 *     w = e^(2 pi i/R)
 *
 * A node of that tree has c = e^(2 pi i theta); the root has theta = 1/4 and
 * child q of theta has (theta + q)/R.  R is 4, but 2 at the root if that is
 * needed: radix 2 throughout would round a third more often, beyond C = 1.5 of
 * lang-spec/crypto.md (19).
 *
 *     points    all real parts, then all imaginary parts
 *     GGSW      [output][row] polynomials of points
 */
#include "runtime/kernels.h"
#include "runtime/twiddle.h"

#include <stdbool.h>

#define NAME cmlrt_kernels_ref
#define NAME_STRING "ref"

struct plan {
    size_t half;      /* N/2 */
    bool odd;         /* the root has two children */
    double root[][2]; /* s .. s^(R-1) of every node, level by level */
};

static size_t
plan_bytes(unsigned log2_n)
{
    return sizeof(struct plan) + ((size_t)16 << (log2_n - 1));
}

/* theta of node i of a level with so many nodes */
static double
theta_of(const struct plan *p, size_t i, size_t nodes)
{
    double theta = 0.25;
    size_t child;

    for (size_t radix = p->odd ? 2 : 4; nodes >= radix; radix = 4) {
        nodes /= radix;
        child = i / nodes;
        theta = (theta + (double)child) / (double)radix;
        i %= nodes;
    }
    return theta;
}

static void
plan_init(void *plan, unsigned log2_n)
{
    struct plan *p = plan;
    double(*to)[2] = p->root;
    size_t radix;

    p->half = (size_t)1 << (log2_n - 1);
    p->odd = (log2_n - 1) % 2;
    radix = p->odd ? 2 : 4;
    for (size_t nodes = 1; nodes < p->half; nodes *= radix, radix = 4)
        for (size_t i = 0; i < nodes; i++)
            for (size_t power = 1; power < radix; power++)
                cmlrt_twiddle(*to++, theta_of(p, i, nodes) * (double)power
                                         / (double)radix);
}

struct c {
    double re, im;
};

static inline struct c
add(struct c a, struct c b)
{
    return (struct c){ a.re + b.re, a.im + b.im };
}

static inline struct c
sub(struct c a, struct c b)
{
    return (struct c){ a.re - b.re, a.im - b.im };
}

static inline struct c
times_i(struct c a)
{
    return (struct c){ -a.im, a.re };
}

static inline struct c
mul(struct c a, const double w[2])
{
    return (struct c){ a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0] };
}

static inline struct c
mul_conj(struct c a, const double w[2])
{
    return (struct c){ a.re * w[0] + a.im * w[1], a.im * w[0] - a.re * w[1] };
}

static inline struct c
get(const double *re, size_t half)
{
    return (struct c){ re[0], re[half] };
}

static inline void
put(double *re, size_t half, struct c x)
{
    re[0] = x.re;
    re[half] = x.im;
}

/*     (x_0, x_1) <- (x_0 + s x_1, x_0 - s x_1) */
static void
split2(double *x, size_t half, size_t m, const double (*s)[2])
{
    for (size_t j = 0; j < m; j++, x++) {
        const struct c a = get(x, half), b = mul(get(x + m, half), s[0]);

        put(x, half, add(a, b));
        put(x + m, half, sub(a, b));
    }
}

/*     (x_0, x_1) <- (x_0 + x_1, (x_0 - x_1) / s) */
static void
join2(double *x, size_t half, size_t m, const double (*s)[2])
{
    for (size_t j = 0; j < m; j++, x++) {
        const struct c a = get(x, half), b = get(x + m, half);

        put(x, half, add(a, b));
        put(x + m, half, mul_conj(sub(a, b), s[0]));
    }
}

/*     t_k = x_k s^k;   x_q <- sum_k t_k i^(qk) */
static void
split4(double *x, size_t half, size_t m, const double (*s)[2])
{
    for (size_t j = 0; j < m; j++, x++) {
        const struct c t0 = get(x, half), t1 = mul(get(x + m, half), s[0]);
        const struct c t2 = mul(get(x + 2 * m, half), s[1]);
        const struct c t3 = mul(get(x + 3 * m, half), s[2]);
        const struct c a = add(t0, t2), b = sub(t0, t2);
        const struct c c = add(t1, t3), d = times_i(sub(t1, t3));

        put(x, half, add(a, c));
        put(x + m, half, add(b, d));
        put(x + 2 * m, half, sub(a, c));
        put(x + 3 * m, half, sub(b, d));
    }
}

/*     t_k = sum_q x_q i^(-qk);   x_k <- t_k / s^k */
static void
join4(double *x, size_t half, size_t m, const double (*s)[2])
{
    for (size_t j = 0; j < m; j++, x++) {
        const struct c y0 = get(x, half), y1 = get(x + m, half);
        const struct c y2 = get(x + 2 * m, half), y3 = get(x + 3 * m, half);
        const struct c a = add(y0, y2), b = sub(y0, y2);
        const struct c c = add(y1, y3), d = times_i(sub(y1, y3));

        put(x, half, add(a, c));
        put(x + m, half, mul_conj(sub(b, d), s[0]));
        put(x + 2 * m, half, mul_conj(sub(a, c), s[1]));
        put(x + 3 * m, half, mul_conj(add(b, d), s[2]));
    }
}

static void
fft_fwd(double *points, const double *row, const void *plan)
{
    const struct plan *p = plan;
    const double(*s)[2] = p->root;
    size_t nodes = 1;

    for (size_t i = 0; i < 2 * p->half; i++)
        points[i] = row[i];
    if (p->odd) {
        split2(points, p->half, p->half / 2, s++);
        nodes = 2;
    }
    for (; nodes < p->half; nodes *= 4)
        for (size_t b = 0; b < nodes; b++, s += 3)
            split4(points + b * (p->half / nodes), p->half, p->half / nodes / 4,
                   s);
}

static void
fft_inv(double *row, double *points, const void *plan)
{
    const struct plan *p = plan;
    const double(*s)[2] = p->root + (p->half - 1); /* one past the last */

    for (size_t nodes = p->half / 4; nodes > 0; nodes /= 4)
        for (size_t b = nodes; b-- > 0;)
            join4(points + b * (p->half / nodes), p->half, p->half / nodes / 4,
                  s -= 3);
    if (p->odd)
        join2(points, p->half, p->half / 2, p->root);
    for (size_t i = 0; i < 2 * p->half; i++)
        row[i] = points[i];
}

static void
points_mul_add(double *sum, const double *a, const double *b, size_t n)
{
    const size_t h = n / 2;

    for (size_t i = 0; i < h; i++) {
        sum[i] += a[i] * b[i] - a[h + i] * b[h + i];
        sum[h + i] += a[i] * b[h + i] + a[h + i] * b[i];
    }
}

static void
scatter(double *ggsw, const double *points, const struct cmlrt_shape *s,
        unsigned row, unsigned out)
{
    const size_t n = (size_t)1 << s->log2_n;
    double *to = ggsw + ((size_t)cmlrt_shape_rows(s) * out + row) * n;

    for (size_t i = 0; i < n; i++)
        to[i] = points[i];
}

static void
product(double *sum, const double *digits, const double *key, size_t n,
        unsigned rows)
{
    for (size_t i = 0; i < n; i++)
        sum[i] = 0;
    for (unsigned r = 0; r < rows; r++)
        points_mul_add(sum, digits + r * n, key + r * n, n);
}

#include "runtime/kernels_body.h"

#include "runtime/cmux_plain.h"

#include "runtime/points_plain.h"

#include "runtime/kernels_table.h"
