/* The passes on random models: no pass changes what a model means, every
 * result prints, parses back and prints the same; and every proved interval
 * holds the values that occur. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "passes/passes.h"
#include "passes/tails.h"
#include "tests/meaning.h"
#include "tests/programs.h"
#include "tests/random_ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS = 100, ROUNDS = 12 };

/* CML_MODELS=10000 for a long run */
static unsigned
models(void)
{
    const char *n = getenv("CML_MODELS");

    return n ? (unsigned)strtoul(n, NULL, 10) : MODELS;
}

static bool
all_integers(const struct ir_func *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].type.base == IR_REAL)
            return false;
    return true;
}

/* quantize rounds; every other pass is exact. */
static void
same_meaning(const char *pass, const struct ir_func *before,
             const struct ir_func *after, void *arg)
{
    const bool exact = strcmp(pass, "quantize") != 0 || all_integers(before);
    struct dice *d = arg;
    struct arena mem = { 0 };

    for (int round = 0; round < ROUNDS; round++) {
        struct arena_mark m = arena_mark(&mem);
        const union ir_cell **in = random_inputs(&mem, d, before);

        if (exact)
            meaning_same(pass, before, after, in);
        else
            (void)meaning_run(&mem, pass, after, in);
        arena_release(&mem, m);
    }
    arena_free(&mem);
    meaning_round_trip(pass, after);
}

/* Models whose tables are too wide are refused with 6; a third or more must
 * go through, or the test says nothing. */
START_TEST(random_models_keep_their_meaning)
{
    const enum random_kind kind = (enum random_kind)_i;
    unsigned through = 0;

    for (uint64_t seed = 1; seed <= models(); seed++) {
        struct arena mem = { 0 };
        struct dice d = { seed * 0x2545f4914f6cdd1d };
        struct source src = { .name = "random", .text = "", .len = 0 };
        FILE *sink = tmpfile();
        struct diag dg = { .src = &src, .out = sink };
        struct ir_func *f = random_ir(&mem, &d, kind, 4 + (unsigned)seed % 12);
        int status = 0;
        struct pass_options po = {
            .diag = &dg, .watch = same_meaning, .arg = &d, .status = &status
        };

        meaning_round_trip("random", f);
        if (pass_run(&mem, f, &po))
            through++;
        else
            ck_assert_msg(status == 6 || status == 1, "status %d", status);
        fclose(sink);
        arena_free(&mem);
    }
    ck_assert_uint_ge(through, models() / 3);
}
END_TEST

/* ---- models by hand */

/* The result of all passes on a text; joint: answers may be tables of bits;
 * what is said goes to *said. */
static int
run_text(const char *text, bool watched, bool joint, char **said)
{
    struct arena mem = { 0 };
    const struct source src = { .name = "t.ir",
                                .text = text,
                                .len = strlen(text) };
    struct diag dg = { .src = &src };
    struct dice d = { 1 };
    int status = 0;
    const struct pass_options po = { .diag = &dg,
                                     .watch = watched ? same_meaning : NULL,
                                     .arg = &d,
                                     .status = &status };
    struct ir_func *f;
    size_t len;

    dg.out = open_memstream(said, &len);
    f = ir_parse(&mem, &dg);
    if (f && !joint)
        ir_set(f, "joint", 0, (struct span){ 0, 0 });
    if (f && !pass_run(&mem, f, &po))
        ck_assert_int_ne(status, 0);
    fclose(dg.out);
    ck_assert_msg(f != NULL, "%s", *said);
    arena_free(&mem);
    return status;
}

START_TEST(programs_keep_their_meaning)
{
    char *said;

    for (int joint = 0; joint < 2; joint++) {
        const int status = run_text(programs[_i].text, true, joint, &said);

        ck_assert_msg(status == 0, "%s: %s", programs[_i].name, said);
        free(said);
    }
}
END_TEST

START_TEST(mistakes_have_a_message)
{
    char *said;
    const int status = run_text(refusals[_i].text, false, false, &said);

    ck_assert_msg(status == refusals[_i].status
                      && strstr(said, refusals[_i].words),
                  "exit %d, not '%s':\n%s%s", status, refusals[_i].words, said,
                  refusals[_i].text);
    free(said);
}
END_TEST

/* ---- quantize: linear models stay near */

static const union ir_cell *
sized(struct arena *mem, const struct ir_type *t, const union ir_cell *from)
{
    union ir_cell *cell = arena_new(mem, union ir_cell, ir_count(t));

    for (size_t i = 0; i < ir_count(t); i++)
        if (t->base == IR_REAL)
            cell[i].r = fabs(from[i].r);
        else
            cell[i].i = llabs(from[i].i);
    return cell;
}

/* |f|: inputs and constants by their size, sub as add.  A relative error of
 * each rounding is at most that part of it. */
static const union ir_cell **
sizes(struct arena *mem, const struct ir_func *f, const union ir_cell **in)
{
    struct ir_func *g = ir_func_bare(mem, f);
    ir_ref *map = arena_new(mem, ir_ref, f->n);
    const union ir_cell **out =
        arena_new(mem, const union ir_cell *, ir_outputs(f, NULL, 0));

    for (const struct ir_blob *b = f->blobs; b; b = b->next)
        ir_blob_add(g, b->name, b->kind, &b->type,
                    sized(mem, &b->type, b->cell));
    for (uint32_t i = 0; i < f->n; i++) {
        struct ir_ins ins = f->ins[i];

        if (ins.op == IR_sub)
            ins.op = IR_add;
        map[i] = ins.op == IR_neg ? map[ins.in[0].id] : ir_copy(g, &ins, map);
    }
    ir_eval(mem, g, in, out, NULL);
    return out;
}

static const union ir_cell **
largest_inputs(struct arena *mem, const struct ir_func *f)
{
    const size_t n = ir_inputs(f, NULL, 0);
    ir_ref *list = arena_new(mem, ir_ref, n);
    const union ir_cell **in = arena_new(mem, const union ir_cell *, n);

    ir_inputs(f, list, n);
    for (size_t i = 0; i < n; i++) {
        const struct ir_type *t = &ir_at(f, list[i])->type;
        union ir_cell *cell = arena_new(mem, union ir_cell, ir_count(t));

        for (size_t e = 0; e < ir_count(t); e++)
            if (t->base == IR_INT)
                cell[e].i = llabs(t->ilo) > llabs(t->ihi) ? llabs(t->ilo)
                                                          : llabs(t->ihi);
            else
                cell[e].r = t->ranged ? fmax(fabs(t->lo), fabs(t->hi)) : 2;
        in[i] = cell;
    }
    return in;
}

/* Whether the client clips an input of the row to its calibrated range. */
static bool
is_clipped(const struct ir_func *f, const union ir_cell *const *value)
{
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_type *t = &f->ins[i].type;

        if (f->ins[i].op != IR_encrypt || t->base != IR_REAL)
            continue;
        for (size_t e = 0; e < ir_count(t); e++)
            if (value[i][e].r < t->lo || value[i][e].r > t->hi)
                return true;
    }
    return false;
}

/* Every op rounds by 2^-7 at most: the ratio of scales that meet in a sum. */
static void
stays_near(const char *pass, const struct ir_func *f, const struct ir_func *g,
           void *arg)
{
    struct arena mem = { 0 };
    const size_t n = ir_outputs(f, NULL, 0);
    const union ir_cell **size, **a, **b, **all;
    ir_ref *list;

    if (strcmp(pass, "quantize") != 0)
        return;
    list = arena_new(&mem, ir_ref, n);
    ir_outputs(f, list, n);
    size = sizes(&mem, f, largest_inputs(&mem, f));
    a = arena_new(&mem, const union ir_cell *, n);
    b = arena_new(&mem, const union ir_cell *, n);
    all = arena_new(&mem, const union ir_cell *, f->n);
    for (int round = 0; round < ROUNDS; round++) {
        const union ir_cell **in = random_inputs(&mem, arg, f);

        ir_eval(&mem, f, in, a, all);
        if (is_clipped(f, all))
            continue;
        ir_eval(&mem, g, in, b, NULL);
        for (size_t o = 0; o < n; o++) {
            const struct ir_type *t = &ir_at(f, list[o])->type;

            for (size_t e = 0; e < ir_count(t) && t->base == IR_REAL; e++)
                ck_assert_msg(fabs(a[o][e].r - b[o][e].r)
                                  <= 0x1p-7 * f->n * size[o][e].r + 0x1p-20,
                              "%zu[%zu]: %g is %g\n%s", o, e, a[o][e].r,
                              b[o][e].r, meaning_text(f));
        }
    }
    arena_free(&mem);
}

START_TEST(linear_models_stay_near)
{
    for (uint64_t seed = 1; seed <= models(); seed++) {
        struct arena mem = { 0 };
        struct dice d = { seed * 0x2545f4914f6cdd1d };
        struct source src = { .name = "random", .text = "", .len = 0 };
        FILE *sink = tmpfile();
        struct diag dg = { .src = &src, .out = sink };
        int status = 0;
        struct pass_options po = { .diag = &dg,
                                   .stop_after = "quantize",
                                   .watch = stays_near,
                                   .arg = &d,
                                   .status = &status };

        pass_run(&mem, random_ir(&mem, &d, RANDOM_LINEAR, 8), &po);
        fclose(sink);
        arena_free(&mem);
    }
}
END_TEST

/* Ten thousand numbers of 0..1 and one of 4: the tail costs a grid of 15 steps
 * more than what is clipped. */
START_TEST(ranges_leave_tails_out)
{
    enum { N = 10001 };
    struct arena mem = { 0 };
    struct ir_type t = { .base = IR_REAL, .ranged = true, .lo = 0, .hi = 4 };
    struct ir_type all = t, most = t, best = t;
    union ir_cell *x = arena_new(&mem, union ir_cell, N);
    struct tails *h = tails_new(&mem, &t);

    for (int i = 0; i < N - 1; i++)
        x[i].r = (i + 0.5) / (N - 1);
    x[N - 1].r = 4;
    tails_add(h, x, N);
    tails_percentile(h, 100, &all);
    ck_assert(all.lo <= 0 && all.hi >= 4);
    tails_percentile(h, 99, &most);
    ck_assert(fabs(most.lo - 0.01) < 1e-3 && fabs(most.hi - 0.99) < 1e-3);
    tails_least_error(h, 4, &best);
    ck_assert(best.lo >= 0 && best.hi > 0.95 && best.hi < 1.5);
    tails_least_error(h, 12, &best); /* a fine grid has room for the tail */
    ck_assert(best.hi > 3.5);
    arena_free(&mem);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("passes");
    TCase *tc = tcase_create("random");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, random_models_keep_their_meaning, 0, RANDOM_KINDS);
    tcase_add_test(tc, linear_models_stay_near);
    tcase_add_test(tc, ranges_leave_tails_out);
    tcase_add_loop_test(tc, programs_keep_their_meaning, 0, nprograms);
    tcase_add_loop_test(tc, mistakes_have_a_message, 0, nrefusals);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
