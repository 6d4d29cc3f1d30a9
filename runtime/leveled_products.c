/* Forests by products of packed bits, lang-spec/crypto.md 17: for a prefix P of
 * groups, with C_P, W_P,r sparse polynomials of integers, (90)
 *
 *     S_P = Delta C_P + sum_r W_P,r T_r + sum_g GGSW(M_g) [x] S_P.g
 *
 * A product of M_g has all pairs of bits of two groups in coefficients of their
 * own; those that are wanted end in the first coefficients of the root's sum.
 */
#include "runtime/leveled.h"

#include <string.h>

enum { GGSW, MONO, MONOS, CONST, CONSTS, CHILD, CHILDREN, FIELDS };

struct walk {
    struct cmlrt_lev x;
    const struct cmlrt_products *f;
    struct cmlrt_shape shape;
    const double *ggsw;
    const uint64_t *groups; /* doubled */
};

static const int64_t *
prefix_of(const struct walk *w, int64_t i)
{
    return (const int64_t *)w->f->prefixes + i * FIELDS;
}

/* glwe <- the sums of monomials and constants of a prefix */
static void
combine(const struct walk *w, uint64_t *glwe, const int64_t *p)
{
    const int64_t *mono = (const int64_t *)w->f->monomials + 3 * p[MONO];
    const int64_t *c = (const int64_t *)w->f->constants + 2 * p[CONST];
    const size_t n = w->x.n;
    int64_t i = 0;

    do {
        struct cmlrt_terms t = { .count = 0 };
        const bool add = i > 0;

        for (; i < p[MONOS] && t.count < CMLRT_MOST_TERMS; i++, mono += 3)
            cmlrt_lev_term(&t, w->groups + (size_t)mono[0] * 4 * n, n, mono[1],
                           mono[2]);
        cmlrt_lev_combine(&w->x, glwe, &t, add);
    } while (i < p[MONOS]);
    for (i = 0; i < p[CONSTS]; i++, c += 2) {
        const size_t e = (size_t)c[0] & (2 * n - 1);
        const uint64_t word = (uint64_t)c[1] << w->f->log2_delta;

        glwe[n + (e & (n - 1))] += e < n ? word : 0 - word;
    }
}

static void
multiply(const struct walk *w, double *sum, const uint64_t *glwe, int64_t child,
         bool add)
{
    const size_t words = (size_t)w->f->levels * 4 * w->x.n;

    cmlrt_lev_multiply(&w->x, sum, glwe,
                       w->ggsw + (size_t)prefix_of(w, child)[GGSW] * words,
                       &w->shape, add);
}

/* glwe <- S of a prefix.  nodes: for each level below, a ciphertext and a sum
 * of points */
static void
sum_of(const struct walk *w, uint64_t *glwe, int64_t i, uint64_t *nodes)
{
    const int64_t *p = prefix_of(w, i);
    const int64_t *child = (const int64_t *)w->f->children + p[CHILD];
    const size_t words = 2 * w->x.n + 2 * CMLRT_ROW_PAD;
    double *sum = (double *)(void *)(nodes + words);

    combine(w, glwe, p);
    for (int64_t c = 0; c < p[CHILDREN]; c++) {
        sum_of(w, nodes, child[c], nodes + 2 * words);
        multiply(w, sum, nodes, child[c], c > 0);
    }
    if (p[CHILDREN] > 0)
        cmlrt_lev_reduce(&w->x, glwe, sum);
}

void
cmlrt_ggsw_products(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                    const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_products *f = with;
    struct walk w = { .f = f };
    const int64_t *root, *child;

    if (cmlrt_lev_plain(env)) {
        cmlrt_plain_products(env, out, in, with, begin, end);
        return;
    }
    w.x = cmlrt_lev_open(env);
    w.ggsw = (const double *)(const void *)cmlrt_lev_operand(in, 0);
    w.groups = cmlrt_lev_operand(in, 1);
    w.shape = (struct cmlrt_shape){
        w.x.plan, w.x.log2_n, 1, (unsigned)f->levels, (unsigned)f->log2_base,
        2,        0
    };
    root = prefix_of(&w, 0);
    child = (const int64_t *)f->children + root[CHILD];
    for (int64_t g = begin; g < end; g++) {
        uint64_t *sum = out + (size_t)g * 2 * w.x.n;

        if (g == 0)
            combine(&w, sum, root);
        else
            memset(sum, 0, 2 * w.x.n * sizeof *sum);
        for (int64_t c = g; c < root[CHILDREN]; c += f->groups) {
            sum_of(&w, w.x.u, child[c], w.x.nodes);
            multiply(&w, w.x.acc, w.x.u, child[c], c > g);
        }
        if (g < root[CHILDREN])
            cmlrt_lev_reduce(&w.x, sum, w.x.acc);
    }
}
