/* Trees and forests of scikit-learn, as lang-spec/sklearn_export.py writes
 * them: format "cml-trees/1".
 *
 * A node sends x left iff float(x) <= threshold, a double. */
#include "frontend/trees.h"

#include "ir/json.h"

#include <math.h>
#include <string.h>

/* rows of `outputs` numbers, or one list of numbers if there is one output */
static const double *
values(struct trees *t, const struct json *tree, size_t n)
{
    size_t all = n * t->outputs;

    return trees_numbers(t, tree, "value", &all);
}

static bool
add_tree(struct trees *t, const struct json *tree)
{
    size_t n = SIZE_MAX;
    const double *left = trees_numbers(t, tree, "left", &n), *right, *value;
    const double *feature, *at, *missing;
    struct trees_node *node;

    if (!left || !(right = trees_numbers(t, tree, "right", &n))
        || !(feature = trees_numbers(t, tree, "feature", &n))
        || !(at = trees_numbers(t, tree, "threshold", &n))
        || !(missing = trees_numbers(t, tree, "missing_left", &n))
        || !(value = values(t, tree, n)))
        return false;
    node = arena_new(t->mem, struct trees_node, n + 1);
    for (size_t i = 0; i < n; i++) {
        const bool is_leaf = left[i] < 0;

        if (!(fabs(left[i]) <= 0x1p31 && fabs(right[i]) <= 0x1p31
              && (is_leaf || (feature[i] >= 0 && feature[i] < 0x1p31))))
            return trees_fail(t, "a child or a feature is no index");
        node[i] = (struct trees_node){ .is_leaf = is_leaf,
                                       .missing_right = !(missing[i] > 0),
                                       .at = trees_float_at_most(at[i]),
                                       .left = (int64_t)left[i],
                                       .right = (int64_t)right[i],
                                       .values = value + i * t->outputs };
        node[i].feature = is_leaf ? 0 : (uint32_t)feature[i];
    }
    return trees_add(t, node, n, 0, 1);
}

bool
trees_sklearn(struct trees *t, const char *text, size_t n)
{
    const struct json *j = trees_document(t, text, n);
    const double *base;
    size_t outputs;

    if (!j)
        return false;
    if (strcmp(json_string(j, "format"), "cml-trees/1") != 0)
        return trees_fail(t, "this is no file of sklearn_export.py");
    if (!trees_begin(t, json_number(j, "features"), json_number(j, "outputs")))
        return false;
    outputs = t->outputs;
    base = trees_numbers(t, j, "base", &outputs);
    if (!base || !trees_constant(t, base))
        return false;
    for (const struct json *k = json_first(j, "trees"); k; k = k->next)
        if (!add_tree(t, k))
            return false;
    return true;
}
