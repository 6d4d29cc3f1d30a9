/* Every table that this processor runs: transforms against the definition,
 * and integer kernels bit for bit against models that are slow and obvious. */
#include "tests/words.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t seed[CMLRT_SEED] = { 3 };

/* In [-1/2, 1/2). */
static void
random_row(double *out, size_t n, uint64_t index)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, seed, CMLRT_MASK, index);
    for (size_t i = 0; i < n; i++)
        out[i] = (double)(int64_t)cmlrt_rng_u64(&g) * 0x1p-64;
}

/* ---- transforms */

struct fft {
    const struct kernels *k;
    void *plan;
    size_t n, run; /* run: real parts in one go, before their imaginary ones */
    double *row, *points;
    size_t *root; /* point p is at e^(2 pi i (1/4 + root[p]) 2/n) */
};

/* Index of the real part of point p; the imaginary one is run further. */
static size_t
real_at(const struct fft *f, size_t p)
{
    return p / f->run * 2 * f->run + p % f->run;
}

/* The points of X^j. */
static void
monomial(struct fft *f, size_t j)
{
    memset(f->row, 0, f->n * sizeof *f->row);
    f->row[j] = 1;
    f->k->fft_fwd(f->points, f->row, f->plan);
}

/* Finds layout and order from the points of 1 and X: each root occurs once. */
static void
discover(struct fft *f)
{
    const size_t half = f->n / 2;
    bool *seen = alloc(half), sound = true;

    monomial(f, 0);
    for (f->run = 0; f->run < half && f->points[f->run] > 0.5;)
        f->run++;
    monomial(f, 1);
    for (size_t p = 0; p < half; p++) {
        const double *re = f->points + real_at(f, p);
        const double turn = atan2(re[f->run], re[0]) / 6.283185307179586477;
        const double at = turn * (double)half - 0.25;
        const double m = nearbyint(at < -0.5 ? at + (double)half : at);

        sound &= fabs(hypot(re[0], re[f->run]) - 1) < 1e-15;
        f->root[p] = m >= 0 && m < (double)half ? (size_t)m : 0;
        sound &= !seen[f->root[p]];
        seen[f->root[p]] = true;
    }
    ck_assert(sound);
    free(seen);
}

/* Point p of the row in extended precision: max error of the two parts. */
static double
error_at(const struct fft *f, size_t p)
{
    const long double two_pi = 6.283185307179586476925286766559L;
    const double *re = f->points + real_at(f, p);
    const size_t half = f->n / 2;
    long double sr = 0, si = 0;

    for (size_t j = 0; j < half; j++) {
        const size_t turns = (1 + 4 * f->root[p]) * j % (4 * half);
        const long double a = two_pi * (long double)turns / (4.0L * half);
        const long double c = cosl(a), s = sinl(a);
        const long double x = (long double)f->row[j];
        const long double y = (long double)f->row[j + half];

        sr += x * c - y * s;
        si += x * s + y * c;
    }
    return fmax(fabs((double)(sr - (long double)re[0])),
                fabs((double)(si - (long double)re[f->run])));
}

START_TEST(transforms_match_the_definition)
{
    const unsigned log2_n = 8 + (unsigned)_i % 9;
    struct fft f = { .k = cmlrt_kernels_usable((size_t)_i / 9) };
    const size_t n = f.n = (size_t)1 << log2_n;
    const double bound = n <= 8192 ? 1e-12 : 1e-11;
    double *back, worst = 0;

    if (!f.k)
        return;
    f.plan = alloc(f.k->plan_bytes(log2_n));
    f.row = alloc(n * sizeof *f.row);
    f.points = alloc(n * sizeof *f.points);
    f.root = alloc(n / 2 * sizeof *f.root);
    back = alloc(n * sizeof *back);
    f.k->plan_init(f.plan, log2_n);
    discover(&f);
    random_row(f.row, n, log2_n);
    f.k->fft_fwd(f.points, f.row, f.plan);
    for (size_t t = 0; t < (n <= 8192 ? 50 : 10); t++)
        worst = fmax(worst, error_at(&f, t * 7919 % (n / 2)));
    ck_assert_double_lt(worst, bound);
    f.k->fft_inv(back, f.points, f.plan);
    worst = 0;
    for (size_t j = 0; j < n; j++)
        worst = fmax(worst, fabs(back[j] * 2 / (double)n - f.row[j]));
    ck_assert_double_lt(worst, 2e-15);
    free(f.plan);
    free(f.row);
    free(f.points);
    free(f.root);
    free(back);
}
END_TEST

/* ---- integers */

enum { WORDS = 1 << 12 };

/* Random, then every pattern that is likely to be a corner. */
static void
test_words(uint64_t *x)
{
    random_words(x, WORDS, 9);
    for (unsigned i = 0; i < 64; i++) {
        x[i] = UINT64_C(1) << i;
        x[64 + i] = (UINT64_C(1) << i) - 1;
        x[128 + i] = ~x[i];
        x[192 + i] = UINT64_C(3) << i;
        x[256 + i] = UINT64_C(0xaaaaaaaaaaaaaaaa) << i;
    }
}

START_TEST(halves_of_words_add_up)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);
    uint64_t *x = alloc(WORDS * sizeof *x);
    double *low = alloc(WORDS * sizeof *low);
    double *high = alloc(WORDS * sizeof *high);
    size_t wrong = 0;

    test_words(x);
    if (k)
        k->split_limbs(low, high, x, WORDS);
    for (size_t i = 0; k && i < WORDS; i++) {
        const int64_t l = (int64_t)low[i], h = (int64_t)high[i];

        wrong += x[i] != (uint64_t)l + ((uint64_t)h << 32);
        wrong += llabs(l) > INT64_C(1) << 31 || llabs(h) > INT64_C(1) << 31;
    }
    ck_assert_uint_eq(wrong, 0);
    free(x);
    free(low);
    free(high);
}
END_TEST

START_TEST(rounded_integers_add_up)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);
    uint64_t *out = alloc(WORDS * sizeof *out);
    double *y = alloc(WORDS * sizeof *y);
    size_t wrong = 0;

    random_row(y, WORDS, 4);
    for (size_t i = 0; i < WORDS; i++)
        y[i] *= 0x1p51;
    y[0] = 0x1p51 - 1;
    y[1] = -0x1p51 + 1;
    y[2] = 0.4;
    y[3] = -0.4;
    for (unsigned shift = 0; k && shift <= 32; shift += 32) {
        for (size_t i = 0; i < WORDS; i++)
            out[i] = i;
        k->add_integers(out, y, WORDS, shift);
        for (size_t i = 0; i < WORDS; i++) {
            const uint64_t want = (uint64_t)llrint(y[i]) << shift;

            wrong += out[i] != i + want;
        }
    }
    ck_assert_uint_eq(wrong, 0);
    free(out);
    free(y);
}
END_TEST

START_TEST(the_torus_is_reduced_exactly)
{
    static const double corner[] = {
        0,
        0.5,
        -0.5,
        0x1.fffffffffffffp-2,
        -0x1.fffffffffffffp-2,
        1,
        -1,
        0x1p-64,
        -0x1p-64,
        0x1p26,
        1.5,
        -1.5,
        0x1.8p-33,
        -0x1.8p-33,
        0x1p-32,
        0x1p25 + 0.5,
        0x1p-52,
    };
    enum { CORNERS = sizeof corner / sizeof *corner };
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);
    uint64_t *out = alloc(WORDS * sizeof *out);
    double *y = alloc(WORDS * sizeof *y);
    size_t wrong = 0;

    random_row(y, WORDS, 6);
    for (size_t i = 0; i < WORDS; i++)
        y[i] = i < CORNERS ? corner[i] : ldexp(y[i], (int)(i % 60) - 32);
    if (k)
        k->add_torus(out, y, WORDS);
    for (size_t i = 0; k && i < WORDS; i++) {
        const long double r = (long double)y[i] - rintl((long double)y[i]);
        const long double want = rintl(r * 0x1p64L);

        wrong +=
            out[i]
            != (want >= 0x1p63L ? UINT64_C(1) << 63 : (uint64_t)(int64_t)want);
    }
    ck_assert_uint_eq(wrong, 0);
    free(out);
    free(y);
}
END_TEST

/* levels, log2 of the base */
static const unsigned gadget[][2] = { { 1, 23 }, { 1, 1 },  { 2, 15 },
                                      { 3, 11 }, { 4, 9 },  { 15, 4 },
                                      { 6, 3 },  { 22, 1 }, { 2, 31 } };
enum { GADGETS = sizeof gadget / sizeof *gadget };

START_TEST(digits_are_those_of_the_rule)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / GADGETS);
    const unsigned levels = gadget[_i % GADGETS][0];
    const unsigned b = gadget[_i % GADGETS][1];
    uint64_t *x = alloc(WORDS * sizeof *x);
    double *digit = alloc(levels * WORDS * sizeof *digit);
    size_t wrong = 0;

    test_words(x);
    if (k)
        k->decompose(digit, x, WORDS, levels, b);
    for (size_t i = 0; k && i < WORDS; i++) {
        uint64_t error = x[i], half = UINT64_C(1) << (63 - levels * b);
        int64_t want[64];

        digits_of(want, x[i], levels, b);
        for (unsigned j = 0; j < levels; j++) {
            const int64_t d = (int64_t)digit[j * WORDS + i];

            wrong += d != want[j] || llabs(d) > INT64_C(1) << (b - 1);
            error -= (uint64_t)d << (64 - b * (j + 1));
        }
        wrong += error + half > 2 * half;
    }
    ck_assert_uint_eq(wrong, 0);
    free(x);
    free(digit);
}
END_TEST

/* (10): mean zero within 5 standard errors, second moment (B^2+2)/12. */
START_TEST(digits_have_their_moments)
{
    enum { DRAWS = 1 << 16 };
    const unsigned levels = gadget[_i][0], b = gadget[_i][1];
    const double base = ldexp(1, (int)b), m2 = (base * base + 2) / 12;
    const double draws = DRAWS;
    uint64_t *x = alloc(DRAWS * sizeof *x);
    double *digit = alloc(levels * DRAWS * sizeof *digit);

    random_words(x, DRAWS, 12);
    for (size_t i = 0; i < DRAWS; i++)
        x[i] &= ~(uint64_t)1; /* as words whose last bit is constant */
    ref()->decompose(digit, x, DRAWS, levels, b);
    for (unsigned j = 0; j < levels; j++) {
        double mean = 0, square = 0;

        for (size_t i = 0; i < DRAWS; i++) {
            const double d = digit[j * DRAWS + i];

            mean += d / draws;
            square += d * d / draws;
        }
        ck_assert_double_lt(fabs(mean), 5 * sqrt(m2 / draws));
        ck_assert_double_lt(fabs(square / m2 - 1), 0.03);
        /* plain digits, of mean -1/2, would be seen up to this base */
        ck_assert(b > 5 || 5 * sqrt(m2 / draws) < 0.5);
    }
    free(x);
    free(digit);
}
END_TEST

START_TEST(sums_of_products_are_exact)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);
    uint64_t a[70], out[70], want[70];

    for (size_t n = 0; k && n < 69; n++) {
        random_words(a, 70, n);
        random_words(out, 70, n + 100);
        memcpy(want, out, sizeof out);
        for (size_t i = 0; i < n; i++)
            want[i + 1] += a[i + 1] * a[0];
        k->axpy64(out + 1, a + 1, a[0], n); /* unaligned */
        ck_assert_mem_eq(out, want, sizeof want);
    }
}
END_TEST

/* Words, inputs and outputs around the borders of panels, blocks and tiles. */
static struct cmlrt_mat_shape
random_shape(struct cmlrt_rng *g, int64_t *index)
{
    struct cmlrt_mat_shape s;

    s.words = 1 + cmlrt_rng_u64(g) % 70 + (cmlrt_rng_u64(g) % 8 ? 0 : 512);
    s.inner = 1 + cmlrt_rng_u64(g) % (cmlrt_rng_u64(g) % 8 ? 150 : 3);
    s.cols = 1 + cmlrt_rng_u64(g) % 40;
    s.stride = s.words + cmlrt_rng_u64(g) % 3;
    s.apart = s.words + cmlrt_rng_u64(g) % 3;
    s.window = (cmlrt_rng_u64(g) & 1) << cmlrt_rng_u64(g) % 8;
    s.first = cmlrt_rng_u64(g) % 8;
    s.pitch = s.cols + cmlrt_rng_u64(g) % 3;
    s.index = cmlrt_rng_u64(g) % 2 ? index : NULL;
    for (size_t i = 0; i < s.inner; i++)
        index[i] = (int64_t)(cmlrt_rng_u64(g) % s.inner);
    return s;
}

/* A matrix is narrow, wide or mixed, and so many 16ths of it are zeros. */
static void
random_weights(int64_t *weight, size_t n, struct cmlrt_rng *g)
{
    static const int64_t corner[] = { INT64_MIN,        INT64_MAX,
                                      INT32_MIN,        INT32_MAX,
                                      INT64_C(1) << 32, -1,
                                      INT64_C(1) << 31, 1 };
    const uint64_t kind = cmlrt_rng_u64(g) % 3, zeros = cmlrt_rng_u64(g) % 17;

    for (size_t i = 0; i < n; i++) {
        const int64_t r = (int64_t)cmlrt_rng_u64(g);
        const uint64_t at = cmlrt_rng_u64(g);

        weight[i] = kind == 0 ? (int32_t)r : r;
        if (at >> 8 & 1)
            weight[i] = corner[at >> 16 & 7];
        if (kind == 0 && weight[i] != (int32_t)weight[i])
            weight[i] = INT32_MIN;
        if (kind == 2 && at >> 9 & 63)
            weight[i] = r % 128;
        if (at % 16 < zeros)
            weight[i] = 0;
    }
}

/* The first word of row i. */
static size_t
row_at(const struct cmlrt_mat_shape *s, size_t i)
{
    const size_t row = s->index ? (size_t)s->index[i] : s->first + i;

    if (s->window)
        return row / s->window * s->stride + s->window - 1 - row % s->window;
    return row * s->stride;
}

START_TEST(matrix_product_is_its_sum)
{
    enum { ROW = 70 + 512 + 2, ROWS = 160, MOST_OUT = 40 * ROW };
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);
    uint64_t *in = alloc(ROWS * ROW * sizeof *in);
    uint64_t *out = alloc((MOST_OUT + 1) * sizeof *out);
    uint64_t *want = alloc((MOST_OUT + 1) * sizeof *want);
    int64_t *weight = alloc(150 * 42 * sizeof *weight), index[150];
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, seed, CMLRT_MASK, 31);
    for (uint64_t t = 0; k && t < 300; t++) {
        const struct cmlrt_mat_shape s = random_shape(&g, index);

        random_words(in, ROWS * ROW, t);
        random_words(out, MOST_OUT + 1, t + 1000);
        random_weights(weight, s.inner * s.pitch, &g);
        memcpy(want, out, (MOST_OUT + 1) * sizeof *want);
        for (size_t c = 0; c < s.cols; c++) {
            uint64_t *to = want + 1 + c * s.apart;

            memset(to, 0, s.words * sizeof *to);
            for (size_t i = 0; i < s.inner; i++)
                for (size_t w = 0; w < s.words; w++)
                    to[w] += (uint64_t)weight[i * s.pitch + c]
                             * in[row_at(&s, i) + w];
        }
        k->matmul64(out + 1, &s, in, weight); /* unaligned */
        ck_assert_mem_eq(out, want, (MOST_OUT + 1) * sizeof *want);
    }
    free(in);
    free(out);
    free(want);
    free(weight);
}
END_TEST

/* Column c of row r of a key in panels. */
static size_t
panel_at(const struct cmlrt_ks_shape *s, size_t r, size_t c)
{
    const size_t rows = s->inputs * s->levels;

    return (c / CMLRT_PANEL * rows + r) * CMLRT_PANEL + c % CMLRT_PANEL;
}

static uint32_t
keyswitch_model(const struct cmlrt_ks_shape *s, const uint32_t *key,
                const uint64_t *a, size_t column)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < s->inputs; i++) {
        int64_t digit[64];

        digits_of(digit, a[i], s->levels, s->log2_base);
        for (size_t v = 0; v < s->levels; v++)
            sum -= (uint32_t)digit[v]
                   * key[panel_at(s, i * s->levels + v, column)];
    }
    return sum;
}

START_TEST(keyswitch_is_its_sum)
{
    static const struct cmlrt_ks_shape shape[] = { { 37, 21, 32, 5, 3 },
                                                   { 64, 65, 96, 4, 4 },
                                                   { 5, 1, 32, 1, 8 } };
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / 3);
    const struct cmlrt_ks_shape *s = &shape[_i % 3];
    const size_t rows = s->inputs * s->levels;
    uint32_t *key = alloc(rows * s->stride * sizeof *key);
    uint32_t *out = alloc(CMLRT_BATCH * s->stride * sizeof *out);
    uint64_t *words = alloc(CMLRT_BATCH * s->inputs * sizeof *words);
    const uint64_t *a[CMLRT_BATCH];
    void *scratch = alloc(4 * CMLRT_BATCH * rows);

    random_words((void *)key, rows * s->stride / 2, 1);
    random_words(words, CMLRT_BATCH * s->inputs, 2);
    for (size_t b = 0; b < CMLRT_BATCH; b++)
        a[b] = words + b * s->inputs;
    for (unsigned batch = 1; k && batch <= CMLRT_BATCH; batch++) {
        k->keyswitch(out, s, key, a, batch, scratch);
        for (unsigned b = 0; b < batch; b++)
            for (size_t j = 0; j < s->columns; j++)
                ck_assert_uint_eq(out[b * s->stride + j],
                                  keyswitch_model(s, key, a[b], j));
    }
    free(key);
    free(out);
    free(words);
    free(scratch);
}
END_TEST

/* ---- tables */

START_TEST(a_table_is_found_by_name)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);

    if (k)
        ck_assert_ptr_eq(cmlrt_kernels_select(k->name), k);
    ck_assert_ptr_eq(cmlrt_kernels_select(NULL), cmlrt_kernels_usable(0));
    ck_assert_ptr_null(cmlrt_kernels_select("abacus"));
    ck_assert_ptr_nonnull(ref());
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("kernels");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, transforms_match_the_definition, 0, 9 * MAX_TABLES);
    tcase_add_loop_test(tc, halves_of_words_add_up, 0, MAX_TABLES);
    tcase_add_loop_test(tc, rounded_integers_add_up, 0, MAX_TABLES);
    tcase_add_loop_test(tc, the_torus_is_reduced_exactly, 0, MAX_TABLES);
    tcase_add_loop_test(tc, digits_are_those_of_the_rule, 0,
                        GADGETS * MAX_TABLES);
    tcase_add_loop_test(tc, digits_have_their_moments, 0, GADGETS);
    tcase_add_loop_test(tc, sums_of_products_are_exact, 0, MAX_TABLES);
    tcase_add_loop_test(tc, matrix_product_is_its_sum, 0, MAX_TABLES);
    tcase_add_loop_test(tc, keyswitch_is_its_sum, 0, 3 * MAX_TABLES);
    tcase_add_loop_test(tc, a_table_is_found_by_name, 0, MAX_TABLES);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
