/* Tables read by bits that the client sends, lang-spec/crypto.md 17.7: results
 * and noise at secure parameters, for all kernels; and when the compiler takes
 * them.
 */
#include "passes/joint.h"
#include "passes/leveled.h"
#include "passes/passes.h"
#include "runtime/leveled.h"
#include "tests/rig.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 2048, STEPS = 5, MOST_LEVELS = 8 };

/* ---- the op of the runtime */

/* bits; integers of a row, and bytes of one */
static const struct {
    int64_t bits, coefs, bytes;
} shapes[] = {
    { 1, 1, 1 },  { 4, 3, 2 },  { 8, 64, 1 }, { 11, 1, 8 },
    { 12, 1, 1 }, { 12, 4, 4 }, { 14, 2, 1 },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const struct leveled_keys keys = {
    .steps = STEPS,
    .step = { { 9, 5 }, { 8, 6 }, { 7, 6 }, { 7, 6 }, { 6, 7 } },
    .ss = { 4, 11 },
};
static const struct model_gadget gg = { 5, 6 };

struct trial {
    struct rig r;
    struct cmlrt_lut d;
    void *table;
    double *ggsw;
    uint64_t *words;
    int64_t *slots;
    uint64_t index; /* of the next ring ciphertext */
};

static struct cmlrt_set
set_of_keys(int64_t bits)
{
    struct cmlrt_set s = {
        .k = 1, .log2_n = 11, .t_glwe = 17, .ternary = true
    };

    s.leveled.first = 11 - STEPS;
    s.leveled.steps = STEPS;
    s.leveled.ss_levels = (uint8_t)keys.ss.levels;
    s.leveled.ss_log2_base = (uint8_t)keys.ss.log2_base;
    s.leveled.depth = (uint8_t)bits;
    for (size_t q = 0; q < STEPS; q++) {
        s.leveled.levels[q] = (uint8_t)keys.step[q].levels;
        s.leveled.log2_base[q] = (uint8_t)keys.step[q].log2_base;
    }
    return s;
}

/* A quarter of the rings is like the one before, which nothing selects. */
static void
fill(struct trial *t)
{
    const size_t bytes = (size_t)(t->d.bytes * t->d.coefs);
    const size_t rows = (size_t)1 << t->d.bits;
    uint8_t *to = t->table = rig_alloc(rows * bytes);

    cmlrt_rng_bytes(&t->r.rng, to, rows * bytes);
    for (size_t i = 0; i < rows * bytes && t->d.bytes > 1; i++)
        if ((i + 1) % (size_t)t->d.bytes == 0)
            to[i] = (uint8_t)(to[i] & 1) - 1; /* small ones of either sign */
    if (t->d.bits > 11)
        memcpy(to + rows / 4 * bytes, to, rows / 4 * bytes);
    t->d.table = to;
}

static void
open_trial(struct trial *t, int shape, const struct kernels *k, uint64_t seed,
           bool plain)
{
    const struct cmlrt_set set = set_of_keys(shapes[shape].bits);

    *t = (struct trial){ .d = { .bytes = shapes[shape].bytes,
                                .bits = shapes[shape].bits,
                                .coefs = shapes[shape].coefs,
                                .levels = gg.levels,
                                .log2_base = gg.log2_base } };
    if (plain)
        rig_one_word(&t->r, &set, true);
    else
        rig_open(&t->r, &set, k, seed);
    fill(t);
    t->d.log2_delta = 56;
    t->ggsw =
        rig_alloc((size_t)t->d.bits * gg.levels * 4 * RING * sizeof *t->ggsw);
    t->words = rig_alloc(gg.levels * RING * sizeof *t->words);
    t->slots = rig_alloc((1 << STEPS) * sizeof *t->slots);
}

static void
close_trial(struct trial *t)
{
    free(t->table);
    free(t->ggsw);
    free(t->words);
    free(t->slots);
    rig_close(&t->r);
}

/* Bits of the number of a row to GGSWs, in the order of their slots. */
static void
select_row(struct trial *t, size_t row)
{
    const struct cmlrt_expand e = { .slots = t->slots,
                                    .count = t->d.bits,
                                    .log2_slots = STEPS,
                                    .packs = 1,
                                    .levels = gg.levels,
                                    .log2_base = gg.log2_base,
                                    .glwe = 0 };
    int64_t m[RING] = { 0 };

    for (unsigned i = 0, n = 0; i < 1 << STEPS; i++) {
        const size_t slot = cmlrt_lev_reversed(i, STEPS);

        if ((int64_t)slot >= t->d.bits)
            continue;
        t->slots[n] = (int64_t)slot;
        m[slot * (RING >> STEPS)] = (int64_t)(row >> n++ & 1);
    }
    t->r.env.first_glwe = t->index;
    for (unsigned j = 0; j < gg.levels; j++) {
        const struct cmlrt_plain in = { m, RING,
                                        64 - STEPS - gg.log2_base * (j + 1) };

        ck_assert_int_eq(cmlrt_encrypt(t->words + j * RING, t->r.secret,
                                       t->r.seed, t->index++, &in),
                         CML_E_ok);
    }
    cmlrt_glwe_to_ggsw(&t->r.env, (uint64_t *)(void *)t->ggsw, t->words, &e, 0,
                       t->d.bits * (int64_t)gg.levels);
}

static uint64_t
entry(const struct trial *t, size_t row, size_t k)
{
    return (uint64_t)cmlrt_lut_entry(&t->d, row * (size_t)t->d.coefs + k)
           << t->d.log2_delta;
}

static double
torus_of(uint64_t x)
{
    return ldexp((double)(int64_t)x, -64);
}

/* The squares of the errors of a row's integers, which are right. */
static double
check_row(struct trial *t, size_t row)
{
    _Alignas(64) uint64_t out[2 * RING];
    double square = 0;

    select_row(t, row);
    cmlrt_ggsw_lut(&t->r.env, out, (const uint64_t *)(const void *)t->ggsw,
                   &t->d, 0, 1);
    for (size_t k = 0; k < (size_t)t->d.coefs; k++) {
        const double e =
            torus_of(cmlrt_phase_at(t->r.secret, out, k) - entry(t, row, k));

        ck_assert_msg(fabs(e) < ldexp(1, (int)t->d.log2_delta - 65),
                      "integer %zu of row %zu: error 2^%.1f", k, row,
                      log2(fabs(e)));
        square += e * e;
    }
    return square;
}

/* loop: shapes, tables of kernels */
START_TEST(rows_are_exact)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)(_i / SHAPES));
    struct trial t;

    if (!k)
        return;
    open_trial(&t, _i % SHAPES, k, 30 + (uint64_t)_i, false);
    for (size_t i = 0; i < 5; i++) /* the last, the first, and others */
        (void)check_row(&t,
                        (i * 0x9e3779b1u - 1) & (((size_t)1 << t.d.bits) - 1));
    close_trial(&t);
}
END_TEST

/* the same without encryption */
START_TEST(plain_rows_are_exact)
{
    struct trial t;

    open_trial(&t, _i, NULL, 0, true);
    for (size_t row = 0; row < (size_t)1 << t.d.bits; row += 7) {
        uint64_t in[16], out[64];

        for (size_t b = 0; b < 16; b++)
            in[b] = row >> b & 1;
        cmlrt_ggsw_lut(&t.r.env, out, in, &t.d, 0, 1);
        for (size_t k = 0; k < (size_t)t.d.coefs; k++)
            ck_assert_uint_eq(out[k], entry(&t, row, k));
    }
    close_trial(&t);
}
END_TEST

/* (99): as many products as there are bits; several keys.  The interval is that
 * of section 14. */
START_TEST(noise_is_that_of_its_products)
{
    enum { KEYS = 4, ROWS = 24, SHAPE = 2 };
    const double sigma2 = model_v_tuniform(17, 64);
    const double body = leveled_v_body(&keys, sigma2);
    const double v =
        (double)shapes[SHAPE].bits
        * leveled_v_cmux(&keys, gg, body, leveled_v_mask(&keys, body, sigma2));
    double square = 0, count = 0, ratio;

    for (uint64_t key = 0; key < KEYS; key++) {
        struct trial t;

        open_trial(&t, SHAPE, cmlrt_kernels_select(NULL), 60 + key, false);
        for (size_t i = 0; i < ROWS; i++, count += (double)t.d.coefs)
            square += check_row(&t, 255); /* all bits 1 */
        close_trial(&t);
    }
    ratio = square / count / v;
    ck_assert_msg(ratio > 0.7 && ratio < 1.4, "measured / formula = %.3f",
                  ratio);
}
END_TEST

/* ---- what the compiler makes of a model */

struct counted {
    size_t tables, expansions, bootstraps;
};

static struct counted
count(const char *text)
{
    struct arena mem = { 0 };
    struct source src = { .name = "t.ir", .text = text, .len = strlen(text) };
    struct diag dg = { .src = &src, .out = stderr };
    const struct pass_options po = { .diag = &dg };
    const struct ir_func *f = ir_parse(&mem, &dg);
    struct counted c = { 0 };

    ck_assert_msg(f != NULL, "%s", text);
    f = pass_run(&mem, f, &po);
    ck_assert_msg(f != NULL, "%s", text);
    for (uint32_t i = 0; i < f->n; i++) {
        c.tables += f->ins[i].op == IR_ggsw_lut;
        c.expansions += f->ins[i].op == IR_glwe_to_ggsw;
        c.bootstraps += ir_is_bootstrap(&f->ins[i]);
    }
    arena_free(&mem);
    return c;
}

/* the larger of the first and the last of `inputs` integers, but for private
 * weights, and their product; whether the sum of all is large */
static const char *
text_of(char text[1024], unsigned inputs, unsigned hi, bool both)
{
    snprintf(text, 1024,
             "ir 1 two\nset server.y = 1\nset server.z = 1\n"
             "set server.s = 1\nparam @p : int = [3]\nconst @a : int = [0]\n"
             "const @b : int = [%u]\n{\n"
             "%%0 = input { name = @x } : int[%u] in 0..%u\n"
             "%%1 = gather %%0 { index = @a } : int\n"
             "%%2 = gather %%0 { index = @b } : int\n"
             "%%3 = constant { data = @p } : int\n"
             "%%4 = mul %%2, %%3 : int\n"
             "%%5 = maximum %%1, %%4 : int\n"
             "%%6 = mul %%1, %%4 : int\n"
             "%%7 = mul %%0, %%3 : int[%u]\n"
             "%%8 = sum %%7 { axis = 0 } : int\n"
             "%%9 = less %%3, %%8 : int\n"
             "output %%5 { name = @y }\noutput %%6 { name = @z }\n"
             "%s}\n",
             inputs - 1, inputs, hi, inputs,
             both ? "output %9 { name = @s }\n" : "");
    return text;
}

START_TEST(few_values_are_one_table)
{
    char text[1024];
    struct counted c = count(text_of(text, 2, 255, false));

    ck_assert_uint_eq(c.tables, 2); /* of the same bits */
    ck_assert_uint_eq(c.expansions, 1);
    ck_assert_uint_eq(c.bootstraps, 0);
    /* only two elements of many count */
    c = count(text_of(text, 40, 255, false));
    ck_assert_uint_eq(c.tables, 2);
    /* too many of them */
    c = count(text_of(text, 2, 4095, false));
    ck_assert_uint_eq(c.tables, 0);
    ck_assert_uint_gt(c.bootstraps, 0);
    /* one answer that cannot be: none is, the keys differ */
    c = count(text_of(text, 40, 15, true));
    ck_assert_uint_eq(c.tables, 0);
    ck_assert_uint_gt(c.bootstraps, 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("bit_table");
    TCase *t = tcase_create("core");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, rows_are_exact, 0, 3 * SHAPES);
    tcase_add_loop_test(t, plain_rows_are_exact, 0, SHAPES);
    tcase_add_test(t, noise_is_that_of_its_products);
    tcase_add_test(t, few_values_are_one_table);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
