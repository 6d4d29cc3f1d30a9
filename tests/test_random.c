/* Random models in CML, through the whole compiler.
 *
 *     interpreter of the tree (model/language.h)
 *         = evaluator of what the front end made
 *         = evaluator after each pass        (reals: but for quantize, which
 *                        rounds, and nearly before it: a - b is no inverse of
 * +) = compiled, in the clear = compiled, simulated without noise = decrypted
 * (some of them)
 *
 * Each model runs in a process of its own.  One that fails is printed, and
 * again without the statements that it does not need.
 *
 *   CML_LONG=N      N times as many models
 *   CML_SEED=N      only the model of seed N
 *   CML_FROM=N      those of seeds above N only
 *   CML_MODELS=N    N models, none of them encrypted
 *   CML_ENCRYPTED=N N models, encrypted with real parameters
 */
#define _POSIX_C_SOURCE 200809L
#include "frontend/inner.h"
#include "passes/passes.h"
#include "tests/loaded.h"
#include "tests/model/language.h"
#include "tests/random_cml.h"

#include <check.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PARTS = 4,
#ifdef CML_SANITIZED /* it is slow */
    MODELS = 40,
    ENCRYPTED = 4,
#else
    MODELS = 300,
    ENCRYPTED = 12,
#endif
    ROWS = 6,
    MOST = 16,
    SECONDS = 120 /* of computing, for a model */
};

/* How a model ended; TABLES is right, and it was encrypted and has some;
 * MISTAKE and more: with a message that is not for a model of this kind, or of
 * bug(), or by a signal. */
enum {
    RIGHT = 0,
    WRONG = 1,
    REFUSED = 10,
    APPROX = 11,
    TABLES = 12,
    MISTAKE = 20
};

struct trial {
    const char *text;
    uint64_t seed;
    bool real_parameters;
    struct arena mem;
    struct source src;
    const struct ir_func *f; /* of the front end */
    bool exact;              /* integers only: quantize changes nothing */
    bool rounded;            /* quantize is over: reals are exact, too */
    const union ir_cell *const *in[ROWS];
    const union ir_cell **want[ROWS]; /* what is to come of them */
};

static _Noreturn void
wrong(const char *where, size_t output, size_t row, double has, double want)
{
    fprintf(stderr, "%s: output %zu of row %zu is %.17g, not %.17g\n", where,
            output, row, has, want);
    exit(WRONG);
}

/* ---- the front end */

/* What a model may be refused with: it cannot be encrypted. */
static _Noreturn void
check_refusal(const struct diag *dg, char *said)
{
    const unsigned n = dg->errors < DIAG_MAX ? dg->errors : DIAG_MAX;

    for (unsigned i = 0; i < n; i++)
        if (dg->said[i].code < E_no_range) {
            fputs(said, stderr);
            exit(MISTAKE + (int)dg->said[i].code % 100);
        }
    if (getenv("CML_SEED"))
        fputs(said, stderr);
    exit(REFUSED);
}

static void
compile(struct trial *t)
{
    static const struct fe_options o = { .folder = "/dev/null" };
    char *said = NULL;
    size_t len;
    FILE *out = open_memstream(&said, &len);
    struct diag dg = { .src = &t->src, .out = out };
    struct ir_func *f = fe_compile(&t->mem, &dg, &o);

    fclose(out);
    if (!f)
        check_refusal(&dg, said);
    free(said);
    if (!t->real_parameters)
        ir_set(f, "insecure.toy", 1, (struct span){ 0, 0 });
    if (t->seed % 7 == 0) /* the answer hangs on no way of lowering */
        ir_set(f, "tables.native", 2, (struct span){ 0, 0 });
    if (t->seed % 4 != 1)
        ir_set(f, "joint", 0, (struct span){ 0, 0 });
    if (t->seed % 5 == 0)
        ir_set(f, "one_hot", 0, (struct span){ 0, 0 });
    if (t->seed % 3 == 0)
        ir_set(f, "sets", 1, (struct span){ 0, 0 });
    t->f = f;
    t->exact = true;
    for (uint32_t i = 0; i < f->n; i++)
        t->exact = t->exact && f->ins[i].type.base != IR_REAL;
}

static const union ir_cell **
evaluate(struct trial *t, const struct ir_func *f, size_t row)
{
    const union ir_cell **out = arena_new(&t->mem, const union ir_cell *, MOST);

    ir_eval(&t->mem, f, t->in[row], out, NULL);
    return out;
}

static bool
near(double a, double b)
{
    return (isnan(a) && isnan(b))
           || fabs(a - b) <= 1e-9 * (1 + fabs(a) + fabs(b));
}

/* The interpreter and the evaluator: sums of reals may be in another order. */
static void
check_front_end(struct trial *t)
{
    struct diag dg = { .src = &t->src };
    const struct ast *tree = fe_parse(&t->mem, &dg, dg.src);
    ir_ref list[MOST];
    const size_t n = ir_outputs(t->f, list, MOST);

    for (size_t row = 0; row < ROWS; row++) {
        struct tensor out[MOST];

        t->want[row] = evaluate(t, t->f, row);
        if (language_run(&t->mem, tree, t->in[row], out, MOST) != n)
            bug("another number of outputs");
        for (size_t o = 0; o < n; o++) {
            const struct ir_type *type = &ir_at(t->f, list[o])->type;

            if (tensor_count(&out[o]) != ir_count(type)
                || out[o].real != (type->base == IR_REAL)
                || out[o].rank != type->rank)
                bug("output %zu has another type", o);
            for (size_t e = 0; e < ir_count(type); e++) {
                const union ir_cell c = t->want[row][o][e];

                if (out[o].real ? !near(c.r, out[o].cell[e].r)
                                : c.i != out[o].cell[e].i)
                    wrong("front end", o, row, out[o].real ? c.r : (double)c.i,
                          tensor_at(&out[o], e));
            }
        }
    }
}

/* ---- passes */

static void
check_pass(const char *pass, const struct ir_func *before,
           const struct ir_func *after, void *arg)
{
    struct trial *t = arg;
    ir_ref list[MOST];
    const size_t n = ir_outputs(after, list, MOST);
    const bool rounds = strcmp(pass, "quantize") == 0 && !t->exact;

    (void)before;
    for (size_t row = 0; row < ROWS; row++) {
        struct arena_mark m = arena_mark(&t->mem);
        const union ir_cell **has = evaluate(t, after, row);

        for (size_t o = 0; o < n && !rounds; o++) {
            const struct ir_type *type = &ir_at(after, list[o])->type;
            const bool real = type->base == IR_REAL;

            for (size_t e = 0; e < ir_count(type); e++)
                if (real && !t->rounded
                        ? !near(has[o][e].r, t->want[row][o][e].r)
                        : has[o][e].w != t->want[row][o][e].w)
                    wrong(pass, o, row,
                          real ? has[o][e].r : (double)has[o][e].i,
                          real ? t->want[row][o][e].r
                               : (double)t->want[row][o][e].i);
        }
        if (rounds)
            t->want[row] = has;
        else
            arena_release(&t->mem, m);
    }
    t->rounded = t->rounded || strcmp(pass, "quantize") == 0;
}

static const struct ir_func *
run_passes(struct trial *t)
{
    char *said = NULL;
    size_t len;
    FILE *out = open_memstream(&said, &len);
    struct diag dg = { .src = &t->src, .out = out };
    int status = 0;
    const struct pass_options po = {
        .diag = &dg, .watch = check_pass, .arg = t, .status = &status
    };
    const struct ir_func *f = pass_run(&t->mem, t->f, &po);

    fclose(out);
    if (!f && dg.errors == 0)
        bug("refused without a message");
    if (!f)
        check_refusal(&dg, said);
    free(said);
    return f;
}

/* ---- compiled */

static void
check_compiled(struct trial *t, struct loaded *x, enum loaded_how how,
               size_t rows)
{
    static const char *const names[] = { "clear", "simulated", "encrypted" };
    double *out = loaded_run(x, how, t->in, rows, t->seed), *got = out;
    ir_ref list[MOST];
    const size_t n = ir_outputs(x->f, list, MOST);

    for (size_t row = 0; row < rows; row++)
        for (size_t o = 0; o < n; o++) {
            const struct ir_type *type = &ir_at(x->f, list[o])->type;

            for (size_t e = 0; e < ir_count(type); e++, got++) {
                const union ir_cell c = t->want[row][o][e];
                const double w = type->base == IR_REAL ? c.r : (double)c.i;

                if (memcmp(&w, got, sizeof w) != 0)
                    wrong(names[how], o, row, *got, w);
            }
        }
    free(out);
}

/* ---- a model */

static _Noreturn void
try_model(const char *text, uint64_t seed, bool real_parameters, bool encrypt)
{
    struct trial t = {
        .text = text,
        .seed = seed,
        .real_parameters = real_parameters,
        .src = { .name = "random.cml", .text = text, .len = strlen(text) }
    };
    struct dice d = { seed * 0x9e3779b97f4a7c15 };
    const struct ir_func *f;
    struct loaded x;
    bool approx, tables = false;

    setrlimit(RLIMIT_CPU, &(struct rlimit){ SECONDS, SECONDS });
    compile(&t);
    for (size_t row = 0; row < ROWS; row++)
        t.in[row] = random_inputs(&t.mem, &d, t.f);
    check_front_end(&t);
    f = run_passes(&t);
    loaded_open(&x, f, seed % 4 == 0);
    approx = x.m->approx;
    check_compiled(&t, &x, LOADED_CLEAR, ROWS);
    check_compiled(&t, &x, LOADED_QUIET, ROWS);
    if (encrypt && !approx)
        check_compiled(&t, &x, LOADED_ENCRYPTED, real_parameters ? 2 : ROWS);
    for (uint32_t i = 0; i < f->n; i++)
        tables = tables || ir_is_bootstrap(&f->ins[i])
                 || f->ins[i].op == IR_lwe_bit_lut;
    loaded_close(&x);
    arena_free(&t.mem);
    exit(encrypt && approx ? APPROX : encrypt && tables ? TABLES : RIGHT);
}

/* In a process of its own. */
static int
run(const char *text, uint64_t seed, bool real_parameters, bool encrypt,
    bool silent)
{
    int status = 0;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        if (silent && !freopen("/dev/null", "w", stderr))
            exit(WRONG);
        try_model(text, seed, real_parameters, encrypt);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return WRONG;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Without statements that the failure does not need. */
static void
shrink(struct random_cml *p, struct arena *mem, uint64_t seed, bool real,
       bool encrypt, int end)
{
    bool less = true;

    while (less) {
        less = false;
        for (size_t i = p->n; i-- > 0;) {
            if (p->left_out[i])
                continue;
            p->left_out[i] = true;
            p->left_out[i] =
                run(random_cml_text(mem, p), seed, real, encrypt, true) == end;
            less = less || p->left_out[i];
        }
    }
}

static glob_t found;

struct count {
    unsigned run, refused, encrypted, tables, wrong;
};

static void
one(struct count *c, uint64_t seed, bool real_parameters, bool encrypt)
{
    struct arena mem = { 0 };
    struct dice d = { seed * 0xd1342543de82ef95 + 1 };
    const bool reals = seed % 2;
    struct random_cml p;
    const char *text;
    int end;

    random_cml(&p, &mem, &d, reals, real_parameters);
    text = random_cml_text(&mem, &p);
    if (getenv("CML_SEED"))
        fputs(text, stderr);
    end = run(text, seed, real_parameters, encrypt, false);
    c->run++;
    c->refused += end == REFUSED;
    c->encrypted += (end == RIGHT && encrypt) || end == TABLES;
    c->tables += end == TABLES;
    if (end != RIGHT && end != REFUSED && end != APPROX && end != TABLES) {
        c->wrong++;
        fprintf(stderr, "seed %llu ends with %d:\n%s", (unsigned long long)seed,
                end, text);
        shrink(&p, &mem, seed, real_parameters, encrypt, end);
        text = random_cml_text(&mem, &p);
        fprintf(stderr, "and so does this:\n%s", text);
        run(text, seed, real_parameters, encrypt, false);
    }
    arena_free(&mem);
}

static unsigned
wanted(const char *name, unsigned otherwise)
{
    const char *n = getenv(name);

    return n ? (unsigned)strtoul(n, NULL, 10) : otherwise;
}

/* Models of every PARTS-th seed, in a process that Check watches. */
static void
part(unsigned first, unsigned models, bool real_parameters)
{
    struct count c = { 0 };

    for (unsigned seed = wanted("CML_FROM", 0) + first + 1; seed <= models;
         seed += PARTS)
        one(&c, seed, real_parameters, real_parameters || seed % 64 == 0);
    if (c.run)
        fprintf(stderr,
                "%u models, %u refused, %u encrypted, %u with bootstraps\n",
                c.run, c.refused, c.encrypted, c.tables);
    ck_assert_uint_eq(c.wrong, 0);
    ck_assert_uint_le(c.refused * 10, c.run * 3);
}

START_TEST(clear_models)
{
    const unsigned n = MODELS * wanted("CML_LONG", 1);

    part((unsigned)_i, wanted("CML_MODELS", getenv("CML_ENCRYPTED") ? 0 : n),
         false);
}
END_TEST

START_TEST(encrypted_models)
{
    const unsigned n = ENCRYPTED * wanted("CML_LONG", 1);

    part((unsigned)_i, wanted("CML_ENCRYPTED", getenv("CML_MODELS") ? 0 : n),
         true);
}
END_TEST

/* Models by hand: the interpreter finds what the front end means.  It reads no
 * files, and of those that are wrong there is another test. */
START_TEST(programs)
{
    static const struct fe_options o = { .folder = "golden" };
    struct trial t = { .seed = 1 };
    struct dice d = { 7 };
    char *text = arena_new(&t.mem, char, 1 << 16);
    FILE *in = fopen(found.gl_pathv[_i], "rb");
    const char *dot = strrchr(found.gl_pathv[_i], '.');
    char mistake[256];
    struct diag dg = { .src = &t.src };

    snprintf(mistake, sizeof mistake, "%.*s.err",
             (int)(dot - found.gl_pathv[_i]), found.gl_pathv[_i]);
    ck_assert(in != NULL);
    t.src = (struct source){ .name = found.gl_pathv[_i],
                             .text = text,
                             .len = fread(text, 1, (1 << 16) - 1, in) };
    fclose(in);
    if (strncmp(text, "ir 1", 4) != 0 && !strstr(text, "(\"")
        && !strstr(text, "import \"")

        && access(mistake, F_OK) != 0)
        t.f = fe_compile(&t.mem, &dg, &o);
    for (size_t row = 0; t.f && row < ROWS; row++)
        t.in[row] = random_inputs(&t.mem, &d, t.f);
    if (t.f)
        check_front_end(&t);
    arena_free(&t.mem);
}
END_TEST

START_TEST(one_model)
{
    const bool real = getenv("CML_ENCRYPTED") != NULL;
    struct count c = { 0 };

    one(&c, wanted("CML_SEED", 1), real, real);
    ck_assert_uint_eq(c.wrong, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("random");
    TCase *tc = tcase_create("random");
    SRunner *sr;
    int failed;

    glob("golden/*.cml", 0, NULL, &found);
    glob("language/*.cml", GLOB_APPEND, NULL, &found);
    if (getenv("CML_SEED")) {
        tcase_add_test(tc, one_model);
    } else {
        tcase_add_loop_test(tc, clear_models, 0, PARTS);
        tcase_add_loop_test(tc, encrypted_models, 0, PARTS);
        tcase_add_loop_test(tc, programs, 0, (int)found.gl_pathc);
    }
    tcase_set_timeout(tc, 0);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    globfree(&found);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
