/* Compiled models against the evaluator: random models become objects, are
 * loaded, and run with their prologue, circuit and epilogue.  Without
 * encryption they agree bit for bit; so do a few that are encrypted under toy
 * keys, which are named insecure. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#include "backend/backend.h"
#include "passes/passes.h"
#include "runtime/engine.h"
#include "tests/programs.h"
#include "tests/random_ir.h"
#include "tests/rig.h"
#include "tests/shim.h"

#include <check.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MODELS = 16, ENCRYPTED = 3, ROWS = 6, PATH = 256, MOST = 16 };

/* CML_MODELS=1000 for a long run */
static unsigned
models(unsigned otherwise)
{
    const char *n = getenv("CML_MODELS");

    return n ? (unsigned)strtoul(n, NULL, 10) : otherwise;
}

/* ---- from IR to a loaded model */

struct model {
    struct arena mem;
    const struct ir_func *f; /* as the back end took it */
    void *library;
    const struct cml_manifest *m;
    struct cmlrt_layout layout;
};

static void
load(struct model *x, const char *path)
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

static void
compile(struct model *x, bool optimise)
{
    const struct source src = { .name = "random", .text = "", .len = 0 };
    const struct be_link how = { .runtime = SHIM, .link_arg = "-shared" };
    struct be_module *m = be_new(x->f, &src, BE_ALL, NULL);
    char folder[] = "/tmp/cml-test-XXXXXX", object[PATH], library[PATH];

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

/* The program knows the parameters that were chosen. */
static void
check_parameters(const struct model *x)
{
    const struct cml_set *set = x->m->sets;
    const struct cml_switch *sw = x->m->switches;

    ck_assert_int_eq(x->m->nsets, x->f->sets.more + 1);
    ck_assert_int_eq(x->m->nswitches, x->f->sets.switches);
    ck_assert_int_eq(x->m->level, x->f->params.level);
    ck_assert_double_eq(x->m->cost, x->f->params.cost);
    ck_assert_double_eq(x->m->log2_pfail, x->f->params.log2_pfail);
    for (uint32_t i = 0; i <= x->f->sets.more; i++) {
        const struct ir_params *p = ir_params_of(x->f, i);
#define CHECK_i64(field) ck_assert_double_eq((double)set[i].field, p->field);
#define CHECK_f64(field) ck_assert_double_eq(set[i].field, p->field);
#define CHECK_ptr(field)
#define K(type, field) CHECK_##type(field)
#include "runtime/manifest.def"
    }
    for (uint32_t i = 0; i < x->f->sets.switches; i++) {
        const struct ir_switch *s = &x->f->sets.sw[i];
#define H(type, field) ck_assert_double_eq((double)sw[i].field, s->field);
#include "runtime/manifest.def"
    }
}

/* The model of a text, or a random one; false if the passes refuse it. */
static bool
open_model(struct model *x, const char *text, struct dice *d,
           enum random_kind kind, uint64_t seed)
{
    const struct source src = { .name = "t.ir",
                                .text = text,
                                .len = strlen(text) };
    FILE *sink = fopen("/dev/null", "w");
    struct diag dg = { .src = &src, .out = sink };
    int status = 0;
    const struct pass_options po = { .diag = &dg, .status = &status };

    memset(x, 0, sizeof *x);
    x->f = *text ? ir_parse(&x->mem, &dg)
                 : random_ir(&x->mem, d, kind, 4 + (unsigned)seed % 12);
    x->f = pass_run(&x->mem, x->f, &po);
    fclose(sink);
    if (!x->f) {
        arena_free(&x->mem);
        return false;
    }
    compile(x, seed % 2);
    check_parameters(x);
    return true;
}

static void
close_model(struct model *x)
{
    dlclose(x->library);
    arena_free(&x->mem);
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
prologue(const struct model *x, const double *in, int64_t *messages)
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

/* The outputs of a row against the evaluator; reals by their bits. */
static void
check_row(const struct model *x, const union ir_cell *const *in,
          const int64_t *replies, const char *how)
{
    struct arena mem = { 0 };
    void *scratch = rig_alloc((size_t)x->m->epilogue_bytes + 1);
    double *out = rig_alloc((x->layout.outputs + 1) * sizeof *out);
    const double *got = out;
    const union ir_cell *want[MOST];
    cml_epilogue_fn *run;
    ir_ref list[MOST];
    const size_t n = ir_outputs(x->f, list, MOST);

    memcpy(&run, &x->m->epilogue, sizeof run);
    run(replies, out, scratch);
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
    free(scratch);
    free(out);
    arena_free(&mem);
}

struct rows {
    struct arena mem;
    const union ir_cell **in[ROWS];
    int64_t *messages; /* ROWS * layout.messages */
    uint64_t *words;   /* ROWS * layout.words */
};

static void
draw_rows(struct rows *r, const struct model *x, struct dice *d)
{
    double *user = rig_alloc((x->layout.inputs + 1) * sizeof *user);

    memset(r, 0, sizeof *r);
    r->messages = rig_alloc((ROWS * x->layout.messages + 1) * 8);
    r->words = rig_alloc((ROWS * x->layout.words + 1) * 8);
    for (size_t i = 0; i < ROWS; i++) {
        r->in[i] = random_inputs(&r->mem, d, x->f);
        numbers(user, x->f, r->in[i]);
        prologue(x, user, r->messages + i * x->layout.messages);
    }
    free(user);
}

static void
drop_rows(struct rows *r)
{
    free(r->messages);
    free(r->words);
    arena_free(&r->mem);
}

/* Calls put for each piece of each row. */
static void
each_piece(struct rows *r, const struct model *x,
           void (*put)(void *arg, const struct cml_piece *d, uint64_t *word,
                       const int64_t *message, uint64_t glwe),
           void *arg)
{
    const struct cml_piece *d = x->m->pieces;

    for (size_t i = 0; i < ROWS; i++)
        for (int64_t j = 0; j < x->m->npieces; j++)
            put(arg, &d[j], r->words + i * x->layout.words + d[j].word,
                r->messages + i * x->layout.messages + d[j].first,
                i * x->layout.glwes + (uint64_t)d[j].glwe);
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

static void
run_clear(struct model *x, struct dice *d)
{
    const struct cml_answer *a = x->m->answers;
    int64_t *replies = rig_alloc((x->layout.replies + 1) * 8);
    uint64_t *phases = rig_alloc((ROWS * x->layout.phases + 1) * 8);
    const uint64_t *phase = phases;
    struct cmlrt_pool *pool = cmlrt_pool_new(1);
    struct cmlrt_job job = { .m = x->m,
                             .mode = CMLRT_CLEAR,
                             .kernels = cmlrt_kernels_select("ref"),
                             .pool = pool,
                             .rows = ROWS };
    struct rows r;

    draw_rows(&r, x, d);
    each_piece(&r, x, put_clear, NULL);
    job.words = r.words;
    ck_assert_int_eq(cmlrt_engine_run(&job, (uint8_t *)phases), CML_E_ok);
    for (size_t i = 0; i < ROWS; i++) {
        for (int64_t j = 0; j < x->m->nanswers; j++)
            for (int64_t e = 0; e < a[j].count; e++)
                replies[a[j].first + e] = reply_of(&a[j], *phase++);
        check_row(x, r.in[i], replies, "clear");
    }
    drop_rows(&r);
    cmlrt_pool_free(pool);
    free(phases);
    free(replies);
}

START_TEST(clear_is_the_evaluator)
{
    unsigned through = 0;

    for (uint64_t seed = 1; seed <= models(MODELS); seed++) {
        struct dice d = { seed * 0x9e3779b97f4a7c15 };
        struct model x;

        if (!open_model(&x, "", &d, (enum random_kind)_i, seed))
            continue;
        run_clear(&x, &d);
        close_model(&x);
        through++;
    }
    ck_assert_uint_gt(through, models(MODELS) / 2);
}
END_TEST

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
    const struct cmlrt_plain in = { message, (size_t)d->count,
                                    (unsigned)d->log2_delta };

    ck_assert_int_le(d->count, 1 << k->secrets.sets.at[d->set].log2_n);
    ck_assert_int_eq(
        cmlrt_encrypt(word, k->secrets.at[d->set], k->seed, glwe, &in),
        CML_E_ok);
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

static const uint8_t *
read_answer(int64_t *replies, const struct cmlrt_secrets *s,
            const struct cml_answer *a, const uint8_t *at)
{
    const size_t words = cmlrt_big(&s->sets.at[a->set]) + 1;
    uint64_t *lwe = rig_alloc((words + (size_t)a->count) * sizeof *lwe);

    if (a->packed)
        at = unpack(lwe, at, words - 1 + (size_t)a->count, a->word_bits);
    for (int64_t e = 0; e < a->count; e++) {
        if (a->packed) {
            replies[a->first + e] =
                reply_of(a, cmlrt_phase_at(s->at[a->set], lwe, (size_t)e));
            continue;
        }
        at = unpack(lwe, at, words, a->word_bits);
        replies[a->first + e] = reply_of(a, cmlrt_phase(s->at[a->set], lwe));
    }
    free(lwe);
    return at;
}

static void
run_encrypted(struct model *x, struct dice *d, uint64_t seed)
{
    const struct cml_answer *a = x->m->answers;
    const struct kernels *kernels = cmlrt_kernels_select(NULL);
    int64_t *replies = rig_alloc((x->layout.replies + 1) * 8);
    uint8_t *out = rig_alloc(ROWS * x->layout.reply_bytes + 1);
    const uint8_t *at = out;
    struct cmlrt_job job = {
        .m = x->m, .mode = CMLRT_ENCRYPTED, .kernels = kernels, .rows = ROWS
    };
    struct keys k;
    struct rows r;

    open_keys(&k, x->m, kernels, seed);
    draw_rows(&r, x, d);
    each_piece(&r, x, put_encrypted, &k);
    job.evals = k.evals, job.pool = k.pool;
    job.mask_seed = k.seed, job.words = r.words;
    ck_assert_int_eq(cmlrt_engine_run(&job, out), CML_E_ok);
    for (size_t i = 0; i < ROWS; i++) {
        for (int64_t j = 0; j < x->m->nanswers; j++)
            at = read_answer(replies, &k.secrets, &a[j], at);
        check_row(x, r.in[i], replies, "encrypted");
    }
    drop_rows(&r);
    close_keys(&k);
    free(out);
    free(replies);
}

START_TEST(encrypted_is_the_evaluator)
{
    for (uint64_t seed = 1; seed <= models(ENCRYPTED); seed++) {
        struct dice d = { seed * 0xd1342543de82ef95 };
        struct model x;

        if (!open_model(&x, "", &d, (enum random_kind)_i, seed))
            continue;
        if (!x.m->approx) /* is it right then? nearly */
            run_encrypted(&x, &d, seed);
        close_model(&x);
    }
}
END_TEST

/* Three sets: an input under the second's key; keyswitches within a set and
 * between two, conversions back and forth; an answer from each. */
#define TOY_SET(k, log2_n, n, br_levels, br_log2_base, ks_levels, \
                ks_log2_base) \
    "params { k = " k ", log2_n = " log2_n ", n = " n \
    ", br_levels = " br_levels ", br_log2_base = " br_log2_base \
    ", ks_levels = " ks_levels ", ks_log2_base = " ks_log2_base \
    ", t_lwe = 35, t_glwe = 3, level = 132, " \
    "ternary = 0, insecure = 1, v_fresh = 1e-36, v_br = 1e-12, v_ks = 1e-9, " \
    "v_ms = 1e-6, v_zero = 1e-32, cost = 1, log2_pfail = -60, }\n"
#define TOY_SWITCH(from, to, big, levels, log2_base) \
    "switch { from = " from ", to = " to ", big = " big ", levels = " levels \
    ", log2_base = " log2_base ", t = 35, v = 1e-9, }\n"
#define TABLE(in, name, type) \
    "lwe.pbs %" in " { table = @" name ", offset = 0, bits = 3, " \
    "log2_delta = 60, approx = 0 } : " type " delta 60\n"
#define ANSWER(in, out, type) \
    "%" in " { log2_flood = -1, word_bits = " out " } : " type " delta 60\n"

/* clang-format off */
static const char three_sets[] =
    "ir 1 three\n"
    TOY_SET("1", "10", "64", "3", "12", "5", "4")
    TOY_SET("2", "8", "40", "2", "16", "4", "5")
    TOY_SET("1", "9", "70", "4", "9", "3", "7")
    TOY_SWITCH("1", "0", "0", "4", "5") TOY_SWITCH("0", "2", "0", "3", "6")
    TOY_SWITCH("1", "0", "1", "5", "4") TOY_SWITCH("2", "1", "1", "7", "3")
    "const @s : int[1,8] = [3, 1, 0, 2, 1, 0, 3, 3]\n"
    "const @t : int[2,8] = [0, 2, 1, 3, 2, 1, 2, 0, 1, 1, 3, 0, 2, 0, 1, 2]\n"
    "const @w : int[2,2] = [1, 0, 1, 2]\n"
    "{\n"
    "%0 = input { name = @x } : int[2] in 0..7\n"
    "%1 = glwe.encrypt %0 { log2_delta = 60 } : glwe[2] set 1 delta 60\n"
    "%2 = glwe.extract %1 : lwe[2] set 1 delta 60\n"
    "%3 = lwe.keyswitch %2 : lwe[2] small delta 60\n"
    "%4 = " TABLE("3", "s", "lwe[2]")
    "%5 = lwe.keyswitch %2 : lwe[2] small set 1 delta 60\n"
    "%6 = " TABLE("5", "t", "lwe[2] set 1")
    "%7 = lwe.convert %6 : lwe[2] delta 60\n"
    "%8 = lwe.add %4, %7 : lwe[2] delta 60\n"
    "%9 = lwe.keyswitch %8 : lwe[2] small set 2 delta 60\n"
    "%10 = " TABLE("9", "t", "lwe[2] set 2")
    "%11 = lwe.convert %10 : lwe[2] set 1 delta 60\n"
    "%12 = lwe.add %11, %6 : lwe[2] set 1 delta 60\n"
    "%13 = lwe.answer " ANSWER("8", "64", "lwe[2]")
    "%14 = lwe.answer " ANSWER("12", "32", "lwe[2] set 1")
    "%15 = lwe.answer " ANSWER("10", "64", "lwe[2] set 2")
    "%16 = lwe.decrypt %13 { lo = 0, hi = 6 } : int[2] in 0..6\n"
    "%17 = lwe.decrypt %14 { lo = 0, hi = 6 } : int[2] in 0..6\n"
    "%18 = lwe.decrypt %15 { lo = 0, hi = 3 } : int[2] in 0..3\n"
    "output %16 { name = @a }\noutput %17 { name = @b }\n"
    "output %18 { name = @c }\n}\n";
/* clang-format on */

START_TEST(several_sets_are_the_evaluator)
{
    for (uint64_t seed = 1; seed <= models(ENCRYPTED); seed++) {
        const struct source src = { .name = "t.ir",
                                    .text = three_sets,
                                    .len = strlen(three_sets) };
        struct dice d = { seed };
        struct diag dg = { .src = &src, .out = stderr };
        struct model x;

        memset(&x, 0, sizeof x);
        x.f = ir_parse(&x.mem, &dg);
        ck_assert_ptr_nonnull(x.f);
        compile(&x, false);
        check_parameters(&x);
        run_clear(&x, &d);
        run_encrypted(&x, &d, seed);
        close_model(&x);
    }
}
END_TEST

START_TEST(programs_are_the_evaluator)
{
    struct dice d = { 1 };
    struct model x;

    ck_assert(
        open_model(&x, programs[_i].text, &d, RANDOM_INTEGERS, (uint64_t)_i));
    run_clear(&x, &d);
    run_encrypted(&x, &d, (uint64_t)_i);
    close_model(&x);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("compiled");
    TCase *tc = tcase_create("random");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, clear_is_the_evaluator, 0, RANDOM_KINDS);
    tcase_add_test(tc, several_sets_are_the_evaluator);
    tcase_add_loop_test(tc, encrypted_is_the_evaluator, 0, RANDOM_KINDS);
    tcase_add_loop_test(tc, programs_are_the_evaluator, 0, nprograms);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
