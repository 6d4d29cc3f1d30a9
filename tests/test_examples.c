/* The examples of the book: every pass over each of them keeps the meaning, and
 * every text on the way parses back and prints the same.
 *
 * Inputs are the example's calibration rows, stretched at random, so that they
 * also leave the calibrated box, or lie anywhere in the declared one. */
#define _POSIX_C_SOURCE 200809L
#include "frontend/frontend.h"
#include "passes/passes.h"
#include "tests/meaning.h"
#include "tests/random_ir.h"

#include <check.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40 };

static glob_t found;

struct example {
    struct arena mem;
    struct source src;
    char folder[256];
    const struct ir_func *f;
    struct dice dice;
};

static void
open_example(struct example *x, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text;
    struct diag dg = { .src = &x->src, .out = stderr };
    struct fe_options o = { .folder = x->folder };

    *x = (struct example){ .dice = { 7 } };
    ck_assert_msg(f, "no %s", path);
    text = arena_new(&x->mem, char, 1 << 20);
    x->src = (struct source){ .name = path,
                              .text = text,
                              .len = fread(text, 1, (1 << 20) - 1, f) };
    fclose(f);
    snprintf(x->folder, sizeof x->folder, "%.*s",
             (int)(strrchr(path, '/') - path), path);
    x->f = fe_compile(&x->mem, &dg, &o);
    ck_assert_msg(x->f, "%s has errors", path);
}

/* Anywhere in the range of a type. */
static union ir_cell
draw_cell(struct dice *dice, const struct ir_type *t)
{
    union ir_cell c;

    if (t->base == IR_INT)
        c.i =
            t->ilo + (int64_t)dice_roll(dice, (uint64_t)(t->ihi - t->ilo + 1));
    else
        c.r = t->lo + (t->hi - t->lo) * (double)dice_roll(dice, 1025) / 1024;
    return c;
}

/* A calibration row of each input, each number stretched by up to a half; what
 * has no such rows anywhere in its range. */
static const union ir_cell **
draw_row(struct arena *mem, struct example *x)
{
    const size_t n = ir_inputs(x->f, NULL, 0);
    ir_ref *list = arena_new(mem, ir_ref, n);
    const union ir_cell **in = arena_new(mem, const union ir_cell *, n);

    ir_inputs(x->f, list, n);
    for (size_t i = 0; i < n; i++) {
        const struct ir_ins *ins = ir_at(x->f, list[i]);
        const struct ir_blob *b = ir_calibration(x->f, ins->as.input.name);
        const size_t count = ir_count(&ins->type);
        union ir_cell *cell = arena_new(mem, union ir_cell, count);

        in[i] = cell;
        ck_assert_msg(b || ins->type.ranged, "%s is not calibrated",
                      ins->as.input.name);
        if (b)
            memcpy(cell, b->cell + dice_roll(&x->dice, b->type.dim[0]) * count,
                   count * sizeof *cell);
        for (size_t e = 0; e < count; e++)
            if (!b)
                cell[e] = draw_cell(&x->dice, &ins->type);
            else if (ins->type.base == IR_REAL)
                cell[e].r *= 0.5 + (double)dice_roll(&x->dice, 1024) / 1024;
    }
    return in;
}

static void
check_pass(const char *pass, const struct ir_func *before,
           const struct ir_func *after, void *arg)
{
    struct example *x = arg;
    struct arena mem = { 0 };

    meaning_round_trip(pass, after);
    for (int row = 0; row < ROWS; row++) {
        const union ir_cell **in = draw_row(&mem, x);

        if (strcmp(pass, "quantize") == 0) /* it rounds, by design */
            meaning_run(&mem, pass, after, in);
        else
            meaning_same(pass, before, after, in);
    }
    arena_free(&mem);
}

START_TEST(passes_keep_examples)
{
    struct example x;
    struct diag dg = { .src = &x.src, .out = stderr };
    const struct pass_options po = { .diag = &dg,
                                     .watch = check_pass,
                                     .arg = &x };

    open_example(&x, found.gl_pathv[_i]);
    meaning_round_trip("front end", x.f);
    ck_assert(pass_run(&x.mem, x.f, &po) != NULL);
    arena_free(&x.mem);
}
END_TEST

/* Same source, same bytes. */
START_TEST(compiling_repeats)
{
    char *text[2];

    for (int i = 0; i < 2; i++) {
        struct example x;
        struct diag dg = { .src = &x.src, .out = stderr };
        const struct pass_options po = { .diag = &dg };

        open_example(&x, found.gl_pathv[_i]);
        text[i] = meaning_text(pass_run(&x.mem, x.f, &po));
        arena_free(&x.mem);
    }
    ck_assert_str_eq(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("examples");
    TCase *tc = tcase_create("examples");
    SRunner *sr;
    int failed;

    glob("../lang-spec/examples/*/*.cml", 0, NULL, &found);
    if (found.gl_pathc < 2)
        return EXIT_FAILURE;
    tcase_add_loop_test(tc, passes_keep_examples, 0, (int)found.gl_pathc);
    tcase_add_loop_test(tc, compiling_repeats, 0, (int)found.gl_pathc);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    globfree(&found);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
