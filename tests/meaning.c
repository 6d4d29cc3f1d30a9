#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "tests/meaning.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

char *
meaning_text(const struct ir_func *f)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    ir_print(out, f);
    fclose(out);
    return text;
}

void
meaning_round_trip(const char *name, const struct ir_func *f)
{
    struct arena mem = { 0 };
    char *text = meaning_text(f), *again;
    struct source src = { .name = name, .text = text, .len = strlen(text) };
    struct diag dg = { .src = &src, .out = stderr };
    struct ir_func *g = ir_parse(&mem, &dg);

    ck_assert_msg(g != NULL, "%s does not parse:\n%s", name, text);
    again = meaning_text(g);
    ck_assert_str_eq(text, again);
    free(again);
    free(text);
    arena_free(&mem);
}

static void
check_ranges(const char *name, const struct ir_func *f,
             const union ir_cell *const *value)
{
    for (uint32_t i = 0; i < f->n; i++) {
        const struct ir_type *t = &f->ins[i].type;

        if (t->base != IR_INT || !t->ranged || f->ins[i].op == IR_output)
            continue;
        for (size_t e = 0; e < ir_count(t); e++)
            ck_assert_msg(value[i][e].i >= t->ilo && value[i][e].i <= t->ihi,
                          "%s: %%%u is %lld", name, i,
                          (long long)value[i][e].i);
    }
}

const union ir_cell **
meaning_run(struct arena *mem, const char *name, const struct ir_func *f,
            const union ir_cell *const *in)
{
    const size_t n = ir_outputs(f, NULL, 0);
    const union ir_cell **out = arena_new(mem, const union ir_cell *, n);
    const union ir_cell **all = arena_new(mem, const union ir_cell *, f->n);

    ir_eval(mem, f, in, out, all);
    check_ranges(name, f, all);
    return out;
}

void
meaning_same(const char *name, const struct ir_func *before,
             const struct ir_func *after, const union ir_cell *const *in)
{
    const size_t n = ir_outputs(before, NULL, 0);
    struct arena mem = { 0 };
    ir_ref *list = arena_new(&mem, ir_ref, n);
    const union ir_cell **a = arena_new(&mem, const union ir_cell *, n);
    const union ir_cell **b;

    ck_assert_uint_eq(n, ir_outputs(after, list, n));
    ir_eval(&mem, before, in, a, NULL);
    b = meaning_run(&mem, name, after, in);
    for (size_t o = 0; o < n; o++)
        ck_assert_msg(
            memcmp(a[o], b[o],
                   ir_count(&ir_at(after, list[o])->type) * sizeof **a)
                == 0,
            "%s changes output %zu:\n%.4000s", name, o, meaning_text(after));
    arena_free(&mem);
}
