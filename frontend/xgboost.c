/* Models of XGBoost: JSON and UBJSON of versions 1 to 3.
 *
 * A node sends x left iff float(x) < threshold.  What f(x) gives are margins:
 * the sum of leaves and of base_score, which the file has as a prediction, so
 * that it goes through the link of the objective (logit, log) backwards. */
#include "frontend/trees.h"

#include "ir/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A member that is a number, or one in a string. */
static double
number(const struct json *j, const char *key, double otherwise)
{
    const struct json *m = json_get(j, key);
    char *end;
    double x;

    if (m && m->kind == JSON_NUMBER)
        return m->number;
    if (!m || m->kind != JSON_TEXT)
        return otherwise;
    x = strtod(m->text, &end);
    return end != m->text && !*end ? x : (double)NAN;
}

/* ---- objectives */

enum link { IDENTITY, LOGIT, LOG };

static const struct {
    const char *prefix;
    enum link link;
} objectives[] = {
    { "binary:logistic", LOGIT },    { "reg:logistic", LOGIT },
    { "binary:logitraw", IDENTITY }, { "binary:hinge", IDENTITY },
    { "count:poisson", LOG },        { "reg:gamma", LOG },
    { "reg:tweedie", LOG },          { "survival:cox", LOG },
    { "survival:aft", LOG },         { "reg:", IDENTITY },
    { "multi:", IDENTITY },          { "rank:", IDENTITY },
};

static bool
find_link(struct trees *t, const struct json *learner, enum link *link)
{
    const char *name = json_string(json_get(learner, "objective"), "name");

    for (size_t i = 0; i < sizeof objectives / sizeof *objectives; i++)
        if (strncmp(name, objectives[i].prefix, strlen(objectives[i].prefix))
            == 0) {
            *link = objectives[i].link;
            return true;
        }
    return trees_fail(t, "the objective '%.60s' is not known", name);
}

static double
margin(double x, enum link link)
{
    return link == LOGIT ? -log(1 / x - 1) : link == LOG ? log(x) : x;
}

/* base_score: "5E-1", "[5E-1]" or one a class */
static bool
add_base(struct trees *t, const struct json *learner, const struct json *param)
{
    const struct json *j = json_get(param, "base_score");
    const char *text = j && j->kind == JSON_TEXT ? j->text : "";
    double *base = arena_new(t->mem, double, t->outputs);
    enum link link = IDENTITY;
    uint32_t n = 0;

    if (!find_link(t, learner, &link))
        return false;
    if (j && j->kind == JSON_NUMBER) {
        base[n++] = j->number;
    } else {
        char *end;

        for (text += strspn(text, "[ "); *text && n < t->outputs; n++) {
            base[n] = strtod(text, &end);
            if (end == text)
                break;
            text = end + strspn(end, ", ]");
        }
    }
    if (n == 0 || *text || (n != 1 && n != t->outputs))
        return trees_fail(t, "base_score is no number, or not one an output");
    for (uint32_t k = 0; k < t->outputs; k++)
        base[k] = margin(k < n ? base[k] : base[0], link);
    for (uint32_t k = 0; k < t->outputs; k++)
        if (!isfinite(base[k]))
            return trees_fail(t, "base_score has no finite margin");
    return trees_constant(t, base);
}

/* ---- trees */

static bool
any(const double *x, size_t n)
{
    for (size_t i = 0; x && i < n; i++)
        if (x[i] > 0 || x[i] < 0)
            return true;
    return false;
}

/* Of version 1.2 and before there is no split_type. */
static bool
is_plain(struct trees *t, const struct json *tree, size_t n)
{
    const struct json *param = json_get(tree, "tree_param");

    if (number(param, "size_leaf_vector", 0) > 1)
        return trees_fail(t, "trees with several outputs a leaf "
                             "(multi_output_tree) are not supported");
    if (!json_get(tree, "split_type"))
        return true;
    if (any(trees_numbers(t, tree, "split_type", &n), n))
        return trees_fail(t, "a split of categories is not supported: a "
                             "comparison with a threshold is; encode the "
                             "feature as numbers");
    return !*t->why;
}

static bool
add_tree(struct trees *t, const struct json *tree, uint32_t k, double weight)
{
    size_t n = SIZE_MAX;
    const double *left = trees_numbers(t, tree, "left_children", &n), *right;
    const double *index, *at, *missing;
    struct trees_node *node;

    if (!left || !is_plain(t, tree, n)
        || !(right = trees_numbers(t, tree, "right_children", &n))
        || !(index = trees_numbers(t, tree, "split_indices", &n))
        || !(at = trees_numbers(t, tree, "split_conditions", &n))
        || !(missing = trees_numbers(t, tree, "default_left", &n)))
        return false;
    node = arena_new(t->mem, struct trees_node, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(left[i]) <= 0x1p31 && fabs(right[i]) <= 0x1p31
              && index[i] >= 0 && index[i] < 0x1p31))
            return trees_fail(t, "a child or a feature is no index");
        node[i] = (struct trees_node){ .is_leaf = left[i] < 0,
                                       .missing_right = !(missing[i] > 0),
                                       .feature = (uint32_t)index[i],
                                       .at = trees_less_float(at[i]),
                                       .left = (int64_t)left[i],
                                       .right = (int64_t)right[i],
                                       .value = (double)(float)at[i] };
    }
    return trees_add(t, node, n, k, weight);
}

static bool
add_all(struct trees *t, const struct json *model, const struct json *dart)
{
    size_t n = 0, ninfo = SIZE_MAX, i = 0;
    const double *info = trees_numbers(t, model, "tree_info", &ninfo);
    const double *drop = NULL;

    for (const struct json *k = json_first(model, "trees"); k; k = k->next)
        n++;
    if (!info)
        return false;
    if (ninfo != n)
        return trees_fail(t, "there are %zu trees, and classes of %zu", n,
                          ninfo);
    if (dart && !(drop = trees_numbers(t, dart, "weight_drop", &n)))
        return false;
    for (const struct json *k = json_first(model, "trees"); k;
         k = k->next, i++) {
        if (!(info[i] >= 0 && info[i] < t->outputs))
            return trees_fail(t, "a tree of class %g of %u", info[i],
                              t->outputs);
        if (!add_tree(t, k, (uint32_t)info[i],
                      drop ? (double)(float)drop[i] : 1))
            return false;
    }
    return true;
}

bool
trees_xgboost(struct trees *t, const char *text, size_t n)
{
    const struct json *j = trees_document(t, text, n), *learner, *param, *gb;
    const struct json *dart = NULL;
    double classes, targets;

    if (!j)
        return false;
    learner = json_get(j, "learner");
    param = json_get(learner, "learner_model_param");
    gb = json_get(learner, "gradient_booster");
    if (!param || !gb)
        return trees_fail(t, "this is no model of XGBoost: use "
                             "booster.save_model(\"model.json\")");
    if (strcmp(json_string(gb, "name"), "dart") == 0) {
        dart = gb;
        gb = json_get(gb, "gbtree");
    }
    if (!gb || strcmp(json_string(gb, "name"), "gbtree") != 0)
        return trees_fail(t, "a booster '%.40s' has no trees",
                          json_string(gb, "name"));
    classes = number(param, "num_class", 0);
    targets = number(param, "num_target", 1);
    if (!trees_begin(t, number(param, "num_feature", 0),
                     classes > 1   ? classes
                     : targets > 1 ? targets
                                   : 0))
        return false;
    return add_base(t, learner, param)
           && add_all(t, json_get(gb, "model"), dart);
}
