/* A table read by the bits of a client's integers, lang-spec/crypto.md 17.7:
 *
 *     ring r holds rows r 2^m .., row e at X^(e 2^c), of at most 2^c integers
 *     high bits    V = V_0 + GGSW(t) [x] (V_1 - V_0)       between rings
 *     low bits     V = V + GGSW(t) [x] (X^-(2^(c+i)) V - V)  within the last
 *
 * Halves that are alike are not selected between.
 */
#include "runtime/leveled.h"

#include <string.h>

struct walk {
    struct cmlrt_lev x;
    const struct cmlrt_lut *d;
    struct cmlrt_shape shape;
    const double *ggsw;
    unsigned log2_stride, within; /* c, and m bits of a row within a ring */
};

/* glwe <- glwe + GGSW(bit) [x] diff */
static void
choose(const struct walk *w, uint64_t *glwe, const uint64_t *diff, size_t bit)
{
    const double *ggsw = w->ggsw + bit * (size_t)w->d->levels * 4 * w->x.n;

    cmlrt_lev_multiply(&w->x, w->x.sum, diff, ggsw, &w->shape, false);
    cmlrt_lev_reduce(&w->x, glwe, w->x.sum);
}

static void
ring(const struct walk *w, uint64_t *glwe, size_t row)
{
    const size_t coefs = (size_t)w->d->coefs;

    memset(glwe, 0, 2 * w->x.n * sizeof *glwe);
    for (size_t e = 0; e < (size_t)1 << w->within; e++)
        for (size_t k = 0; k < coefs; k++)
            glwe[w->x.n + (e << w->log2_stride) + k] =
                (uint64_t)cmlrt_lut_entry(w->d, (row + e) * coefs + k)
                << w->d->log2_delta;
}

static bool
alike(const struct walk *w, size_t row, size_t half)
{
    const size_t size = (size_t)(w->d->bytes * w->d->coefs);
    const char *table = w->d->table;

    return memcmp(table + row * size, table + (row + half) * size, half * size)
           == 0;
}

/* Rows from `row` on, 2^bits of them, chosen by all bits but those within a
 * ring.  nodes: a ciphertext for each bit below. */
static void
select_ring(const struct walk *w, uint64_t *glwe, size_t row, unsigned bits,
            uint64_t *nodes)
{
    const size_t half = (size_t)1 << bits >> 1, words = 2 * w->x.n;

    if (bits == w->within) {
        ring(w, glwe, row);
        return;
    }
    select_ring(w, glwe, row, bits - 1, nodes);
    if (alike(w, row, half))
        return;
    select_ring(w, nodes, row + half, bits - 1, nodes + words);
    w->x.k->axpy64(nodes, glwe, UINT64_MAX, words); /* less */
    choose(w, glwe, nodes, bits - 1);
}

/* turned <- X^-shift glwe - glwe,   0 < shift < n */
static void
turn(const struct walk *w, uint64_t *turned, const uint64_t *glwe, size_t shift)
{
    const size_t n = w->x.n;

    for (size_t c = 0; c < 2 * n; c += n) {
        for (size_t i = 0; i < n - shift; i++)
            turned[c + i] = glwe[c + i + shift] - glwe[c + i];
        for (size_t i = n - shift; i < n; i++)
            turned[c + i] = 0 - glwe[c + i + shift - n] - glwe[c + i];
    }
}

void
cmlrt_ggsw_lut(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
               const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_lut *d = with;
    struct walk w = { .d = d };

    if (cmlrt_lev_plain(env)) {
        cmlrt_plain_lut(env, out, in, with, begin, end);
        return;
    }
    if (begin >= end)
        return;
    w.x = cmlrt_lev_open(env);
    w.ggsw = (const double *)(const void *)in;
    w.shape = (struct cmlrt_shape){
        w.x.plan, w.x.log2_n, 1, (unsigned)d->levels, (unsigned)d->log2_base,
        2,        0
    };
    while ((int64_t)1 << w.log2_stride < d->coefs)
        w.log2_stride++;
    w.within = w.x.log2_n - w.log2_stride;
    w.within = w.within < d->bits ? w.within : (unsigned)d->bits;
    select_ring(&w, out, 0, (unsigned)d->bits, w.x.nodes);
    for (unsigned i = 0; i < w.within; i++) {
        turn(&w, w.x.nodes, out, (size_t)1 << (w.log2_stride + i));
        choose(&w, out, w.x.nodes, i);
    }
}
