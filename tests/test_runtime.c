/* The cryptographic core at toy parameters, which are named insecure: streams,
 * samplers, exact products, encryption, the rows of the ABI in their three
 * modes, and what an answer gives away. */
#include "tests/rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TABLES = 4 };

/* k, log2 N, n, bootstrap, keyswitch (levels, base), noise, ternary */
/* clang-format off */
static const struct cmlrt_set insecure[] = {
    { 1, 10, 24, 1, 23, 4, 4, 30, 17, false, { 0 }, { 0 } },
    { 2,  9, 20, 2, 15, 5, 3, 30, 17, false, { 0 }, { 0 } },
    { 3,  8, 16, 3, 11, 3, 5, 30, 17, false, { 0 }, { 0 } },
    { 1, 11, 16, 2, 15, 6, 3, 30, 17, true, { 0 }, { 0 } },
    { 6,  8, 12, 1, 17, 4, 4, 30, 17, false, { 0 }, { 0 } },
};
/* clang-format on */
enum { SETS = sizeof insecure / sizeof *insecure };

/* no tables: a ternary ring key and nothing else */
static const struct cmlrt_set insecure_linear = {
    1, 9, 0, 0, 0, 0, 0, 0, 20, true, { 0 }, { 0 }
};
static const struct cmlrt_set insecure_linear_k2 = { 2,  8,    0,     0,
                                                     0,  0,    0,     0,
                                                     20, true, { 0 }, { 0 } };

static const uint8_t any_seed[CMLRT_SEED] = { 7, 1, 2, 3 };

START_TEST(stream_is_chacha20)
{
    /* RFC 8439, 2.3.2 */
    static const uint8_t want[16] = { 0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b,
                                      0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f,
                                      0xa3, 0x20, 0x71, 0xc4 };
    uint8_t seed[CMLRT_SEED], got[80];
    struct cmlrt_rng g;

    for (uint8_t i = 0; i < CMLRT_SEED; i++)
        seed[i] = i;
    cmlrt_rng_init(&g, seed, CMLRT_MASK, 0x4a000000);
    g.purpose = 0x09000000;
    cmlrt_rng_bytes(&g, got, sizeof got);
    ck_assert_mem_eq(got + 64, want, sizeof want);
}
END_TEST

START_TEST(stream_does_not_depend_on_cuts)
{
    enum { BYTES = 5000 };
    uint8_t whole[BYTES], cut[BYTES];
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, any_seed, CMLRT_MASK, 5);
    cmlrt_rng_bytes(&g, whole, BYTES);
    cmlrt_rng_init(&g, any_seed, CMLRT_MASK, 5);
    for (size_t at = 0, step = 1; at < BYTES; at += step, step += 7) {
        step = step < BYTES - at ? step : BYTES - at;
        cmlrt_rng_bytes(&g, cut + at, step);
    }
    ck_assert_mem_eq(whole, cut, BYTES);
    cmlrt_rng_init(&g, any_seed, CMLRT_MASK, 5);
    for (size_t at = 0; at + 8 <= BYTES; at += 8) {
        const uint64_t x = cmlrt_rng_u64(&g);

        ck_assert_mem_eq(whole + at, &x, 8);
    }
    cmlrt_rng_init(&g, any_seed, CMLRT_MASK, 6);
    cmlrt_rng_bytes(&g, cut, BYTES);
    ck_assert_mem_ne(whole, cut, 32);
    cmlrt_rng_init(&g, any_seed, CMLRT_NOISE, 5);
    cmlrt_rng_bytes(&g, cut, BYTES);
    ck_assert_mem_ne(whole, cut, 32);
}
END_TEST

/* Chi-square of counts against weights, both of cells; sum of weights w. */
static double
chi_square(const double *count, const double *weight, size_t cells)
{
    double draws = 0, w = 0, chi = 0;

    for (size_t i = 0; i < cells; i++) {
        draws += count[i];
        w += weight[i];
    }
    for (size_t i = 0; i < cells; i++) {
        const double want = draws * weight[i] / w;

        chi += (count[i] - want) * (count[i] - want) / want;
    }
    return chi;
}

START_TEST(tuniform_has_its_law)
{
    enum { CELLS = 17, DRAWS = 1 << 18 };
    double count[CELLS] = { 0 }, weight[CELLS], flat[CELLS];
    uint64_t beyond = 0;
    struct cmlrt_rng g;

    for (size_t i = 0; i < CELLS; i++) {
        weight[i] = i == 0 || i == CELLS - 1 ? 1 : 2;
        flat[i] = 1;
    }
    cmlrt_rng_init(&g, any_seed, CMLRT_NOISE, 0);
    for (size_t i = 0; i < DRAWS; i++) {
        const uint64_t at = cmlrt_tuniform(&g, 3) + 8;

        beyond += at >= CELLS;
        count[at % CELLS]++;
    }
    ck_assert_uint_eq(beyond, 0);
    /* 16 degrees of freedom: 0.9999 at 46 */
    ck_assert_double_lt(chi_square(count, weight, CELLS), 46);
    ck_assert_double_gt(chi_square(count, flat, CELLS), 46);
}
END_TEST

START_TEST(keys_have_their_law)
{
    enum { DRAWS = 1 << 16 };
    static uint64_t word[DRAWS];
    double two[2] = { 0 }, three[3] = { 0 };
    const double flat[3] = { 1, 1, 1 };
    uint64_t beyond = 0;
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, any_seed, CMLRT_BIG_KEY, 0);
    cmlrt_binary(word, DRAWS, &g);
    for (size_t i = 0; i < DRAWS; i++) {
        beyond += word[i] >= 2;
        two[word[i] % 2]++;
    }
    cmlrt_ternary(word, DRAWS, &g);
    for (size_t i = 0; i < DRAWS; i++) {
        beyond += word[i] + 1 >= 3;
        three[(word[i] + 1) % 3]++;
    }
    ck_assert_uint_eq(beyond, 0);
    ck_assert_double_lt(chi_square(two, flat, 2), 15.2); /* 0.9999 */
    ck_assert_double_lt(chi_square(three, flat, 3), 18.5);
}
END_TEST

/*     out <- out + a s  modulo X^n + 1 */
static void
schoolbook(uint64_t *out, const uint64_t *a, const uint64_t *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            const uint64_t p = a[i] * s[j];

            if (i + j < n)
                out[i + j] += p;
            else
                out[i + j - n] -= p;
        }
}

START_TEST(products_are_exact)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);

    for (unsigned log2_n = 8; k && log2_n <= 12; log2_n++) {
        const size_t n = (size_t)1 << log2_n, bytes = n * sizeof(uint64_t);
        uint64_t *a = rig_alloc(bytes), *s = rig_alloc(bytes);
        uint64_t *want = rig_alloc(bytes), *got = rig_alloc(bytes);
        double *points = rig_alloc(bytes), *scratch;
        struct cmlrt_ring ring;
        struct cmlrt_rng g;

        ck_assert(cmlrt_ring_init(&ring, k, log2_n));
        scratch = rig_alloc(cmlrt_ring_scratch(&ring) * sizeof *scratch);
        cmlrt_rng_init(&g, any_seed, CMLRT_MASK, log2_n);
        cmlrt_rng_bytes(&g, a, bytes);
        a[0] = UINT64_C(1) << 63; /* ends of the halves */
        a[1] = UINT64_C(0x7fffffff80000000);
        a[2] = UINT64_C(0xffffffff7fffffff);
        cmlrt_ternary(s, n, &g);
        if (log2_n % 2)
            cmlrt_binary(s, n, &g);
        for (size_t i = 0; i < n; i++)
            want[i] = got[i] = i;
        schoolbook(want, a, s, n);
        cmlrt_ring_small(points, &ring, s, scratch);
        cmlrt_ring_mul_add(got, &ring, a, points, scratch);
        ck_assert_mem_eq(want, got, bytes);
        cmlrt_ring_free(&ring);
        free(a);
        free(s);
        free(want);
        free(got);
        free(points);
        free(scratch);
    }
}
END_TEST

/* The largest product there is: all halves and all of the key at their ends. */
START_TEST(products_are_exact_at_the_end_of_the_range)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i);
    const size_t n = 65536, bytes = n * sizeof(uint64_t);
    const uint64_t a0 = UINT64_C(0x7fffffff7fffffff);
    uint64_t *a = rig_alloc(bytes), *s = rig_alloc(bytes), *got;
    double *points = rig_alloc(bytes), *scratch;
    struct cmlrt_ring ring;
    size_t wrong = 0;

    if (k) {
        ck_assert(cmlrt_ring_init(&ring, k, 16));
        got = rig_alloc(bytes);
        scratch = rig_alloc(cmlrt_ring_scratch(&ring) * sizeof *scratch);
        for (size_t i = 0; i < n; i++) {
            a[i] = a0;
            s[i] = 1;
        }
        cmlrt_ring_small(points, &ring, s, scratch);
        cmlrt_ring_mul_add(got, &ring, a, points, scratch);
        for (size_t i = 0; i < n; i++) /* i + 1 products up, n - 1 - i down */
            wrong += got[i] != a0 * (2 * i + 2 - n);
        cmlrt_ring_free(&ring);
        free(got);
        free(scratch);
    }
    ck_assert_uint_eq(wrong, 0);
    free(a);
    free(s);
    free(points);
}
END_TEST

START_TEST(encryption_comes_back)
{
    enum { COUNT = 200, LOG2_DELTA = 58 };
    struct rig r;
    int64_t message[COUNT];
    uint64_t *lwe;

    rig_open(&r, &insecure[_i], cmlrt_kernels_select(NULL), 11);
    lwe = rig_alloc(COUNT * r.env.big * sizeof *lwe);
    for (int64_t i = 0; i < COUNT; i++)
        message[i] = i % 64 - 32;
    rig_encrypt(&r, lwe, message, COUNT, LOG2_DELTA, 3);
    for (size_t i = 0; i < COUNT; i++) {
        const uint64_t phase = cmlrt_phase(r.secret, lwe + i * r.env.big);
        const uint64_t error =
            phase - ((uint64_t)message[i] << LOG2_DELTA) + (1 << 17);

        ck_assert_uint_le(error, 1 << 18);
        ck_assert_int_eq(rig_decode(phase, LOG2_DELTA), message[i]);
    }
    free(lwe);
    rig_close(&r);
}
END_TEST

/* ---- linear rows: encrypted, simulated without noise, clear */

enum { CLEAR, SIMULATED, ENCRYPTED, MODES };

static void
open_mode(struct rig *r, const struct cmlrt_set *set, int mode)
{
    if (mode == ENCRYPTED)
        rig_open(r, set, cmlrt_kernels_select(NULL), 21);
    else
        rig_one_word(r, set, mode == CLEAR);
}

START_TEST(linear_rows_do_their_sums)
{
    enum { COUNT = 12, D = 52 };
    static const int64_t from[COUNT] = { 3, 3, 0, 11, 5, 6, 7, 8, 9, 1, 2, 4 };
    static const int64_t weight[3 * 2] = { 5, -7, 0, 2, -1, 3 };
    const struct cmlrt_matmul product = { weight, 3, 2, NULL };
    const struct cmlrt_matmul patches = { weight, 3, 2, from };
    const struct cmlrt_sum sum = { 3, 2 }; /* 2 x 3 x 2 -> 2 x 2 */
    int64_t m[COUNT], factor[COUNT];
    uint64_t *x, *y, added[COUNT];
    struct rig r;

    open_mode(&r, &insecure_linear, _i);
    x = rig_alloc(COUNT * r.env.big * sizeof *x);
    y = rig_alloc(COUNT * r.env.big * sizeof *y);
    for (int64_t i = 0; i < COUNT; i++) {
        m[i] = i * i - 40;
        factor[i] = 3 - i;
        added[i] = (uint64_t)(i - 5) << D;
    }
    rig_encrypt(&r, x, m, COUNT, D, 0);
#define ROW(count, call, want) \
    do { \
        memset(y, 0x55, COUNT *r.env.big * sizeof *y); \
        call; \
        for (int64_t i = 0; i < (count); i++) \
            ck_assert_int_eq(rig_decrypt(&r, y + (size_t)i * r.env.big, D), \
                             want); \
    } while (0)
    ROW(COUNT, cmlrt_lwe_add(&r.env, y, x, x, 0, COUNT), 2 * m[i]);
    ROW(COUNT, cmlrt_lwe_sub(&r.env, y, x, x, 0, COUNT), 0);
    ROW(COUNT, cmlrt_lwe_neg(&r.env, y, x, NULL, 0, COUNT), -m[i]);
    ROW(COUNT, cmlrt_lwe_gather(&r.env, y, x, from, 0, COUNT), m[from[i]]);
    ROW(COUNT, cmlrt_lwe_add_clear(&r.env, y, x, added, 0, COUNT),
        m[i] + i - 5);
    ROW(COUNT, cmlrt_lwe_mul_clear(&r.env, y, x, factor, 0, COUNT),
        m[i] * factor[i]);
    ROW(8, cmlrt_lwe_matmul_clear(&r.env, y, x, &product, 0, 8),
        m[i / 2 * 3] * weight[i % 2] + m[i / 2 * 3 + 1] * weight[2 + i % 2]
            + m[i / 2 * 3 + 2] * weight[4 + i % 2]);
    ROW(8, cmlrt_lwe_matmul_clear(&r.env, y, x, &patches, 0, 8),
        m[from[i / 2 * 3]] * weight[i % 2]
            + m[from[i / 2 * 3 + 1]] * weight[2 + i % 2]
            + m[from[i / 2 * 3 + 2]] * weight[4 + i % 2]);
    ROW(4, cmlrt_lwe_sum(&r.env, y, x, &sum, 0, 4),
        m[i / 2 * 6 + i % 2] + m[i / 2 * 6 + 2 + i % 2]
            + m[i / 2 * 6 + 4 + i % 2]);
#undef ROW
    free(x);
    free(y);
    rig_close(&r);
}
END_TEST

/* Any cut of the range gives the words of the whole range. */
START_TEST(ranges_can_be_cut)
{
    enum { ROWS = 5, INNER = 4, COLS = 3, OUT = ROWS * COLS, D = 50 };
    const size_t in = ROWS * INNER;
    int64_t weight[INNER * COLS], message[ROWS * INNER];
    const struct cmlrt_matmul product = { weight, INNER, COLS, NULL };
    uint64_t *x, *whole, *cut;
    struct rig r;

    rig_open(&r, &insecure_linear, cmlrt_kernels_select(NULL), 5);
    x = rig_alloc(in * r.env.big * sizeof *x);
    whole = rig_alloc(OUT * r.env.big * sizeof *x);
    cut = rig_alloc(OUT * r.env.big * sizeof *x);
    for (int64_t i = 0; i < INNER * COLS; i++)
        weight[i] = i * 37 % 23 - 11;
    for (int64_t i = 0; i < ROWS * INNER; i++)
        message[i] = i - 9;
    rig_encrypt(&r, x, message, in, D, 0);
    cmlrt_lwe_matmul_clear(&r.env, whole, x, &product, 0, OUT);
    for (int64_t step = 1; step < OUT; step++) {
        memset(cut, 0, OUT * r.env.big * sizeof *x);
        for (int64_t at = 0; at < OUT; at += step)
            cmlrt_lwe_matmul_clear(&r.env, cut, x, &product, at,
                                   at + step < OUT ? at + step : OUT);
        ck_assert_mem_eq(whole, cut, OUT * r.env.big * sizeof *x);
    }
    free(x);
    free(whole);
    free(cut);
    rig_close(&r);
}
END_TEST

/* ---- tables */

static void
look_up_all(struct rig *r, const struct cmlrt_table *t, const int64_t *message,
            int64_t *result, int64_t count)
{
    const unsigned in = (unsigned)t->log2_delta_in;
    uint64_t *big = rig_alloc((size_t)count * r->env.big * sizeof *big);
    uint64_t *small = rig_alloc((size_t)count * r->env.small * sizeof *small);

    rig_encrypt(r, big, message, (size_t)count, in, 0);
    cmlrt_lwe_keyswitch(&r->env, small, big, NULL, 0, count);
    memset(big, 0, (size_t)count * r->env.big * sizeof *big);
    cmlrt_lwe_pbs(&r->env, big, small, t, 0, count);
    for (int64_t i = 0; i < count; i++)
        result[i] = rig_decrypt(r, big + (size_t)i * r->env.big,
                                (unsigned)t->log2_delta_out);
    free(big);
    free(small);
}

/* Signed messages of 3 bits through two tables of 8 entries. */
static void
check_tables(struct rig *r)
{
    enum { COUNT = 16, BITS = 3 };
    static const int64_t entries[2][8] = { { 7, -8, 3, 0, 1, -2, 5, -6 },
                                           { 1, 2, 3, 4, -5, -6, -7, -8 } };
    const struct cmlrt_table t = { entries, 2, BITS, 4, 60, 59, 0 };
    int64_t message[COUNT], result[COUNT];

    for (int64_t i = 0; i < COUNT; i++)
        message[i] = i / 2 - 4;
    look_up_all(r, &t, message, result, COUNT);
    for (int64_t i = 0; i < COUNT; i++)
        ck_assert_msg(result[i] == entries[i % 2][message[i] + 4],
                      "%lld: %lld is not %lld", (long long)i,
                      (long long)result[i],
                      (long long)entries[i % 2][message[i] + 4]);
}

START_TEST(tables_work_encrypted)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / SETS);
    struct rig r;

    if (!k)
        return;
    rig_open(&r, &insecure[_i % SETS], k, 31);
    check_tables(&r);
    rig_close(&r);
}
END_TEST

START_TEST(tables_work_on_one_word)
{
    struct rig r;

    for (int clear = 0; clear <= 1; clear++) {
        rig_one_word(&r, &insecure[_i], clear);
        check_tables(&r);
        rig_close(&r);
    }
}
END_TEST

/* A bootstrap draws nothing: the same table of the same ciphertext gives the
 * same words, noise included, whatever else is in its batch.  (The negated
 * table gives nearly their negative, but for roundings that meet a tie.) */
START_TEST(bootstraps_repeat)
{
    static const int64_t entries[3][8] = { { 1, 2, 3, 4, 4, 3, 2, 1 },
                                           { -1, -2, -3, -4, -4, -3, -2, -1 },
                                           { 1, 2, 3, 4, 4, 3, 2, 2 } };
    const struct cmlrt_table t = { entries, 3, 3, 0, 60, 57, 0 };
    static const int64_t message[1] = { 2 };
    const struct cmlrt_set *set = &insecure[_i];
    uint64_t *big, *small, *out;
    size_t same = 0;
    struct rig r;

    rig_open(&r, set, cmlrt_kernels_select(NULL), 61);
    big = rig_alloc(r.env.big * sizeof *big);
    small = rig_alloc(4 * r.env.small * sizeof *small);
    out = rig_alloc(4 * r.env.big * sizeof *out);
    rig_encrypt(&r, big, message, 1, 60, 0);
    for (size_t i = 0; i < 4; i++)
        cmlrt_lwe_keyswitch(&r.env, small + i * r.env.small, big, NULL, 0, 1);
    cmlrt_lwe_pbs(&r.env, out, small, &t, 0, 4);
    ck_assert_mem_eq(out, out + 3 * r.env.big, r.env.big * sizeof *out);
    cmlrt_lwe_pbs(&r.env, out, small, &t, 3, 4); /* alone */
    ck_assert_mem_eq(out, out + 3 * r.env.big, r.env.big * sizeof *out);
    for (size_t w = 0; w < r.env.big; w++)
        same += out[w] == out[2 * r.env.big + w];
    ck_assert_uint_lt(same, r.env.big / 2);
    free(big);
    free(small);
    free(out);
    rig_close(&r);
}
END_TEST

/* A message beyond the table comes back with the other sign: this is why sums
 * must not reach the padding bit. */
START_TEST(the_torus_turns_the_sign)
{
    static const int64_t entries[4] = { 1, 2, 3, 4 };
    const struct cmlrt_table t = { entries, 1, 2, 0, 61, 58, 0 };
    static const int64_t message[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    int64_t result[8];
    struct rig r;

    open_mode(&r, &insecure[0], _i);
    look_up_all(&r, &t, message, result, 8);
    for (int64_t i = 0; i < 8; i++)
        ck_assert_int_eq(result[i], i < 4 ? entries[i] : -entries[i - 4]);
    rig_close(&r);
}
END_TEST

/* approx: more entries than indices, so that results are off by a few steps of
 * the argument and no more. */
START_TEST(wide_tables_are_close)
{
    enum { BITS = 12, COUNT = 64 };
    const int64_t step = (1 << BITS) / COUNT;
    int64_t entries[1 << BITS], message[COUNT], result[COUNT];
    const struct cmlrt_table t = { entries, 1, BITS, 0, 63 - BITS, 50, 1 };
    struct rig r;

    for (int64_t i = 0; i < 1 << BITS; i++)
        entries[i] = i;
    for (int64_t i = 0; i < COUNT; i++)
        message[i] = i * step + step / 2;
    open_mode(&r, &insecure[0], _i);
    look_up_all(&r, &t, message, result, COUNT);
    for (int64_t i = 0; i < COUNT; i++)
        ck_assert_int_le(llabs(result[i] - message[i]), _i == CLEAR ? 0 : step);
    rig_close(&r);
}
END_TEST

/* ---- answers */

START_TEST(answers_come_back)
{
    enum { COUNT = 5, D = 56 };
    static const int64_t message[COUNT] = { 0, 1, -3, 77, -128 };
    const struct cmlrt_set *set =
        _i / MODES ? &insecure_linear_k2 : &insecure_linear;
    const struct cmlrt_reply reply[] = { { -1, 64, 0, 0 },
                                         { 54, 64, 0, 0 },
                                         { 52, 32, 0, 0 } };
    uint64_t *x, *y;
    struct rig r;

    open_mode(&r, set, _i % MODES);
    x = rig_alloc(COUNT * r.env.big * sizeof *x);
    y = rig_alloc(COUNT * r.env.big * sizeof *y);
    rig_encrypt(&r, x, message, COUNT, D, 0);
    for (size_t k = 0; k < 3; k++) {
        bool flooded = false;
        uint64_t low = 0;

        cmlrt_lwe_answer(&r.env, y, x, &reply[k], 0, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            const uint64_t *lwe = y + i * r.env.big;
            const uint64_t phase = r.secret ? cmlrt_phase(r.secret, lwe) : *lwe;
            const int64_t error =
                (int64_t)(phase - ((uint64_t)message[i] << D));

            ck_assert_int_eq(rig_decrypt(&r, lwe, D), message[i]);
            flooded |= llabs(error) > INT64_C(1) << 48;
            if (reply[k].log2_flood >= 0) /* and the rest is much less */
                ck_assert_int_le(llabs(error),
                                 (INT64_C(1) << 44)
                                     + (INT64_C(1) << reply[k].log2_flood));
            for (size_t w = 0; w < r.env.big; w++)
                low |= reply[k].word_bits == 32 ? lwe[w] & UINT32_MAX : 0;
        }
        ck_assert_uint_eq(low, 0);
        ck_assert_int_eq(flooded, reply[k].log2_flood >= 0 && !r.env.clear);
    }
    free(x);
    free(y);
    rig_close(&r);
}
END_TEST

static uint64_t
inverse(uint64_t odd)
{
    uint64_t x = odd;

    for (int i = 0; i < 6; i++)
        x *= 2 - odd * x;
    return x;
}

/* What a client tries: the weights w of out = w_0 x_0 + w_1 x_1 from masks it
 * knows, by two equations with an odd determinant; true if all words agree. */
static bool
divide(int64_t w[2], const uint64_t *out, const uint64_t *x, size_t big)
{
    const uint64_t *a = x, *b = x + big;
    size_t j = 1;

    while (!((a[0] * b[j] - a[j] * b[0]) & 1))
        if (++j == big - 1)
            return false;
    {
        const uint64_t d = inverse(a[0] * b[j] - a[j] * b[0]);

        w[0] = (int64_t)((out[0] * b[j] - out[j] * b[0]) * d);
        w[1] = (int64_t)((a[0] * out[j] - a[j] * out[0]) * d);
    }
    for (size_t i = 0; i < big - 1; i++)
        if (out[i] != (uint64_t)w[0] * a[i] + (uint64_t)w[1] * b[i])
            return false;
    return true;
}

START_TEST(weights_are_read_off_unless_rerandomised)
{
    static const int64_t weight[2] = { -91, 57 }, message[2] = { 5, 9 };
    const struct cmlrt_matmul product = { weight, 2, 1, NULL };
    const struct cmlrt_reply reply = { -1, 64, 0, 0 };
    const struct cmlrt_set *set = _i ? &insecure_linear_k2 : &insecure_linear;
    uint64_t *x, *y;
    int64_t w[2] = { 0 };
    struct rig r;

    rig_open(&r, set, cmlrt_kernels_select(NULL), 41);
    x = rig_alloc(2 * r.env.big * sizeof *x);
    y = rig_alloc(r.env.big * sizeof *y);
    /* two ciphertexts, as two features of different pieces */
    rig_encrypt(&r, x, message, 1, 52, 0);
    rig_encrypt(&r, x + r.env.big, message + 1, 1, 52, 1);
    cmlrt_lwe_matmul_clear(&r.env, y, x, &product, 0, 1);
    ck_assert(divide(w, y, x, r.env.big));
    ck_assert_int_eq(w[0], weight[0]);
    ck_assert_int_eq(w[1], weight[1]);
    cmlrt_lwe_answer(&r.env, y, y, &reply, 0, 1);
    ck_assert(!divide(w, y, x, r.env.big));
    ck_assert_int_ne(w[0], weight[0]);
    ck_assert_int_ne(w[1], weight[1]);
    ck_assert_int_eq(rig_decrypt(&r, y, 52), -91 * 5 + 57 * 9);
    free(x);
    free(y);
    rig_close(&r);
}
END_TEST

/* w with out = w x, of n words; false if there is none */
static bool
divide_one(int64_t *w, const uint64_t *out, const uint64_t *x, size_t n)
{
    size_t j = 0;

    while (!(x[j] & 1))
        j++;
    *w = (int64_t)(out[j] * inverse(x[j]));
    for (size_t i = 0; i < n; i++)
        if (out[i] != (uint64_t)*w * x[i])
            return false;
    return true;
}

/* The same of a packed answer: leaves of a forest, times bits as they came. */
START_TEST(leaves_are_read_off_unless_rerandomised)
{
    static const int64_t message[3] = { 5, -9, 30 };
    const struct cmlrt_reply reply = { 40, 64, 3, 2 };
    const size_t n = (size_t)1 << insecure_linear.log2_n;
    uint64_t *x = rig_alloc(2 * n * sizeof *x);
    uint64_t *y = rig_alloc(4 * n * sizeof *y);
    int64_t *m = rig_alloc(n * sizeof *m), w = 0;
    struct cmlrt_rng masks;
    struct rig r;

    rig_open(&r, &insecure_linear, cmlrt_kernels_select(NULL), 43);
    memcpy(m, message, sizeof message);
    ck_assert_int_eq(cmlrt_encrypt(x + n, r.secret, r.seed, 0,
                                   &(struct cmlrt_plain){ m, n, 52 }),
                     CML_E_ok);
    cmlrt_rng_init(&masks, r.seed, CMLRT_MASK, 0);
    cmlrt_rng_bytes(&masks, x, n * sizeof *x);
    for (size_t i = 0; i < 2 * n; i++) { /* two groups, 7 in all */
        y[i] = 4 * x[i];
        y[2 * n + i] = 3 * x[i];
        x[i] = y[i] + y[2 * n + i];
    }
    cmlrt_rng_init(&masks, r.seed, CMLRT_MASK, 0);
    cmlrt_rng_bytes(&masks, (uint64_t *)m, n * sizeof *m);
    ck_assert(divide_one(&w, x, (uint64_t *)m, n));
    ck_assert_int_eq(w, 7);
    cmlrt_glwe_answer(&r.env, x, y, &reply, 0, 1);
    ck_assert(!divide_one(&w, x, (uint64_t *)m, n));
    ck_assert_int_ne(w, 7);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(rig_decode(cmlrt_phase_at(r.secret, x, i), 52),
                         7 * message[i]);
    free(x);
    free(y);
    free(m);
    rig_close(&r);
}
END_TEST

/* ---- keys */

/* The same seeds give the same key, whatever the number of threads. */
START_TEST(keys_differ_when_they_should)
{
    const struct cmlrt_set *set = &insecure[2];
    struct cmlrt_pool *three = cmlrt_pool_new(3);
    const size_t bytes = cmlrt_eval_bytes(set);
    uint8_t *a = rig_alloc(bytes), *b = rig_alloc(bytes);
    struct rig r;

    rig_open(&r, set, cmlrt_kernels_select(NULL), 51);
    ck_assert_int_eq(cmlrt_eval_derive(a, r.secret, any_seed, r.pool),
                     CML_E_ok);
    ck_assert_int_eq(cmlrt_eval_derive(b, r.secret, any_seed, three), CML_E_ok);
    ck_assert_mem_eq(a, b, bytes);
    ck_assert_int_eq(cmlrt_eval_generate(b, r.secret, three), CML_E_ok);
    ck_assert_mem_ne(a, b, CMLRT_SEED);
    ck_assert_mem_ne(a + CMLRT_SEED, b + CMLRT_SEED, bytes - CMLRT_SEED);
    cmlrt_pool_free(three);
    rig_close(&r);
    free(a);
    free(b);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("runtime");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, stream_is_chacha20);
    tcase_add_test(tc, stream_does_not_depend_on_cuts);
    tcase_add_test(tc, tuniform_has_its_law);
    tcase_add_test(tc, keys_have_their_law);
    tcase_add_loop_test(tc, products_are_exact, 0, MAX_TABLES);
    tcase_add_loop_test(tc, products_are_exact_at_the_end_of_the_range, 0,
                        MAX_TABLES);
    tcase_add_loop_test(tc, encryption_comes_back, 0, SETS);
    tcase_add_loop_test(tc, linear_rows_do_their_sums, 0, MODES);
    tcase_add_test(tc, ranges_can_be_cut);
    tcase_add_loop_test(tc, tables_work_encrypted, 0, MAX_TABLES * SETS);
    tcase_add_loop_test(tc, tables_work_on_one_word, 0, SETS);
    tcase_add_loop_test(tc, bootstraps_repeat, 0, SETS);
    tcase_add_loop_test(tc, the_torus_turns_the_sign, 0, MODES);
    tcase_add_loop_test(tc, wide_tables_are_close, 0, MODES);
    tcase_add_loop_test(tc, answers_come_back, 0, 2 * MODES);
    tcase_add_loop_test(tc, weights_are_read_off_unless_rerandomised, 0, 2);
    tcase_add_test(tc, leaves_are_read_off_unless_rerandomised);
    tcase_add_test(tc, keys_differ_when_they_should);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
