#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "tests/reading.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct reading
reading_open(const char *text, size_t len)
{
    struct reading r = { 0 };
    const struct source src = { .name = "t.ir", .text = text, .len = len };
    struct diag dg = { .src = &src };
    size_t n;

    dg.out = open_memstream(&r.said, &n);
    r.f = ir_parse(&r.mem, &dg);
    r.errors = dg.errors;
    fclose(dg.out);
    return r;
}

void
reading_close(struct reading *r)
{
    free(r->said);
    arena_free(&r->mem);
}

void
reading_refused(const char *text, const char *words)
{
    struct reading r = reading_open(text, strlen(text));

    ck_assert_msg(!r.f, "is accepted:\n%s", text);
    ck_assert_uint_eq(r.errors, 1);
    ck_assert_msg(strstr(r.said, words), "'%s' is not in\n%s", words, r.said);
    reading_close(&r);
}
