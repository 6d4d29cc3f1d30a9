/* Leveled circuits without encryption: phases, exact, and the noise of the
 * whole added to the sums.  A GLWE is `coefs` words, those of its coefficients
 * that have a meaning; a GGSW the polynomial that it multiplies by. */
#include "runtime/leveled.h"

#include <math.h>
#include <string.h>

/* Noise of one of the groups that make a sum. */
static void
add_noise(struct cmlrt_env *env, uint64_t *word, int64_t coefs, double sd,
          int64_t groups)
{
    for (int64_t i = 0; env->simulated && i < coefs; i++)
        word[i] += cmlrt_normal(env->rng, sd / sqrt((double)groups));
}

/* ---- the input; its noise is in that of the sums */

void
cmlrt_plain_to_ggsw(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                    const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_expand *d = with;
    const int64_t *slots = d->slots;
    const size_t n = cmlrt_ring_degree(env->set);

    for (int64_t i = begin; i < end && i < d->count; i++) {
        const size_t pack = (size_t)slots[i] >> d->log2_slots;
        const size_t slot =
            (size_t)slots[i] & (((size_t)1 << d->log2_slots) - 1);
        const uint64_t *body = in + d->word + pack * n;

        out[i] = body[slot * (n >> d->log2_slots)] != 0;
    }
}

void
cmlrt_plain_ggsw_load(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                      const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_load_ggsw *d = with;
    const size_t n = cmlrt_ring_degree(env->set);
    const int64_t rows = 2 * d->levels;

    for (int64_t i = begin; i < end; i++)
        for (size_t x = 0; i % rows == 0 && x < n; x++)
            out[(size_t)(i / rows) * n + x] =
                (uint64_t)((int64_t)in[(size_t)(d->word + i * (int64_t)n) + x]
                           >> (64 - d->log2_base));
}

void
cmlrt_plain_glwe_load(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                      const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_load_glwe *d = with;
    const size_t n = cmlrt_ring_degree(env->set);

    memcpy(out + (size_t)begin * n, in + d->word + begin * (int64_t)n,
           (size_t)(end - begin) * n * sizeof *out);
}

void
cmlrt_plain_expand(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                   const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_spread *d = with;
    const size_t n = cmlrt_ring_degree(env->set);
    const size_t stride = n >> d->log2_slots, groups = (size_t)1 << d->steps;

    for (int64_t i = begin; i < end; i++) {
        const size_t from = (size_t)i / groups;
        const size_t r =
            cmlrt_lev_reversed((size_t)i % groups, (unsigned)d->steps);
        const uint64_t *word = in + (size_t)d->word + from * n + r * stride;
        uint64_t *to = out + (from * groups + r) * n;

        memset(to, 0, n * sizeof *to);
        for (size_t x = 0; x < n; x += stride * groups)
            to[x] = word[x] << d->steps;
    }
}

/* ---- X */

static const int64_t *
leaf_of_tree(const struct cmlrt_forest *f, int64_t child, const uint64_t *ggsw,
             const uint64_t *thermometer)
{
    const int64_t *node = f->nodes;

    while (child >= 0) {
        const int64_t *x = node + 4 * child;
        const uint64_t bit =
            x[0] ? thermometer[x[1]] >> f->log2_delta & 1 : ggsw[x[1]];

        child = bit ? x[3] : x[2];
    }
    return (const int64_t *)f->leaves + (-child - 1) * f->coefs;
}

void
cmlrt_plain_forest(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                   const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_forest *f = with;
    const int64_t *root = f->roots;

    for (int64_t g = begin; g < end; g++) {
        uint64_t *sum = out + g * f->coefs;

        memset(sum, 0, (size_t)f->coefs * sizeof *sum);
        for (int64_t t = g; t < f->ntrees; t += f->groups) {
            const int64_t *leaf = leaf_of_tree(
                f, root[t], cmlrt_lev_operand(in, 0), cmlrt_lev_operand(in, 1));

            for (int64_t i = 0; i < f->coefs; i++)
                sum[i] += (uint64_t)leaf[i] << f->log2_delta;
        }
        add_noise(env, sum, f->coefs, f->sd, f->groups);
    }
}

/* ---- D: polynomials modulo X^N + 1 and 2^64 */

/*     out <- out + w X^e a */
static void
add_turned(uint64_t *out, const uint64_t *a, size_t n, size_t e, uint64_t w)
{
    for (size_t i = 0; i < n; i++) {
        const size_t at = (i + e) & (2 * n - 1);

        out[at & (n - 1)] += at < n ? w * a[i] : 0 - w * a[i];
    }
}

static void
combine(const struct cmlrt_products *f, uint64_t *out, const int64_t *p,
        const uint64_t *groups, size_t n)
{
    const int64_t *mono = (const int64_t *)f->monomials + 3 * p[1];
    const int64_t *constant = (const int64_t *)f->constants + 2 * p[3];

    memset(out, 0, n * sizeof *out);
    for (int64_t i = 0; i < p[2]; i++, mono += 3)
        add_turned(out, groups + (size_t)mono[0] * n, n,
                   (size_t)mono[1] & (2 * n - 1), (uint64_t)mono[2]);
    for (int64_t i = 0; i < p[4]; i++, constant += 2) {
        const size_t e = (size_t)constant[0] & (2 * n - 1);
        const uint64_t word = (uint64_t)constant[1] << f->log2_delta;

        out[e & (n - 1)] += e < n ? word : 0 - word;
    }
}

struct operands {
    const uint64_t *ggsw, *groups;
    size_t n;
};

/*     out <- out + M S of a prefix;  work: a polynomial a level */
static void
add_product(const struct cmlrt_products *f, uint64_t *out, int64_t i,
            const struct operands *in, uint64_t *work)
{
    const int64_t *p = (const int64_t *)f->prefixes + i * 7;
    const int64_t *child = (const int64_t *)f->children + p[5];
    const uint64_t *m = in->ggsw + (size_t)p[0] * in->n;

    combine(f, work, p, in->groups, in->n);
    for (int64_t c = 0; c < p[6]; c++)
        add_product(f, work, child[c], in, work + in->n);
    for (size_t e = 0; e < in->n; e++)
        if (m[e] != 0)
            add_turned(out, work, in->n, e, m[e]);
}

void
cmlrt_plain_products(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                     const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_products *f = with;
    const int64_t *root = f->prefixes;
    const int64_t *child = (const int64_t *)f->children + root[5];
    const size_t n = cmlrt_ring_degree(env->set);
    const struct operands x = { cmlrt_lev_operand(in, 0),
                                cmlrt_lev_operand(in, 1), n };
    uint64_t *sum = env->scratch;

    for (int64_t g = begin; g < end; g++) {
        memset(sum, 0, n * sizeof *sum);
        if (g == 0)
            combine(f, sum, root, x.groups, n);
        for (int64_t c = g; c < root[6]; c += f->groups)
            add_product(f, sum, child[c], &x, sum + n);
        memcpy(out + g * f->coefs, sum, (size_t)f->coefs * sizeof *sum);
        add_noise(env, out + g * f->coefs, f->coefs, f->sd, f->groups);
    }
}

/* ---- tables of bits */

void
cmlrt_plain_lut(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_lut *d = with;
    size_t row = 0;

    if (begin >= end)
        return;
    for (int64_t i = 0; i < d->bits; i++)
        row |= (size_t)(in[i] & 1) << i;
    for (int64_t k = 0; k < d->coefs; k++)
        out[k] =
            (uint64_t)cmlrt_lut_entry(d, row * (size_t)d->coefs + (size_t)k)
            << d->log2_delta;
    add_noise(env, out, d->coefs, d->sd, 1);
}
