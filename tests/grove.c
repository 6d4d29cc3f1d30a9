/* Random forests and their records, see grove.h.  Layouts of
 * lang-spec/crypto.md 17; private thresholds in X, canonical order in D. */
#include "tests/grove.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double
unit(uint64_t *state)
{
    return (double)(mix(state) >> 11) * 0x1p-53;
}

static unsigned
log2_up(size_t x)
{
    unsigned r = 0;

    while ((size_t)1 << r < x)
        r++;
    return r;
}

/* ---- growing */

static int64_t
grow(struct grove *g, const struct grove_kind *k, int64_t depth, uint64_t *s)
{
    int64_t at;

    if (depth == k->depth || (depth >= 2 && unit(s) < k->early)) {
        for (int64_t i = 0; i < k->coefs; i++)
            g->leaf[g->leaves * k->coefs + i] =
                (int64_t)(mix(s) & ((UINT64_C(1) << k->leaf_bits) - 1));
        return -++g->leaves;
    }
    at = g->nodes++;
    /* some are used more than others */
    g->node[at].feature = (int64_t)((double)GROVE_FEATURES * pow(unit(s), 1.3));
    g->node[at].point = 1 + (int64_t)(mix(s) % GROVE_POINTS);
    g->node[at].left = grow(g, k, depth + 1, s);
    g->node[at].right = grow(g, k, depth + 1, s);
    return at;
}

void
grove_grow(struct grove *g, const struct grove_kind *k, uint64_t seed)
{
    const size_t most = (size_t)k->trees << k->depth;

    memset(g, 0, sizeof *g);
    g->coefs = k->coefs;
    g->log2_delta = 64 - k->out_bits;
    g->node = calloc(most, sizeof *g->node);
    g->root = calloc((size_t)k->trees, sizeof *g->root);
    g->leaf = calloc(most * (size_t)k->coefs, sizeof *g->leaf);
    while (g->trees < k->trees) {
        const int64_t nodes = g->nodes, leaves = g->leaves;

        g->root[g->trees] = grow(g, k, 0, &seed);
        if (k->nodes && g->nodes - nodes != k->nodes) {
            g->nodes = nodes;
            g->leaves = leaves;
        } else {
            g->trees++;
        }
    }
}

void
grove_free(struct grove *g)
{
    free(g->node);
    free(g->root);
    free(g->leaf);
}

void
grove_row(int64_t *x, uint64_t seed, bool worst)
{
    for (int i = 0; i < GROVE_FEATURES; i++)
        x[i] = worst ? GROVE_POINTS
                     : (int64_t)(mix(&seed) & ((1 << GROVE_BITS) - 1));
}

void
grove_clear(const struct grove *g, int64_t *sum, const int64_t *x)
{
    memset(sum, 0, (size_t)g->coefs * sizeof *sum);
    for (int64_t t = 0; t < g->trees; t++) {
        int64_t c = g->root[t];

        while (c >= 0)
            c = x[g->node[c].feature] >= g->node[c].point ? g->node[c].right
                                                          : g->node[c].left;
        for (int64_t i = 0; i < g->coefs; i++)
            sum[i] += g->leaf[(-c - 1) * g->coefs + i];
    }
}

/* ---- what both pipelines have */

static bool
is_pair(const struct grove *g, int64_t c)
{
    return c >= 0 && g->node[c].left < 0 && g->node[c].right < 0;
}

static int64_t
threshold(const struct grove_node *n)
{
    return n->feature * GROVE_POINTS + n->point - 1;
}

/* (14): levels until the rest is 2^-(46 - q/2) */
static void
grade(struct grove_plan *p, const struct grove_options *o, unsigned first,
      unsigned steps)
{
    struct cmlrt_leveled *l = &p->set.leveled;

    l->first = first;
    l->steps = steps;
    for (unsigned q = 0; q < steps; q++) {
        const unsigned room = 2 * (o->b1 - o->b0) * q + (steps - 1);
        const unsigned b = steps > 1 ? o->b0 + room / (2 * (steps - 1)) : o->b1;

        l->log2_base[q] = (uint8_t)b;
        l->levels[q] = (uint8_t)((92 - q + 2 * b - 1) / (2 * b));
    }
}

static void
start(struct grove_plan *p, const struct grove_options *o)
{
    memset(p, 0, sizeof *p);
    p->set = (struct cmlrt_set){
        .k = 1, .log2_n = o->log2_n, .t_glwe = o->t_glwe, .ternary = true
    };
    p->gg = o->gg;
    p->keep = o->keep;
    p->bit = calloc(2 * GROVE_FEATURES * GROVE_POINTS + 4096, sizeof *p->bit);
}

void
grove_plan_free(struct grove_plan *p)
{
    for (size_t i = 0; i < sizeof p->made / sizeof *p->made; i++)
        free(p->made[i]);
    free(p->bit);
}

/* ---- X */

struct slot {
    int64_t slot;
    size_t key; /* pack, then the slot's bits reversed */
};

static int
by_key(const void *a, const void *b)
{
    const size_t x = ((const struct slot *)a)->key,
                 y = ((const struct slot *)b)->key;

    return (x > y) - (x < y);
}

static size_t
reversed(size_t i, unsigned bits)
{
    size_t r = 0;

    for (unsigned b = 0; b < bits; b++)
        r |= (i >> b & 1) << (bits - 1 - b);
    return r;
}

/* index of the GGSW of a slot in the sorted list */
static int64_t
index_of(const int64_t *slots, int64_t count, int64_t slot)
{
    int64_t i = 0;

    while (i < count && slots[i] != slot)
        i++;
    return i;
}

static int64_t
depth_of(const struct grove *g, int64_t c)
{
    int64_t l, r;

    if (c < 0 || is_pair(g, c))
        return 0;
    l = depth_of(g, g->node[c].left);
    r = depth_of(g, g->node[c].right);
    return 1 + (l > r ? l : r);
}

static void
choose_slots(struct grove_plan *p, const struct grove *g, unsigned log2_n)
{
    const int64_t n = INT64_C(1) << log2_n, each = n / (GROVE_POINTS + 1);
    struct slot *s = calloc((size_t)g->nodes + 1, sizeof *s);
    int64_t *slots = calloc((size_t)g->nodes + 1, sizeof *slots);
    size_t count = 0, kept = 0;

    for (int64_t i = 0; i < g->nodes; i++) {
        const struct grove_node *x = &g->node[i];
        const int64_t pack = x->feature / each;
        const int64_t at = x->feature % each * GROVE_POINTS + x->point - 1;

        if (is_pair(g, i))
            continue;
        s[count].slot = (pack << log2_n) + at;
        s[count++].key =
            ((size_t)pack << log2_n) + reversed((size_t)at, log2_n);
    }
    qsort(s, count, sizeof *s, by_key);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || s[i].slot != s[i - 1].slot)
            slots[kept++] = s[i].slot;
    free(s);
    p->made[0] = slots;
    p->ggsws = kept;
    p->expand.slots = slots;
    p->expand.count = (int64_t)kept;
    p->expand.packs = (GROVE_FEATURES + each - 1) / each;
}

void
grove_expand(struct grove_plan *p, const struct grove *g,
             const struct grove_options *o)
{
    const int64_t n = INT64_C(1) << o->log2_n, each = n / (GROVE_POINTS + 1);
    const int64_t apart = INT64_C(1) << log2_up((size_t)g->coefs);
    const int64_t room = n / apart / GROVE_POINTS, per = room > 0 ? room : 1;
    int64_t *node = calloc((size_t)g->nodes * 4 + 4, sizeof *node);
    struct grove_bit *b;

    start(p, o);
    grade(p, o, 0, o->log2_n);
    p->set.leveled.ss_levels = o->gs.levels;
    p->set.leveled.ss_log2_base = o->gs.log2_base;
    choose_slots(p, g, o->log2_n);
    p->expand.log2_slots = o->log2_n;
    p->expand.levels = o->gg.levels;
    p->expand.log2_base = o->gg.log2_base;
    p->thermometer.count = (GROVE_FEATURES + per - 1) / per;
    p->thermometer.glwe = p->expand.packs * o->gg.levels;
    p->thermometer.word = p->thermometer.glwe * n;
    p->glwes = (size_t)(p->thermometer.glwe + p->thermometer.count);
    p->groups = (size_t)p->thermometer.count;
    b = p->bit;
    for (int64_t f = 0; f < GROVE_FEATURES; f++)
        for (int64_t v = 1; v <= GROVE_POINTS; v++) {
            *b++ =
                (struct grove_bit){ f, v, (size_t)(f / each),
                                    (size_t)(f % each * GROVE_POINTS + v - 1),
                                    false };
            *b++ = (struct grove_bit){
                f, v, (size_t)(p->thermometer.glwe + f / per),
                (size_t)((f % per * GROVE_POINTS + v - 1) * apart), true
            };
        }
    p->bits = (size_t)(b - p->bit);
    for (int64_t i = 0; i < g->nodes; i++) {
        const struct grove_node *x = &g->node[i];
        const int64_t slot = (x->feature / each << o->log2_n)
                             + x->feature % each * GROVE_POINTS + x->point - 1;

        node[4 * i] = is_pair(g, i);
        node[4 * i + 1] =
            node[4 * i]
                ? x->feature / per * n
                      + (x->feature % per * GROVE_POINTS + x->point - 1) * apart
                : index_of(p->expand.slots, p->expand.count, slot);
        node[4 * i + 2] = x->left;
        node[4 * i + 3] = x->right;
    }
    p->made[1] = node;
    p->forest = (struct cmlrt_forest){ .nodes = node,
                                       .leaves = g->leaf,
                                       .roots = g->root,
                                       .ntrees = g->trees,
                                       .coefs = g->coefs,
                                       .log2_delta = g->log2_delta,
                                       .levels = o->gg.levels,
                                       .log2_base = o->gg.log2_base,
                                       .groups = o->groups };
    for (int64_t t = 0; t < g->trees; t++)
        if (depth_of(g, g->root[t]) > p->forest.depth)
            p->forest.depth = depth_of(g, g->root[t]);
    p->set.leveled.depth = (uint32_t)p->forest.depth;
}

/* ---- D */

enum { LEVELS = 8, PREFIXES = 4096, TERMS = 64, EACH_TERMS = 8192 };

struct list {
    int64_t (*at)[3]; /* group, exponent, weight */
    size_t n;
};

struct prefix {
    int64_t ggsw;
    struct list t, c; /* monomials, constants (group 0) */
    int64_t child[256];
    size_t children;
};

struct build {
    struct grove_plan *p;
    const struct grove *g;
    int64_t n, n3, coefs;
    int64_t count[LEVELS], radix[LEVELS], sigma[LEVELS], first[LEVELS];
    int64_t levels;
    int64_t *where[LEVELS]; /* threshold -> 1 + number at this level */
    int64_t *leaf;          /* likewise of pairs */
    int64_t leaves, q;
    struct prefix *prefix;
    size_t prefixes;
};

struct poly {
    size_t n;
    int64_t e[TERMS], w[TERMS];
};

static void
mark(struct build *b, int64_t c, int64_t depth)
{
    const struct grove_node *x = &b->g->node[c];

    if (c < 0)
        return;
    if (is_pair(b->g, c)) {
        b->leaf[threshold(x)] = 1;
        return;
    }
    b->levels = depth + 1 > b->levels ? depth + 1 : b->levels;
    b->where[depth][threshold(x)] = 1;
    mark(b, x->left, depth + 1);
    mark(b, x->right, depth + 1);
}

static int64_t
number(int64_t *where)
{
    int64_t count = 0;

    for (int64_t t = 0; t < GROVE_FEATURES * GROVE_POINTS; t++)
        if (where[t])
            where[t] = ++count;
    return count;
}

/* Radices of least groups whose product is at most room. */
static void
radices(struct build *b, int64_t level, int64_t room, int64_t *now,
        int64_t cost, int64_t *best)
{
    if (cost >= *best)
        return;
    if (level == b->levels) {
        *best = cost;
        memcpy(b->radix, now, sizeof b->radix);
        return;
    }
    for (int64_t r = 2; r <= room && r <= b->count[level] + 1; r++) {
        now[level] = r;
        radices(b, level + 1, room / r, now,
                cost + (b->count[level] + r - 2) / (r - 1), best);
    }
}

static void
push(struct list *l, int64_t group, int64_t e, int64_t w, int64_t n)
{
    const int64_t at = e & (2 * n - 1);

    for (size_t i = 0; i < l->n; i++)
        if (l->at[i][0] == group && l->at[i][1] == at) {
            l->at[i][2] += w;
            return;
        }
    if (!l->at)
        l->at = malloc(EACH_TERMS * sizeof *l->at);
    l->at[l->n][0] = group;
    l->at[l->n][1] = at;
    l->at[l->n++][2] = w;
}

static size_t
child_of(struct build *b, size_t prefix, int64_t ggsw)
{
    struct prefix *p = &b->prefix[prefix];

    for (size_t i = 0; i < p->children; i++)
        if (b->prefix[p->child[i]].ggsw == ggsw)
            return (size_t)p->child[i];
    p->child[p->children++] = (int64_t)b->prefixes;
    b->prefix[b->prefixes].ggsw = ggsw;
    return b->prefixes++;
}

static void
emit(struct build *b, int64_t c, int64_t depth, size_t prefix,
     const struct poly *u)
{
    const struct grove *g = b->g;
    const struct grove_node *x = &g->node[c];
    int64_t at, pos;
    struct poly l = *u, r = *u;
    size_t child;

    if (c < 0) {
        for (size_t i = 0; i < u->n; i++)
            push(&b->prefix[prefix].c, 0, u->e[i], u->w[i] * g->leaf[-c - 1],
                 b->n);
        return;
    }
    if (is_pair(g, c)) {
        const int64_t left = g->leaf[-x->left - 1];
        const int64_t right = g->leaf[-x->right - 1];

        at = b->leaf[threshold(x)] - 1;
        pos = (at >> b->q) * (b->n / b->n3);
        for (size_t i = 0; i < u->n; i++) {
            push(&b->prefix[prefix].c, 0, u->e[i], u->w[i] * left, b->n);
            push(&b->prefix[prefix].t, at & ((INT64_C(1) << b->q) - 1),
                 u->e[i] - pos, u->w[i] * (right - left), b->n);
        }
        return;
    }
    at = b->where[depth][threshold(x)] - 1;
    pos = (at % (b->radix[depth] - 1) + 1) * b->sigma[depth];
    child = child_of(b, prefix, b->first[depth] + at / (b->radix[depth] - 1));
    for (size_t i = 0; i < u->n; i++) {
        r.e[i] = u->e[i] - pos;
        l.e[u->n + i] = u->e[i] - pos;
        l.w[u->n + i] = -u->w[i];
    }
    l.n = 2 * u->n;
    emit(b, x->left, depth + 1, child, &l);
    emit(b, x->right, depth + 1, child, &r);
}

/* The trie as the arrays of the record. */
static void
flatten(struct build *b, struct grove_plan *p)
{
    size_t t = 0, c = 0, k = 0;
    int64_t *prefix, *mono, *constant, *child;

    for (size_t i = 0; i < b->prefixes; i++) {
        t += b->prefix[i].t.n;
        c += b->prefix[i].c.n;
        k += b->prefix[i].children;
    }
    prefix = p->made[0] = calloc(b->prefixes * 7, sizeof *prefix);
    mono = p->made[1] = calloc(3 * t + 1, sizeof *mono);
    constant = p->made[2] = calloc(2 * c + 1, sizeof *constant);
    child = p->made[3] = calloc(k + 1, sizeof *child);
    t = c = k = 0;
    for (size_t i = 0; i < b->prefixes; i++) {
        const struct prefix *f = &b->prefix[i];
        int64_t *to = prefix + 7 * i;

        to[0] = f->ggsw;
        to[1] = (int64_t)t;
        to[3] = (int64_t)c;
        to[5] = (int64_t)k;
        for (size_t j = 0; j < f->t.n; j++)
            if (f->t.at[j][2] != 0)
                memcpy(mono + 3 * t++, f->t.at[j], 3 * sizeof *mono);
        for (size_t j = 0; j < f->c.n; j++)
            if (f->c.at[j][2] != 0)
                memcpy(constant + 2 * c++, f->c.at[j] + 1, 2 * sizeof *mono);
        for (size_t j = 0; j < f->children; j++)
            child[k++] = f->child[j];
        to[2] = (int64_t)t - to[1];
        to[4] = (int64_t)c - to[3];
        to[6] = (int64_t)k - to[5];
        free(f->t.at);
        free(f->c.at);
    }
    p->products.prefixes = prefix;
    p->products.monomials = mono;
    p->products.constants = constant;
    p->products.children = child;
}

/* Which bits a polynomial of the input has. */
static void
place_bits(struct build *b, struct grove_plan *p, int64_t slots)
{
    struct grove_bit *to = p->bit;

    for (size_t i = 0; i < p->ggsws; i++)
        *to++ = (struct grove_bit){ -1, 0, i, 0, false };
    for (int64_t t = 0; t < GROVE_FEATURES * GROVE_POINTS; t++) {
        const int64_t f = t / GROVE_POINTS, v = t % GROVE_POINTS + 1;

        for (int64_t l = 0; l < b->levels; l++) {
            const int64_t at = b->where[l][t] - 1, each = b->radix[l] - 1;

            if (at >= 0)
                *to++ =
                    (struct grove_bit){ f, v, (size_t)(b->first[l] + at / each),
                                        (size_t)((at % each + 1) * b->sigma[l]),
                                        false };
        }
        if (b->leaf[t])
            *to++ = (struct grove_bit){
                f, v, 0, (size_t)((b->leaf[t] - 1) * (b->n / slots)), true
            };
    }
    p->bits = (size_t)(to - p->bit);
}

void
grove_direct(struct grove_plan *p, const struct grove *g,
             const struct grove_options *o)
{
    struct build b = { .p = p, .g = g, .n = INT64_C(1) << o->log2_n };
    int64_t now[LEVELS] = { 0 }, best = INT64_MAX, slots;
    const struct poly one = { 1, { 0 }, { 1 } };

    start(p, o);
    p->direct = true;
    b.n3 = o->n3;
    b.prefix = calloc(PREFIXES, sizeof *b.prefix);
    b.prefixes = 1;
    b.leaf = calloc(GROVE_FEATURES * GROVE_POINTS, sizeof *b.leaf);
    for (int l = 0; l < LEVELS; l++)
        b.where[l] = calloc(GROVE_FEATURES * GROVE_POINTS, sizeof *b.leaf);
    for (int64_t t = 0; t < g->trees; t++)
        mark(&b, g->root[t], 0);
    for (int64_t l = 0; l < b.levels; l++)
        b.count[l] = number(b.where[l]);
    b.leaves = number(b.leaf);
    radices(&b, 0, b.n / b.n3, now, 0, &best);
    for (int64_t l = 0, sigma = 1, first = 0; l < b.levels; l++) {
        b.sigma[l] = sigma;
        b.first[l] = first;
        sigma *= b.radix[l];
        first += (b.count[l] + b.radix[l] - 2) / (b.radix[l] - 1);
        p->ggsws = (size_t)first;
    }
    slots = INT64_C(1) << log2_up((size_t)b.leaves);
    slots = slots > b.n3 ? slots : b.n3;
    b.q = (int64_t)log2_up((size_t)(slots / b.n3));
    for (int64_t t = 0; t < g->trees; t++)
        emit(&b, g->root[t], 0, 0, &one);
    flatten(&b, p);
    place_bits(&b, p, slots);
    grade(p, o, o->log2_n - log2_up((size_t)slots), (unsigned)b.q);
    p->groups = (size_t)1 << b.q;
    p->load.count = (int64_t)p->ggsws;
    p->load.levels = o->gg.levels;
    p->load.log2_base = o->gg.log2_base;
    p->glwes = p->ggsws * 2 * o->gg.levels + 1;
    p->spread.log2_slots = log2_up((size_t)slots);
    p->spread.steps = b.q;
    p->spread.glwe = (int64_t)p->glwes - 1;
    p->spread.word = p->spread.glwe * b.n;
    p->products.coefs = 1;
    p->products.log2_delta = g->log2_delta;
    p->products.levels = o->gg.levels;
    p->products.log2_base = o->gg.log2_base;
    p->products.depth = b.levels;
    p->products.groups = o->groups;
    p->set.leveled.depth = (uint32_t)b.levels;
    free(b.prefix);
    free(b.leaf);
    for (int l = 0; l < LEVELS; l++)
        free(b.where[l]);
}

/* ---- the client */

static void
put(uint64_t *words, const struct grove_plan *p, const struct cmlrt_secret *s,
    const uint8_t *seed, uint64_t index, const int64_t *message,
    unsigned log2_delta, bool times_key)
{
    const size_t n = cmlrt_ring_degree(&p->set);
    const struct cmlrt_plain in = { message, n, log2_delta };

    if (!s) {
        for (size_t i = 0; i < n; i++)
            words[i] = (uint64_t)message[i] << log2_delta;
        return;
    }
    if ((times_key ? cmlrt_encrypt_times_key : cmlrt_encrypt)(words, s, seed,
                                                              index, &in)
        != CML_E_ok)
        abort();
}

/* Bits of polynomial `glwe` of those that are leaves or not. */
static void
message_of(int64_t *m, const struct grove_plan *p, const int64_t *x,
           size_t glwe, bool leaf)
{
    memset(m, 0, cmlrt_ring_degree(&p->set) * sizeof *m);
    for (size_t i = 0; i < p->bits; i++) {
        const struct grove_bit *b = &p->bit[i];

        if (b->glwe == glwe && b->leaf == leaf)
            m[b->at] = b->feature < 0 || x[b->feature] >= b->point;
    }
}

static void
encrypt_direct(uint64_t *words, const struct grove_plan *p,
               const struct cmlrt_secret *s, const uint8_t *seed,
               uint64_t first, const int64_t *x, int64_t *m)
{
    const size_t n = cmlrt_ring_degree(&p->set), l = p->gg.levels;
    const unsigned delta = (unsigned)p->products.log2_delta;

    for (size_t i = 0; i < p->ggsws; i++) {
        message_of(m, p, x, i, false);
        for (size_t r = 0; r < 2 * l; r++) {
            const size_t at = i * 2 * l + r;
            const unsigned shift = 64 - p->gg.log2_base * (unsigned)(r % l + 1);

            put(words + at * n, p, s, seed, first + at, m, shift, r >= l);
            if (s)
                cmlrt_keep_bits(words + at * n, n, p->keep);
        }
    }
    message_of(m, p, x, 0, true);
    put(words + p->spread.word, p, s, seed, first + (uint64_t)p->spread.glwe, m,
        delta - (unsigned)p->spread.steps, false);
}

static void
encrypt_expand(uint64_t *words, const struct grove_plan *p,
               const struct cmlrt_secret *s, const uint8_t *seed,
               uint64_t first, const int64_t *x, int64_t *m)
{
    const size_t n = cmlrt_ring_degree(&p->set);
    const size_t packs = (size_t)p->expand.packs;

    for (size_t g = 0; g < p->glwes; g++) {
        const bool leaf = g >= (size_t)p->thermometer.glwe;
        const unsigned level = leaf ? 0 : (unsigned)(g / packs + 1);
        const unsigned delta =
            leaf ? (unsigned)p->forest.log2_delta
                 : 64 - p->gg.log2_base * level - p->set.log2_n;

        message_of(m, p, x, leaf ? g : g % packs, leaf);
        put(words + g * n, p, s, seed, first + g, m, delta, false);
    }
}

void
grove_encrypt(uint64_t *words, const struct grove_plan *p,
              const struct cmlrt_secret *s, const uint8_t *seed, uint64_t first,
              const int64_t *x)
{
    int64_t *m = calloc(cmlrt_ring_degree(&p->set), sizeof *m);

    (p->direct ? encrypt_direct : encrypt_expand)(words, p, s, seed, first, x,
                                                  m);
    free(m);
}

/* ---- the server */

static int64_t
groups_of(const struct grove_plan *p)
{
    return p->direct ? p->products.groups : p->forest.groups;
}

static int64_t
coefs_of(const struct grove_plan *p)
{
    return p->direct ? 1 : p->forest.coefs;
}

void
grove_values_new(struct grove_values *v, const struct grove_plan *p, bool plain)
{
    const size_t n = cmlrt_ring_degree(&p->set);
    const size_t ggsw = plain ? p->direct ? n : 1 : 4 * n * p->gg.levels;
    const size_t sum = plain ? (size_t)coefs_of(p) : 2 * n;

    v->ggsw = cmlrt_alloc(p->ggsws * ggsw * sizeof *v->ggsw);
    v->glwe = cmlrt_alloc(p->groups * (plain ? n : 4 * n) * sizeof *v->glwe);
    v->part = cmlrt_alloc((size_t)groups_of(p) * sum * sizeof *v->part);
    v->sum = cmlrt_alloc(sum * sizeof *v->sum);
}

void
grove_values_free(struct grove_values *v)
{
    free(v->ggsw);
    free(v->glwe);
    free(v->part);
    free(v->sum);
}

typedef void row_fn(struct cmlrt_env *env, uint64_t *out, const uint64_t *in,
                    const void *with, int64_t begin, int64_t end);

struct step {
    row_fn *run;
    struct cmlrt_env *env; /* of the pool's threads */
    uint64_t *out;
    const uint64_t *in;
    const void *with;
};

static void
run_task(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    const struct step *s = arg;

    s->run(&s->env[thread], s->out, s->in, s->with, begin, end);
}

static void
run_step(struct step s, struct cmlrt_pool *pool, int64_t items, int64_t cuts)
{
    const int64_t grain = (items + cuts - 1) / cuts;

    if (items > 0)
        cmlrt_pool_run(pool, items, grain, run_task, &s);
}

void
grove_run(struct grove_values *v, const struct grove_plan *p,
          struct cmlrt_env *env, struct cmlrt_pool *pool, const uint64_t *words,
          int64_t cuts)
{
    const uint64_t *both[2] = { v->ggsw, v->glwe };
    const uint64_t *in = (const uint64_t *)(const void *)both;
    const struct cmlrt_glwes sum = { groups_of(p), coefs_of(p) };

    if (p->direct) {
        run_step(
            (struct step){ cmlrt_ggsw_load, env, v->ggsw, words, &p->load },
            pool, p->load.count * 2 * p->load.levels, cuts);
        run_step(
            (struct step){ cmlrt_glwe_expand, env, v->glwe, words, &p->spread },
            pool, (int64_t)p->groups, cuts > 4 ? cuts / 4 : cuts);
        run_step((struct step){ cmlrt_ggsw_products, env, v->part, in,
                                &p->products },
                 pool, groups_of(p), groups_of(p));
    } else {
        run_step((struct step){ cmlrt_glwe_load, env, v->glwe, words,
                                &p->thermometer },
                 pool, p->thermometer.count, cuts);
        run_step((struct step){ cmlrt_glwe_to_ggsw, env, v->ggsw, words,
                                &p->expand },
                 pool, p->expand.levels * p->expand.count, cuts);
        run_step(
            (struct step){ cmlrt_ggsw_forest, env, v->part, in, &p->forest },
            pool, groups_of(p), groups_of(p));
    }
    run_step((struct step){ cmlrt_glwe_sum, env, v->sum, v->part, &sum }, pool,
             1, 1);
}
