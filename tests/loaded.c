#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "tests/loaded.h"

#include "backend/backend.h"
#include "tests/chi.h"
#include "tests/rig.h"
#include "tests/shim.h"

#include <check.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 256, MOST = 16 };

/* ---- from IR to a loaded model */

static void
load(struct loaded *x, const char *path)
{
    int (*entry)(int argc, char **argv);
    struct shim *s;
    void *sym;

    x->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(x->library != NULL, "%s", dlerror());
    s = dlsym(x->library, "shim");
    ck_assert_ptr_nonnull(s);
#define RT(name) s->name = name;
#include "runtime/abi.def"
    sym = dlsym(x->library, "main");
    memcpy(&entry, &sym, sizeof entry);
    ck_assert_int_eq(entry(0, NULL), 0);
    x->m = s->manifest;
    x->layout = cmlrt_manifest_layout(x->m);
}

void
loaded_open(struct loaded *x, const struct ir_func *f, bool optimise)
{
    const struct source src = { .name = "random", .text = "", .len = 0 };
    /* a fifth of the time that cc takes to call it */
    const struct be_link how = { .cc = "ld",
                                 .runtime = SHIM,
                                 .link_arg = "-shared" };
    struct be_module *m;
    char folder[] = "/tmp/cml-test-XXXXXX", object[PATH], library[PATH];

    x->f = f;
    m = be_new(f, &src, BE_ALL, NULL);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(object, sizeof object, "%s/m.o", folder);
    snprintf(library, sizeof library, "%s/m.so", folder);
    if (optimise)
        be_optimise(m);
    ck_assert(be_object(m, object));
    be_free(m);
    ck_assert_int_eq(be_link(object, library, &how), 0);
    load(x, library);
    remove(object);
    remove(library);
    rmdir(folder);
}

void
loaded_close(struct loaded *x)
{
    dlclose(x->library);
}

/* ---- rows */

/* The numbers of the user, input after input. */
static void
numbers(double *to, const struct ir_func *f, const union ir_cell *const *in)
{
    ir_ref list[MOST];
    const size_t n = ir_inputs(f, list, MOST);

    for (size_t i = 0; i < n; i++) {
        const struct ir_type *t = &ir_at(f, list[i])->type;

        for (size_t e = 0; e < ir_count(t); e++)
            *to++ = t->base == IR_REAL ? in[i][e].r : (double)in[i][e].i;
    }
}

static void
prologue(const struct loaded *x, const double *in, int64_t *messages)
{
    void *scratch = rig_alloc((size_t)x->m->prologue_bytes + 1);
    cml_prologue_fn *run;

    memcpy(&run, &x->m->prologue, sizeof run);
    run(in, messages, scratch);
    free(scratch);
}

static int64_t
reply_of(const struct cml_answer *a, uint64_t phase)
{
    const uint64_t lo = (uint64_t)a->lo << a->log2_delta;

    phase = phase - lo + (UINT64_C(1) << a->log2_delta) / 2;
    return a->lo + (int64_t)(phase >> a->log2_delta);
}

struct rows {
    size_t n;
    int64_t *messages; /* n * layout.messages */
    uint64_t *words;   /* n * layout.words */
};

static void
open_rows(struct rows *r, const struct loaded *x,
          const union ir_cell *const *const *in, size_t n)
{
    double *user = rig_alloc((x->layout.inputs + 1) * sizeof *user);

    r->n = n;
    r->messages = rig_alloc((n * x->layout.messages + 1) * 8);
    r->words = rig_alloc((n * x->layout.words + 1) * 8);
    for (size_t i = 0; i < n; i++) {
        numbers(user, x->f, in[i]);
        prologue(x, user, r->messages + i * x->layout.messages);
    }
    free(user);
}

static void
drop_rows(struct rows *r)
{
    free(r->messages);
    free(r->words);
}

/* Calls put for each piece of each row. */
static void
each_piece(const struct rows *r, const struct loaded *x,
           void (*put)(void *arg, const struct cml_piece *d, uint64_t *word,
                       const int64_t *message, uint64_t glwe),
           void *arg)
{
    const struct cml_piece *d = x->m->pieces;

    for (size_t i = 0; i < r->n; i++)
        for (int64_t j = 0; j < x->m->npieces; j++)
            put(arg, &d[j], r->words + i * x->layout.words + d[j].word,
                r->messages + i * x->layout.messages + d[j].first,
                i * x->layout.glwes + (uint64_t)d[j].glwe);
}

static void
epilogue(const struct loaded *x, const int64_t *replies, double *out)
{
    void *scratch = rig_alloc((size_t)x->m->epilogue_bytes + 1);
    cml_epilogue_fn *run;

    memcpy(&run, &x->m->epilogue, sizeof run);
    run(replies, out, scratch);
    free(scratch);
}

/* ---- without encryption */

static void
put_clear(void *arg, const struct cml_piece *d, uint64_t *word,
          const int64_t *message, uint64_t glwe)
{
    (void)arg, (void)glwe;
    for (int64_t e = 0; e < d->count; e++)
        word[e] = (uint64_t)message[e] << d->log2_delta;
}

/* A manifest that promises no noise. */
struct quiet {
    struct cml_manifest m;
    struct cml_set *set;
    struct cml_switch *sw;
};

static void
open_quiet(struct quiet *q, const struct cml_manifest *m)
{
    q->m = *m;
    q->set = rig_alloc(((size_t)m->nsets + 1) * sizeof *q->set);
    q->sw = rig_alloc(((size_t)m->nswitches + 1) * sizeof *q->sw);
    for (int64_t i = 0; i < m->nswitches; i++) {
        q->sw[i] = ((const struct cml_switch *)m->switches)[i];
        q->sw[i].v = 0;
    }
    for (int64_t i = 0; i < m->nsets; i++) {
        struct cml_set *s = &q->set[i];

        *s = ((const struct cml_set *)m->sets)[i];
        s->v_fresh = s->v_br = s->v_ks = s->v_ms = s->v_ms_wide = s->v_ext =
            s->v_zero = 0;
    }
    q->m.sets = q->set;
    q->m.switches = q->sw;
}

static void
run_phases(const struct loaded *x, enum cmlrt_mode mode,
           const struct cml_manifest *m, const struct rows *r, double *out)
{
    const struct cml_answer *a = x->m->answers;
    int64_t *replies = rig_alloc((x->layout.replies + 1) * 8);
    uint64_t *phases = rig_alloc((r->n * x->layout.phases + 1) * 8);
    const uint64_t *phase = phases;
    struct cmlrt_pool *pool = cmlrt_pool_new(1);
    const struct cmlrt_job job = { .m = m,
                                   .mode = mode,
                                   .kernels = cmlrt_kernels_select("ref"),
                                   .pool = pool,
                                   .rows = r->n,
                                   .words = r->words };

    each_piece(r, x, put_clear, NULL);
    ck_assert_int_eq(cmlrt_engine_run(&job, (uint8_t *)phases), CML_E_ok);
    for (size_t i = 0; i < r->n; i++) {
        for (int64_t j = 0; j < x->m->nanswers; j++)
            for (int64_t e = 0; e < a[j].count; e++)
                replies[a[j].first + e] = reply_of(&a[j], *phase++);
        epilogue(x, replies, out + i * x->layout.outputs);
    }
    cmlrt_pool_free(pool);
    free(phases);
    free(replies);
}

/* ---- encrypted */

/* of all sets of a program */
struct keys {
    uint8_t seed[CMLRT_SEED];
    struct cmlrt_secrets secrets;
    struct cmlrt_evals *evals;
    struct cmlrt_pool *pool;
};

static void
open_keys(struct keys *k, const struct cml_manifest *m,
          const struct kernels *kernels, uint64_t seed)
{
    const struct cmlrt_sets sets = cmlrt_manifest_sets(m);
    uint8_t *payload = rig_alloc(cmlrt_sets_bytes(&sets));

    memset(k->seed, 1, sizeof k->seed);
    memcpy(k->seed, &seed, sizeof seed);
    k->pool = cmlrt_pool_new(1);
    ck_assert_int_eq(cmlrt_secrets_new(&k->secrets, &sets, k->seed), CML_E_ok);
    ck_assert_int_eq(cmlrt_sets_generate(payload, &k->secrets, k->pool),
                     CML_E_ok);
    ck_assert_int_eq(
        cmlrt_evals_load(&k->evals, &sets, payload, kernels, k->pool),
        CML_E_ok);
    free(payload);
}

static void
close_keys(struct keys *k)
{
    cmlrt_secrets_free(&k->secrets);
    cmlrt_evals_free(k->evals);
    cmlrt_pool_free(k->pool);
}

static void
put_encrypted(void *arg, const struct cml_piece *d, uint64_t *word,
              const int64_t *message, uint64_t glwe)
{
    const struct keys *k = arg;
    const int64_t n = (int64_t)1 << k->secrets.sets.at[d->set].log2_n;

    if (d->open) {
        memcpy(word, message, (size_t)d->count * sizeof *word);
        return;
    }
    for (int64_t i = 0; i < d->count; i += n) {
        const int64_t left = d->count - i;
        const struct cmlrt_plain in = { message + i,
                                        (size_t)(left < n ? left : n),
                                        (unsigned)d->log2_delta };

        ck_assert_int_eq(
            (d->times_key ? cmlrt_encrypt_times_key : cmlrt_encrypt)(
                word + i, k->secrets.at[d->set], k->seed,
                glwe + (uint64_t)(i / n), &in),
            CML_E_ok);
    }
    cmlrt_keep_bits(word, (size_t)d->count, (unsigned)d->keep_bits);
}

/* The next ciphertext of the answers. */
static const uint8_t *
unpack(uint64_t *lwe, const uint8_t *from, size_t words, int64_t bits)
{
    for (size_t i = 0; i < words; i++, from += bits / 8) {
        uint32_t top;

        memcpy(&lwe[i], from, (size_t)bits / 8);
        if (bits == 32) {
            memcpy(&top, from, sizeof top);
            lwe[i] = (uint64_t)top << 32;
        }
    }
    return from;
}

/* The reply, and how far its phase is away. */
static int64_t
decoded(struct loaded *x, const struct cml_answer *a, uint64_t phase)
{
    const int64_t reply = reply_of(a, phase);
    const double e = torus(phase - ((uint64_t)reply << a->log2_delta));

    x->square += e * e;
    x->errors++;
    return reply;
}

static const uint8_t *
read_answer(struct loaded *x, int64_t *replies, const struct cmlrt_secrets *s,
            const struct cml_answer *a, const uint8_t *at)
{
    const size_t words = cmlrt_big(&s->sets.at[a->set]) + 1;
    uint64_t *lwe = rig_alloc((words + (size_t)a->count) * sizeof *lwe);

    if (a->packed)
        at = unpack(lwe, at, words - 1 + (size_t)a->count, a->word_bits);
    for (int64_t e = 0; e < a->count; e++) {
        if (a->packed) {
            replies[a->first + e] =
                decoded(x, a, cmlrt_phase_at(s->at[a->set], lwe, (size_t)e));
            continue;
        }
        at = unpack(lwe, at, words, a->word_bits);
        replies[a->first + e] = decoded(x, a, cmlrt_phase(s->at[a->set], lwe));
    }
    free(lwe);
    return at;
}

static void
run_encrypted(struct loaded *x, const struct rows *r, uint64_t seed,
              double *out)
{
    const struct cml_answer *a = x->m->answers;
    const struct kernels *kernels = cmlrt_kernels_select(NULL);
    int64_t *replies = rig_alloc((x->layout.replies + 1) * 8);
    uint8_t *bytes = rig_alloc(r->n * x->layout.reply_bytes + 1);
    const uint8_t *at = bytes;
    struct cmlrt_job job = {
        .m = x->m, .mode = CMLRT_ENCRYPTED, .kernels = kernels, .rows = r->n
    };
    struct keys k;

    open_keys(&k, x->m, kernels, seed);
    each_piece(r, x, put_encrypted, &k);
    job.evals = k.evals, job.pool = k.pool;
    job.mask_seed = k.seed, job.words = r->words;
    ck_assert_int_eq(cmlrt_engine_run(&job, bytes), CML_E_ok);
    for (size_t i = 0; i < r->n; i++) {
        for (int64_t j = 0; j < x->m->nanswers; j++)
            at = read_answer(x, replies, &k.secrets, &a[j], at);
        epilogue(x, replies, out + i * x->layout.outputs);
    }
    close_keys(&k);
    free(bytes);
    free(replies);
}

double *
loaded_run(struct loaded *x, enum loaded_how how,
           const union ir_cell *const *const *in, size_t rows, uint64_t seed)
{
    double *out = rig_alloc((rows * x->layout.outputs + 1) * sizeof *out);
    struct quiet q;
    struct rows r;

    open_rows(&r, x, in, rows);
    switch (how) {
    case LOADED_CLEAR: run_phases(x, CMLRT_CLEAR, x->m, &r, out); break;
    case LOADED_QUIET:
        open_quiet(&q, x->m);
        run_phases(x, CMLRT_SIMULATED, &q.m, &r, out);
        free(q.set);
        free(q.sw);
        break;
    case LOADED_ENCRYPTED: run_encrypted(x, &r, seed, out); break;
    }
    drop_rows(&r);
    return out;
}

/* The outputs of a row against the evaluator; reals by their bits. */
static void
check_row(const struct loaded *x, const union ir_cell *const *in,
          const double *got, const char *how)
{
    struct arena mem = { 0 };
    const union ir_cell *want[MOST];
    ir_ref list[MOST];
    const size_t n = ir_outputs(x->f, list, MOST);

    ir_eval(&mem, x->f, in, want, NULL);
    for (size_t o = 0; o < n; o++) {
        const struct ir_type *t = &ir_at(x->f, list[o])->type;

        for (size_t e = 0; e < ir_count(t); e++, got++) {
            const double w =
                t->base == IR_REAL ? want[o][e].r : (double)want[o][e].i;

            if (memcmp(got, &w, sizeof w) == 0)
                continue;
            ir_print(stderr, x->f);
            ck_abort_msg("%s: output %zu[%zu] is %a, not %a", how, o, e, *got,
                         w);
        }
    }
    arena_free(&mem);
}

void
loaded_agrees(struct loaded *x, enum loaded_how how,
              const union ir_cell *const *const *in, size_t rows, uint64_t seed)
{
    static const char *const names[] = { "clear", "simulated", "encrypted" };
    double *out = loaded_run(x, how, in, rows, seed);

    for (size_t i = 0; i < rows; i++)
        check_row(x, in[i], out + i * x->layout.outputs, names[how]);
    free(out);
}
