/* Products of polynomials by keys, on every table that this processor runs:
 * within the noise that formula (19) allows them, against integers. */
#include "tests/words.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* k, log2 N, levels, log2 base */
static const unsigned product[][4] = {
    { 1, 8, 1, 23 }, { 1, 9, 2, 15 },  { 2, 8, 3, 11 },  { 6, 8, 1, 17 },
    { 3, 9, 1, 17 }, { 1, 11, 1, 23 }, { 2, 10, 1, 23 }, { 1, 10, 4, 9 },
    { 7, 8, 1, 17 }, { 1, 12, 1, 23 }, { 4, 9, 2, 12 },  { 1, 13, 1, 17 },
};
enum { PRODUCTS = sizeof product / sizeof *product };

/* The high limb of a product of B = 2^b is exact: the least low_bits of
 * lang-spec/crypto.md (52), which passes/model.c knows. */
static unsigned
low_bits_of(const unsigned p[4], unsigned inputs)
{
    const double c =
        1.5 * 0x1p-106 * p[1] * inputs * p[2] * ldexp(1, (int)p[1]) / 144;

    return (unsigned)ceil(69 + log2(c) / 2) + p[3];
}

struct cmux {
    struct cmlrt_shape shape;
    size_t n, rows, outs;
    uint64_t *poly; /* [rows][outs] of the GGSW */
    double *ggsw;
    void *scratch, *plan;
    uint64_t *acc, *was; /* outs polynomials */
    void *padded;        /* acc as the kernels want it, of either width */
};

static void
cmux_open(struct cmux *c, const struct kernels *k, const unsigned p[4],
          unsigned inputs, unsigned low_bits)
{
    const size_t limbs = low_bits ? 2 : 1;

    c->n = (size_t)1 << p[1];
    c->rows = (size_t)inputs * p[2];
    c->outs = p[0] + 1;
    c->plan = alloc(k->plan_bytes(p[1]));
    k->plan_init(c->plan, p[1]);
    c->shape = (struct cmlrt_shape){ c->plan, p[1],   p[0],    p[2],
                                     p[3],    inputs, low_bits };
    c->poly = alloc(c->rows * c->outs * c->n * sizeof *c->poly);
    c->ggsw = alloc(limbs * c->rows * c->outs * c->n * sizeof *c->ggsw);
    c->acc = alloc(c->outs * c->n * sizeof *c->acc);
    c->was = alloc(c->outs * c->n * sizeof *c->was);
    c->padded = alloc(c->outs * (c->n + CMLRT_PAD) * sizeof(uint64_t));
    c->scratch = alloc(k->cmux_bytes(&c->shape) + 2 * c->n * sizeof(double));
    random_words(c->poly, c->rows * c->outs * c->n, 77);
    for (unsigned r = 0; r < c->rows; r++)
        for (unsigned o = 0; o < c->outs; o++)
            k->prepare(c->ggsw, &c->shape, c->poly + (r * c->outs + o) * c->n,
                       r, o, c->scratch);
}

static void
cmux_close(struct cmux *c)
{
    free(c->plan);
    free(c->poly);
    free(c->ggsw);
    free(c->acc);
    free(c->was);
    free(c->padded);
    free(c->scratch);
}

/* The kernel on acc, which lies at another stride there, with its pads; and
 * afterwards the first 4 words of each pad are right again, as AVX2 needs. */
static void
cmux_run64(struct cmux *c, const struct kernels *k, size_t a)
{
    const size_t n = c->n, stride = n + CMLRT_PAD;
    uint64_t *p = c->padded;

    for (size_t o = 0; o < c->outs; o++)
        for (size_t i = 0; i < stride; i++)
            p[o * stride + i] =
                i < n ? c->acc[o * n + i] : 0 - c->acc[o * n + i - n];
    k->cmux64(p, &c->shape, (uint32_t)a, c->ggsw, c->scratch);
    for (size_t o = 0; o < c->outs; o++) {
        memcpy(c->acc + o * n, p + o * stride, n * sizeof *p);
        if (k != ref())
            for (size_t i = 0; i < 4; i++)
                ck_assert_uint_eq(p[o * stride + n + i], 0 - p[o * stride + i]);
    }
}

/* The same on the top halves, as words of 32 bits. */
static void
cmux_run32(struct cmux *c, const struct kernels *k, size_t a)
{
    const size_t n = c->n, stride = n + CMLRT_PAD;
    uint32_t *p = c->padded;

    for (size_t o = 0; o < c->outs; o++)
        for (size_t i = 0; i < stride; i++)
            p[o * stride + i] =
                i < n ? (uint32_t)(c->acc[o * n + i] >> 32)
                      : 0 - (uint32_t)(c->acc[o * n + i - n] >> 32);
    k->cmux32(p, &c->shape, (uint32_t)a, c->ggsw, c->scratch);
    for (size_t o = 0; o < c->outs; o++) {
        for (size_t i = 0; i < n; i++)
            c->acc[o * n + i] = (uint64_t)p[o * stride + i] << 32;
        if (k != ref())
            for (size_t i = 0; i < 4; i++)
                ck_assert_uint_eq(p[o * stride + n + i], 0 - p[o * stride + i]);
    }
}

/* Plain digits of the top half of x, in [-B/2, B/2); ties go up or down. */
static void
plain_digits_of(int64_t *digit, uint64_t x, unsigned levels, unsigned b,
                bool down)
{
    const unsigned used = levels * b;
    const int64_t base = (int64_t)1 << b;
    const uint32_t half = (UINT32_C(1) << (31 - used)) - down;
    int64_t v = (int64_t)((uint32_t)(x >> 32) + half) >> (32 - used);

    for (unsigned j = levels; j-- > 0;) {
        int64_t d = v & (base - 1);

        d = d >= base / 2 ? d - base : d;
        digit[j] = d;
        v = (v - d) >> b;
    }
}

/* sum += digit X^j times the rows of input i */
static void
add_digits(const struct cmux *c, uint64_t *sum, const int64_t *digit, size_t i,
           size_t j)
{
    const size_t n = c->n, levels = c->shape.levels;

    for (size_t v = 0; v < levels; v++)
        for (size_t o = 0; o < c->outs; o++) {
            const size_t row = (i * levels + v) * c->outs + o;
            const uint64_t *g = c->poly + row * n;
            uint64_t *to = sum + o * n;

            for (size_t m = 0; m < n - j; m++)
                to[m + j] += (uint64_t)digit[v] * g[m];
            for (size_t m = n - j; m < n; m++)
                to[m + j - n] -= (uint64_t)digit[v] * g[m];
        }
}

/* acc <- acc + GGSW [x] (X^a acc - acc), in integers */
static void
cmux_model(struct cmux *c, uint64_t *acc, size_t a, bool plain)
{
    const size_t n = c->n, levels = c->shape.levels;
    uint64_t *sum = alloc(c->outs * n * sizeof *sum);
    int64_t digit[64];

    for (size_t i = 0; i < c->outs; i++)
        for (size_t j = 0; j < n; j++) {
            const size_t from = (2 * n + j - a) % (2 * n);
            const uint64_t y = acc[i * n + from % n];
            const uint64_t x = (from < n ? y : 0 - y) - acc[i * n + j];
            const unsigned b = c->shape.log2_base;

            if (plain)
                plain_digits_of(digit, x, (unsigned)levels, b, j % 2 != 0);
            else
                digits_of(digit, x, (unsigned)levels, b);
            add_digits(c, sum, digit, i, j);
        }
    for (size_t i = 0; i < c->outs * n; i++)
        acc[i] += sum[i];
    free(sum);
}

/* Mean square difference of two ciphertexts in torus units, and the largest. */
static double
difference(const uint64_t *x, const uint64_t *y, size_t n, double *most)
{
    double square = 0;

    *most = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)(int64_t)(x[i] - y[i]) * 0x1p-64;

        square += d * d / (double)n;
        *most = fmax(*most, fabs(d));
    }
    return square;
}

/* (19) without the factor of the key: the error of a word, C = 1; that of the
 * low limb, which is smaller. */
static double
word_error(const struct cmux *c)
{
    const double base = ldexp(1, (int)c->shape.log2_base);
    const unsigned low = c->shape.low_bits;

    return 0x1p-106 * c->shape.log2_n * (double)(c->rows * c->n) * base * base
           / 144 * (low ? ldexp(1, 2 * ((int)low - 64)) : 1);
}

START_TEST(product_is_within_its_noise)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / PRODUCTS);
    struct cmux c;
    double c19, most;

    if (!k)
        return;
    cmux_open(&c, k, product[_i % PRODUCTS], product[_i % PRODUCTS][0] + 1, 0);
    random_words(c.acc, c.outs * c.n, 5);
    memcpy(c.was, c.acc, c.outs * c.n * sizeof *c.acc);
    cmux_run64(&c, k, 123);
    cmux_model(&c, c.was, 123, false);
    c19 = difference(c.acc, c.was, c.outs * c.n, &most) / word_error(&c);
    ck_assert_msg(c19 < 1.5, "%s: C = %g", k->name, c19);
    ck_assert_msg(c19 > 0.3, "%s: C = %g: is the bound off?", k->name, c19);
    ck_assert_double_lt(most, 8 * sqrt(1.5 * word_error(&c)));
    cmux_close(&c);
}
END_TEST

/* The narrow product rounds to 32 bits, (20): a variance of 2^-64/12 a word,
 * beside which the transform's is small. */
START_TEST(narrow_product_is_within_its_noise)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / PRODUCTS);
    const unsigned *p = product[_i % PRODUCTS];
    struct cmux c;
    double v, most;

    if (!k || p[2] * p[3] > CML_NARROW_BITS)
        return;
    cmux_open(&c, k, p, p[0] + 1, 0);
    random_words(c.acc, c.outs * c.n, 6);
    for (size_t i = 0; i < c.outs * c.n; i++)
        c.acc[i] &= ~(uint64_t)UINT32_MAX;
    memcpy(c.was, c.acc, c.outs * c.n * sizeof *c.acc);
    cmux_run32(&c, k, 321);
    cmux_model(&c, c.was, 321, true);
    v = difference(c.acc, c.was, c.outs * c.n, &most);
    ck_assert_double_lt(v, 1.2 * (0x1p-64 / 12 + 1.5 * word_error(&c)));
    ck_assert_double_gt(v, 0.8 * 0x1p-64 / 12);
    ck_assert_double_lt(most, 0x1p-33 + 8 * sqrt(1.5 * word_error(&c)));
    cmux_close(&c);
}
END_TEST

/* Rotations at and around every border of a stream, from extreme words too. */
START_TEST(product_takes_every_rotation)
{
    static const unsigned p[][4] = { { 1, 8, 2, 13 }, { 1, 9, 1, 23 } };
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / 4);
    const bool narrow = _i % 2 != 0;
    struct cmux c;

    if (!k)
        return;
    cmux_open(&c, k, p[_i % 4 / 2], p[_i % 4 / 2][0] + 1, 0);
    for (size_t border = 0; border <= 2 * c.n; border += c.n / 16)
        for (size_t a = border + 2 * c.n - 9; a <= border + 2 * c.n + 9; a++) {
            double most;

            random_words(c.acc, 2 * c.n, a);
            for (size_t i = 0; i < 8; i++) {
                c.acc[i] = i % 2 ? UINT64_C(1) << 63 : ~UINT64_C(0);
                c.acc[c.n - 1 - i] = i % 2 ? ~UINT64_C(0) >> 1 : 0;
            }
            for (size_t i = 0; narrow && i < 2 * c.n; i++)
                c.acc[i] &= ~(uint64_t)UINT32_MAX;
            memcpy(c.was, c.acc, 2 * c.n * sizeof *c.acc);
            (narrow ? cmux_run32 : cmux_run64)(&c, k, a % (2 * c.n));
            cmux_model(&c, c.was, a % (2 * c.n), narrow);
            (void)difference(c.acc, c.was, 2 * c.n, &most);
            ck_assert_double_lt(most, (narrow ? 0x1p-33 : 0)
                                          + 10 * sqrt(1.5 * word_error(&c)));
            a += a % 3; /* not all, but all residues */
        }
    cmux_close(&c);
}
END_TEST

/* The error of product64 on random words, in units of (19) with C = 1. */
static double
product64_error(struct cmux *c, const struct kernels *k, unsigned inputs,
                uint64_t draw)
{
    const size_t n = c->n, stride = n + CMLRT_PAD;
    uint64_t *in = alloc(inputs * stride * sizeof *in), *acc = c->padded;
    int64_t digit[64];
    double square, most;

    random_words(in, inputs * stride, 2 * draw);
    random_words(acc, c->outs * stride, 2 * draw + 1);
    for (size_t o = 0; o < c->outs; o++)
        memcpy(c->was + o * n, acc + o * stride, n * sizeof *acc);
    k->product64(acc, in, &c->shape, c->ggsw, c->scratch);
    for (size_t o = 0; o < c->outs; o++)
        memcpy(c->acc + o * n, acc + o * stride, n * sizeof *acc);
    for (size_t i = 0; i < inputs; i++)
        for (size_t j = 0; j < n; j++) {
            digits_of(digit, in[i * stride + j], c->shape.levels,
                      c->shape.log2_base);
            add_digits(c, c->was, digit, i, j);
        }
    square = difference(c->acc, c->was, c->outs * n, &most);
    ck_assert_double_lt(most, 0x1p-63 + 8 * sqrt(1.5 * word_error(c)));
    free(in);
    return square / word_error(c);
}

/* An external product, and a keyswitch of the mask alone, whose rows are fewer
 * than its outputs at one level.  One product scatters by a tenth. */
START_TEST(product_of_any_input_is_within_its_noise)
{
    enum { DRAWS = 6 };
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / 2 / PRODUCTS);
    const unsigned *p = product[_i / 2 % PRODUCTS];
    const unsigned inputs = p[0] + (_i % 2 ? 0 : 1);
    struct cmux c;
    double c19 = 0;

    if (!k || p[1] > 10)
        return;
    cmux_open(&c, k, p, inputs, 0);
    for (uint64_t i = 0; i < DRAWS; i++)
        c19 += product64_error(&c, k, inputs, 20 + i) / (double)DRAWS;
    ck_assert_msg(c19 < 1.5 && c19 > 0.3, "%s: C = %g", k->name, c19);
    cmux_close(&c);
}
END_TEST

/* In two limbs the error is that of the low one, or the words' own. */
START_TEST(product_of_two_limbs_is_within_its_noise)
{
    enum { DRAWS = 6 };
    const double rounding = 1.0 / 6 * 0x1p-128;
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / 2 / PRODUCTS);
    const unsigned *p = product[_i / 2 % PRODUCTS];
    const unsigned inputs = p[0] + (_i % 2 ? 0 : 1);
    struct cmux c;
    double v = 0;

    if (!k || p[1] > 10)
        return;
    cmux_open(&c, k, p, inputs, low_bits_of(p, inputs));
    for (uint64_t i = 0; i < DRAWS; i++)
        v += product64_error(&c, k, inputs, 20 + i) * word_error(&c)
             / (double)DRAWS;
    ck_assert_msg(v < rounding + 1.5 * word_error(&c), "%s: %g of %g", k->name,
                  v, word_error(&c));
    cmux_close(&c);
}
END_TEST

/* X -> X^t of each monomial, and back with the inverse of t. */
START_TEST(automorphisms_move_monomials)
{
    enum { N = 256 };
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);
    uint64_t a[N], b[N], back[N];

    random_words(a, N, 10);
    for (uint32_t t = 1; k && t < 2 * N; t += 2) {
        uint32_t inverse = 1;

        while (inverse * t % (2 * N) != 1)
            inverse += 2;
        k->automorphism(b, a, N, t);
        for (size_t i = 0; i < N; i++) {
            const size_t to = i * t % (2 * (size_t)N);

            ck_assert_uint_eq(b[to % N], to < N ? a[i] : 0 - a[i]);
        }
        k->automorphism(back, b, N, inverse);
        ck_assert_mem_eq(back, a, sizeof a);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("products");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, product_is_within_its_noise, 0,
                        PRODUCTS * MAX_TABLES);
    tcase_add_loop_test(tc, narrow_product_is_within_its_noise, 0,
                        PRODUCTS * MAX_TABLES);
    tcase_add_loop_test(tc, product_takes_every_rotation, 0, 4 * MAX_TABLES);
    tcase_add_loop_test(tc, product_of_any_input_is_within_its_noise, 0,
                        2 * PRODUCTS * MAX_TABLES);
    tcase_add_loop_test(tc, product_of_two_limbs_is_within_its_noise, 0,
                        2 * PRODUCTS * MAX_TABLES);
    tcase_add_loop_test(tc, automorphisms_move_monomials, 0, MAX_TABLES);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
