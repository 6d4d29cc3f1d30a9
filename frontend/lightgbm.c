/* Models of LightGBM: the text of booster.save_model("model.txt"), version 2
 * and later.
 *
 * A node sends x left iff x <= threshold, doubles.  f(x) gives raw scores: the
 * sum of leaves, or their mean with boosting=rf.  What a missing value is
 * (decision_type, bits 2 and 3): nothing, then it counts as 0; zero; or NaN. */
#include "frontend/trees.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct text {
    struct trees *t;
    const char *at, *end; /* at the begin of a line */
};

/* The value of the line `key=...` between at and end; NULL: there is none. */
static const char *
find(const char *at, const char *end, const char *key)
{
    const size_t n = strlen(key);

    while (at < end) {
        const char *line = at;
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        at = stop ? stop + 1 : end;
        if ((size_t)(end - line) > n && memcmp(line, key, n) == 0
            && line[n] == '=')
            return line + n + 1;
    }
    return NULL;
}

/* A number that ends where a blank, a line or the text ends. */
static bool
number(const char **at, const char *end, double *x)
{
    char word[64];
    size_t n = 0;
    char *stop;

    while (*at < end && **at == ' ')
        ++*at;
    while (*at < end && **at && !strchr(" \r\n", **at) && n < sizeof word - 1)
        word[n++] = *(*at)++;
    word[n] = 0;
    *x = strtod(word, &stop);
    return n > 0 && !*stop;
}

static double
header(const struct text *x, const char *key, double otherwise)
{
    const char *at = find(x->at, x->end, key);
    double v;

    return at && number(&at, x->end, &v) ? v : otherwise;
}

/* n numbers of a line, or NULL after a message */
static const double *
numbers(struct text *x, const char *end, const char *key, size_t n)
{
    const char *at = find(x->at, end, key);
    double *v;

    if (!at || n > (size_t)(end - at)) {
        trees_fail(x->t, "a tree lacks '%s', or has too few of it", key);
        return NULL;
    }
    v = arena_new(x->t->mem, double, n);
    for (size_t i = 0; i < n; i++)
        if (!number(&at, end, &v[i])) {
            trees_fail(x->t, "'%s' has no %zu numbers", key, n);
            return NULL;
        }
    return v;
}

/* ---- nodes */

enum { CATEGORICAL = 1, DEFAULT_LEFT = 2 };
enum missing { NONE, ZERO, IS_NAN };

/* Zero as a missing value goes where the comparison sends it, or the node is
 * refused: near 0 (1e-35) all values would be missing. */
static bool
read_missing(struct trees *t, struct trees_node *n, double threshold,
             unsigned type)
{
    const bool zero_right = !(0 <= threshold);

    n->missing_right = !(type & DEFAULT_LEFT);
    if ((type >> 2 & 3) == NONE)
        n->missing_right = zero_right;
    if ((type >> 2 & 3) == ZERO
        && (n->missing_right != zero_right || fabs(threshold) < 1e-35))
        return trees_fail(t, "zero_as_missing is not supported where a zero "
                             "goes another way than its neighbours");
    return true;
}

struct columns {
    const double *feature, *at, *type, *kid[2], *leaf;
    size_t n;
};

static bool
fill(struct trees *t, const struct columns *c, struct trees_node *node)
{
    for (size_t i = 0; i < c->n; i++) {
        struct trees_node *to = &node[i];

        if (!(c->feature[i] >= 0 && c->feature[i] < 0x1p31)
            || !(c->type[i] >= 0 && c->type[i] < 16)
            || !(fabs(c->kid[0][i]) < 0x1p31 && fabs(c->kid[1][i]) < 0x1p31))
            return trees_fail(t, "a child, a feature or a decision is no "
                                 "index");
        if ((unsigned)c->type[i] & CATEGORICAL)
            return trees_fail(t, "a split of categories is not supported: a "
                                 "comparison with a threshold is; encode the "
                                 "feature as numbers");
        to->feature = (uint32_t)c->feature[i];
        to->at = trees_at_most(c->at[i]);
        /* leaf j is -1 - j there, and n + j here */
        to->left = (int64_t)c->kid[0][i];
        to->right = (int64_t)c->kid[1][i];
        if (to->left < 0)
            to->left = (int64_t)c->n - 1 - to->left;
        if (to->right < 0)
            to->right = (int64_t)c->n - 1 - to->right;
        if (!read_missing(t, to, c->at[i], (unsigned)c->type[i]))
            return false;
    }
    for (size_t j = 0; j <= c->n; j++)
        node[c->n + j] =
            (struct trees_node){ .is_leaf = true, .value = c->leaf[j] };
    return true;
}

/* The tree whose lines are x->at .. end. */
static bool
add_tree(struct text *x, const char *end, uint32_t k, double weight)
{
    const struct text own = { x->t, x->at, end };
    const double leaves = header(&own, "num_leaves", 0);
    struct columns c = { .n = 0 };
    struct trees_node *node;

    if (!(leaves >= 1 && leaves <= (double)IR_FOREST_NODES)
        || leaves > (double)(end - x->at))
        return trees_fail(x->t, "a tree of %g leaves", leaves);
    if (header(&own, "is_linear", 0) > 0)
        return trees_fail(x->t, "linear trees are not supported");
    c.n = (size_t)leaves - 1;
    c.leaf = numbers(x, end, "leaf_value", c.n + 1);
    if (c.n) {
        c.feature = numbers(x, end, "split_feature", c.n);
        c.at = numbers(x, end, "threshold", c.n);
        c.type = numbers(x, end, "decision_type", c.n);
        c.kid[0] = numbers(x, end, "left_child", c.n);
        c.kid[1] = numbers(x, end, "right_child", c.n);
    }
    if (*x->t->why)
        return false;
    node = arena_new(x->t->mem, struct trees_node, 2 * c.n + 1);
    return fill(x->t, &c, node)
           && trees_add(x->t, node, 2 * c.n + 1, k, weight);
}

/* The next line `Tree=`, or NULL. */
static const char *
next_tree(const char *at, const char *end)
{
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        if (end - at > 5 && memcmp(at, "Tree=", 5) == 0)
            return at;
        if (end - at >= 12 && memcmp(at, "end of trees", 12) == 0)
            return NULL;
        at = stop ? stop + 1 : end;
    }
    return NULL;
}

/* A line of this text alone. */
static bool
has_line(const char *at, const char *end, const char *line)
{
    const size_t n = strlen(line);

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        if ((size_t)(end - at) > n && memcmp(at, line, n) == 0
            && strchr("\r\n", at[n]))
            return true;
        at = stop ? stop + 1 : end;
    }
    return false;
}

static bool
add_all(struct text *x, const char *first, bool mean)
{
    const char *at, *next;
    double trees = 0, i = 0;

    for (at = first; at; at = next_tree(at + 1, x->end))
        trees++;
    for (at = first; at; at = next, i++) {
        struct text own = { x->t, at, x->end };

        next = next_tree(at + 1, x->end);
        if (!next && !has_line(at, x->end, "end of trees"))
            return trees_fail(x->t, "the text ends within a tree");
        if (!add_tree(&own, next ? next : x->end,
                      (uint32_t)fmod(i, x->t->outputs),
                      mean ? x->t->outputs / trees : 1))
            return false;
    }
    return trees > 0 || trees_fail(x->t, "the model has no trees");
}

bool
trees_lightgbm(struct trees *t, const char *text, size_t n)
{
    struct text x = { t, text, text + n };
    const char *first = next_tree(text, text + n);
    struct text head = { t, text, first ? first : text + n };
    double classes;

    if (!find(head.at, head.end, "max_feature_idx"))
        return trees_fail(t, "this is no model of LightGBM: use "
                             "booster.save_model(\"model.txt\")");
    classes = header(&head, "num_tree_per_iteration", 1);
    return trees_begin(t, header(&head, "max_feature_idx", -1) + 1,
                       classes > 1 ? classes : 0)
           && add_all(&x, first, has_line(head.at, head.end, "average_output"));
}
