/* Evaluation keys made in pieces, written while they are made and mapped: the
 * same bytes, and nothing left behind by a failure.  Toy parameters, named
 * insecure. */
#define _POSIX_C_SOURCE 200809L

#include "runtime/serial.h"
#include "tests/rig.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* k, log2 N, n, bootstrap, keyswitch (levels, base), noise, ternary; the last
 * three have no tables, of which two have the keys of leveled circuits, with
 * that of s^2 and without */
/* clang-format off */
static const struct cmlrt_set insecure[] = {
    { 1, 10, 24, 1, 23, 4, 4, 30, 17, false, { 0 }, { 0 } },
    { 2,  9, 20, 2, 15, 5, 3, 30, 17, false, { 0 }, { 0 } },
    { 3,  8, 16, 3, 11, 3, 5, 30, 17, false, { 0 }, { 0 } },
    { 2,  8,  0, 0,  0, 0, 0,  0, 20, true, { 0 }, { 0 } },
    { 1,  8,  0, 0,  0, 0, 0,  0, 20, true, { 0 },
      { 2, 3, { 5, 3, 2 }, { 3, 4, 7 }, 2, 11, 0 } },
    { 1, 8,  0, 0,  0, 0, 0,  0, 20, true, { 0 },
      { 4, 2, { 4, 3 }, { 4, 5 }, 0, 0, 3 } },
};
/* clang-format on */

static const uint8_t any_seed[CMLRT_SEED] = { 7, 1, 2, 3 };

/* What an outlet got; the put that is `left` to 0 fails. */
struct got {
    uint8_t *at;
    size_t bytes, puts, most, left;
};

static bool
take(void *arg, const void *at, size_t bytes)
{
    struct got *g = arg;

    if (g->left-- == 0)
        return false;
    memcpy(g->at + g->bytes, at, bytes);
    g->bytes += bytes;
    g->most = bytes > g->most ? bytes : g->most;
    g->puts++;
    return true;
}

/* Pieces of any size, and any number of threads, give the key that is made in
 * memory, front to back. */
START_TEST(keys_in_pieces_are_the_same)
{
    const struct cmlrt_set *set = &insecure[1 + _i / 3];
    struct cmlrt_pool *pool = cmlrt_pool_new(1 + (unsigned)_i % 3);
    const size_t bytes = cmlrt_eval_bytes(set);
    const size_t body = cmlrt_ring_degree(set) * sizeof(uint64_t);
    const size_t piece[] = { 0, 1000, 3 * body + 1, bytes };
    struct got g = { .at = rig_alloc(bytes) };
    uint8_t *want = rig_alloc(bytes);
    struct rig r;

    rig_open(&r, set, cmlrt_kernels_select(NULL), 52);
    ck_assert_int_eq(cmlrt_eval_derive(want, r.secret, any_seed, r.pool),
                     CML_E_ok);
    for (size_t i = 0; i < 4; i++) {
        const struct cmlrt_outlet out = { take, &g, piece[i] };

        memset(g.at, 0, bytes);
        g.bytes = g.most = g.puts = 0;
        g.left = SIZE_MAX;
        ck_assert_int_eq(
            cmlrt_eval_derive_stream(&out, r.secret, any_seed, pool), CML_E_ok);
        ck_assert_uint_eq(g.bytes, bytes);
        ck_assert_mem_eq(g.at, want, bytes);
        ck_assert_uint_le(g.most, piece[i] > body ? piece[i] : body);
    }
    cmlrt_pool_free(pool);
    rig_close(&r);
    free(g.at);
    free(want);
}
END_TEST

/* The put that fails is the last one, wherever it is. */
START_TEST(an_outlet_can_stop_the_making)
{
    struct cmlrt_pool *pool = cmlrt_pool_new(2);
    struct got g = { .at = rig_alloc(cmlrt_eval_bytes(&insecure[2])) };
    const struct cmlrt_outlet out = { take, &g, 10000 };
    enum cml_status status = CML_E_io;
    struct rig r;

    rig_open(&r, &insecure[2], cmlrt_kernels_select(NULL), 53);
    for (size_t fails = 0; status == CML_E_io; fails++) {
        g.bytes = g.puts = 0;
        g.left = fails;
        status = cmlrt_eval_derive_stream(&out, r.secret, any_seed, pool);
        ck_assert_uint_eq(g.puts, fails);
        ck_assert_uint_le(fails, 1000);
    }
    ck_assert_int_eq(status, CML_E_ok);
    ck_assert_uint_eq(g.bytes, cmlrt_eval_bytes(&insecure[2]));
    ck_assert_uint_gt(g.puts, 4);
    cmlrt_pool_free(pool);
    rig_close(&r);
    free(g.at);
}
END_TEST

/* ---- files of keys; names in a folder of their own */

static char folder[] = "/tmp/cml-keys-XXXXXX";

static void
enter_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

/* It is empty: nothing was left beside the files that the test took away. */
static void
leave_folder(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_msg(rmdir(folder) == 0, "%s: %s", folder, strerror(errno));
}

static enum cml_status
make(void *arg, const struct cmlrt_outlet *out)
{
    const struct rig *r = arg;

    return cmlrt_eval_derive_stream(out, r->secret, any_seed, r->pool);
}

static struct cmlrt_header
header_of(const struct cmlrt_set *set)
{
    struct cmlrt_header h = { .type = CMLRT_EVAL_KEY, .version = "9.9" };

    cmlrt_params_id(h.params, set);
    return h;
}

/* The file that is written as its key is made is that of a whole key; mapped,
 * it reads as it was made. */
START_TEST(key_files_are_the_same)
{
    const struct cmlrt_set *set = &insecure[1 + _i];
    const size_t bytes = cmlrt_eval_bytes(set);
    uint8_t *payload = rig_alloc(bytes);
    const struct cmlrt_part part = { payload, bytes };
    struct cmlrt_header a = header_of(set), b = a;
    struct cmlrt_expect want = {
        .type = CMLRT_EVAL_KEY, .params = a.params, .fixed = bytes, .map = true
    };
    struct cmlrt_file whole, made;
    struct cml_fault f;
    struct rig r;

    rig_open(&r, set, cmlrt_kernels_select(NULL), 54);
    enter_folder();
    ck_assert_int_eq(cmlrt_eval_derive(payload, r.secret, any_seed, r.pool),
                     CML_E_ok);
    cmlrt_key_id(a.key, payload, bytes);
    ck_assert_int_eq(cmlrt_save("whole", &a, &part, 1, CMLRT_ONCE, &f),
                     CML_E_ok);
    ck_assert_int_eq(cmlrt_save_made("made", &b, make, &r, CMLRT_ONCE, &f),
                     CML_E_ok);
    ck_assert_mem_eq(a.key, b.key, CMLRT_ID);
    ck_assert_int_eq(cmlrt_load(&made, "made", &want, &f), CML_E_ok);
    ck_assert(made.mapped);
    want.map = false;
    want.pool = r.pool;
    ck_assert_int_eq(cmlrt_load(&whole, "whole", &want, &f), CML_E_ok);
    ck_assert(!whole.mapped);
    ck_assert_uint_eq(whole.room, made.room);
    ck_assert_mem_eq(whole.memory, made.memory, made.room);
    ck_assert_mem_eq(made.payload, payload, bytes);
    /* what stands there stays, and nothing is left beside it */
    ck_assert_int_eq(cmlrt_save_made("made", &b, make, &r, CMLRT_ONCE, &f),
                     CML_E_io);
    cmlrt_unload(&made);
    cmlrt_unload(&whole);
    ck_assert_int_eq(unlink("made") | unlink("whole"), 0);
    leave_folder();
    rig_close(&r);
    free(payload);
}
END_TEST

/* A file that is cut while it is mapped is an error of input, exit 3. */
START_TEST(a_mapped_file_that_is_cut_is_told)
{
    const struct cmlrt_set *set = &insecure[0];
    struct cmlrt_header h = header_of(set);
    const struct cmlrt_expect want = { .type = CMLRT_EVAL_KEY,
                                       .params = h.params,
                                       .fixed = cmlrt_eval_bytes(set),
                                       .map = true };
    volatile uint8_t last;
    struct cmlrt_file file;
    struct cml_fault f;
    struct rig r;

    rig_open(&r, set, cmlrt_kernels_select(NULL), 56);
    enter_folder();
    ck_assert_int_eq(cmlrt_save_made("made", &h, make, &r, 0, &f), CML_E_ok);
    ck_assert_int_eq(cmlrt_load(&file, "made", &want, &f), CML_E_ok);
    ck_assert(file.mapped);
    ck_assert_int_eq(truncate("made", CMLRT_HEADER), 0);
    ck_assert_int_eq(unlink("made"), 0);
    leave_folder();
    rig_close(&r);
    last = file.payload[file.bytes - 1];
    ck_abort_msg("read %u", last);
}
END_TEST

/* A disk that is full anywhere in the file leaves nothing of it. */
START_TEST(a_full_disk_leaves_no_key)
{
    const struct cmlrt_set *set = &insecure[2];
    const size_t bytes = CMLRT_HEADER + cmlrt_eval_bytes(set) + CMLRT_TAIL;
    const size_t full[] = { 0, 100, CMLRT_HEADER + 10, bytes / 2, bytes - 1 };
    struct cmlrt_header h = header_of(set);
    struct rlimit limit, old;
    struct cml_fault f;
    struct rig r;

    rig_open(&r, set, cmlrt_kernels_select(NULL), 55);
    enter_folder();
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    for (size_t i = 0; i < sizeof full / sizeof *full; i++) {
        limit.rlim_cur = full[i];
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        ck_assert_int_eq(cmlrt_save_made("made", &h, make, &r, 0, &f),
                         CML_E_io);
        ck_assert_ptr_nonnull(strstr(f.text, strerror(EFBIG)));
    }
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    leave_folder();
    rig_close(&r);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("keyfile");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, keys_in_pieces_are_the_same, 0, 15);
    tcase_add_test(tc, an_outlet_can_stop_the_making);
    tcase_add_loop_test(tc, key_files_are_the_same, 0, 5);
    tcase_add_exit_test(tc, a_mapped_file_that_is_cut_is_told, 3);
    tcase_add_test(tc, a_full_disk_leaves_no_key);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
