/* Any bytes as CML.
 *
 * Nothing crashes or leaks; a refusal has a message.  What is accepted prints
 * as CML with the same tree, is verified, and goes through the passes, as far
 * as that takes little time.  Built with clang and CML_FUZZ this is a libFuzzer
 * target, otherwise it replays files.
 */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "frontend/frontend.h"
#include "passes/passes.h"

#include <stdlib.h>
#include <string.h>

/* Pricing the ways of lowering searches parameters, which takes seconds: when
 * many texts are tried, not with each. */
#ifdef CML_FUZZ
#define LAST "place"
#else
#define LAST "noise"
#endif

enum { MAX_ELEMENTS = 4096, MAX_OPS = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The tree as CML, or NULL; len receives its size. */
static char *
tree(const char *text, size_t *len, FILE *sink)
{
    const struct source src = { .name = "fuzz", .text = text, .len = *len };
    struct diag dg = { .src = &src, .out = sink };
    char *printed = NULL;
    FILE *out = open_memstream(&printed, len);
    const bool ok = fe_print_ast(out, &dg);

    fclose(out);
    if (ok != (dg.errors == 0))
        abort();
    if (ok)
        return printed;
    free(printed);
    return NULL;
}

static void
try_tree(const char *text, size_t size, FILE *sink)
{
    size_t n1 = size, n2;
    char *once = tree(text, &n1, sink), *twice;

    if (!once)
        return;
    n2 = n1;
    twice = tree(once, &n2, sink);
    if (!twice || n1 != n2 || memcmp(once, twice, n1) != 0)
        abort();
    free(once);
    free(twice);
}

/* The layout is its own layout. */
static void
try_layout(const char *text, size_t size, FILE *sink)
{
    struct source src = { .name = "fuzz", .text = text, .len = size };
    struct diag dg = { .src = &src, .out = sink };
    size_t n1, n2;
    char *once = fe_format(&dg, &n1), *twice;

    if (!once != (dg.errors > 0))
        abort();
    if (!once)
        return;
    src.text = once;
    src.len = n1;
    twice = fe_format(&dg, &n2);
    if (!twice || n1 != n2 || memcmp(once, twice, n1) != 0)
        abort();
    free(once);
    free(twice);
}

static bool
is_small(const struct ir_func *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (ir_count(&f->ins[i].type) > MAX_ELEMENTS)
            return false;
    return f->n <= MAX_OPS;
}

static void
try_model(const char *text, size_t size, FILE *sink)
{
    static const struct fe_options o = { .folder = "/dev/null" };
    struct arena mem = { 0 };
    const struct source src = { .name = "fuzz", .text = text, .len = size };
    struct diag dg = { .src = &src, .out = sink };
    struct ir_func *f = fe_compile(&mem, &dg, &o);
    int status = 0;
    const struct pass_options po = { .diag = &dg,
                                     .stop_after = LAST,
                                     .status = &status };
    uint32_t bad;

    if (!f != (dg.errors > 0))
        abort();
    if (f && ir_verify(f, &bad))
        abort();
    if (f && is_small(f) && !pass_run(&mem, f, &po)
        && (dg.errors == 0 || status == 0))
        abort();
    arena_free(&mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *sink = fopen("/dev/null", "w");
    char *text = malloc(size + 1);

    if (!sink || !text)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    try_tree(text, size, sink);
    try_layout(text, size, sink);
    try_model(text, size, sink);
    free(text);
    fclose(sink);
    return 0;
}
