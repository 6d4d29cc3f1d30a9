/* Coefficients of a ring ciphertext become ring ciphertexts, and these GGSWs,
 * lang-spec/crypto.md (81).
 *
 *     step q    u = c(X^t), its mask back under S    t = N / 2^(first + q) + 1
 *               c0 = c + u,   c1 = X^-(stride 2^q) (c - u)
 *
 * The message of slot i is at coefficient i stride: c0 keeps those whose bit q
 * is 0, twice, c1 the others.  Ciphertexts go down the tree of residues in
 * batches, so that a key and what is made of it stay in the second cache.
 */
#include "runtime/leveled.h"

#include <string.h>

enum { BATCH = 4, CHILDREN = 2 * BATCH };

/* slots of the index range [begin, end) */
struct range {
    int64_t begin, end;
};

struct walk {
    struct cmlrt_lev x;
    const struct cmlrt_eval *e;
    unsigned log2_slots, steps;
    const int64_t *slots; /* NULL: all, by their reversed bits */
    void (*emit)(struct walk *w, int64_t index, const uint64_t *glwe);
    /* of emit */
    const void *with;
    uint64_t *out;
    int64_t level;
};

static size_t
slot_of(const struct walk *w, int64_t i)
{
    return w->slots ? (size_t)w->slots[i]
                    : cmlrt_lev_reversed((size_t)i, w->steps);
}

/*     u <- c(X^t) under S again */
static void
turn(struct walk *w, unsigned q, const uint64_t *c)
{
    const struct cmlrt_lev *x = &w->x;
    const struct cmlrt_leveled *l = &w->e->set.leveled;
    const size_t n = x->n;
    const unsigned key = x->log2_n - w->log2_slots + q - l->first;
    const uint32_t t =
        (uint32_t)cmlrt_auto_exponent(&w->e->set, l->first + key);
    const struct cmlrt_shape s = {
        x->plan, x->log2_n, 1, l->levels[key], l->log2_base[key], 1, 0
    };

    x->k->automorphism(x->turned, c, n, t);
    x->k->automorphism(x->u + n, c + n, n, t);
    memset(x->u, 0, n * sizeof *x->u);
    x->k->digit_points(x->rows, x->turned, &s);
    x->k->key_mul(x->sum, x->rows,
                  w->e->graded + cmlrt_graded_before(&w->e->set, key) * 2 * n,
                  s.levels, n, false);
    cmlrt_lev_reduce(x, x->u, x->sum);
}

/* Children of c that have slots; returns how many. */
static unsigned
divide(struct walk *w, unsigned q, struct range r, const uint64_t *c,
       struct range *to, uint64_t *out)
{
    const size_t n = w->x.n;
    const size_t shift = n >> (w->log2_slots - q);
    int64_t middle = r.begin;
    uint64_t *even = NULL, *odd = NULL;
    unsigned made = 0;

    while (middle < r.end && !(slot_of(w, middle) >> q & 1))
        middle++;
    turn(w, q, c);
    if (middle > r.begin) {
        even = out;
        to[made++] = (struct range){ r.begin, middle };
        out += 2 * n;
    }
    if (r.end > middle) {
        odd = out;
        to[made++] = (struct range){ middle, r.end };
    }
    for (size_t part = 0; part < 2 * n; part += n)
        w->x.k->sum_difference(even ? even + part : NULL,
                               odd ? odd + part : NULL, c + part, w->x.u + part,
                               n, shift);
    return made;
}

static void
expand(struct walk *w, unsigned q, const struct range *r, const uint64_t *c,
       unsigned count)
{
    const size_t words = 2 * w->x.n;
    uint64_t *out = w->x.nodes + (q + 1) * CHILDREN * words;
    struct range child[CHILDREN];
    unsigned made = 0, half;

    if (q == w->steps) {
        for (unsigned i = 0; i < count; i++)
            w->emit(w, r[i].begin, c + i * words);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        made +=
            divide(w, q, r[i], c + i * words, child + made, out + made * words);
    half = made > BATCH ? made / 2 : made;
    expand(w, q + 1, child, out, half);
    if (half < made)
        expand(w, q + 1, child + half, out + half * words, made - half);
}

/* ---- to GGSWs */

/* Rows of level w->level: the body row is the ciphertext, and the mask row is
 *
 *     (b, 0) + KS(a),   whose phase is -S (b - a S)
 *
 * left as points, not reduced. */
static void
emit_ggsw(struct walk *w, int64_t index, const uint64_t *glwe)
{
    const struct cmlrt_expand *d = w->with;
    const struct cmlrt_lev *x = &w->x;
    const struct cmlrt_leveled *l = &w->e->set.leveled;
    const size_t n = x->n;
    const unsigned rows = (unsigned)(2 * d->levels);
    const unsigned body = (unsigned)w->level;
    const unsigned mask = (unsigned)d->levels + body;
    const struct cmlrt_shape s = { x->plan,         x->log2_n, 1, l->ss_levels,
                                   l->ss_log2_base, 1,         0 };
    double *to = (double *)(void *)w->out + (size_t)index * rows * 2 * n;
    double *second = x->sum + n + CMLRT_ROW_PAD;

    x->k->torus_points(second, glwe, x->plan);
    x->k->key_put(to, second, rows, body, 0, n);
    x->k->torus_points(x->sum, glwe + n, x->plan);
    x->k->key_put(to, x->sum, rows, body, 1, n);
    memset(second, 0, n * sizeof *second);
    x->k->digit_points(x->rows, glwe, &s);
    x->k->key_mul(x->sum, x->rows, w->e->square, s.levels, n, true);
    x->k->key_put(to, x->sum, rows, mask, 0, n);
    x->k->key_put(to, second, rows, mask, 1, n);
}

/* Slots [begin, end) of one level, pack by pack. */
static void
expand_level(struct walk *w, const struct cmlrt_env *env, const uint64_t *in,
             int64_t begin, int64_t end)
{
    const struct cmlrt_expand *d = w->with;

    while (begin < end) {
        const int64_t pack = w->slots[begin] >> d->log2_slots;
        const int64_t at = w->level * d->packs + pack;
        struct range r = { begin, begin };

        while (r.end < end && w->slots[r.end] >> d->log2_slots == pack)
            r.end++;
        cmlrt_lev_input(w->x.nodes, env, w->x.n, d->glwe + at,
                        in + d->word + at * (int64_t)w->x.n);
        expand(w, 0, &r, w->x.nodes, 1);
        begin = r.end;
    }
}

void
cmlrt_glwe_to_ggsw(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                   const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_expand *d = with;
    struct walk w = { .e = env->eval, .with = d, .out = out };

    if (cmlrt_lev_plain(env)) {
        cmlrt_plain_to_ggsw(env, out, in, with, begin, end);
        return;
    }
    w.x = cmlrt_lev_open(env);
    w.log2_slots = w.steps = (unsigned)d->log2_slots;
    w.slots = d->slots;
    w.emit = emit_ggsw;
    while (begin < end) {
        const int64_t first = begin % d->count, left = d->count - first;
        const int64_t take = end - begin < left ? end - begin : left;

        w.level = begin / d->count;
        expand_level(&w, env, in, first, first + take);
        begin += take;
    }
}

/* ---- to doubled GLWEs */

static void
emit_doubled(struct walk *w, int64_t index, const uint64_t *glwe)
{
    cmlrt_lev_double(w->out + slot_of(w, index) * 4 * w->x.n, glwe, w->x.n);
}

void
cmlrt_glwe_expand(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                  const void *with, int64_t begin, int64_t end)
{
    const struct cmlrt_spread *d = with;
    struct walk w = { .e = env->eval };

    if (cmlrt_lev_plain(env)) {
        cmlrt_plain_expand(env, out, in, with, begin, end);
        return;
    }
    w.x = cmlrt_lev_open(env);
    w.log2_slots = (unsigned)d->log2_slots;
    w.steps = (unsigned)d->steps;
    w.emit = emit_doubled;
    while (begin < end) {
        const int64_t rings = (int64_t)1 << d->steps, from = begin / rings;
        const struct range own = { begin % rings, end - from * rings < rings
                                                      ? end % rings
                                                      : rings };

        w.out = out + from * rings * 4 * (int64_t)w.x.n;
        cmlrt_lev_input(w.x.nodes, env, w.x.n, d->glwe + from,
                        in + d->word + from * (int64_t)w.x.n);
        expand(&w, 0, &own, w.x.nodes, 1);
        begin = from * rings + own.end;
    }
}
