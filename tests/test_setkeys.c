/* Keys of several sets: secrets from one master, noise of keyswitches between
 * sets against (14) and (15), and their file.  Toy parameters, named insecure,
 * but for the switches of `real`, which have the dimensions, gadgets and noise
 * that the search chooses; what they do not use is small. */
#define _POSIX_C_SOURCE 200809L

#include "passes/model.h"
#include "runtime/serial.h"
#include "tests/chi.h"
#include "tests/rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* k, log2 N, n, bootstrap, keyswitch (levels, base), noise, ternary */
/* clang-format off */
static const struct cmlrt_sets insecure = {
    .n = 3,
    .switches = 6,
    .at = { { 1, 9, 24, 1, 23, 4, 4, 30, 17, false, { 0 }, { 0 } },
            { 2, 8, 20, 2, 15, 5, 3, 30, 17, false, { 0 }, { 0 } },
            { 1, 8, 16, 3, 11, 3, 5, 30, 17, false, { 0 }, { 0 } } },
    /* from, to, big, levels, base, noise: the key's noise alone, the rounding
     * alone, both */
    .sw = { { 0, 1, false, 5, 5, 50 }, { 1, 2, false, 4, 3, 34 },
            { 2, 0, false, 5, 4, 40 }, { 1, 0, true, 5, 5, 50 },
            { 0, 2, true, 4, 3, 34 },  { 2, 1, true, 9, 3, 33 } },
};
static const struct cmlrt_sets insecure_but_switches = {
    .n = 2,
    .switches = 3,
    .at = { { 2, 10, 799, 1, 4, 1, 1, 48, 17, false, { 0 }, { 0 } },
            { 1, 13,  10, 1, 4, 1, 1, 44,  3, false, { 0 }, { 0 } } },
    .sw = { { 1, 0, true, 3, 7, 35 }, { 1, 0, false, 3, 4, 48 },
            { 0, 1, true, 4, 6, 35 } },
};
/* clang-format on */

static const uint8_t master[CMLRT_SEED] = { 9, 8, 7 };

/* ---- secrets */

START_TEST(sets_have_secrets_of_their_own)
{
    const struct cmlrt_sets same = {
        .n = 3, .at = { insecure.at[0], insecure.at[0], insecure.at[0] }
    };
    const size_t big = cmlrt_big(&same.at[0]) * sizeof(uint64_t);
    struct cmlrt_secrets a, b;
    struct cmlrt_secret *alone;

    ck_assert_int_eq(cmlrt_secrets_new(&a, &same, master), CML_E_ok);
    ck_assert_int_eq(cmlrt_secrets_new(&b, &same, master), CML_E_ok);
    ck_assert_int_eq(cmlrt_secret_new(&alone, &same.at[0], master), CML_E_ok);
    ck_assert_mem_eq(a.at[0]->big, alone->big, big);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_mem_eq(a.at[i]->big, b.at[i]->big, big);
        for (size_t j = 0; j < i; j++) {
            ck_assert_mem_ne(a.at[i]->big, a.at[j]->big, big);
            ck_assert_mem_ne(a.at[i]->master, a.at[j]->master, CMLRT_SEED);
        }
    }
    cmlrt_secret_free(alone);
    cmlrt_secrets_free(&a);
    cmlrt_secrets_free(&b);
}
END_TEST

/* ---- noise */

struct keys {
    struct cmlrt_secrets secrets;
    struct cmlrt_evals *evals;
    struct cmlrt_pool *pool;
    uint8_t *payload;
};

/* The payload that cmlrt_sets_generate makes, with seeds that come back. */
static void
derive(uint8_t *to, const struct keys *k, uint8_t seed)
{
    const struct cmlrt_sets *sets = &k->secrets.sets;
    uint8_t own[CMLRT_SEED] = { seed, 2 };

    for (size_t i = 0; i < sets->n; i++, own[2]++) {
        ck_assert_int_eq(cmlrt_eval_derive(to, k->secrets.at[i], own, k->pool),
                         CML_E_ok);
        to += cmlrt_eval_bytes(&sets->at[i]);
    }
    for (size_t i = 0; i < sets->switches; i++, own[2]++) {
        ck_assert_int_eq(cmlrt_switch_derive(to, &k->secrets, i, own, k->pool),
                         CML_E_ok);
        to += cmlrt_switch_bytes(sets, i);
    }
    ck_assert_ptr_eq(to, k->payload + cmlrt_sets_bytes(sets));
}

static void
open_keys(struct keys *k, const struct cmlrt_sets *sets, uint8_t seed)
{
    const uint8_t own[CMLRT_SEED] = { seed, 1 };
    const struct kernels *kernels = cmlrt_kernels_select(NULL);

    k->pool = cmlrt_pool_new(1);
    k->payload = rig_alloc(cmlrt_sets_bytes(sets));
    ck_assert_int_eq(cmlrt_secrets_new(&k->secrets, sets, own), CML_E_ok);
    derive(k->payload, k, seed);
    ck_assert_int_eq(
        cmlrt_evals_load(&k->evals, sets, k->payload, kernels, k->pool),
        CML_E_ok);
}

static void
close_keys(struct keys *k)
{
    cmlrt_secrets_free(&k->secrets);
    cmlrt_evals_free(k->evals);
    cmlrt_pool_free(k->pool);
    free(k->payload);
}

static uint64_t
phase_of(const struct keys *k, size_t sw, const uint64_t *lwe)
{
    const struct cmlrt_sets *sets = &k->secrets.sets;
    const struct cmlrt_secret *to = k->secrets.at[sets->sw[sw].to];
    const uint64_t *key = sets->sw[sw].big ? to->big : to->small;
    const size_t n = cmlrt_switch_outputs(sets, sw);
    uint64_t phase = lwe[n];

    for (size_t i = 0; i < n; i++)
        phase -= lwe[i] * key[i];
    return phase;
}

/* What the switch adds to random ciphertexts, `each` of them. */
static void
measure(double *x, size_t each, const struct keys *k, size_t sw, uint8_t seed)
{
    const struct cmlrt_sets *sets = &k->secrets.sets;
    const uint32_t from = sets->sw[sw].from;
    const struct cmlrt_border border = { (int64_t)sw };
    const uint8_t own[CMLRT_SEED] = { seed, 2 };
    struct cmlrt_env env = { .set = &sets->at[from],
                             .eval = k->evals->at[from],
                             .hop = k->evals->hop,
                             .big = cmlrt_big(&sets->at[from]) + 1 };
    uint64_t *in = rig_alloc(env.big * sizeof *in);
    uint64_t *out =
        rig_alloc((cmlrt_switch_outputs(sets, sw) + 1) * sizeof *out);
    struct cmlrt_rng g;

    env.scratch =
        rig_alloc(cmlrt_sets_scratch(sets, cmlrt_kernels_select(NULL)));
    cmlrt_rng_init(&g, own, CMLRT_ANSWER, 0);
    for (size_t i = 0; i < each; i++) {
        cmlrt_rng_bytes(&g, in, env.big * sizeof *in);
        cmlrt_lwe_switch(&env, out, in, &border, 0, 1);
        x[i] =
            torus(phase_of(k, sw, out) - cmlrt_phase(k->secrets.at[from], in));
    }
    free(env.scratch);
    free(in);
    free(out);
}

/* (14) and (15) */
static double
v_switch(const struct cmlrt_sets *sets, size_t i)
{
    const struct cmlrt_switch *s = &sets->sw[i];
    const struct model_gadget g = { s->levels, s->log2_base };

    return (double)cmlrt_switch_inputs(sets, i)
               * model_v_ks1(g, model_v_tuniform(s->t, 64) + MODEL_V_ROUND32)
           + MODEL_V_ROUND32;
}

START_TEST(switch_noise)
{
    enum { KEYS = 8, EACH = 150 };
    static double x[CMLRT_MAX_SWITCHES][KEYS * EACH];

    for (size_t key = 0; key < KEYS; key++) {
        struct keys k;

        open_keys(&k, &insecure, (uint8_t)(100 + key));
        for (size_t i = 0; i < insecure.switches; i++)
            measure(x[i] + key * EACH, EACH, &k, i, (uint8_t)key);
        close_keys(&k);
    }
    for (size_t i = 0; i < insecure.switches; i++)
        CHECK_VARIANCE(x[i], KEYS * EACH, v_switch(&insecure, i));
}
END_TEST

/* of dimensions that are used; one key, whose rows are many */
START_TEST(real_switch_noise)
{
    enum { EACH = 200 };
    double x[EACH];
    struct keys k;

    open_keys(&k, &insecure_but_switches, 77);
    for (size_t i = 0; i < insecure_but_switches.switches; i++) {
        measure(x, EACH, &k, i, 1);
        CHECK_VARIANCE(x, EACH, v_switch(&insecure_but_switches, i));
    }
    close_keys(&k);
}
END_TEST

/* ---- files */

static char folder[] = "/tmp/cml-sets-XXXXXX";

static enum cml_status
make(void *arg, const struct cmlrt_outlet *out)
{
    const struct keys *k = arg;

    return cmlrt_sets_stream(out, &k->secrets, k->pool);
}

static bool
loads(const struct cmlrt_sets *sets)
{
    uint8_t id[CMLRT_ID];
    struct cmlrt_expect want = { .type = CMLRT_EVAL_KEY,
                                 .fixed = cmlrt_sets_bytes(sets) };
    struct cmlrt_file file = { .memory = NULL };
    struct cml_fault f;
    enum cml_status s;

    cmlrt_sets_id(id, sets);
    want.params = id;
    s = cmlrt_load(&file, "key", &want, &f);
    cmlrt_unload(&file);
    ck_assert(s == CML_E_ok || s == CML_E_mismatch);
    return s == CML_E_ok;
}

static void
flip(FILE *file, long at)
{
    int c;

    ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
    c = fgetc(file);
    ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
    ck_assert_int_ne(fputc(c ^ 4, file), EOF);
    ck_assert_int_eq(fflush(file), 0);
}

/* The made file has room for all sets and switches, and is refused by a program
 * with others, when it is cut, and with a bit flipped in any part. */
START_TEST(files_of_several_sets)
{
    const size_t payload = cmlrt_sets_bytes(&insecure);
    const long whole = CMLRT_HEADER + (long)payload + CMLRT_TAIL;
    struct cmlrt_header h = { .type = CMLRT_EVAL_KEY, .version = "9.9" };
    struct cmlrt_sets other = insecure;
    struct cml_fault f;
    struct keys k;
    FILE *file;

    open_keys(&k, &insecure, 3);
    cmlrt_sets_id(h.params, &insecure);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(cmlrt_save_made("key", &h, make, &k, 0, &f), CML_E_ok);
    ck_assert(loads(&insecure));
    other.sw[5].levels--; /* shorter, and another id */
    ck_assert(!loads(&other));
    other.sw[5].levels++;
    other.sw[5].t++; /* as long */
    ck_assert(!loads(&other));
    other = insecure;
    other.at[2].t_lwe++;
    ck_assert(!loads(&other));
    other = insecure;
    other.n = 1, other.switches = 0;
    ck_assert(!loads(&other));
    file = fopen("key", "r+b");
    ck_assert_ptr_nonnull(file);
    for (long at = whole - 1; at > 0; at -= at / 7 + 1) {
        flip(file, at);
        ck_assert_msg(!loads(&insecure), "with bit flipped at %ld", at);
        flip(file, at);
    }
    ck_assert(loads(&insecure));
    (void)fclose(file);
    for (long cut = whole - 1; cut > 200; cut -= cut / 3) {
        ck_assert_int_eq(truncate("key", cut), 0);
        ck_assert_msg(!loads(&insecure), "with %ld bytes", cut);
    }
    ck_assert_int_eq(unlink("key"), 0);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_msg(rmdir(folder) == 0, "%s: %s", folder, strerror(errno));
    close_keys(&k);
}
END_TEST

/* One set and no switch has the id that it always had. */
START_TEST(ids_tell_sets_apart)
{
    const struct cmlrt_sets one = { .n = 1, .at = { insecure.at[0] } };
    uint8_t a[CMLRT_ID], b[CMLRT_ID];
    struct cmlrt_sets other = insecure;

    cmlrt_params_id(a, &insecure.at[0]);
    cmlrt_sets_id(b, &one);
    ck_assert_mem_eq(a, b, CMLRT_ID);
    cmlrt_sets_id(a, &insecure);
    ck_assert_mem_ne(a, b, CMLRT_ID);
    other.sw[0].big = !other.sw[0].big;
    cmlrt_sets_id(b, &other);
    ck_assert_mem_ne(a, b, CMLRT_ID);
    other = insecure;
    other.at[1] = insecure.at[2], other.at[2] = insecure.at[1];
    cmlrt_sets_id(b, &other);
    ck_assert_mem_ne(a, b, CMLRT_ID);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("setkeys");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, sets_have_secrets_of_their_own);
    tcase_add_test(tc, switch_noise);
    tcase_add_test(tc, real_switch_noise);
    tcase_add_test(tc, files_of_several_sets);
    tcase_add_test(tc, ids_tell_sets_apart);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
