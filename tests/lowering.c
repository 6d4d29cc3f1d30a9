/* Models of the ciphertext level, and the run that checks each pass. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "tests/lowering.h"

#include "passes/inner.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 50 };

const char lowering_linear[] =
    "ir 1 linear\n"
    "param @w : int[3,2] = [1, -2, 3, 4, -5, 6]\n"
    "param @b : int[2] = [7, -9]\n"
    "param @m : int = [-3]\n"
    "{\n"
    "  %0 = input { name = @x } : int[4,3] in -8..7\n"
    "  %1 = encrypt %0 : enc int[4,3] in -8..7\n"
    "  %2 = constant { data = @w } : int[3,2]\n"
    "  %3 = matmul %1, %2 : enc int[4,2]\n"
    "  %4 = constant { data = @b } : int[2]\n"
    "  %5 = add %4, %3 : enc int[4,2]\n"
    "  %6 = sub %4, %5 : enc int[4,2]\n"
    "  %7 = sub %6, %4 : enc int[4,2]\n"
    "  %8 = constant { data = @m } : int\n"
    "  %9 = mul %8, %7 : enc int[4,2]\n"
    "  %10 = neg %9 : enc int[4,2]\n"
    "  %11 = sum %10 { axis = 0 } : enc int[2]\n"
    "  %12 = decrypt %11 : int[2]\n"
    "  output %12 { name = @y }\n"
    "}\n";

const char lowering_broadcast[] =
    "ir 1 broadcast\n"
    "param @b : int[2,1,3] = [1, 2, 3, 4, 5, 6]\n"
    "{\n"
    "  %0 = input { name = @x } : int[2,1] in 0..9\n"
    "  %1 = input { name = @y } : int[3] in -5..5\n"
    "  %2 = encrypt %0 : enc int[2,1] in 0..9\n"
    "  %3 = encrypt %1 : enc int[3] in -5..5\n"
    "  %4 = add %2, %3 : enc int[2,3]\n"
    "  %5 = sub %3, %2 : enc int[2,3]\n"
    "  %6 = constant { data = @b } : int[2,1,3]\n"
    "  %7 = sub %6, %2 : enc int[2,2,3]\n"
    "  %8 = mul %3, %6 : enc int[2,1,3]\n"
    "  %9 = add %7, %8 : enc int[2,2,3]\n"
    "  %10 = decrypt %4 : int[2,3]\n"
    "  %11 = decrypt %5 : int[2,3]\n"
    "  %12 = decrypt %9 : int[2,2,3]\n"
    "  output %10 { name = @a }\n"
    "  output %11 { name = @b }\n"
    "  output %12 { name = @c }\n"
    "}\n";

const char lowering_clear_left[] =
    "ir 1 clear_left\n"
    "param @w : int[2,3] = [1, -2, 3, 4, -5, 6]\n"
    "param @v : int[3] = [2, 3, -4]\n"
    "{\n"
    "  %0 = input { name = @x } : int[3,4] in -8..7\n"
    "  %1 = input { name = @y } : int[3] in 0..3\n"
    "  %2 = encrypt %0 : enc int[3,4] in -8..7\n"
    "  %3 = encrypt %1 : enc int[3] in 0..3\n"
    "  %4 = constant { data = @w } : int[2,3]\n"
    "  %5 = constant { data = @v } : int[3]\n"
    "  %6 = matmul %4, %2 : enc int[2,4]\n"
    "  %7 = matmul %4, %3 : enc int[2]\n"
    "  %8 = matmul %5, %2 : enc int[4]\n"
    "  %9 = matmul %5, %3 : enc int\n"
    "  %10 = matmul %3, %5 : enc int\n"
    "  %11 = decrypt %6 : int[2,4]\n"
    "  %12 = decrypt %7 : int[2]\n"
    "  %13 = decrypt %8 : int[4]\n"
    "  %14 = decrypt %9 : int\n"
    "  %15 = decrypt %10 : int\n"
    "  output %11 { name = @a }\n"
    "  output %12 { name = @b }\n"
    "  output %13 { name = @c }\n"
    "  output %14 { name = @d }\n"
    "  output %15 { name = @e }\n"
    "}\n";

const char lowering_shapes[] =
    "ir 1 shapes\n"
    "param @b : int[1,2] = [40, -2]\n"
    "const @i : int[2,2] = [5, 0, 3, 3]\n"
    "{\n"
    "  %0 = input { name = @x } : int[3,2] in 0..15\n"
    "  %1 = encrypt %0 : enc int[3,2] in 0..15\n"
    "  %2 = constant { data = @b } : int[1,2]\n"
    "  %3 = concat %2, %1, %2 : enc int[5,2]\n"
    "  %4 = gather %1 { index = @i } : enc int[2,2]\n"
    "  %5 = concat %3, %4 : enc int[7,2]\n"
    "  %6 = reshape %5 : enc int[2,7]\n"
    "  %7 = sum %6 { axis = 1 } : enc int[2]\n"
    "  %8 = decrypt %6 : int[2,7]\n"
    "  %9 = decrypt %7 : int[2]\n"
    "  %10 = add %9, %9 : int[2]\n"
    "  output %8 { name = @a }\n"
    "  output %10 { name = @b }\n"
    "}\n";

/* tables of one row, a row a channel, and a row an element */
static const char tables[] =
    "ir 1 tables\n"
    "param @w : int[2,3] = [1, -1, 2, -2, 1, 0]\n"
    "param @t : int[1,4] = [3, 0, -2, 1]\n"
    "param @u : int[3,6] = [0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0,\n"
    "  1, 1, 1, -1, -1, -1]\n"
    "param @v : int[6,10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9,\n"
    "  9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,\n"
    "  2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,\n"
    "  0, -1, 0, -1, 0, -1, 0, -1, 0, -1]\n"
    "{\n"
    "  %0 = input { name = @x } : int[2,2] in 0..3\n"
    "  %1 = encrypt %0 : enc int[2,2] in 0..3\n"
    "  %2 = lut %1 { table = @t, offset = 0, approx = 0 }"
    " : enc int[2,2] in -2..3\n"
    "  %3 = constant { data = @w } : int[2,3]\n"
    "  %4 = matmul %2, %3 : enc int[2,3]\n"
    "  %5 = lut %4 { table = @z, offset = 8, approx = 0 }"
    " : enc int[2,3] in 0..5\n"
    "  %6 = lut %5 { table = @u, offset = 0, approx = 0 }"
    " : enc int[2,3] in -1..5\n"
    "  %7 = lut %5 { table = @v, offset = 2, approx = 0 }"
    " : enc int[2,3] in -1..9\n"
    "  %8 = add %6, %7 : enc int[2,3]\n"
    "  %9 = decrypt %8 : int[2,3]\n"
    "  output %9 { name = @y }\n"
    "}\n";

/* x is read by a table of 4 bits, as it is by one of 2, and as an answer of 9;
 * its exponent is that of the answer */
const char lowering_widths[] =
    "ir 1 widths\n"
    "param @w : int[3] = [9, 80, -70]\n"
    "param @one : int[3] = [1, 2, 2]\n"
    "param @t : int[1,4] = [3, 0, 2, 1]\n"
    "param @u : int[1,16] = [0, 1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1, 1]\n"
    "{\n"
    "  %0 = input { name = @x } : int[3] in 0..3\n"
    "  %1 = encrypt %0 : enc int[3] in 0..3\n"
    "  %2 = constant { data = @w } : int[3]\n"
    "  %3 = constant { data = @one } : int[3]\n"
    "  %4 = lut %1 { table = @t, offset = 0, approx = 0 }"
    " : enc int[3] in 0..3\n"
    "  %5 = matmul %1, %3 : enc int\n"
    "  %6 = lut %5 { table = @u, offset = 0, approx = 0 }"
    " : enc int in 0..7\n"
    "  %7 = matmul %1, %2 : enc int\n"
    "  %8 = sum %4 { axis = 0 } : enc int\n"
    "  %9 = add %6, %8 : enc int\n"
    "  %10 = add %9, %5 : enc int\n"
    "  %11 = decrypt %7 : int\n"
    "  %12 = decrypt %10 : int\n"
    "  output %11 { name = @a }\n"
    "  output %12 { name = @b }\n"
    "}\n";

/* a table of ten bits; holes for its entries and `approx` */
static const char wide[] =
    "ir 1 wide\n"
    "param @w : int[4] = [1, 2, 3, 4]\n"
    "param @t : int[1,%d] = [%s]\n"
    "{\n"
    "  %%0 = input { name = @x } : int[4] in %d..%d\n"
    "  %%1 = encrypt %%0 : enc int[4] in %d..%d\n"
    "  %%2 = constant { data = @w } : int[4]\n"
    "  %%3 = matmul %%1, %%2 : enc int\n"
    "  %%4 = lut %%3 { table = @t, offset = %d, approx = %d }"
    " : enc int in 0..15\n"
    "  %%5 = decrypt %%4 : int\n"
    "  output %%5 { name = @y }\n"
    "}\n";

static char *
text_of(const struct ir_func *f)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    ir_print(out, f);
    fclose(out);
    return text;
}

static struct ir_func *
parse(struct arena *mem, const char *text)
{
    struct source src = { .name = "t.ir", .text = text, .len = strlen(text) };
    struct diag dg = { .src = &src, .out = stderr };

    return ir_parse(mem, &dg);
}

static void
check_form(const char *pass, const struct ir_func *f)
{
    struct arena mem = { 0 };
    char *text = text_of(f), *again;
    uint32_t bad = 0;
    const char *rule = ir_verify(f, &bad);
    struct ir_func *g;

    ck_assert_msg(!rule, "after %s: %%%u: %s\n%s", pass, bad, rule, text);
    g = parse(&mem, text);
    ck_assert_msg(g != NULL, "after %s, does not parse:\n%s", pass, text);
    again = text_of(g);
    ck_assert_str_eq(text, again);
    free(again);
    free(text);
    arena_free(&mem);
}

static const union ir_cell **
random_row(struct arena *mem, const struct ir_func *f, int round)
{
    ir_ref list[4];
    const size_t n = ir_inputs(f, list, 4);
    const union ir_cell **in = arena_new(mem, const union ir_cell *, n);

    for (size_t i = 0; i < n; i++) {
        const struct ir_type *t = &ir_at(f, list[i])->type;
        union ir_cell *cell = arena_new(mem, union ir_cell, ir_count(t));
        const int64_t last = t->ihi - t->ilo;

        for (size_t e = 0; e < ir_count(t); e++)
            cell[e].i = t->ilo
                        + (round == 0   ? 0
                           : round == 1 ? last
                                        : rand() % (last + 1));
        in[i] = cell;
    }
    return in;
}

static void
check_meaning(const char *pass, const struct ir_func *f,
              const struct ir_func *g)
{
    struct arena mem = { 0 };
    ir_ref list[8];
    const size_t n = ir_outputs(f, list, 8);

    ck_assert_uint_eq(n, ir_outputs(g, NULL, 0));
    for (int round = 0; round < ROUNDS; round++) {
        const union ir_cell **in = random_row(&mem, f, round);
        const union ir_cell *a[8], *b[8];

        ir_eval(&mem, f, in, a, NULL);
        ir_eval(&mem, g, in, b, NULL);
        for (size_t o = 0; o < n; o++)
            for (size_t e = 0; e < ir_count(&ir_at(f, list[o])->type); e++)
                ck_assert_msg(a[o][e].i == b[o][e].i,
                              "%s: output %zu[%zu] was %lld, is %lld\n%s", pass,
                              o, e, (long long)a[o][e].i, (long long)b[o][e].i,
                              text_of(g));
    }
    arena_free(&mem);
}

static const struct {
    const char *name;
    struct ir_func *(*run)(struct pass_ctx *cx, const struct ir_func *f);
} stages[STAGES] = {
    { "range", pass_range },       { "to-tfhe", pass_to_tfhe },
    { "noise", pass_noise },       { "params", pass_params },
    { "schedule", pass_schedule },
};

/* Stages first .. last of a text, by tables of ciphertexts; each is checked. */
struct run
lowering_run(const char *text, enum stage first, enum stage last)
{
    struct run r = { 0 };
    struct source src = { .name = "t.ir", .text = text, .len = strlen(text) };
    size_t len;
    FILE *out = open_memstream(&r.said, &len);
    struct diag dg = { .src = &src, .out = out };
    struct ir_func *parsed = parse(&r.mem, text);
    const struct ir_func *f = parsed;

    ck_assert_ptr_nonnull(f);
    ir_set(parsed, "joint", 0, (struct span){ 0, 0 });
    for (size_t i = first; i <= (size_t)last && f; i++) {
        struct arena scratch = { 0 };
        struct pass_ctx cx = { &r.mem, &scratch, &dg, 0, 0 };
        const struct ir_func *g = stages[i].run(&cx, f);

        r.status = cx.status;
        r.at[i] = g;
        if (g) {
            check_form(stages[i].name, g);
            check_meaning(stages[i].name, f, g);
        }
        arena_free(&scratch);
        f = g;
    }
    fclose(out);
    return r;
}

void
lowering_finish(struct run *r)
{
    free(r->said);
    arena_free(&r->mem);
}

const struct ir_ins *
lowering_find(const struct ir_func *f, enum ir_op op, size_t skip)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == op && skip-- == 0)
            return &f->ins[i];
    ck_abort_msg("%s is missing", ir_ops[op].name);
    return NULL;
}

size_t
lowering_count(const struct ir_func *f, enum ir_op op)
{
    size_t n = 0;

    for (uint32_t i = 0; i < f->n; i++)
        n += f->ins[i].op == op;
    return n;
}

void
lowering_refused(const char *text, enum stage first, enum stage last,
                 const char *words)
{
    struct run r = lowering_run(text, first, last);

    ck_assert_ptr_null(r.at[last]);
    ck_assert_int_eq(r.status, 6);
    ck_assert_msg(strstr(r.said, words), "%s", r.said);
    ck_assert_msg(strstr(r.said, "help: "), "%s", r.said);
    lowering_finish(&r);
}

/* `tables` with @z: more columns than integers occur */
char *
lowering_tables(void)
{
    const char *hole = strstr(tables, "param @v");
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "%.*s", (int)(hole - tables), tables);
    fputs("param @z : int[1,40] = [0", out);
    for (int i = 1; i < 40; i++)
        fprintf(out, ", %d", i * 7 % 6);
    fprintf(out, "]\n%s", hole);
    fclose(out);
    return text;
}

char *
lowering_wide(int approx, int factor)
{
    const int size = 1024 * factor, most = 51 * factor;
    char *entries = NULL, *text = NULL;
    size_t len;
    FILE *out = open_memstream(&entries, &len);

    for (int i = 0; i < size; i++)
        fprintf(out, "%s%d", i ? ", " : "", i / 64 / factor);
    fclose(out);
    out = open_memstream(&text, &len);
    fprintf(out, wide, size, entries, -most, most, -most, most, size / 2,
            approx);
    fclose(out);
    free(entries);
    return text;
}

char *
lowering_set(const char *setting, const char *text)
{
    const char *line = strchr(text, '\n') + 1;
    char *own = NULL;
    size_t len;
    FILE *out = open_memstream(&own, &len);

    fprintf(out, "%.*sset %s\n%s", (int)(line - text), text, setting, line);
    fclose(out);
    return own;
}
