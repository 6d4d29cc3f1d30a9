/* Runs the compiler, as a library, over tests/golden.
 *
 * Beside a source NAME.cml, a file NAME.STAGE asks for that stage and holds
 * what it must print:
 *
 *     ast      the syntax tree, as canonical CML
 *     ir       the front end's result
 *     PASS     the result of a pass, as in NAME.clean
 *     report   the report, as text
 *     json     the same messages as JSON
 *     err      the messages of all stages, with ways out that were tried; and
 *              there must be some
 *
 * CML_BLESS=1 writes the files instead of comparing them.  Whatever compiles
 * also goes through the whole pipeline, and every text on the way parses back.
 */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "frontend/frontend.h"
#include "ir/json.h"
#include "passes/passes.h"
#include "passes/report.h"
#include "tests/meaning.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

static glob_t wanted, sources;

static char *
slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb"), *mem;
    char *text = NULL;

    if (!f)
        return NULL;
    mem = open_memstream(&text, len);
    for (int c; (c = getc(f)) != EOF;)
        putc(c, mem);
    fclose(f);
    fclose(mem);
    return text;
}

struct job {
    struct arena mem;
    char path[256]; /* of the source */
    const char *stage;
    struct source src;
    struct diag diag;
};

/* The source that a path belongs to, its suffix being the stage. */
static void
open_job(struct job *j, const char *path, FILE *messages)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    char *text;

    *j = (struct job){ .stage = dot + 1 };
    snprintf(j->path, sizeof j->path, "%.*s.cml", (int)(dot - path), path);
    text = slurp(j->path, &j->src.len);
    ck_assert_msg(text, "no %s", j->path);
    j->src.text = arena_string(&j->mem, text, j->src.len);
    j->src.name = j->path + (slash - path) + 1;
    j->diag = (struct diag){ .src = &j->src, .out = messages };
    free(text);
}

static struct ir_func *
compile(struct job *j)
{
    static const struct fe_options o = { .folder = "golden" };

    if (strncmp(j->src.text, "ir 1 ", 5) == 0)
        return ir_parse(&j->mem, &j->diag);
    return fe_compile(&j->mem, &j->diag, &o);
}

static struct ir_func *
run_passes(struct job *j, const char *stop, const struct ir_func *f,
           void (*watch)(const char *, const struct ir_func *,
                         const struct ir_func *, void *))
{
    const struct pass_options po = { .diag = &j->diag,
                                     .stop_after = stop,
                                     .ways = strcmp(j->stage, "err") == 0,
                                     .watch = watch };

    return pass_run(&j->mem, f, &po);
}

static void
run_report(struct job *j, FILE *out)
{
    struct report *r = report_new(&j->mem);
    const struct pass_options po = { .diag = &j->diag,
                                     .watch = report_watch,
                                     .arg = r };
    const struct ir_func *f = pass_run(&j->mem, compile(j), &po);
    char *text = NULL;
    const char *why;
    size_t len;
    FILE *mem = open_memstream(&text, &len);

    ck_assert(f);
    report_write(mem, r, f, j->diag.src, REPORT_ALL);
    fclose(mem);
    fe_report_text(out, json_read(&j->mem, text, len, &why));
    free(text);
}

/* What the compiler prints for a stage. */
static void
run_stage(struct job *j, FILE *out)
{
    const bool err =
        strcmp(j->stage, "err") == 0 || strcmp(j->stage, "json") == 0;
    struct ir_func *f;

    j->diag.json = strcmp(j->stage, "json") == 0;

    if (strcmp(j->stage, "ast") == 0) {
        ck_assert(fe_print_ast(out, &j->diag));
        return;
    }
    if (strcmp(j->stage, "report") == 0) {
        run_report(j, out);
        return;
    }
    f = compile(j);
    if (f && strcmp(j->stage, "ir") != 0)
        f = run_passes(j, err ? NULL : j->stage, f, NULL);
    ck_assert_msg(err == !f, "%s: wrong outcome", j->path);
    if (f)
        ir_print(out, f);
}

START_TEST(golden)
{
    const char *path = wanted.gl_pathv[_i];
    char *has = NULL, *wants;
    size_t len;
    FILE *out = open_memstream(&has, &len);
    struct job j;

    open_job(&j, path, out);
    run_stage(&j, out);
    fclose(out);
    if (getenv("CML_BLESS")) {
        FILE *f = fopen(path, "wb");

        ck_assert(f && fwrite(has, 1, len, f) == len && fclose(f) == 0);
    }
    wants = slurp(path, &len);
    ck_assert_str_eq(has, wants);
    free(has);
    free(wants);
    arena_free(&j.mem);
}
END_TEST

static void
parses_back(const char *pass, const struct ir_func *before,
            const struct ir_func *after, void *arg)
{
    (void)before;
    (void)arg;
    meaning_round_trip(pass, after);
}

/* The tree prints as CML that has the same tree. */
static void
check_tree(struct job *j)
{
    char *once = NULL, *twice = NULL;
    size_t len;
    FILE *out = open_memstream(&once, &len);
    struct source again = { .name = j->src.name, .text = NULL, .len = 0 };
    struct diag dg = { .src = &again, .out = stderr };

    ck_assert(fe_print_ast(out, &j->diag));
    fclose(out);
    again.text = once;
    again.len = len;
    out = open_memstream(&twice, &len);
    ck_assert(fe_print_ast(out, &dg));
    fclose(out);
    ck_assert_str_eq(once, twice);
    free(once);
    free(twice);
}

/* Each source that parses, whether or not a stage is asked for. */
START_TEST(round_trips)
{
    FILE *sink = tmpfile();
    struct job j;
    struct ir_func *f;

    open_job(&j, sources.gl_pathv[_i], sink);
    f = compile(&j);
    if (f) {
        check_tree(&j);
        meaning_round_trip("front end", f);
        run_passes(&j, NULL, f, parses_back);
    }
    fclose(sink);
    arena_free(&j.mem);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("golden");
    TCase *tc = tcase_create("golden");
    SRunner *sr;
    int failed;

    glob("golden/*.[!c]*", 0, NULL, &wanted);
    glob("golden/*.clean", GLOB_APPEND, NULL, &wanted);
    glob("golden/*.cml", 0, NULL, &sources);
    if (!wanted.gl_pathc || !sources.gl_pathc)
        return EXIT_FAILURE;
    tcase_add_loop_test(tc, golden, 0, (int)wanted.gl_pathc);
    tcase_add_loop_test(tc, round_trips, 0, (int)sources.gl_pathc);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    globfree(&wanted);
    globfree(&sources);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
