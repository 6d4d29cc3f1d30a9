/* Trees by CMUXes, lang-spec/crypto.md 17:
 *
 *     node    V = V_left + GGSW(t) [x] (V_right - V_left)
 *     pair    V = left + t (right - left), t a coefficient of a ciphertext that
 *             is turned to where it belongs; what else the sum has stays in
 *             other coefficients, which no constant GGSW mixes with these
 *
 * Products at the roots add up as points and are reduced once.
 */
#include "runtime/leveled.h"

#include <string.h>

enum { WHAT, WHERE, LEFT, RIGHT, FIELDS };

struct walk {
    struct cmlrt_lev x;
    const struct cmlrt_forest *f;
    struct cmlrt_shape shape;
    const double *ggsw;
    const uint64_t *thermometer; /* doubled */
};

static const int64_t *
node_of(const struct walk *w, int64_t child)
{
    return (const int64_t *)w->f->nodes + child * FIELDS;
}

static const int64_t *
leaf_of(const struct walk *w, int64_t child)
{
    return (const int64_t *)w->f->leaves + (-child - 1) * w->f->coefs;
}

static void
add_leaf(const struct walk *w, uint64_t *glwe, const int64_t *leaf)
{
    for (int64_t i = 0; i < w->f->coefs; i++)
        glwe[w->x.n + (size_t)i] += (uint64_t)leaf[i] << w->f->log2_delta;
}

static void
pair(const struct walk *w, uint64_t *glwe, const int64_t *node)
{
    const size_t n = w->x.n, where = (size_t)node[WHERE];
    const uint64_t *from = w->thermometer + where / n * 4 * n;
    const int64_t *left = leaf_of(w, node[LEFT]);
    const int64_t *right = leaf_of(w, node[RIGHT]);
    struct cmlrt_terms t = { .count = 0 };

    for (int64_t i = 0; i < w->f->coefs; i++)
        if (right[i] != left[i])
            cmlrt_lev_term(&t, from, n, i - (int64_t)(where % n),
                           right[i] - left[i]);
    cmlrt_lev_combine(&w->x, glwe, &t, false);
    add_leaf(w, glwe, left);
}

/* glwe <- the value of a child, but for the product of the first node, which
 * goes to acc if that is given.  nodes: a ciphertext for each node below. */
static void
value(const struct walk *w, uint64_t *glwe, int64_t child, uint64_t *nodes,
      double *acc)
{
    const size_t n = w->x.n;
    const int64_t *node = child < 0 ? NULL : node_of(w, child);

    if (!node) {
        memset(glwe, 0, 2 * n * sizeof *glwe);
        add_leaf(w, glwe, leaf_of(w, child));
    } else if (node[WHAT] == 1) {
        pair(w, glwe, node);
    } else {
        const double *ggsw =
            w->ggsw + (size_t)(node[WHERE] * w->f->levels) * 4 * n;

        value(w, glwe, node[LEFT], nodes, NULL);
        value(w, nodes, node[RIGHT], nodes + 2 * n, NULL);
        w->x.k->axpy64(nodes, glwe, UINT64_MAX, 2 * n); /* less */
        cmlrt_lev_multiply(&w->x, acc ? acc : w->x.sum, nodes, ggsw, &w->shape,
                           acc != NULL);
        if (!acc)
            cmlrt_lev_reduce(&w->x, glwe, w->x.sum);
    }
}

void
cmlrt_ggsw_forest(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                  const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_forest *f = with;
    const int64_t *root = f->roots;
    struct walk w = { .f = f };
    size_t words;

    if (cmlrt_lev_plain(env)) {
        cmlrt_plain_forest(env, out, in, with, begin, end);
        return;
    }
    w.x = cmlrt_lev_open(env);
    w.ggsw = (const double *)(const void *)cmlrt_lev_operand(in, 0);
    w.thermometer = cmlrt_lev_operand(in, 1);
    w.shape = (struct cmlrt_shape){
        w.x.plan, w.x.log2_n, 1, (unsigned)f->levels, (unsigned)f->log2_base,
        2,        0
    };
    words = 2 * w.x.n;
    for (int64_t g = begin; g < end; g++) {
        uint64_t *sum = out + (size_t)g * words;

        memset(sum, 0, words * sizeof *sum);
        memset(w.x.acc, 0, 2 * (w.x.n + CMLRT_ROW_PAD) * sizeof *w.x.acc);
        for (int64_t t = g; t < f->ntrees; t += f->groups) {
            value(&w, w.x.nodes, root[t], w.x.nodes + words, w.x.acc);
            w.x.k->axpy64(sum, w.x.nodes, 1, words);
        }
        cmlrt_lev_reduce(&w.x, sum, w.x.acc);
    }
}
