/* The engine: one array of steps, each a parallel loop over (rows) x (elements
 * of a row).
 *
 * Rows are taken in groups, so that their values stay within a bound.  Memory
 * is asked for before the first step; steps cannot fail.  Random numbers of a
 * step come from streams named by (seed of the step, element), so they do not
 * depend on which thread computes what.
 */
#include "runtime/engine.h"

#include "runtime/inner.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE = 64,
    GROUP_BYTES = 256 << 20,
    CACHED_BYTES = 1 << 20, /* of a thread, where no key is read */
    CACHED_ROWS = 4,        /* likewise, at least: else threads wait */
    MOST_ELEMENTS = 64,
    PBS_BATCH = 4, /* bootstraps that share a pass over the key */
};

struct engine {
    const struct cmlrt_job *job;
    struct cmlrt_sets sets;
    double sd_hop[CMLRT_MAX_SWITCHES];
    struct cmlrt_layout layout;
    unsigned threads;
    uint8_t seed[CMLRT_SEED];
    /* a group of rows */
    size_t group, row_bytes;
    uint8_t *values;    /* group * row_bytes */
    uint64_t **pointer; /* group * (nvalues + 1) */
    /* a thread */
    struct cmlrt_env *env; /* sets.n each */
    struct cmlrt_rng *rng;
    uint8_t *scratch;
    size_t scratch_bytes;
    /* the running step */
    const struct cml_step *step;
    uint64_t first_row;
    uint8_t step_seed[CMLRT_SEED];
    _Atomic uint32_t done; /* of a single bootstrap: rows of the key */
};

static size_t
round_up(size_t bytes)
{
    return (bytes + LINE - 1) & ~(size_t)(LINE - 1);
}

static size_t
words_of(const struct engine *e, const struct cml_value *v)
{
    const size_t n = cmlrt_ring_degree(&e->sets.at[v->set]);

    if (v->key == CMLRT_OPEN)
        return 1;
    if (v->key >= CMLRT_GLWE && e->job->mode != CMLRT_ENCRYPTED)
        return (size_t)v->coefs;
    switch (v->key) {
    case CMLRT_GLWE: return 2 * n;
    case CMLRT_GGSW: return (size_t)v->levels * 4 * n;
    case CMLRT_DOUBLED: return 4 * n;
    case CMLRT_WINDOWS: return cmlrt_window_words(&e->sets.at[v->set]);
    default: return v->key ? e->env[v->set].small : e->env[v->set].big;
    }
}

/* ---- setting up */

/* (72) with h = 32, but for the body, which is cut */
static double
v_cut(const struct cmlrt_set *set)
{
    const double h2 = set->ternary ? 2.0 / 3 : 1.0 / 2; /* (62) */

    return (double)((uint64_t)set->k << set->log2_n) * h2 * 0x1p-64 / 12;
}

static void
fill_env(struct engine *e, struct cmlrt_env *env, size_t set)
{
    const struct cmlrt_job *job = e->job;
    const struct cml_set *m = (const struct cml_set *)job->m->sets + set;
    const bool encrypted = job->mode == CMLRT_ENCRYPTED;

    env->set = &e->sets.at[set];
    env->eval = encrypted ? job->evals->at[set] : NULL;
    env->hop = encrypted ? job->evals->hop : NULL;
    env->sd_hop = e->sd_hop;
    env->big = encrypted ? cmlrt_big(env->set) + 1 : 1;
    env->small = encrypted ? (size_t)env->set->n + 1 : 1;
    env->mask_seed = job->mask_seed;
    env->simulated = job->mode == CMLRT_SIMULATED;
    env->clear = job->mode == CMLRT_CLEAR;
    if (env->simulated) {
        env->sd_fresh = sqrt(m->v_fresh);
        env->sd_ks = sqrt(m->v_ks);
        env->sd_ms = sqrt(m->v_ms);
        env->sd_br = sqrt(m->v_br);
        env->sd_ms_wide = sqrt(m->v_ms_wide);
        env->sd_ext = sqrt(m->v_ext);
        env->sd_zero = sqrt(m->v_zero);
        env->sd_cut = sqrt(v_cut(env->set));
    }
}

static bool
open_threads(struct engine *e)
{
    e->threads = cmlrt_pool_threads(e->job->pool);
    e->scratch_bytes =
        round_up(cmlrt_sets_scratch(&e->sets, e->job->kernels) + 1);
    e->env = calloc(e->threads * e->sets.n, sizeof *e->env);
    e->rng = calloc(e->threads, sizeof *e->rng);
    e->scratch = aligned_alloc(LINE, e->threads * e->scratch_bytes);
    if (!e->env || !e->rng || !e->scratch)
        return false;
    for (size_t i = 0; i < e->threads * e->sets.n; i++) {
        const size_t thread = i / e->sets.n;

        fill_env(e, &e->env[i], i % e->sets.n);
        e->env[i].rng = &e->rng[thread];
        e->env[i].scratch = e->scratch + thread * e->scratch_bytes;
    }
    for (size_t i = 0; i < e->sets.switches; i++)
        e->sd_hop[i] =
            sqrt(((const struct cml_switch *)e->job->m->switches)[i].v);
    return true;
}

/* Rows of a group.  Those that share passes over a key are many; without one,
 * their values stay in the second cache, and their memory is used again. */
static size_t
group_of(const struct engine *e)
{
    const size_t cached = e->threads * CACHED_BYTES / (e->row_bytes + 1);
    const size_t least = CACHED_ROWS * e->threads;
    size_t rows = GROUP_BYTES / (e->row_bytes + 1);

    if (e->job->m->pbs == 0 && rows > least)
        rows = cached > least ? cached : least;
    rows = rows < e->job->rows ? rows : e->job->rows;
    return rows ? rows : 1;
}

static bool
open_group(struct engine *e)
{
    const struct cml_manifest *m = e->job->m;
    const struct cml_value *v = m->values;
    const size_t pointers = (size_t)m->nvalues + 1;

    for (int64_t i = 0; i < m->nvalues; i++)
        e->row_bytes += round_up((size_t)v[i].count * words_of(e, &v[i])
                                 * sizeof(uint64_t));
    e->group = group_of(e);
    e->values = aligned_alloc(LINE, e->group * e->row_bytes + LINE);
    e->pointer = calloc(e->group * pointers, sizeof *e->pointer);
    if (!e->values || !e->pointer)
        return false;
    for (size_t r = 0; r < e->group; r++) {
        uint8_t *at = e->values + r * e->row_bytes;

        for (int64_t i = 0; i < m->nvalues; i++) {
            e->pointer[r * pointers + (size_t)i] = (void *)at;
            at += round_up((size_t)v[i].count * words_of(e, &v[i])
                           * sizeof(uint64_t));
        }
    }
    return true;
}

/* Scratch has what hides an answer from the client; without encryption, values
 * are the client's secret. */
static void
shut(struct engine *e)
{
    if (e->scratch)
        cmlrt_wipe(e->scratch, e->threads * e->scratch_bytes);
    if (e->values && e->job->mode != CMLRT_ENCRYPTED)
        cmlrt_wipe(e->values, e->group * e->row_bytes);
    if (e->rng)
        cmlrt_wipe(e->rng, e->threads * sizeof *e->rng);
    cmlrt_wipe(e->seed, sizeof e->seed);
    cmlrt_wipe(e->step_seed, sizeof e->step_seed);
    free(e->env);
    free(e->rng);
    free(e->scratch);
    free(e->values);
    free(e->pointer);
}

/* ---- running */

/* Of the set whose ciphertexts the step reads. */
static struct cmlrt_env *
env_of(const struct engine *e, unsigned thread)
{
    return &e->env[thread * e->sets.n + (size_t)e->step->set];
}

/* Elements [begin, end) of a step over the group, row after row. */
static void
run_elements(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct engine *e = arg;
    const size_t pointers = (size_t)e->job->m->nvalues + 1;
    const int64_t items = e->step->items;
    struct cmlrt_env *env = env_of(e, thread);
    cml_step_fn *run;

    memcpy(&run, &e->step->run, sizeof run);
    while (begin < end) {
        const int64_t row = begin / items, first = begin % items;
        const int64_t left = end - row * items;
        const uint64_t at = e->first_row + (uint64_t)row;

        env->first_glwe = at * e->layout.glwes;
        cmlrt_rng_init(env->rng, e->step_seed,
                       env->simulated ? CMLRT_SIMULATE : CMLRT_ANSWER,
                       at * (uint64_t)items + (uint64_t)first);
        run(env, e->pointer + (size_t)row * pointers, first,
            left < items ? left : items);
        begin = (row + 1) * items;
    }
}

/* A step of one bootstrap: a thread has it, others have the key ready. */
static void
run_single(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    struct engine *e = arg;
    struct cmlrt_env *env = env_of(e, thread);

    (void)end; /* a turn each */
    if (begin > 0) {
        cmlrt_key_ahead(env->eval, &e->done);
        return;
    }
    env->done = &e->done;
    run_elements(e, thread, 0, 1);
    env->done = NULL;
}

/* Elements of a turn: every thread has as many turns, none is longer than what
 * a pass over a key serves. */
static int64_t
grain_of(const struct engine *e, int64_t elements)
{
    /* a turn of an expansion makes the way to its first item anew */
    const int64_t own = e->step->pbs == CMLRT_SPREAD ? 1 : 4;
    const int64_t turns_of_leveled = e->threads > 1 ? own * e->threads : 1;
    const int64_t most =
        e->step->pbs >= CMLRT_LEVELED
            ? (elements + turns_of_leveled - 1) / turns_of_leveled
        : e->step->pbs ? PBS_BATCH
                       : MOST_ELEMENTS;
    const int64_t round = most * e->threads;
    const int64_t turns = (elements + round - 1) / round * e->threads;

    return turns > 0 ? (elements + turns - 1) / turns : 1;
}

/* One seed a step: ChaCha20 of the run's seed. */
static void
seed_step(struct engine *e, int64_t step)
{
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, e->seed, CMLRT_ANSWER, (uint64_t)step);
    cmlrt_rng_bytes(&g, e->step_seed, sizeof e->step_seed);
    cmlrt_wipe(&g, sizeof g);
}

static uint8_t *
pack(uint8_t *to, const uint64_t *word, size_t n, int64_t bits)
{
    if (bits == 64) {
        memcpy(to, word, n * sizeof *word);
        return to + n * sizeof *word;
    }
    for (size_t i = 0; i < n; i++, to += sizeof(uint32_t)) {
        const uint32_t top = (uint32_t)(word[i] >> 32);

        memcpy(to, &top, sizeof top);
    }
    return to;
}

/* The answers of one row of the group. */
static uint8_t *
collect(uint8_t *to, const struct engine *e, size_t row)
{
    const struct cml_manifest *m = e->job->m;
    const struct cml_answer *a = m->answers;
    const bool encrypted = e->job->mode == CMLRT_ENCRYPTED;
    uint64_t *const *value = e->pointer + row * ((size_t)m->nvalues + 1);

    for (int64_t i = 0; i < m->nanswers; i++) {
        const size_t count = (size_t)a[i].count, big = e->env[a[i].set].big;

        to = pack(to, value[a[i].value],
                  a[i].packed && encrypted ? big - 1 + count : big * count,
                  encrypted ? a[i].word_bits : 64);
    }
    return to;
}

static void
run_step(struct engine *e, int64_t elements)
{
    struct cmlrt_pool *pool = e->job->pool;

    if (elements == 1 && e->threads > 1 && e->step->pbs == 1
        && e->job->mode == CMLRT_ENCRYPTED) {
        atomic_store(&e->done, 0);
        cmlrt_pool_run(pool, 2, 1, run_single, e);
        return;
    }
    cmlrt_pool_run(pool, elements, grain_of(e, elements), run_elements, e);
}

static uint8_t *
run_group(struct engine *e, uint8_t *out, size_t rows)
{
    const struct cml_manifest *m = e->job->m;
    const struct cml_step *steps = m->steps;
    const size_t pointers = (size_t)m->nvalues + 1;

    for (size_t r = 0; r < rows; r++)
        e->pointer[(r + 1) * pointers - 1] =
            e->job->words + (e->first_row + r) * e->layout.words;
    for (int64_t i = 0; i < m->nsteps; i++) {
        e->step = &steps[i];
        seed_step(e, i);
        run_step(e, (int64_t)rows * steps[i].items);
    }
    for (size_t r = 0; r < rows; r++)
        out = collect(out, e, r);
    return out;
}

enum cml_status
cmlrt_engine_run(const struct cmlrt_job *job, uint8_t *out)
{
    struct engine e = { .job = job };

    e.sets = cmlrt_manifest_sets(job->m);
    e.layout = cmlrt_manifest_layout(job->m);
    if (!cmlrt_system_random(e.seed, sizeof e.seed))
        return CML_E_io;
    if (!open_threads(&e) || !open_group(&e)) {
        shut(&e);
        return CML_E_nomem;
    }
    for (size_t row = 0; row < job->rows; row += e.group) {
        const size_t left = job->rows - row;

        e.first_row = row;
        out = run_group(&e, out, left < e.group ? left : e.group);
    }
    shut(&e);
    return CML_E_ok;
}
