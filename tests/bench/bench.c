/* Times of the runtime's kernels, one line a figure: name value unit.
 *
 *     bench [fft|lev|forest|matmul|pbs|A|B0|..|D]...     all of these without
 * arguments bench cost
 *
 * Names are those of the table in lang-spec/kernels.md.  A figure is the best
 * of its rounds, `_median` beside it; CML_KERNELS chooses the table.  No
 * verdict: machines differ and neighbours interfere, so compare ratios of one
 * run (run.sh).
 */
#define _POSIX_C_SOURCE 200809L
#include "runtime/inner.h"
#include "tests/bench/bench_forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WITH_FFTW
#include <fftw3.h>
#endif

enum { MAX_ROUNDS = 200, HOT = 400, BATCHES = 4 };

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *
get(size_t bytes)
{
    void *p = cmlrt_alloc(bytes);

    if (!p) {
        fputs("bench: out of memory\n", stderr);
        exit(75);
    }
    return p;
}

/* ---- rounds */

struct rounds {
    double at[MAX_ROUNDS];
    size_t n;
};

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
report(struct rounds *r, const char *name, double scale, const char *unit)
{
    qsort(r->at, r->n, sizeof *r->at, compare);
    printf("%s %.4f %s\n", name, r->at[0] * scale, unit);
    printf("%s_median %.4f %s\n", name, r->at[r->n / 2] * scale, unit);
    (void)fflush(stdout);
}

/* ---- transforms */

static void
bench_fft(const struct kernels *k, unsigned log2_n)
{
    const size_t n = (size_t)1 << log2_n;
    void *plan = get(k->plan_bytes(log2_n));
    double *row = get(n * sizeof *row), *points = get(n * sizeof *points);
    struct rounds fwd = { .n = MAX_ROUNDS }, inv = { .n = MAX_ROUNDS };
    char name[64];

    k->plan_init(plan, log2_n);
    for (size_t r = 0; r < MAX_ROUNDS; r++) {
        double t;

        for (size_t i = 0; i < n; i++)
            row[i] = (double)(i % 7) - 3;
        t = now();
        for (int i = 0; i < 20; i++)
            k->fft_fwd(points, row, plan);
        fwd.at[r] = (now() - t) / 20;
        t = now();
        for (int i = 0; i < 20; i++)
            k->fft_inv(row, points, plan);
        inv.at[r] = (now() - t) / 20;
    }
    (void)snprintf(name, sizeof name, "fft_fwd_N%zu", n);
    report(&fwd, name, 1e9, "ns");
    (void)snprintf(name, sizeof name, "fft_inv_N%zu", n);
    report(&inv, name, 1e9, "ns");
    free(plan);
    free(row);
    free(points);
}

/* FFTW's complex transform of the same size, without the twist. */
#ifdef WITH_FFTW
static void
bench_fftw(unsigned log2_n)
{
    const int n = 1 << (log2_n - 1);
    fftw_complex *x = get((size_t)n * sizeof *x);
    fftw_plan plan = fftw_plan_dft_1d(n, x, x, FFTW_FORWARD, FFTW_PATIENT);
    struct rounds r = { .n = MAX_ROUNDS };
    char name[64];

    for (size_t i = 0; i < MAX_ROUNDS; i++) {
        const double t = now();

        for (int j = 0; j < 20; j++)
            fftw_execute(plan);
        r.at[i] = (now() - t) / 20;
    }
    (void)snprintf(name, sizeof name, "fftw_fwd_N%d", 2 * n);
    report(&r, name, 1e9, "ns");
    fftw_destroy_plan(plan);
    free(x);
}
#endif

/* ---- products of ciphertexts with clear weights */

enum { BIG = 4097, INNER = 64, COLS = 32 };

/* One pass over a column of out for each weight that is not 0, in panels. */
static void
axpy_product(const struct kernels *k, uint64_t *out, const uint64_t *in,
             const int64_t *weight)
{
    enum { PANEL = 512 };

    for (size_t w = 0; w < BIG; w += PANEL) {
        const size_t n = w + PANEL < BIG ? PANEL : BIG - w;

        for (size_t c = 0; c < COLS; c++) {
            uint64_t *to = out + c * BIG + w;

            memset(to, 0, n * sizeof *to);
            for (size_t i = 0; i < INNER; i++)
                if (weight[i * COLS + c] != 0)
                    k->axpy64(to, in + i * BIG + w,
                              (uint64_t)weight[i * COLS + c], n);
        }
    }
}

/* `of` of 32 weights are not 0; bits: how many the largest have. */
static void
bench_matmul(const struct kernels *k, const char *what, unsigned of,
             unsigned bits)
{
    const struct cmlrt_mat_shape s = { .inner = INNER,
                                       .cols = COLS,
                                       .words = BIG,
                                       .stride = BIG,
                                       .apart = BIG,
                                       .pitch = COLS };
    uint64_t *in = get(INNER * BIG * sizeof *in);
    uint64_t *out = get((size_t)COLS * BIG * sizeof *out);
    int64_t *weight = get((size_t)INNER * COLS * sizeof *weight);
    struct rounds tiles = { .n = 60 }, axpy = { .n = 60 };
    char name[64];

    for (size_t i = 0; i < (size_t)INNER * BIG; i++)
        in[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < (size_t)INNER * COLS; i++) {
        const uint64_t r = (i + 1) * UINT64_C(0xd1342543de82ef95);

        if ((r >> 20) % 32 < of)
            weight[i] = (int64_t)(r | 1) >> (64 - bits);
    }
    for (size_t r = 0; r < tiles.n; r++) {
        double t = now();

        k->matmul64(out, &s, in, weight);
        tiles.at[r] = now() - t;
        t = now();
        axpy_product(k, out, in, weight);
        axpy.at[r] = now() - t;
    }
    (void)snprintf(name, sizeof name, "lwe_matmul_64x32%s", what);
    report(&tiles, name, 1e3, "ms");
    (void)snprintf(name, sizeof name, "lwe_matmul_64x32%s_axpy", what);
    report(&axpy, name, 1e3, "ms");
    free(in);
    free(out);
    free(weight);
}

/* ---- bootstraps and keyswitches */

/* Published shapes; their names are those of the reference prototype. */
static const struct {
    const char *name;
    struct cmlrt_set set;
} sets[] = {
    { "A", { 1, 11, 866, 1, 23, 5, 3, 46, 17, false, { 0 }, { 0 } } },
    { "B0", { 6, 8, 747, 1, 17, 3, 4, 50, 30, false, { 0 }, { 0 } } },
    { "B1", { 3, 9, 846, 1, 17, 3, 5, 47, 30, false, { 0 }, { 0 } } },
    { "B2", { 4, 9, 837, 1, 23, 3, 5, 47, 17, false, { 0 }, { 0 } } },
    { "B4", { 2, 10, 884, 1, 23, 3, 5, 46, 17, false, { 0 }, { 0 } } },
    { "C", { 1, 12, 931, 1, 23, 6, 3, 45, 3, false, { 0 }, { 0 } } },
    { "D", { 1, 13, 1006, 2, 15, 7, 3, 44, 3, false, { 0 }, { 0 } } },
};

enum { THREADS = 2 };

struct keys {
    struct cmlrt_eval *eval;
    uint64_t *test;
    /* of each thread */
    struct cmlrt_rotations r[THREADS];
    void *scratch[THREADS];
    size_t times; /* bootstraps of a batch in a task */
};

static void
open_keys(struct keys *y, const struct cmlrt_set *set, const struct kernels *k)
{
    const uint8_t master[CMLRT_SEED] = { 1 };
    const size_t turns = 2 * cmlrt_ring_degree(set);
    struct cmlrt_pool *pool = cmlrt_pool_new(2);
    struct cmlrt_secret *secret;
    uint8_t *payload = get(cmlrt_eval_bytes(set));

    if (!pool || cmlrt_secret_new(&secret, set, master) != CML_E_ok
        || cmlrt_eval_generate(payload, secret, pool) != CML_E_ok
        || cmlrt_eval_load(&y->eval, set, payload, k, pool) != CML_E_ok)
        exit(75);
    cmlrt_secret_free(secret);
    cmlrt_pool_free(pool);
    free(payload);
    y->test = get(cmlrt_ring_degree(set) * sizeof *y->test);
    for (unsigned t = 0; t < THREADS; t++) {
        struct cmlrt_rotations *r = &y->r[t];

        y->scratch[t] = get(k->cmux_bytes(&y->eval->shape));
        r->narrow = cmlrt_narrow(set);
        r->done = NULL;
        for (unsigned b = 0; b < BATCHES; b++) {
            r->acc[b] = get(cmlrt_acc_words(set) * sizeof(uint64_t));
            r->counts[b] = get((set->n + 1) * sizeof(uint32_t));
            for (size_t i = 0; i <= set->n; i++)
                r->counts[b][i] =
                    (uint32_t)(1 + (i * 37 + b * 11) % (turns - 1));
            cmlrt_acc_start(r->acc[b], set, y->test, r->counts[b][set->n],
                            r->narrow);
        }
    }
}

static void
close_keys(struct keys *y)
{
    for (unsigned t = 0; t < THREADS; t++) {
        for (unsigned b = 0; b < BATCHES; b++) {
            free(y->r[t].acc[b]);
            free(y->r[t].counts[b]);
        }
        free(y->scratch[t]);
    }
    free(y->test);
    cmlrt_eval_free(y->eval);
}

static void
bench_rotations(struct keys *y, const char *set, unsigned batch, size_t rounds)
{
    struct rounds r = { .n = rounds };
    char name[64];

    y->r[0].batch = batch;
    cmlrt_blind_rotate(&y->r[0], y->eval, y->scratch[0]);
    for (size_t i = 0; i < rounds; i++) {
        const double t = now();

        cmlrt_blind_rotate(&y->r[0], y->eval, y->scratch[0]);
        r.at[i] = (now() - t) / batch;
    }
    (void)snprintf(name, sizeof name, "pbs_%s_B%u", set, batch);
    report(&r, name, 1e3, "ms");
}

static void
rotate_task(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    struct keys *y = arg;

    (void)thread;
    for (int64_t t = begin; t < end; t++)
        for (size_t i = 0; i < y->times; i++)
            cmlrt_blind_rotate(&y->r[t], y->eval, y->scratch[t]);
}

/* Bootstraps a second of two threads that share the key. */
static void
bench_two_threads(struct keys *y, const char *set, unsigned batch, size_t times)
{
    struct cmlrt_pool *pool = cmlrt_pool_new(THREADS);
    double best = (double)INFINITY;

    if (!pool)
        exit(75);
    y->times = times;
    for (unsigned t = 0; t < THREADS; t++)
        y->r[t].batch = batch;
    for (int i = 0; i < 5; i++) {
        const double t = now();

        cmlrt_pool_run(pool, THREADS, 1, rotate_task, y);
        best = fmin(best, now() - t);
    }
    printf("pbs_%s_2thr_B%u %.4f per_s\n", set, batch,
           (double)(THREADS * times * batch) / best);
    cmlrt_pool_free(pool);
}

static void
ahead_task(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    struct keys *y = arg;

    (void)thread;
    for (int64_t t = begin; t < end; t++)
        if (t == 0)
            cmlrt_blind_rotate(&y->r[0], y->eval, y->scratch[0]);
        else
            cmlrt_key_ahead(y->eval, y->r[0].done);
}

/* A single ciphertext, the key read ahead by a core that is idle. */
static void
bench_ahead(struct keys *y, const char *set, size_t rounds)
{
    struct cmlrt_pool *pool = cmlrt_pool_new(THREADS);
    struct rounds r = { .n = rounds };
    _Atomic uint32_t done;
    char name[64];

    if (!pool)
        exit(75);
    y->r[0].batch = 1;
    y->r[0].done = &done;
    for (size_t i = 0; i < rounds; i++) {
        const double t = now();

        atomic_store(&done, 0);
        cmlrt_pool_run(pool, THREADS, 1, ahead_task, y);
        r.at[i] = now() - t;
    }
    y->r[0].done = NULL;
    (void)snprintf(name, sizeof name, "pbs_%s_ahead_B1", set);
    report(&r, name, 1e3, "ms");
    cmlrt_pool_free(pool);
}

/* One row of the key, in the cache. */
static void
bench_cmux(struct keys *y, const char *set)
{
    const struct kernels *k = y->eval->ring.kernels;
    const struct cmlrt_shape *s = &y->eval->shape;
    const size_t turns = (size_t)2 << s->log2_n;
    struct rounds r = { .n = 20 };
    char name[64];

    for (size_t i = 0; i < r.n; i++) {
        const double t = now();

        for (size_t j = 0; j < HOT; j++) {
            const uint32_t a = (uint32_t)(1 + j * 37 % (turns - 1));

            if (y->r[0].narrow)
                k->cmux32(y->r[0].acc[0], s, a, y->eval->bsk, y->scratch[0]);
            else
                k->cmux64(y->r[0].acc[0], s, a, y->eval->bsk, y->scratch[0]);
        }
        r.at[i] = (now() - t) / (double)HOT;
    }
    (void)snprintf(name, sizeof name, "cmux_hot_%s", set);
    report(&r, name, 1e9, "ns");
}

/* Seconds a ciphertext. */
static void
time_keyswitch(struct rounds *r, struct keys *y, unsigned batch)
{
    const struct cmlrt_eval *e = y->eval;
    const size_t words = cmlrt_big(&e->set);
    uint64_t *lwe = get(batch * words * sizeof *lwe);
    const uint64_t *a[CMLRT_BATCH];
    void *scratch = get(cmlrt_keyswitch_bytes(&e->set));
    uint32_t *out = get(batch * e->ks.stride * sizeof *out);

    r->n = 40;
    for (size_t i = 0; i < batch * words; i++)
        lwe[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned b = 0; b < batch; b++)
        a[b] = lwe + b * words;
    for (size_t i = 0; i < r->n; i++) {
        const double t = now();

        e->ring.kernels->keyswitch(out, &e->ks, e->ksk, a, batch, scratch);
        r->at[i] = (now() - t) / batch;
    }
    free(lwe);
    free(scratch);
    free(out);
}

static void
bench_keyswitch(struct keys *y, const char *set, unsigned batch)
{
    struct rounds r;
    char name[64];

    time_keyswitch(&r, y, batch);
    (void)snprintf(name, sizeof name, "ks_%s_B%u", set, batch);
    report(&r, name, 1e3, "ms");
}

/* ---- products of any input, N = 2048, k = 1, the key in the cache */

static void
bench_product(const struct kernels *k, const char *name, unsigned levels,
              unsigned inputs)
{
    const size_t n = 2048, stride = n + CMLRT_PAD;
    void *plan = get(k->plan_bytes(11));
    const struct cmlrt_shape s = {
        plan, 11, 1, levels, 40 / levels, inputs, 0
    };
    double *key = get(2 * cmlrt_shape_rows(&s) * n * sizeof *key);
    uint64_t *acc = get(2 * stride * sizeof *acc);
    uint64_t *in = get(inputs * stride * sizeof *in);
    void *scratch = get(k->cmux_bytes(&s));
    struct rounds r = { .n = 40 };
    char line[64];

    k->plan_init(plan, 11);
    for (size_t i = 0; i < inputs * stride; i++)
        in[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < r.n; i++) {
        const double t = now();

        for (int j = 0; j < 20; j++)
            k->product64(acc, in, &s, key, scratch);
        r.at[i] = (now() - t) / 20;
    }
    (void)snprintf(line, sizeof line, "lev_%s_l%u", name, levels);
    report(&r, line, 1e9, "ns");
    free(plan);
    free(key);
    free(acc);
    free(in);
    free(scratch);
}

/* ---- for the cost of the parameter search: tests/bench/cost.sh */

/* One product of a blind rotation in batches of four, whose key comes from
 * memory. */
static void
bench_cost(const struct kernels *k, uint32_t dim, uint32_t log2_n, uint32_t l)
{
    const size_t row = (8 * (size_t)l * (dim + 1) * (dim + 1)) << log2_n;
    const size_t n = (96 << 20) / row < 8 ? 8 : (96 << 20) / row;
    const struct cmlrt_set set = { dim,    log2_n, (uint32_t)n, l,
                                   24 / l, 1,      1,           30,
                                   17,     false,  { 0 },       { 0 } };
    double best = (double)INFINITY;
    struct keys y;

    open_keys(&y, &set, k);
    y.r[0].batch = BATCHES;
    for (int i = 0; i < 12; i++) {
        const double t = now();

        cmlrt_blind_rotate(&y.r[0], y.eval, y.scratch[0]);
        best = fmin(best, now() - t);
    }
    printf("cmux_k%u_N%zu_l%u %.1f ns\n", dim, (size_t)1 << log2_n, l,
           best * 1e9 / (double)(BATCHES * n));
    (void)fflush(stdout);
    close_keys(&y);
}

/* A word of a keyswitch key, and of a sum of ciphertexts. */
static void
bench_words(const struct kernels *k)
{
    enum { WORDS = 4096, SUM = 16 };
    const struct cmlrt_set *set = &sets[0].set;
    uint64_t *x = get(SUM * WORDS * sizeof *x), *sum = get(WORDS * sizeof *sum);
    double best = (double)INFINITY;
    struct rounds r;
    struct keys y;

    open_keys(&y, set, k);
    time_keyswitch(&r, &y, 2); /* small layers; and large keys have a price */
    for (size_t i = 0; i < r.n; i++)
        best = fmin(best, r.at[i]);
    printf("word_keyswitch %.4f ns\n",
           best * 1e9
               / (double)(cmlrt_big(set) * set->ks_levels * (set->n + 1)));
    close_keys(&y);
    best = (double)INFINITY;
    for (int i = 0; i < 100; i++) {
        const double t = now();

        for (size_t j = 0; j < SUM; j++)
            k->axpy64(sum, x + j * WORDS, j, WORDS);
        best = fmin(best, now() - t);
    }
    printf("word_addition %.4f ns\n", best * 1e9 / (double)(SUM * WORDS));
    free(x);
    free(sum);
}

static void
bench_costs(const struct kernels *k)
{
    static const uint32_t dim[] = { 1, 2, 3, 4, 6 };

    for (uint32_t log2_n = 8; log2_n <= 16; log2_n++)
        for (size_t i = 0; i < sizeof dim / sizeof *dim; i++)
            for (uint32_t l = 1; l <= 3; l++)
                if (dim[i] == 1 || dim[i] << log2_n <= 4096)
                    bench_cost(k, dim[i], log2_n, l);
}

static bool
wanted(int argc, char **argv, const char *what)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], what) == 0)
            return true;
    return argc < 2;
}

int
main(int argc, char **argv)
{
    const struct kernels *k = cmlrt_kernels_select(getenv("CML_KERNELS"));

    if (!k) {
        fputs("bench: no such kernels here\n", stderr);
        return 2;
    }
    printf("# kernels %s\n", k->name);
    if (argc == 2 && strcmp(argv[1], "cost") == 0) {
        bench_words(k);
        bench_costs(k);
        return 0;
    }
    for (unsigned n = 8; wanted(argc, argv, "fft") && n <= 13; n++) {
        bench_fft(k, n);
#ifdef WITH_FFTW
        bench_fftw(n);
#endif
    }
    for (unsigned l = 4; wanted(argc, argv, "lev") && l <= 6; l++) {
        bench_product(k, "select", l, 2);
        bench_product(k, "keyswitch", l, 1);
    }
    if (wanted(argc, argv, "forest"))
        bench_forests(k);
    if (wanted(argc, argv, "matmul")) {
        bench_matmul(k, "", 32, 8);
        bench_matmul(k, "_wide", 32, 64);
        bench_matmul(k, "_half", 16, 8);
        bench_matmul(k, "_sparse", 3, 8);
    }
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const struct cmlrt_set *set = &sets[i].set;
        struct keys y;

        if (!wanted(argc, argv, "pbs") && !wanted(argc, argv, sets[i].name))
            continue;
        open_keys(&y, set, k);
        bench_cmux(&y, sets[i].name);
        bench_rotations(&y, sets[i].name, 1, set->log2_n > 12 ? 6 : 40);
        bench_ahead(&y, sets[i].name, set->log2_n > 12 ? 6 : 40);
        bench_rotations(&y, sets[i].name, 4, set->log2_n > 12 ? 3 : 12);
        bench_two_threads(&y, sets[i].name, 1, set->log2_n > 12 ? 3 : 20);
        bench_two_threads(&y, sets[i].name, 4, set->log2_n > 12 ? 3 : 5);
        bench_keyswitch(&y, sets[i].name, 1);
        bench_keyswitch(&y, sets[i].name, 8);
        close_keys(&y);
    }
    return 0;
}
