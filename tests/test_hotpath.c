/* What compiled code calls neither allocates nor locks nor maps: the linker
 * wraps every function that would, and each call of abi.def is watched, with
 * each table of kernels.  Toy parameters, named insecure. */
#define _GNU_SOURCE
#include "tests/rig.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

static bool watching;
static unsigned seen;

#define WRAP(type, name, params, args) \
    type __wrap_##name params; \
    type __real_##name params; \
    type __wrap_##name params \
    { \
        seen += watching; \
        return __real_##name args; \
    }
WRAP(void *, malloc, (size_t n), (n))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *p, size_t n), (p, n))
WRAP(void *, aligned_alloc, (size_t to, size_t n), (to, n))
WRAP(int, posix_memalign, (void **p, size_t to, size_t n), (p, to, n))
WRAP(void *, mmap,
     (void *at, size_t n, int prot, int flags, int fd, off_t from),
     (at, n, prot, flags, fd, from))
WRAP(int, pthread_mutex_lock, (pthread_mutex_t * m), (m))
WRAP(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m))

void __wrap_free(void *p);
void __real_free(void *p);
void
__wrap_free(void *p)
{
    seen += watching;
    __real_free(p);
}

enum { COUNT = 8, TABLES = 8 };

static const struct cmlrt_set insecure_sets[] = {
    { 1, 8, 20, 1, 17, 3, 4, 40, 30, false, { 0 }, { 0 } },
    { 2,
      9,
      20,
      3,
      12,
      3,
      4,
      40,
      30,
      false,
      { 5, 9, 4, 12, 4, 6, 3, 40, 44 },
      { 0 } },
};
static const int64_t numbers[COUNT] = { 1, 2, 3, 0, 5, 6, 7, 4 };
static const uint64_t words[COUNT] = { 1, 2, 3, 0, 5, 6, 7, 4 };
static const struct cmlrt_place place = { 0 };
static const struct cmlrt_matmul product = { numbers, 4, 2, NULL };
static const struct cmlrt_border border = { 0 };
static const struct cmlrt_sum sum = { 2, 2 };
static const struct cmlrt_table table = { numbers, 1, 3, 0, 60, 58, 0 };
static const struct cmlrt_table wide_table = { numbers, 1, 3, 0, 61, 58, 0 };
static const struct cmlrt_reply reply = { -1, 64, 0, 0 };
static const struct cmlrt_extract extract = { 0, 0, COUNT };

static void
all_calls(struct cmlrt_env *env, uint64_t *y, const uint64_t *x)
{
    cmlrt_glwe_extract(env, y, x, &extract, 0, COUNT);
    cmlrt_lwe_add(env, y, x, x, 0, COUNT);
    cmlrt_lwe_sub(env, y, x, x, 0, COUNT);
    cmlrt_lwe_neg(env, y, x, NULL, 0, COUNT);
    cmlrt_lwe_gather(env, y, x, numbers, 0, COUNT);
    cmlrt_lwe_place(env, y, x, &place, 0, COUNT);
    cmlrt_lwe_add_clear(env, y, x, words, 0, COUNT);
    cmlrt_lwe_mul_clear(env, y, x, numbers, 0, COUNT);
    cmlrt_lwe_matmul_clear(env, y, x, &product, 0, 4);
    cmlrt_glwe_windows(env, y, x, &extract, 0, 1);
    cmlrt_glwe_matmul_clear(env, y, x, &product, 0, 4);
    cmlrt_lwe_sum(env, y, x, &sum, 0, 4);
    cmlrt_lwe_keyswitch(env, y, x, NULL, 0, COUNT);
    cmlrt_lwe_switch(env, y, x, &border, 0, COUNT);
    cmlrt_lwe_pbs(env, y, x, &table, 0, COUNT);
    if (env->set->wide.tr_levels)
        cmlrt_lwe_bit_lut(env, y, x, &wide_table, 0, COUNT);
    cmlrt_lwe_answer(env, y, x, &reply, 0, COUNT);
}

START_TEST(nothing_is_allocated_or_locked)
{
    const struct kernels *k = cmlrt_kernels_usable((size_t)_i / 2);
    struct cmlrt_hop own;
    uint64_t *x, *y;
    struct rig r;

    if (!k)
        return;
    watching = true;
    seen = 0;
    rig_open(&r, &insecure_sets[_i % 2], k, 1);
    watching = false;
    ck_assert_uint_gt(seen, 10); /* it can see */
    own = (struct cmlrt_hop){ r.eval->ks, r.eval->ksk };
    r.env.hop = &own;
    x = rig_alloc(COUNT * r.env.big * sizeof *x);
    y = rig_alloc(COUNT * r.env.big * sizeof *y);
    cmlrt_rng_bytes(&r.rng, x, COUNT * r.env.big * sizeof *x);
    watching = true;
    seen = 0;
    all_calls(&r.env, y, x);
    watching = false;
    ck_assert_uint_eq(seen, 0);
    free(x);
    free(y);
    rig_close(&r);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("hotpath");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, nothing_is_allocated_or_locked, 0, 2 * TABLES);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
