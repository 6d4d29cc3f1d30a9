/* No block of a secret stream is made twice: every block of ChaCha20 that keys,
 * encryptions and answers take is recorded on its way from libsodium, which the
 * linker wraps; so is getrandom, which fails here on request.  Toy parameters,
 * named insecure. */
#define _DEFAULT_SOURCE /* ssize_t */
#include "runtime/program/program.h"
#include "tests/rig.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* ---- the record: key, nonce (purpose, index) and number of a block */

struct block {
    uint8_t key[CMLRT_SEED], nonce[12];
    uint32_t number;
};

enum { MAX_BLOCKS = 1 << 20 };

static struct block *blocks;
static size_t nblocks;

int __wrap_crypto_stream_chacha20_ietf_xor_ic(
    unsigned char *c, const unsigned char *m, unsigned long long bytes,
    const unsigned char *nonce, uint32_t number, const unsigned char *key);
int __real_crypto_stream_chacha20_ietf_xor_ic(
    unsigned char *c, const unsigned char *m, unsigned long long bytes,
    const unsigned char *nonce, uint32_t number, const unsigned char *key);

int
__wrap_crypto_stream_chacha20_ietf_xor_ic(
    unsigned char *c, const unsigned char *m, unsigned long long bytes,
    const unsigned char *nonce, uint32_t number, const unsigned char *key)
{
    for (uint32_t i = 0; i < (bytes + 63) / 64; i++) {
        struct block *b = &blocks[nblocks++];

        if (nblocks > MAX_BLOCKS)
            abort();
        memcpy(b->key, key, sizeof b->key);
        memcpy(b->nonce, nonce, sizeof b->nonce);
        b->number = number + i;
    }
    return __real_crypto_stream_chacha20_ietf_xor_ic(c, m, bytes, nonce, number,
                                                     key);
}

static void
start(void)
{
    if (!blocks)
        blocks = rig_alloc(MAX_BLOCKS * sizeof *blocks);
    nblocks = 0;
}

static int
order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct block));
}

static size_t
repeated(void)
{
    size_t n = 0;

    qsort(blocks, nblocks, sizeof *blocks, order);
    for (size_t i = 1; i < nblocks; i++)
        n += order(&blocks[i - 1], &blocks[i]) == 0;
    return n;
}

/* Streams of a purpose, when sorted; 0 if some key is not one of `keys`. */
static size_t
streams(enum cmlrt_purpose purpose, const uint8_t *const *keys, size_t nkeys)
{
    size_t n = 0;

    for (size_t i = 0; i < nblocks; i++) {
        const struct block *b = &blocks[i];
        bool known = false;

        if (b->nonce[0] != (uint8_t)purpose)
            continue;
        for (size_t k = 0; k < nkeys; k++)
            known = known || memcmp(b->key, keys[k], sizeof b->key) == 0;
        if (!known)
            return 0;
        n += b->number == 0;
    }
    return n;
}

/* ---- the client */

/* clang-format off */
static const struct cmlrt_set insecure = { 2, 8, 6, 2, 15, 4, 4, 30, 17,
                                           false, { 0 }, { 0 } };
/* clang-format on */
enum { COUNT = 300, GLWES = 3, ROWS = 3 };
static const struct cml_piece pieces[] = {
    { COUNT, 0, 50, 0, 9, 0, 0, 0, 0, 64, 0 },
    { 7, 0, 50, 0, 9, COUNT, 2, COUNT, 0, 64, 0 }
};

static const uint8_t master[CMLRT_SEED] = { 1, 1 };
static const uint8_t key_seed[CMLRT_SEED] = { 2, 2 };
static const uint8_t file_seed[2][CMLRT_SEED] = { { 3, 3 }, { 4, 4 } };

static const struct cml_set insecure_set = {
    .k = 2,
    .log2_n = 8,
    .n = 6,
    .br_levels = 2,
    .br_log2_base = 15,
    .ks_levels = 4,
    .ks_log2_base = 4,
    .t_lwe = 30,
    .t_glwe = 17,
};

static struct cml_manifest
manifest(void)
{
    return (struct cml_manifest){
        .nsets = 1, .sets = &insecure_set, .npieces = 2, .pieces = pieces
    };
}

/* Two files of the same rows, as two runs of `encrypt`. */
static void
encrypt_files(struct cmlrt_secret *secret, struct cmlrt_pool *pool)
{
    const struct cml_manifest m = manifest();
    struct program p = { .m = &m,
                         .sets = { .n = 1, .at = { insecure } },
                         .layout = cmlrt_manifest_layout(&m) };
    const struct client c = { .secrets = { .at = { secret } } };
    const struct messages in = { ROWS, rig_alloc(ROWS * p.layout.messages
                                                 * sizeof(int64_t)) };
    uint64_t *words = rig_alloc(ROWS * p.layout.words * sizeof *words);

    ck_assert_uint_eq(p.layout.glwes, GLWES);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(client_encrypt(&p, words, &c, file_seed[i], &in, pool),
                         CML_E_ok);
    free(words);
    free(in.at);
}

START_TEST(the_client_uses_no_stream_twice)
{
    const size_t rows = insecure.n * cmlrt_ggsw_rows(&insecure);
    const size_t big = cmlrt_big(&insecure);
    const uint8_t *const secret_key[] = { master };
    const uint8_t *const masks[] = { key_seed, file_seed[0], file_seed[1] };
    uint8_t noise[3][CMLRT_SEED], *payload;
    const uint8_t *const noises[] = { noise[0], noise[1], noise[2] };
    struct cmlrt_pool *pool = cmlrt_pool_new(1);
    struct cmlrt_secret *s;

    start();
    payload = rig_alloc(cmlrt_eval_bytes(&insecure));
    ck_assert_int_eq(cmlrt_secret_new(&s, &insecure, master), CML_E_ok);
    ck_assert_int_eq(cmlrt_eval_derive(payload, s, key_seed, pool), CML_E_ok);
    encrypt_files(s, pool);
    ck_assert_uint_eq(repeated(), 0);
    for (size_t i = 0; i < 3; i++)
        cmlrt_secret_noise(noise[i], s, masks[i]);
    ck_assert_uint_eq(streams(CMLRT_BIG_KEY, secret_key, 1), 1);
    ck_assert_uint_eq(streams(CMLRT_SMALL_KEY, secret_key, 1), 1);
    ck_assert_uint_eq(streams(CMLRT_MASK, masks + 1, 2), 2 * ROWS * GLWES);
    ck_assert_uint_eq(streams(CMLRT_KSK_MASK, masks, 1), big);
    ck_assert_uint_eq(streams(CMLRT_BSK_MASK, masks, 1), rows);
    ck_assert_uint_eq(streams(CMLRT_ZERO_MASK, masks, 1), insecure.k);
    ck_assert_uint_eq(streams(CMLRT_NOISE, noises, 3),
                      insecure.k + big + rows + 2 * ROWS * GLWES);
    cmlrt_secret_free(s);
    cmlrt_pool_free(pool);
    free(payload);
}
END_TEST

/* Who knows the seeds of the masks does not know those of the noise. */
START_TEST(noise_depends_on_the_master_key_and_the_file)
{
    const uint8_t other[CMLRT_SEED] = { 1, 2 };
    uint8_t noise[3][CMLRT_SEED];
    struct cmlrt_secret *s[2];

    start();
    ck_assert_int_eq(cmlrt_secret_new(&s[0], &insecure, master), CML_E_ok);
    ck_assert_int_eq(cmlrt_secret_new(&s[1], &insecure, other), CML_E_ok);
    cmlrt_secret_noise(noise[0], s[0], file_seed[0]);
    cmlrt_secret_noise(noise[1], s[1], file_seed[0]);
    cmlrt_secret_noise(noise[2], s[0], file_seed[1]);
    ck_assert_mem_ne(noise[0], noise[1], CMLRT_SEED);
    ck_assert_mem_ne(noise[0], noise[2], CMLRT_SEED);
    ck_assert_mem_ne(noise[0], file_seed[0], CMLRT_SEED);
    ck_assert_mem_ne(noise[0], master, CMLRT_SEED);
    cmlrt_secret_free(s[0]);
    cmlrt_secret_free(s[1]);
}
END_TEST

/* ---- the server: two steps of answers, of zeros */

enum { ANSWERS = 5 };

static void
answer_step(struct cmlrt_env *env, uint64_t *const *value, int64_t begin,
            int64_t end)
{
    static const struct cmlrt_reply reply = { 40, 64, 0, 0 };

    memset(value[0] + (size_t)begin * env->big, 0,
           (size_t)(end - begin) * env->big * sizeof *value[0]);
    cmlrt_lwe_answer(env, value[0], value[0], &reply, begin, end);
}

static enum cml_status
run_answers(struct cmlrt_eval *eval, const struct kernels *kernels,
            unsigned threads)
{
    const struct cmlrt_evals evals = { .at = { eval } };
    const struct cml_value value = { ANSWERS, 0, 0, 0, 0 };
    const struct cml_answer answer = { ANSWERS, 0, 0, 50, 0, 9, 0, 64, 0 };
    struct cml_step step[2] = { { .items = ANSWERS }, { .items = ANSWERS } };
    struct cml_manifest m = manifest();
    struct cmlrt_pool *pool = cmlrt_pool_new(threads);
    struct cmlrt_job job = { .m = &m,
                             .mode = CMLRT_ENCRYPTED,
                             .evals = &evals,
                             .kernels = kernels,
                             .pool = pool,
                             .mask_seed = file_seed[0],
                             .rows = ROWS };
    cml_step_fn *const run = answer_step;
    enum cml_status status;
    uint8_t *out;

    memcpy(&step[0].run, &run, sizeof run);
    memcpy(&step[1].run, &run, sizeof run);
    m.values = &value;
    m.nvalues = 1;
    m.answers = &answer;
    m.nanswers = 1;
    m.steps = step;
    m.nsteps = 2;
    job.words = rig_alloc(ROWS * cmlrt_manifest_layout(&m).words * 8);
    out = rig_alloc(ROWS * cmlrt_manifest_layout(&m).reply_bytes);
    status = cmlrt_engine_run(&job, out);
    free(out);
    free(job.words);
    cmlrt_pool_free(pool);
    return status;
}

/* Each run has a seed for each step; each answer takes k u's, k e's of 32 bits
 * a coefficient, one for the body, and the flood. */
START_TEST(the_server_uses_no_stream_twice)
{
    const struct kernels *k = cmlrt_kernels_select(NULL);
    const size_t n = cmlrt_ring_degree(&insecure);
    const size_t bytes = (insecure.k * n + 1) * sizeof(uint64_t)
                         + (insecure.k * n + 1) * sizeof(uint32_t);
    struct rig r;

    start();
    rig_open(&r, &insecure, k, 1);
    nblocks = 0;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(run_answers(r.eval, k, 1), CML_E_ok);
    ck_assert_uint_eq(repeated(), 0);
    ck_assert_uint_ge(nblocks * 64, 3 * 2 * ROWS * ANSWERS * bytes);
    rig_close(&r);
}
END_TEST

/* ---- the system */

ssize_t __wrap_getrandom(void *out, size_t bytes, unsigned flags);
ssize_t __real_getrandom(void *out, size_t bytes, unsigned flags);

static enum { WORKS, FAILS, STUTTERS } system_randomness;

ssize_t
__wrap_getrandom(void *out, size_t bytes, unsigned flags)
{
    static unsigned calls;

    if (system_randomness == FAILS
        || (system_randomness == STUTTERS && calls++ % 2)) {
        errno = system_randomness == FAILS ? ENOSYS : EINTR;
        return -1;
    }
    if (system_randomness == STUTTERS && bytes > 5)
        bytes = 5;
    return __real_getrandom(out, bytes, flags);
}

START_TEST(nothing_works_without_randomness)
{
    const struct kernels *k = cmlrt_kernels_select(NULL);
    uint8_t zeros[CMLRT_SEED] = { 0 }, out[CMLRT_SEED] = { 0 }, *payload;
    struct rig r;

    start();
    rig_open(&r, &insecure, k, 1);
    payload = rig_alloc(cmlrt_eval_bytes(&insecure));
    system_randomness = FAILS;
    ck_assert(!cmlrt_system_random(out, sizeof out));
    ck_assert_int_eq(cmlrt_eval_generate(payload, r.secret, r.pool), CML_E_io);
    ck_assert_int_eq(run_answers(r.eval, k, 1), CML_E_io);
    system_randomness = STUTTERS;
    ck_assert(cmlrt_system_random(out, sizeof out));
    ck_assert_mem_ne(out + CMLRT_SEED - 5, zeros, 5);
    free(payload);
    rig_close(&r);
}
END_TEST

/* Every bit of the masks of keyswitch keys and of inputs is a coin. */
START_TEST(masks_have_all_their_bits)
{
    static const int64_t message[1] = { 0 };
    const size_t levels = insecure.ks_levels, n = insecure.n;
    const size_t words = cmlrt_big(&insecure) * levels * n;
    size_t ones[32] = { 0 }, high[64] = { 0 };
    uint32_t *masks;
    uint64_t *lwe;
    struct rig r;

    start();
    rig_open(&r, &insecure, cmlrt_kernels_select(NULL), 2);
    masks = rig_alloc(levels * n * sizeof *masks);
    lwe = rig_alloc(r.env.big * sizeof *lwe);
    for (size_t i = 0; i < words; i++) {
        if (i % (levels * n) == 0)
            cmlrt_ksk_masks(masks, &insecure, key_seed, i / (levels * n));
        for (size_t b = 0; b < 32; b++)
            ones[b] += masks[i % (levels * n)] >> b & 1;
    }
    for (uint64_t i = 0; i < 20; i++) {
        rig_encrypt(&r, lwe, message, 1, 50, i);
        for (size_t w = 0; w + 1 < r.env.big; w++)
            for (size_t b = 0; b < 64; b++)
                high[b] += lwe[w] >> b & 1;
    }
    /* five deviations of sqrt(words) / 2 */
    for (size_t b = 0; b < 32; b++)
        ck_assert_double_lt(pow(2.0 * (double)ones[b] - (double)words, 2),
                            25 * (double)words);
    for (size_t b = 0; b < 64; b++)
        ck_assert_double_lt(
            pow(2.0 * (double)high[b] - 20 * (double)(r.env.big - 1), 2),
            25 * 20 * (double)(r.env.big - 1));
    free(masks);
    free(lwe);
    rig_close(&r);
}
END_TEST

/* The test itself: a stream that is opened again is found. */
START_TEST(a_stream_that_returns_is_found)
{
    uint8_t out[2000];
    struct cmlrt_rng g;

    start();
    cmlrt_rng_init(&g, master, CMLRT_NOISE, 7);
    cmlrt_rng_bytes(&g, out, sizeof out);
    cmlrt_rng_bytes(&g, out, sizeof out);
    ck_assert_uint_eq(repeated(), 0);
    cmlrt_rng_init(&g, master, CMLRT_NOISE, 7);
    (void)cmlrt_rng_u64(&g);
    ck_assert_uint_gt(repeated(), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("streams");
    TCase *tc = tcase_create("core");
    SRunner *sr;
    int failed;

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, a_stream_that_returns_is_found);
    tcase_add_test(tc, the_client_uses_no_stream_twice);
    tcase_add_test(tc, noise_depends_on_the_master_key_and_the_file);
    tcase_add_test(tc, the_server_uses_no_stream_twice);
    tcase_add_test(tc, nothing_works_without_randomness);
    tcase_add_test(tc, masks_have_all_their_bits);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
