/* The report: every number of each example, computed again from the circuit and
 * the formulas; the form of the document and of the page; damaged files. */
#define _POSIX_C_SOURCE 200809L
#include "frontend/frontend.h"
#include "ir/expansion.h"
#include "ir/json.h"
#include "passes/model.h"
#include "passes/passes.h"
#include "passes/report.h"
#include "runtime/inner.h"
#include "runtime/serial.h"

#include <check.h>
#include <ctype.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static glob_t found;

struct made {
    struct arena mem;
    struct source src;
    const struct ir_func *f;
    struct report *r;
    char *text;
    size_t len;
    const struct json *j;
};

static void
write_text(struct made *m, enum report_of of)
{
    const char *why;
    FILE *out = open_memstream(&m->text, &m->len);

    report_write(out, m->r, m->f, &m->src, of);
    fclose(out);
    m->j = json_read(&m->mem, m->text, m->len, &why);
    ck_assert_msg(m->j, "%s: %s", m->src.name, why);
}

static void
make(struct made *m, const char *path, enum report_of of)
{
    char folder[256], *text;
    FILE *in = fopen(path, "rb");
    struct fe_options o = { .folder = folder };
    struct diag dg = { .src = &m->src, .out = stderr };
    struct pass_options po = { .diag = &dg, .watch = report_watch };
    struct ir_func *f;

    memset(m, 0, sizeof *m);
    ck_assert_msg(in, "no %s", path);
    text = arena_new(&m->mem, char, 1 << 20);
    m->src = (struct source){ .name = path,
                              .text = text,
                              .len = fread(text, 1, (1 << 20) - 1, in) };
    fclose(in);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path),
             path);
    f = fe_compile(&m->mem, &dg, &o);
    ck_assert(f);
    po.arg = m->r = report_new(&m->mem);
    m->f = pass_run(&m->mem, f, &po);
    ck_assert(m->f);
    write_text(m, of);
}

static void
drop(struct made *m)
{
    free(m->text);
    arena_free(&m->mem);
}

static bool
near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1 + fabs(a));
}

/* ---- numbers */

/* bits from an interval, one doubling at a time */
static double
bits_of(double lo, double hi)
{
    double bits = 0;

    for (double room = 1; room < hi - lo + 1; room *= 2)
        bits++;
    return bits;
}

/* (36), (5) and (7) by hand: log2 of the failure of all elements of an op */
static double
failure_by_hand(const struct ir_func *f, const struct ir_ins *ins)
{
    const struct ir_params *s = &f->params;
    const struct ir_type *in = &ir_at(f, ins->in[0])->type;
    const struct model_ring r = { s->k, s->log2_n, s->ternary };
    double v = in->lo * s->v_fresh + in->hi * s->v_br, tau;

    if (ir_is_bootstrap(ins)) {
        v += s->v_ks + ldexp(s->v_ms, 2 * (int)ir_theta(ins)); /* (39) */
        tau = ldexp(1, -(int)ins->as.lwe_pbs.bits - 2);
        return model_log2_pfail(v, tau) + log2((double)ir_bootstraps(f, ins));
    } else {
        if (ins->op == IR_glwe_answer) /* its type has the variance itself */
            v = in->lo;
        v += s->v_zero;
        tau = ldexp(1, in->log2_delta - 65);
        if (ins->as.lwe_answer.word_bits == 32)
            v += model_v_cut(r, 32);
        if (ins->as.lwe_answer.log2_flood >= 0)
            tau -= ldexp(1, (int)ins->as.lwe_answer.log2_flood - 64);
    }
    return model_log2_pfail(v, tau) + log2((double)ir_count(&ins->type));
}

static double
log2_sum(double a, double b)
{
    const double most = fmax(a, b);

    return isinf(most) ? most : most + log2(exp2(a - most) + exp2(b - most));
}

START_TEST(sums_are_those_of_the_circuit)
{
    struct made m;
    const struct json *total;
    double ms = 0, boots = 0, share = 0, failure = (double)-INFINITY;
    double by_hand = (double)-INFINITY, pbs = 0;
    int learned = 0, given = 0;

    make(&m, found.gl_pathv[_i], REPORT_ALL);
    total = json_get(m.j, "totals");
    for (const struct json *op = json_first(m.j, "ops"); op; op = op->next) {
        const double own = json_number(op, "log2_p_fail");

        ms += json_number(op, "ms");
        boots += json_number(op, "bootstraps");
        share += json_number(op, "share");
        if (isfinite(own)) {
            failure = log2_sum(failure, own);
            ck_assert(json_number(op, "margin") > 0);
        }
    }
    for (const struct json *a = json_first(json_get(m.j, "learns"), "answers");
         a; a = a->next)
        learned++;
    for (uint32_t i = 0; i < m.f->n; i++) {
        const struct ir_ins *ins = &m.f->ins[i];

        given += ins->op == IR_lwe_decrypt || ins->op == IR_glwe_decrypt;
        pbs += (double)ir_bootstraps(m.f, ins);
        if (ir_is_bootstrap(ins) || ins->op == IR_lwe_answer
            || ins->op == IR_glwe_answer)
            by_hand = log2_sum(by_hand, failure_by_hand(m.f, ins));
    }
    ck_assert_int_eq(learned, given); /* what is decrypted is told */
    ck_assert(near(ms, json_number(total, "ms")));
    ck_assert(near(ms, m.f->params.cost));
    ck_assert(near(boots, json_number(total, "bootstraps")));
    ck_assert(near(boots, pbs));
    ck_assert(near(share, 1));
    ck_assert(near(failure, json_number(total, "log2_p_fail")));
    if (!m.f->sets.more) /* else the types mix tables of several sets */
        ck_assert(near(failure, by_hand));
    ck_assert(failure <= json_number(total, "log2_p_fail_asked"));
    drop(&m);
}
END_TEST

/* the sum over lines is the sum over ops */
START_TEST(lines_add_up)
{
    struct made m;
    double ms = 0, last = 0;

    make(&m, found.gl_pathv[_i], REPORT_ALL);
    for (const struct json *l = json_first(m.j, "lines"); l; l = l->next) {
        ms += json_number(l, "ms");
        ck_assert(json_number(l, "line") > last);
        last = json_number(l, "line");
        ck_assert(strstr(m.src.text, json_string(l, "text")) != NULL);
    }
    ck_assert(last > 0 && near(ms, m.f->params.cost));
    drop(&m);
}
END_TEST

/* Tables of a circuit read what their rows say, whose interval fits; a bit less
 * without a padding bit, or nothing if they are affine. */
START_TEST(bits_come_from_intervals)
{
    struct made m;
    size_t tables = 0, pbs = 0;
    double bits = 0; /* that tables read, less those of the circuit */

    make(&m, found.gl_pathv[_i], REPORT_ALL);
    for (const struct json *op = json_first(m.j, "ops"); op; op = op->next) {
        const struct json *lo = json_first(op, "interval"), *why;
        const double table = json_number(op, "table_bits");

        ck_assert(lo && lo->next);
        ck_assert(near(json_number(op, "bits"),
                       bits_of(lo->number, lo->next->number)));
        ck_assert_int_eq(isfinite(table),
                         !strcmp(json_string(op, "op"), "lut"));
        tables += isfinite(table) || !strcmp(json_string(op, "op"), "low_bit");
        why = json_first(op, "why");
        ck_assert(why && json_number(why, "line") > 0);
        bits += isfinite(table) ? table : 0;
    }
    for (uint32_t i = 0; i < m.f->n; i++)
        if (ir_is_bootstrap(&m.f->ins[i])) {
            pbs++;
            bits -= m.f->ins[i].as.lwe_pbs.bits;
        }
    ck_assert(pbs == 0 || near(bits, 0)
              || (bits > 0 && bits <= (double)tables));
    ck_assert_uint_ge(tables, pbs);
    drop(&m);
}
END_TEST

/* What the runtime makes is as large as the report says. */
static void
leveled(struct cmlrt_leveled *l, struct ir_expansion x)
{
    l->steps = x.steps;
    l->first = x.steps ? IR_LOG2_LEVELED - x.log2_slots : 0;
    l->ss_levels = x.switch_levels;
    l->ss_log2_base = x.switch_log2_base;
    for (size_t q = 0; q < l->steps && q < CMLRT_MOST_STEPS; q++)
        l->levels[q] = (uint8_t)x.gadget[2 * q].i;
}

START_TEST(keys_have_their_size)
{
    struct made m;
    double sum = CMLRT_HEADER + CMLRT_TAIL;
    struct cmlrt_sets sets = { 0 };

    make(&m, found.gl_pathv[_i], REPORT_ALL);
    sets.n = m.f->sets.more + 1u;
    sets.switches = m.f->sets.switches;
    for (uint32_t i = 0; i < sets.n; i++) {
        const struct ir_params *x = ir_params_of(m.f, i);

        sets.at[i].k = x->k;
        sets.at[i].log2_n = x->log2_n;
        sets.at[i].n = x->n;
        sets.at[i].br_levels = x->br_levels;
        sets.at[i].ks_levels = x->ks_levels;
    }
    leveled(&sets.at[0].leveled, ir_expansion_keys(m.f));
    for (uint32_t i = 0; i < sets.switches; i++) {
        sets.sw[i].from = m.f->sets.sw[i].from;
        sets.sw[i].levels = m.f->sets.sw[i].levels;
    }
    for (const struct json *k = json_first(m.j, "keys"); k; k = k->next)
        if (strcmp(json_string(k, "file"), "eval.key") == 0)
            sum += json_number(k, "bytes");
    ck_assert(near(sum, json_number(json_get(m.j, "sizes"), "eval_key")));
    ck_assert(near(
        sum, (double)(cmlrt_sets_bytes(&sets) + CMLRT_HEADER + CMLRT_TAIL)));
    drop(&m);
}
END_TEST

/* ---- form */

static void
sorted(const struct json *j, bool first)
{
    const char *last = "";

    for (const struct json *m = j->first; m; m = m->next) {
        if (j->kind == JSON_OBJECT && !first) {
            ck_assert_msg(strcmp(last, m->key) < 0, "%s before %s", last,
                          m->key);
            last = m->key;
        }
        first = false;
        sorted(m, false);
    }
}

START_TEST(document_has_its_form)
{
    struct made m;

    make(&m, found.gl_pathv[_i], REPORT_ALL);
    ck_assert_str_eq(m.j->first->key, "schema");
    ck_assert_str_eq(m.j->first->text, "cmlc.report/1");
    sorted(m.j, true);
    ck_assert(!strstr(m.text, ": nan") && !strstr(m.text, "inf,"));
    ck_assert(near(json_number(json_get(m.j, "security"), "curve"),
                   m.f->params.level));
    drop(&m);
}
END_TEST

/* A client's report shows nothing of the circuit. */
START_TEST(client_has_no_circuit)
{
    struct made m;

    make(&m, found.gl_pathv[_i], REPORT_CLIENT);
    ck_assert(!json_get(m.j, "ops") && !json_get(m.j, "lines"));
    for (const struct ir_blob *b = m.f->blobs; b; b = b->next)
        if (b->kind == IR_PARAM && strchr(b->name, '.')) {
            char quoted[64];

            snprintf(quoted, sizeof quoted, "'%.*s'",
                     (int)strcspn(b->name, "."), b->name);
            ck_assert_msg(!strstr(m.text, quoted), "%s is told", quoted);
        }
    drop(&m);
}
END_TEST

/* Tags are closed in order; nothing runs, nothing is fetched. */
START_TEST(page_is_well_formed)
{
    struct made m;
    char *page = NULL, open[64][16];
    size_t len, depth = 0;
    FILE *out = open_memstream(&page, &len);

    make(&m, found.gl_pathv[_i], REPORT_ALL);
    fe_report_html(out, m.j);
    fclose(out);
    ck_assert(!strstr(page, "<script") && !strstr(page, "src=")
              && !strstr(page, "href="));
    ck_assert(strstr(page, "<svg ") && strstr(page, "</html>"));
    for (char *p = strchr(page, '<'); p; p = strchr(p + 1, '<')) {
        char name[16];
        const char *end = strchr(p, '>');
        const bool closing = p[1] == '/';

        ck_assert(end && sscanf(p + 1 + closing, "%15[a-z0-9]", name) <= 1);
        if (p[1] == '!' || end[-1] == '/')
            continue;
        if (!closing) {
            ck_assert_uint_lt(depth, 64);
            memcpy(open[depth++], name, sizeof name);
        } else {
            ck_assert_uint_gt(depth, 0);
            ck_assert_str_eq(open[--depth], name);
        }
    }
    ck_assert_uint_eq(depth, 0);
    free(page);
    drop(&m);
}
END_TEST

START_TEST(text_of_others_is_escaped)
{
    static const char text[] =
        "{\"schema\": \"cmlc.report/1\", \"name\": \"<b>\\u001b[2J&\", "
        "\"lines\": [{\"text\": \"<script>\", \"ms\": \"x\"}, 7], "
        "\"ops\": [3, {\"interval\": [], \"shape\": {\"a\": null}}], "
        "\"learns\": [], \"keys\": {\"a\": []}}";
    struct arena mem = { 0 };
    const char *why;
    const struct json *j = json_read(&mem, text, strlen(text), &why);
    char *page = NULL;
    size_t len;
    FILE *out = open_memstream(&page, &len);

    ck_assert_msg(j, "%s", why);
    fe_report_html(out, j);
    fe_report_text(out, j);
    fclose(out);
    ck_assert(!strstr(page, "<script") && strstr(page, "&lt;b&gt;"));
    ck_assert(!strchr(page, 27));
    free(page);
    arena_free(&mem);
}
END_TEST

/* ---- damage */

static uint64_t
roll(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

START_TEST(damaged_documents_are_read_or_refused)
{
    struct made m;
    uint64_t seed = 1;
    FILE *sink = tmpfile();
    size_t refused = 0;

    make(&m, found.gl_pathv[_i], REPORT_ALL);
    for (int i = 0; i < 300; i++) {
        struct arena mem = { 0 };
        const char *why;
        char *text = malloc(m.len);
        size_t len = i % 3 ? m.len : roll(&seed) % m.len;
        const struct json *j;

        ck_assert_ptr_nonnull(text);
        memcpy(text, m.text, len);
        for (int k = 0; k < 3 && len; k++)
            text[roll(&seed) % len] = "{}[]\",:\\u0e-\n"[roll(&seed) % 13];
        j = json_read(&mem, text, len, &why);
        refused += !j;
        if (j) {
            fe_report_text(sink, j);
            fe_report_html(sink, j);
        } else {
            ck_assert_ptr_nonnull(why);
        }
        free(text);
        arena_free(&mem);
    }
    ck_assert_uint_gt(refused, 100);
    fclose(sink);
    drop(&m);
}
END_TEST

START_TEST(json_by_hand)
{
    static const struct {
        const char *text;
        bool good;
    } x[] = {
        { "{}", true },           { " [1, -2.5e3, \"\\u00e4\\n\"] ", true },
        { "null", true },         { "", false },
        { "{\"a\"}", false },     { "[1,]", false },
        { "[1 2]", false },       { "\"\n\"", false },
        { "\"\\u0000\"", false }, { "1 2", false },
        { "+1", false },          { "1e999", false },
        { "tru", false },         { "\"\\", false },
        { "[", false },           { "{\"a\":1,}", false },
        { "nan", false },         { "\"\\uD83D\"", true },
    };
    char deep[200];
    struct arena mem = { 0 };
    const char *why;

    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        ck_assert_msg(!json_read(&mem, x[i].text, strlen(x[i].text), &why)
                          != x[i].good,
                      "%s", x[i].text);
    memset(deep, '[', sizeof deep);
    ck_assert(!json_read(&mem, deep, sizeof deep, &why));
    ck_assert_str_eq(why, "it is nested too deep");
    arena_free(&mem);
}
END_TEST

/* Every byte of the headers of this very program, changed. */
START_TEST(damaged_programs_are_refused)
{
    FILE *self = fopen("/proc/self/exe", "rb"), *f = tmpfile();
    struct arena mem = { 0 };
    const char *why = NULL;
    size_t len;
    char block[4096];
    size_t n;

    ck_assert(self && f && fe_elf_is(self));
    while ((n = fread(block, 1, sizeof block, self)) > 0)
        ck_assert_uint_eq(fwrite(block, 1, n, f), n);
    ck_assert_ptr_null(fe_elf_section(&mem, f, ".cmlc.report", &len, &why));
    ck_assert_str_eq(why, "it carries no report of cmlc");
    ck_assert_ptr_nonnull(fe_elf_section(&mem, f, ".text", &len, &why));
    for (long at = 4; at < 64; at++) {
        int was;

        fseek(f, at, SEEK_SET);
        was = getc(f);
        fseek(f, at, SEEK_SET);
        putc(was ^ 0xff, f);
        fe_elf_section(&mem, f, ".cmlc.report", &len, &why);
        fseek(f, at, SEEK_SET);
        putc(was, f);
    }
    fclose(f);
    fclose(self);
    arena_free(&mem);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("report");
    TCase *tc = tcase_create("report");
    SRunner *sr;
    int failed, n;

    glob("../lang-spec/examples/*/*.cml", 0, NULL, &found);
    glob("golden/net.cml", GLOB_APPEND, NULL, &found); /* two sets */
    glob("bench/mixed.cml", GLOB_APPEND, NULL, &found);
    n = (int)found.gl_pathc;
    if (n < 5)
        return EXIT_FAILURE;
    tcase_add_loop_test(tc, sums_are_those_of_the_circuit, 0, n);
    tcase_add_loop_test(tc, lines_add_up, 0, n);
    tcase_add_loop_test(tc, bits_come_from_intervals, 0, n);
    tcase_add_loop_test(tc, keys_have_their_size, 0, n);
    tcase_add_loop_test(tc, document_has_its_form, 0, n);
    tcase_add_loop_test(tc, client_has_no_circuit, 0, n);
    tcase_add_loop_test(tc, page_is_well_formed, 0, n);
    tcase_add_loop_test(tc, damaged_documents_are_read_or_refused, 0, n);
    tcase_add_test(tc, text_of_others_is_escaped);
    tcase_add_test(tc, json_by_hand);
    tcase_add_test(tc, damaged_programs_are_refused);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    globfree(&found);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
