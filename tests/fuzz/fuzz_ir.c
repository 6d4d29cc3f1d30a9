/* Any bytes as the text of an IR.
 *
 * A refusal has a message; what parses is verified, prints as text that parses
 * back to itself, and goes through the passes with a result or a message.
 * Built with clang and CML_FUZZ this is a libFuzzer target, otherwise it
 * replays files.
 */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "passes/passes.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 12, MOST_CELLS = 1 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *
print(const struct ir_func *f, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    ir_print(out, f);
    fclose(out);
    return text;
}

static struct ir_func *
parse(struct arena *mem, const char *text, size_t len, FILE *sink)
{
    struct source src = { .name = "fuzz", .text = text, .len = len };
    struct diag dg = { .src = &src, .out = sink };
    struct ir_func *f = ir_parse(mem, &dg);
    uint32_t bad;

    if (!f != (dg.errors > 0) || (f && ir_verify(f, &bad)))
        abort();
    return f;
}

static void
check_form(const struct ir_func *f, FILE *sink)
{
    struct arena mem = { 0 };
    size_t n1, n2;
    char *once = print(f, &n1), *twice;
    const struct ir_func *g = parse(&mem, once, n1, sink);

    if (!g)
        abort();
    twice = print(g, &n2);
    if (n1 != n2 || memcmp(once, twice, n1) != 0)
        abort();
    free(once);
    free(twice);
    arena_free(&mem);
}

/* Evaluating large tensors takes long, and finds nothing more. */
static bool
is_small(const struct ir_func *f)
{
    size_t cells = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        cells += ir_count(&f->ins[i].type);
        if (f->ins[i].op == IR_matmul || f->ins[i].op == IR_lwe_matmul_clear)
            cells += ir_count(&f->ins[i].type)
                     * ir_channels(&ir_at(f, f->ins[i].in[0])->type);
    }
    return cells <= MOST_CELLS;
}

static void
check_passes(const struct ir_func *f, const struct source *src,
             const char *only, FILE *sink)
{
    struct arena mem = { 0 };
    struct diag dg = { .src = src, .out = sink };
    int status = 0;
    struct pass_options po = { .diag = &dg, .only = only, .status = &status };
    const struct ir_func *g = pass_run(&mem, f, &po);

    if (!g && (dg.errors == 0 || status == 0))
        abort();
    if (g)
        check_form(g, sink);
    arena_free(&mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const lists[] = { NULL,
                                         "fold,cse,dce",
                                         "calibrate,quantize",
                                         "fuse,range,clean",
                                         "range,to-tfhe,noise,schedule",
                                         "to-tfhe",
                                         "noise,params,schedule" };
    struct arena mem = { 0 };
    FILE *sink = fopen("/dev/null", "w");
    char *text = malloc(size + 1);
    const struct source src = { .name = "fuzz", .text = text, .len = size };
    struct ir_func *f;

    if (!sink || !text)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    f = parse(&mem, text, size, sink);
    if (f) {
        check_form(f, sink);
        ir_set(f, "insecure.toy", 1, (struct span){ 0, 0 });
    }
    for (size_t i = 0;
         f && size <= MOST && is_small(f) && i < sizeof lists / sizeof *lists;
         i++)
        check_passes(f, &src, lists[i], sink);
    arena_free(&mem);
    free(text);
    fclose(sink);
    return 0;
}
