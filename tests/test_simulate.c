/* The simulator adds the noise that the manifest tells it, and no other. */
#include "runtime/engine.h"
#include "tests/chi.h"
#include "tests/rig.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1200 };

static const int64_t eights[8] = { 8, 8, 8, 8, 8, 8, 8, 8 };

START_TEST(simulated_noise)
{
    const struct cmlrt_set set = { .k = 1, .log2_n = 9, .n = 100 };
    const struct cmlrt_table t = { eights, 1, 3, 0, 60, 58, 0 };
    const struct cmlrt_reply reply = { -1, 64, 0, 0 };
    const struct cmlrt_extract all = { 0, 0, SAMPLES };
    static const uint64_t zeros[SAMPLES];
    uint64_t y[SAMPLES];
    double x[4][SAMPLES];
    struct rig r;

    rig_one_word(&r, &set, false);
    r.env.sd_fresh = 0x1p-30;
    r.env.sd_ks = 0x1p-25;
    r.env.sd_ms = 0x1p-7;
    r.env.sd_br = 0x1p-20;
    r.env.sd_zero = 0x1p-28;
    cmlrt_glwe_extract(&r.env, y, zeros, &all, 0, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        x[0][i] = torus(y[i]);
    cmlrt_lwe_keyswitch(&r.env, y, zeros, NULL, 0, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        x[1][i] = torus(y[i]);
    cmlrt_lwe_pbs(&r.env, y, zeros, &t, 0, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        x[2][i] = torus(y[i] - (UINT64_C(8) << 58));
    cmlrt_lwe_answer(&r.env, y, zeros, &reply, 0, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        x[3][i] = torus(y[i]);
    CHECK_VARIANCE(x[0], SAMPLES, 0x1p-60);
    CHECK_VARIANCE(x[1], SAMPLES, 0x1p-50);
    CHECK_VARIANCE(x[2], SAMPLES, 0x1p-40);
    CHECK_VARIANCE(x[3], SAMPLES, 0x1p-56);
    rig_close(&r);
}
END_TEST

static void
cut_step(struct cmlrt_env *env, uint64_t *const *value, int64_t begin,
         int64_t end)
{
    static const struct cmlrt_reply reply = { -1, 32, 0, 0 };

    memset(value[0] + begin, 0, (size_t)(end - begin) * sizeof *value[0]);
    cmlrt_lwe_answer(env, value[0], value[0], &reply, begin, end);
}

/* The engine tells the simulator all of (72). */
START_TEST(simulated_cut)
{
    const struct cml_value value = { SAMPLES, 0, 0, 0, 0 };
    const struct cml_answer answer = { SAMPLES, 0, 0, 50, 0, 9, 0, 32, 0 };
    struct cml_step step = { .items = SAMPLES };
    const struct cml_set set = { .k = 1 + _i, .log2_n = 12, .ternary = _i };
    const struct cml_manifest m = { .nsets = 1,
                                    .sets = &set,
                                    .nvalues = 1,
                                    .values = &value,
                                    .nanswers = 1,
                                    .answers = &answer,
                                    .nsteps = 1,
                                    .steps = &step };
    struct cmlrt_pool *pool = cmlrt_pool_new(1);
    uint64_t none = 0, *y = rig_alloc(SAMPLES * sizeof *y);
    const struct cmlrt_job job = { .m = &m,
                                   .mode = CMLRT_SIMULATED,
                                   .kernels = cmlrt_kernels_select("ref"),
                                   .pool = pool,
                                   .rows = 1,
                                   .words = &none };
    const double norm2 = _i ? 2 * 4096 * 2.0 / 3 : 4096 / 2.0;
    cml_step_fn *const run = cut_step;
    double x[SAMPLES];

    memcpy(&step.run, &run, sizeof run);
    ck_assert_int_eq(cmlrt_engine_run(&job, (uint8_t *)y), CML_E_ok);
    for (size_t i = 0; i < SAMPLES; i++)
        x[i] = torus(y[i]);
    CHECK_VARIANCE(x, SAMPLES, (1 + norm2) * 0x1p-64 / 12);
    cmlrt_pool_free(pool);
    free(y);
}
END_TEST

static struct cmlrt_env seen;
static double seen_hop;

static void
look(struct cmlrt_env *env, uint64_t *const *value, int64_t begin, int64_t end)
{
    (void)value;
    (void)begin;
    (void)end;
    seen = *env;
    seen_hop = env->sd_hop[1];
}

/* The simulator has the deviations of the manifest's variances, the clear has
 * none. */
START_TEST(simulated_deviations)
{
    struct cml_step step = { .items = 1, .set = 1 };
    const struct cml_set set[2] = { { .k = 1, .log2_n = 9 },
                                    { .k = 1,
                                      .log2_n = 8,
                                      .v_fresh = 0x1p-100,
                                      .v_ks = 0x1p-60,
                                      .v_ms = 0x1p-50,
                                      .v_br = 0x1p-70,
                                      .v_zero = 0x1p-90 } };
    const struct cml_switch sw[2] = { { .from = 1, .levels = 2, .v = 0x1p-80 },
                                      { .to = 1, .levels = 3, .v = 0x1p-40 } };
    const struct cml_manifest m = { .nsets = 2,
                                    .sets = set,
                                    .nswitches = 2,
                                    .switches = sw,
                                    .nsteps = 1,
                                    .steps = &step };
    struct cmlrt_pool *pool = cmlrt_pool_new(1);
    uint64_t none[2] = { 0, 0 };
    struct cmlrt_job job = { .m = &m,
                             .mode = CMLRT_SIMULATED,
                             .kernels = cmlrt_kernels_select("ref"),
                             .pool = pool,
                             .rows = 1,
                             .words = none };
    cml_step_fn *const run = look;

    memcpy(&step.run, &run, sizeof run);
    ck_assert_int_eq(cmlrt_engine_run(&job, (uint8_t *)&none[1]), CML_E_ok);
    ck_assert(seen.simulated && !seen.clear);
    ck_assert_double_eq(seen.sd_fresh, 0x1p-50);
    ck_assert_double_eq(seen.sd_ks, 0x1p-30);
    ck_assert_double_eq(seen.sd_ms, 0x1p-25);
    ck_assert_double_eq(seen.sd_br, 0x1p-35);
    ck_assert_double_eq(seen.sd_zero, 0x1p-45);
    ck_assert_double_eq(seen_hop, 0x1p-20);
    job.mode = CMLRT_CLEAR;
    ck_assert_int_eq(cmlrt_engine_run(&job, (uint8_t *)&none[1]), CML_E_ok);
    ck_assert(seen.clear && !seen.simulated);
    ck_assert(seen.sd_fresh + seen.sd_ks + seen.sd_ms + seen.sd_br
                  + seen.sd_zero + seen.sd_cut
              <= 0);
    cmlrt_pool_free(pool);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("simulate");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, simulated_noise);
    tcase_add_loop_test(tc, simulated_cut, 0, 2);
    tcase_add_test(tc, simulated_deviations);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
