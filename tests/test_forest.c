/* Forests: the examples agree with the libraries that trained them, readers say
 * what is wrong with any bytes, and what a forest loses on its way to integers
 * is nothing but the rounding of leaves. */
#define _POSIX_C_SOURCE 200809L
#include "frontend/frontend.h"
#include "frontend/trees.h"
#include "passes/cuts.h"
#include "passes/passes.h"
#include "runtime/cml.h"
#include "tests/meaning.h"
#include "tests/random_ir.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXAMPLES "../lang-spec/examples/"

static char *
slurp(struct arena *mem, const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *text = arena_new(mem, char, 1 << 20);

    ck_assert_msg(f, "no %s", path);
    *n = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    return text;
}

/* ---- agreement with the libraries */

/* The quantised model of an example, without its ciphertexts. */
static struct ir_func *
example(struct arena *mem, const char *name, double *moved)
{
    char folder[128], path[192];
    struct source src = { .name = name };
    struct diag dg = { .src = &src, .out = stderr };
    const struct fe_options o = { .folder = folder };
    const struct pass_options po = { .diag = &dg, .stop_after = "clean" };
    struct ir_func *f;

    snprintf(folder, sizeof folder, EXAMPLES "%s", name);
    snprintf(path, sizeof path, "%s/%s.cml", folder, name);
    src.text = slurp(mem, path, &src.len);
    f = fe_compile(mem, &dg, &o);
    ck_assert_msg(f != NULL, "%s has errors", name);
    f = pass_run(mem, f, &po);
    ck_assert_msg(f != NULL, "%s does not quantise", name);
    ck_assert(ir_get(f, "thresholds.all", 0) > 0);
    *moved = ir_get(f, "thresholds.moved", -1);
    return f;
}

/* The numbers of a csv, columns in their order. */
static struct cml_rows
table(struct arena *mem, const char *name, const char *file)
{
    char path[192], **head;
    struct cml_columns c = { 0 };
    struct cml_column *column;
    struct cml_rows r = { 0 };
    struct cml_fault fault;
    size_t n;
    char *text, *copy;

    snprintf(path, sizeof path, EXAMPLES "%s/%s", name, file);
    text = slurp(mem, path, &n);
    copy = arena_string(mem, text, n);
    ck_assert_int_eq(cml_csv_header(&head, &c.count, copy, n, path, &fault),
                     CML_E_ok);
    column = arena_new(mem, struct cml_column, c.count);
    for (size_t i = 0; i < c.count; i++)
        column[i].name = head[i];
    c.at = column;
    ck_assert_msg(cml_csv_parse(&r, text, n, path, &c, &fault) == CML_E_ok,
                  "%s", fault.text);
    free(head);
    return r;
}

static union ir_cell
output_of(struct arena *mem, const struct ir_func *f, const double *x, size_t n)
{
    union ir_cell *in = arena_new(mem, union ir_cell, n);
    const union ir_cell *ins[1] = { in }, *out[1];

    for (size_t i = 0; i < n; i++)
        in[i].r = x[i];
    ir_eval(mem, f, ins, out, NULL);
    return *out[0];
}

/* labels: column 0 of float.csv; with probability: its column 1 is what is
 * given out, within the rounding of leaves and of the sum of their minima */
static const struct {
    const char *name;
    double trees; /* 0: labels only */
} agreed[] = { { "cancer_tree", 0 }, { "digits_forest", 0 }, { "visits", 50 } };

static double
margin(double p)
{
    return -log(1 / p - 1);
}

static double
leaf_scale(const struct ir_func *f)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (f->ins[i].op == IR_dequant)
            return ir_data(f, f->ins[i].as.dequant.scale)->cell->r;
    return 0;
}

START_TEST(examples_agree_with_their_library)
{
    struct arena mem = { 0 };
    const char *name = agreed[_i].name;
    double moved;
    const struct ir_func *f = example(&mem, name, &moved);
    struct cml_rows x = table(&mem, name, "test.csv");
    struct cml_rows y = table(&mem, name, "float.csv");
    const double bound = (agreed[_i].trees + 1) / 2 * leaf_scale(f);

    ck_assert_double_eq(moved, 0); /* the grid holds every threshold */
    ck_assert_uint_eq(x.rows, y.rows);
    for (size_t i = 0; i < x.rows; i++) {
        const union ir_cell out =
            output_of(&mem, f, x.at + i * x.columns, x.columns);
        const double *want = y.at + i * y.columns;

        if (agreed[_i].trees > 0) {
            ck_assert_msg((out.r > 0.5) == (want[0] > 0.5), "%s: row %zu is %g",
                          name, i, out.r);
            ck_assert_msg(fabs(margin(out.r) - margin(want[1])) <= bound + 1e-5,
                          "%s: row %zu is %g, not %g", name, i, out.r, want[1]);
        } else {
            ck_assert_msg((double)out.i >= want[0] && (double)out.i <= want[0],
                          "%s: row %zu is %lld, not %g", name, i,
                          (long long)out.i, want[0]);
        }
    }
    free(x.at);
    free(y.at);
    arena_free(&mem);
}
END_TEST

/* ---- thresholds */

/* For doubles around t, all three comparisons are the library's. */
START_TEST(thresholds_are_those_of_the_library)
{
    struct dice d = { 11 };

    for (int i = 0; i < 200000; i++) {
        const int e = (int)dice_roll(&d, 60) - 30;
        const float f =
            (float)ldexp((double)dice_roll(&d, 1 << 24) - (1 << 23), e);
        const double t = ldexp((double)dice_roll(&d, 1ull << 53), e - 60);
        double x = dice_roll(&d, 2) ? (double)f : t, y = x;
        const double less = trees_less_float(x);
        const double at_most = trees_float_at_most(x);
        const double of_doubles = trees_at_most(x);
        const int steps = (int)dice_roll(&d, 5) - 2;
        const double to = (double)(steps > 0 ? INFINITY : -INFINITY);

        if (dice_roll(&d, 2)) /* near the middle between two floats */
            y = dice_roll(&d, 2) ? less : at_most;
        for (int s = 0; s < abs(steps); s++)
            y = nextafter(y, to);
        ck_assert_int_eq(y >= less, !((float)y < (float)x));
        ck_assert_int_eq(y >= at_most, !((double)(float)y <= x));
        ck_assert_int_eq(y >= of_doubles, !(y <= x));
    }
}
END_TEST

/* ---- cuts */

START_TEST(cuts_hold_thresholds_or_few_move)
{
    struct dice d = { 3 + (uint64_t)_i };
    struct arena mem = { 0 };
    const size_t n = 1 + dice_roll(&d, 90), rows = dice_roll(&d, 300);
    double want[91], cut[63], *data = arena_new(&mem, double, rows);
    size_t uses[91], to[91], moved;
    struct cuts_wish w = { want, uses, n, data, rows, 63 };

    for (size_t i = 0; i < n; i++) {
        want[i] = (i ? want[i - 1] : -40)
                  + (1 + (double)dice_roll(&d, 1 << 20)) / (1 << 20);
        uses[i] = 1 + dice_roll(&d, 4);
    }
    for (size_t i = 0; i < rows; i++) /* ascending, with repetitions */
        data[i] = (i ? data[i - 1] : -50) + (double)dice_roll(&d, 3) / 4;
    moved = cuts_choose(&mem, &w, cut, to);
    ck_assert_uint_eq(moved, n > 63 ? n - 63 : 0);
    for (size_t j = 1; j < 63; j++)
        ck_assert_double_ge(cut[j], cut[j - 1]);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_ge(to[i], 1);
        ck_assert_uint_le(to[i], 63);
        ck_assert(!i || to[i] >= to[i - 1]);
        if (!moved) {
            ck_assert_double_eq(cut[to[i] - 1], want[i]);
            ck_assert(to[i] == 63 || cut[to[i]] > want[i]);
        }
    }
    arena_free(&mem);
}
END_TEST

/* ---- random forests, quantised */

struct grown {
    double node[256][IR_NODE_FIELDS], leaf[256];
    int64_t root[8];
    uint32_t nodes, leaves, trees;
};

static int32_t
grow(struct grown *g, struct dice *d, unsigned depth)
{
    int own;
    double *row;

    if (depth == 0 || dice_roll(d, 5) == 0 || g->nodes > 200) {
        g->leaf[g->leaves] = (double)dice_roll(d, 9) / 4 - 1;
        return -1 - (int)g->leaves++;
    }
    own = (int)g->nodes++;
    row = g->node[own];
    row[IR_FEATURE] = (double)dice_roll(d, 3);
    row[IR_THRESHOLD] = (double)dice_roll(d, 15) / 4 - 2;
    row[IR_MISSING] = (double)dice_roll(d, 2);
    row[IR_LEFT] = grow(g, d, depth - 1);
    row[IR_RIGHT] = grow(g, d, depth - 1);
    return own;
}

static const char *
blob(struct ir_func *f, enum ir_base base, const uint32_t *dim, size_t rank,
     const double *x)
{
    const struct ir_type t = ir_type_of(base, rank, dim);
    union ir_cell *cell = arena_new(f->mem, union ir_cell, ir_count(&t));

    for (size_t i = 0; i < ir_count(&t); i++)
        if (base == IR_REAL)
            cell[i].r = x[i];
        else
            cell[i].i = (int64_t)x[i];
    return ir_blob_add(f, NULL, IR_PARAM, &t, cell)->name;
}

/* z = y < 1/4, at the server */
static void
add_use(struct ir_func *f, ir_ref y)
{
    static const struct span at = { 0, 0 };
    static const union ir_cell quarter = { .r = 0.25 };
    const struct ir_type t = ir_type_of(IR_REAL, 0, NULL);
    const ir_ref c = ir_constant(f, at, NULL, IR_PARAM, &t, &quarter);
    const union ir_attrs as = { .output = { .name = "z" } };

    y = ir_build2(f, IR_less, at, y, c);
    ir_build(f, IR_output, at, &y, 1, &as);
    ir_set(f, "server.z", 1, at);
}

/* y = forest(x) of reals in -2..2, or of integers of a base */
static struct ir_func *
random_forest(struct arena *mem, struct dice *d, enum ir_base base, bool used)
{
    static const struct span at = { 0, 0 };
    struct grown g = { .trees = 1 + (uint32_t)dice_roll(d, 7) };
    struct ir_func *f = ir_func_new(mem, "random");
    uint32_t dim[2] = { 3, IR_NODE_FIELDS };
    struct ir_type t = ir_type_of(base, 1, dim);
    union ir_attrs as = { .input = { .name = "x" } };
    double root[8];
    ir_ref x;

    do {
        g.nodes = g.leaves = 0;
        for (uint32_t i = 0; i < g.trees; i++)
            root[i] = grow(&g, d, 4);
    } while (g.nodes == 0);
    t.ranged = true;
    t.lo = -2, t.ilo = -2;
    t.hi = 2, t.ihi = 2;
    x = ir_build_typed(f, IR_input, at, NULL, 0, &as, &t);
    dim[0] = g.nodes;
    as.forest.nodes = blob(f, base, dim, 2, &g.node[0][0]);
    dim[0] = g.leaves;
    as.forest.leaves = blob(f, IR_REAL, dim, 1, g.leaf);
    dim[0] = g.trees;
    as.forest.roots = blob(f, IR_INT, dim, 1, root);
    x = ir_build(f, IR_forest, at, &x, 1, &as);
    as.output.name = "y";
    ir_build(f, IR_output, at, &x, 1, &as);
    if (used)
        add_use(f, x);
    return f;
}

/* y + 64 z */
static double
value(struct arena *mem, const struct ir_func *f, const double *x,
      enum ir_base base, bool used)
{
    union ir_cell in[3];
    const union ir_cell *ins[1] = { in }, *out[2];

    for (int i = 0; i < 3; i++)
        if (base == IR_REAL)
            in[i].r = x[i];
        else
            in[i].i = (int64_t)x[i];
    ir_eval(mem, f, ins, out, NULL);
    return out[0]->r + (used ? 64 * (double)out[1]->i : 0);
}

static void
has_no(const struct ir_func *f, enum ir_op op)
{
    for (uint32_t i = 0; i < f->n; i++)
        ck_assert_int_ne(f->ins[i].op, op);
}

/* Leaves are quarters, so nothing is lost: all is equal, NaN included; also
 * where the sum is used at the server. */
START_TEST(random_forests_lose_nothing)
{
    const enum ir_base base = _i % 2 ? IR_INT : IR_REAL;
    const bool used = _i >= 2;

    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct arena mem = { 0 };
        struct dice d = { seed * 0x9e3779b97f4a7c15 };
        struct ir_func *f = random_forest(&mem, &d, base, used), *g;
        const struct source src = { .name = "random", .text = "", .len = 0 };
        struct diag dg = { .src = &src, .out = stderr };
        const struct pass_options po = { .diag = &dg, .stop_after = "clean" };
        const bool missing = base == IR_REAL && dice_roll(&d, 2);

        ir_set(f, "missing", missing, (struct span){ 0, 0 });
        ir_set(f, "thresholds.public", (double)dice_roll(&d, 2),
               (struct span){ 0, 0 });
        g = pass_run(&mem, f, &po);
        ck_assert(g != NULL);
        meaning_round_trip("random", g);
        if (used)
            has_no(g, IR_forest);
        for (int row = 0; row < 60; row++) {
            double x[3], was, is;

            for (int i = 0; i < 3; i++)
                x[i] = missing && dice_roll(&d, 3) == 0
                           ? (double)NAN
                           : (double)dice_roll(&d, base == IR_INT ? 5 : 33)
                                     / (base == IR_INT ? 1 : 8)
                                 - 2;
            was = value(&mem, f, x, base, used);
            is = value(&mem, g, x, base, used);
            ck_assert_msg(was >= is && was <= is, "%g %g %g:\n%s%s", x[0], x[1],
                          x[2], meaning_text(f), meaning_text(g));
        }
        arena_free(&mem);
    }
}
END_TEST

/* ---- if */

static double
want_tree(const double *x)
{
    return x[2] < 0.5 ? 1.5 : x[0] >= 1 ? -2 : 3;
}

static double
want_nested(const double *x)
{
    return x[0] > 0 ? 0.5 <= x[1] ? 1 : 2 : 4;
}

static double
want_last(const double *x)
{
    return 0.25 > x[1] ? 1 : x[1] <= 1 ? 2 : x[1] > 1 ? 3 : 4;
}

static double
want_equal(const double *x)
{
    return x[0] <= 0.5 && x[0] >= 0.5 ? 0.1 : 0.3;
}

static double
want_values(const double *x)
{
    return x[0] < x[1] ? x[2] : 1e20;
}

static const struct {
    const char *text;
    double (*want)(const double *x);
    bool tree, missing;
} choices[] = {
    { "if x[2] < 0.5 then 1.5 else if x[0] >= 1 then -2.0 else 3", want_tree,
      true, true },
    { "if x[0] > 0.0 then if 0.5 <= x[1] then 1.0 else 2.0 else 4.0",
      want_nested, true, true },
    { "if 0.25 > x[1] then 1.0 else if x[1] <= 1.0 then 2 else "
      "if x[1] > 1.0 then 3 else 4",
      want_last, true, true },
    { "if x[0] == 0.5 then 0.1 else 0.3", want_equal, false, true },
    { "if x[0] < x[1] then x[2] else 1e20", want_values, false, false },
};

enum { NCHOICES = sizeof choices / sizeof *choices };

START_TEST(choices_are_made)
{
    struct arena mem = { 0 };
    struct dice d = { 17 };
    char text[256];
    struct source src = { .name = "t", .text = text, .len = 0 };
    struct diag dg = { .src = &src, .out = stderr };
    const struct fe_options o = { .folder = "." };
    struct ir_func *f;
    bool tree = false;

    snprintf(text, sizeof text,
             "model t { input x : real[3] in -2..2; output y = %s; }",
             choices[_i].text);
    src.len = strlen(text);
    f = fe_compile(&mem, &dg, &o);
    ck_assert(f != NULL);
    for (uint32_t i = 0; i < f->n; i++)
        tree = tree || f->ins[i].op == IR_forest;
    ck_assert(tree == choices[_i].tree);
    for (int row = 0; row < 4000; row++) {
        double x[3], y;

        for (int i = 0; i < 3; i++)
            x[i] = choices[_i].missing && dice_roll(&d, 5) == 0
                       ? (double)NAN
                       : (double)dice_roll(&d, 17) / 4 - 2;
        y = value(&mem, f, x, IR_REAL, false);
        ck_assert_msg(y <= choices[_i].want(x) && y >= choices[_i].want(x),
                      "%s of %g %g %g is %g", choices[_i].text, x[0], x[1],
                      x[2], y);
    }
    arena_free(&mem);
}
END_TEST

/* ---- files that are wrong */

static const struct {
    bool (*read)(struct trees *t, const char *text, size_t n);
    const char *file;
} files[] = {
    { trees_xgboost, EXAMPLES "visits/model.json" },
    { trees_xgboost, "fuzz/trees/binary.ubj" },
    { trees_xgboost, "fuzz/trees/multi.json" },
    { trees_xgboost, "fuzz/trees/dart.json" },
    { trees_lightgbm, "fuzz/trees/binary.txt" },
    { trees_sklearn, EXAMPLES "cancer_tree/tree.json" },
};

enum { NFILES = sizeof files / sizeof *files };

/* Cut or with a byte changed: trees that the IR takes, or one reason. */
START_TEST(damaged_files_have_a_reason)
{
    struct arena mem = { 0 };
    struct dice d = { 5 };
    size_t n;
    const char *text = slurp(&mem, files[_i].file, &n);

    for (int i = -1; i < 600; i++) {
        struct arena own = { 0 };
        struct trees t = { .mem = &own };
        char *copy = arena_string(&own, text, n);
        size_t len = n;
        bool ok;

        if (i >= 0 && i % 3 == 0)
            len = dice_roll(&d, n);
        else if (i >= 0)
            copy[dice_roll(&d, n)] = (char)dice_roll(&d, 256);
        ok = files[_i].read(&t, copy, len);
        ck_assert_msg(i >= 0 || ok, "%s", t.why);
        ck_assert(ok == (*t.why == 0));
        arena_free(&own);
    }
    arena_free(&mem);
}
END_TEST

#define XGB(left, right, at) \
    "{\"learner\":{\"learner_model_param\":{\"base_score\":\"[5E-1]\"," \
    "\"num_feature\":\"2\"},\"objective\":{\"name\":\"reg:squarederror\"}," \
    "\"gradient_booster\":{\"name\":\"gbtree\",\"model\":{\"tree_info\":[0]," \
    "\"trees\":[{\"left_children\":[" left "],\"right_children\":[" right "]," \
    "\"split_indices\":[0,1,0],\"default_left\":[1,1,1]," \
    "\"split_conditions\":[" at "]}]}}}}"
#define LGB(nodes) \
    "tree\nversion=v4\nnum_tree_per_iteration=1\nmax_feature_idx=1\n" \
    "Tree=0\nnum_leaves=" nodes "\n\nend of trees\n"
#define LGB1(type, left, at) \
    LGB("2\nsplit_feature=0\nthreshold=" at "\ndecision_type=" type \
        "\nleft_child=" left "\nright_child=-2\nleaf_value=1 2")

static const struct {
    bool (*read)(struct trees *t, const char *text, size_t n);
    const char *why; /* NULL: it reads */
    const char *text;
} wrong[] = {
    { trees_xgboost, NULL, XGB("1,-1,-1", "2,-1,-1", "0.5,1,2") },
    { trees_xgboost, "two parents", XGB("1,0,-1", "2,2,-1", "0.5,1,2") },
    { trees_xgboost, "two parents", XGB("0,-1,-1", "2,-1,-1", "0.5,1,2") },
    { trees_xgboost, "a child is node 7", XGB("7,-1,-1", "2,-1,-1", "0,1,2") },
    { trees_xgboost, "no index", XGB("1e40,-1,-1", "2,-1,-1", "0.5,1,2") },
    { trees_xgboost, "no JSON", XGB("1,-1,-1", "2,-1,-1", "1e999,1,2") },
    { trees_xgboost, "a leaf is not", XGB("1,-1,-1", "2,-1,-1", "0,1e99,2") },
    { trees_xgboost, "no JSON", XGB("1,-1,-1", "2,-1,-1", "nan,1,2") },
    { trees_xgboost, "has 2 values", XGB("1,-1,-1", "2,-1,-1", "0.5,1") },
    { trees_xgboost, "no model of XGBoost", "{\"learner\":{}}" },
    { trees_xgboost, "no JSON", "" },
    { trees_lightgbm, NULL, LGB1("2", "-1", "0.5") },
    { trees_lightgbm, NULL, LGB("1\nleaf_value=3") },
    { trees_lightgbm, "above itself", LGB1("2", "0", "0.5") },
    { trees_lightgbm, "two parents", LGB1("2", "-2", "0.5") },
    { trees_lightgbm, "categories", LGB1("1", "-1", "0") },
    { trees_lightgbm, "not a finite", LGB1("2", "-1", "nan") },
    { trees_lightgbm, "zero_as_missing", LGB1("4", "-1", "0.5") },
    { trees_lightgbm, NULL, LGB1("6", "-1", "0.5") },
    { trees_lightgbm, "a tree of 1e+09 leaves", LGB("999999999") },
    { trees_lightgbm, "has no 3 numbers", LGB("3\nleaf_value=1 2") },
    { trees_lightgbm, "no model of LightGBM", "hello" },
    { trees_sklearn, "sklearn_export", "{}" },
    { trees_sklearn, "outputs",
      "{\"format\":\"cml-trees/1\",\"features\":3,"
      "\"outputs\":1e9}" },
    { trees_xgboost, "too long", "{U\1a[$U#l\x7f\xff\xff\xff}" },
};

enum { NWRONG = sizeof wrong / sizeof *wrong };

START_TEST(mistakes_have_a_reason)
{
    struct arena mem = { 0 };
    struct trees t = { .mem = &mem };
    const bool ok = wrong[_i].read(&t, wrong[_i].text, strlen(wrong[_i].text));

    ck_assert_msg(ok == !wrong[_i].why, "case %d: %s", _i, t.why);
    if (!ok)
        ck_assert_msg(strstr(t.why, wrong[_i].why), "'%s' is not in '%s'",
                      wrong[_i].why, t.why);
    arena_free(&mem);
}
END_TEST

/* A tree a million deep, as a chain to the right. */
START_TEST(a_deep_tree_is_refused)
{
    enum { DEPTH = 1000000 };
    struct arena mem = { 0 };
    struct trees t = { .mem = &mem };
    struct trees_node *node = arena_new(&mem, struct trees_node, 2 * DEPTH + 1);

    for (int64_t i = 0; i < DEPTH; i++) {
        node[2 * i].left = 2 * i + 1;
        node[2 * i].right = 2 * i + 2;
        node[2 * i + 1].is_leaf = true;
    }
    node[2 * DEPTH].is_leaf = true;
    ck_assert(trees_begin(&t, 1, 0));
    ck_assert(!trees_add(&t, node, 2 * DEPTH + 1, 0, 1));
    ck_assert_msg(strstr(t.why, "63 nodes deep"), "%s", t.why);
    arena_free(&mem);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("forest");
    TCase *tc = tcase_create("forest");
    SRunner *sr;
    int failed;

    tcase_add_loop_test(tc, examples_agree_with_their_library, 0,
                        (int)(sizeof agreed / sizeof *agreed));
    tcase_add_test(tc, thresholds_are_those_of_the_library);
    tcase_add_loop_test(tc, cuts_hold_thresholds_or_few_move, 0, 200);
    tcase_add_loop_test(tc, random_forests_lose_nothing, 0, 4);
    tcase_add_loop_test(tc, choices_are_made, 0, NCHOICES);
    tcase_add_loop_test(tc, damaged_files_have_a_reason, 0, NFILES);
    tcase_add_loop_test(tc, mistakes_have_a_reason, 0, NWRONG);
    tcase_add_test(tc, a_deep_tree_is_refused);
    tcase_set_timeout(tc, 120);
    suite_add_tcase(suite, tc);
    sr = srunner_create(suite);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
