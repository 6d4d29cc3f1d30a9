/* Making an evaluation key: the walk over its payload, evalkey.c.  Every part
 * has streams of its own, so that any thread may make it.
 *
 * The payload goes to memory, or in pieces to an outlet.  There are two pieces:
 * while the pool makes one, one of its threads puts the other.
 */
#include "runtime/inner.h"

#include <stdlib.h>
#include <string.h>

/* One of the parts behind the seed: items of equal size, from its task. */
struct part {
    cmlrt_task *make;
    int64_t items, grain;
    size_t bytes; /* of an item */
    size_t at;    /* in the payload */
};

enum { MAX_PARTS = 7 };

static size_t
parts_of(struct part part[MAX_PARTS], const struct cmlrt_set *set)
{
    const size_t body = cmlrt_ring_degree(set) * sizeof(uint64_t);

    part[0] = (struct part){ cmlrt_zeros_generate, set->k, 1, body,
                             cmlrt_zeros_at(set) };
    part[1] =
        (struct part){ cmlrt_ksk_generate,
                       set->n > 0 ? (int64_t)cmlrt_big(set) : 0, 16,
                       set->ks_levels * sizeof(uint32_t), cmlrt_ksk_at(set) };
    part[2] = (struct part){ cmlrt_bsk_generate,
                             (int64_t)(set->n * cmlrt_ggsw_rows(set)), 4, body,
                             cmlrt_bsk_at(set) };
    part[3] = (struct part){ cmlrt_auto_generate, (int64_t)cmlrt_auto_rows(set),
                             4, body, cmlrt_auto_at(set) };
    part[4] =
        (struct part){ cmlrt_switch_generate, (int64_t)cmlrt_switch_rows(set),
                       4, body, cmlrt_switch_at(set) };
    part[5] =
        (struct part){ cmlrt_graded_generate, (int64_t)cmlrt_graded_rows(set),
                       4, body, cmlrt_graded_at(set) };
    part[6] = (struct part){ cmlrt_square_generate, set->leveled.ss_levels, 4,
                             body, cmlrt_square_at(set) };
    return MAX_PARTS; /* those without items are no work */
}

/* A thread's, and the whole is a multiple of 64: the larger of two users. */
static size_t
at_least(size_t bytes, size_t other)
{
    return ((bytes > other ? bytes : other) + 63) & ~(size_t)63;
}

static bool
open_keygen(struct cmlrt_keygen *g, const struct cmlrt_secret *s,
            const uint8_t seed[CMLRT_SEED], unsigned threads)
{
    const size_t body = cmlrt_ring_degree(&s->set) * sizeof(uint64_t);

    *g = (struct cmlrt_keygen){ .secret = s };
    g->scratch_bytes =
        at_least(body + cmlrt_zero_scratch(s), cmlrt_ksk_mask_bytes(&s->set));
    g->scratch = cmlrt_alloc(g->scratch_bytes * threads);
    if (!g->scratch)
        return false;
    memcpy(g->seed, seed, CMLRT_SEED);
    cmlrt_secret_noise(g->noise, s, seed);
    return true;
}

static void
close_keygen(struct cmlrt_keygen *g, unsigned threads)
{
    if (g->scratch)
        cmlrt_wipe(g->scratch, g->scratch_bytes * threads);
    cmlrt_wipe(g->noise, sizeof g->noise);
    free(g->scratch);
}

/* ---- to memory */

enum cml_status
cmlrt_eval_derive(uint8_t *payload, const struct cmlrt_secret *s,
                  const uint8_t seed[CMLRT_SEED], struct cmlrt_pool *pool)
{
    const unsigned threads = cmlrt_pool_threads(pool);
    struct part part[MAX_PARTS];
    const size_t parts = parts_of(part, &s->set);
    struct cmlrt_keygen g;

    if (!open_keygen(&g, s, seed, threads))
        return CML_E_nomem;
    memcpy(payload, seed, CMLRT_SEED);
    for (size_t i = 0; i < parts; i++) {
        g.to = payload + part[i].at;
        cmlrt_pool_run(pool, part[i].items, part[i].grain, part[i].make, &g);
    }
    close_keygen(&g, threads);
    return CML_E_ok;
}

/* ---- to an outlet */

struct flow {
    struct cmlrt_keygen g;
    const struct cmlrt_outlet *out;
    struct cmlrt_pool *pool;
    uint8_t *piece[2];
    /* of a round: what is put, what is made */
    const uint8_t *ready;
    size_t ready_bytes;
    const struct part *part;
    int64_t items;
    bool ok;
};

/* Item 0 puts what the last round made, the others make a grain each. */
static void
turn(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    struct flow *f = arg;

    for (int64_t i = begin; i < end; i++) {
        const int64_t from = (i - 1) * f->part->grain;
        const int64_t left = f->items - from;

        if (i == 0)
            f->ok = f->out->put(f->out->arg, f->ready, f->ready_bytes);
        else
            f->part->make(&f->g, thread, from,
                          left < f->part->grain ? f->items
                                                : from + f->part->grain);
    }
}

static void
stream_part(struct flow *f, const struct part *part)
{
    const int64_t fit =
        part->items > 0 ? (int64_t)(f->out->piece / part->bytes) : 1;
    const int64_t most = fit > 0 ? fit : 1;

    f->part = part;
    for (f->g.first = 0; f->ok && f->g.first < part->items;
         f->g.first += f->items) {
        const int64_t left = part->items - f->g.first;

        f->items = left < most ? left : most;
        f->g.to = f->ready == f->piece[0] ? f->piece[1] : f->piece[0];
        cmlrt_pool_run(f->pool, 1 + (f->items + part->grain - 1) / part->grain,
                       1, turn, f);
        f->ready = f->g.to;
        f->ready_bytes = (size_t)f->items * part->bytes;
    }
}

static enum cml_status
stream(struct flow *f, const struct part *part, size_t parts)
{
    size_t room = f->out->piece;

    for (size_t i = 0; i < parts; i++)
        room = at_least(room, part[i].bytes);
    for (size_t i = 0; i < 2; i++)
        f->piece[i] = cmlrt_alloc(room);
    if (!f->piece[0] || !f->piece[1])
        return CML_E_nomem;
    f->ready = f->g.seed;
    f->ready_bytes = CMLRT_SEED;
    f->ok = true;
    for (size_t i = 0; i < parts; i++)
        stream_part(f, &part[i]);
    f->ok = f->ok && f->out->put(f->out->arg, f->ready, f->ready_bytes);
    return f->ok ? CML_E_ok : CML_E_io;
}

enum cml_status
cmlrt_eval_derive_stream(const struct cmlrt_outlet *out,
                         const struct cmlrt_secret *s,
                         const uint8_t seed[CMLRT_SEED],
                         struct cmlrt_pool *pool)
{
    const unsigned threads = cmlrt_pool_threads(pool);
    struct part part[MAX_PARTS];
    const size_t parts = parts_of(part, &s->set);
    struct flow f = { .out = out, .pool = pool };
    enum cml_status status = CML_E_nomem;

    if (open_keygen(&f.g, s, seed, threads))
        status = stream(&f, part, parts);
    close_keygen(&f.g, threads);
    free(f.piece[0]);
    free(f.piece[1]);
    return status;
}

/* ---- from a seed of the system */

enum cml_status
cmlrt_eval_generate(uint8_t *payload, const struct cmlrt_secret *s,
                    struct cmlrt_pool *pool)
{
    uint8_t seed[CMLRT_SEED];

    if (!cmlrt_system_random(seed, sizeof seed))
        return CML_E_io;
    return cmlrt_eval_derive(payload, s, seed, pool);
}

enum cml_status
cmlrt_eval_stream(const struct cmlrt_outlet *out, const struct cmlrt_secret *s,
                  struct cmlrt_pool *pool)
{
    uint8_t seed[CMLRT_SEED];

    if (!cmlrt_system_random(seed, sizeof seed))
        return CML_E_io;
    return cmlrt_eval_derive_stream(out, s, seed, pool);
}
