/* The client's work with its secret key: rows in, replies out.
 *
 * Input ciphertext, a row: for each piece the body words of its GLWEs; GLWE g
 * of row r has the masks of stream (seed, MASK, r glwes + g).  Of an open piece
 * the messages themselves.
 * Output ciphertext, a row: for each answer count LWEs of kN + 1 words, of 32
 * bits (the top half) or 64.
 */
#define _GNU_SOURCE /* RLIMIT_CORE, prctl */

#include "runtime/program/program.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Leaks are found by a tracer, which a process that cannot be dumped refuses.
 */
#ifdef __SANITIZE_ADDRESS__
#define TRACED 1
#elif defined(__has_feature)
#define TRACED __has_feature(address_sanitizer)
#else
#define TRACED 0
#endif

void
client_guard(void)
{
#if !TRACED
    const struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none); /* both are wishes */
    (void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
#endif
}

enum cml_status
client_open(struct program *p, struct client *c)
{
    const char *path = p->o.key ? p->o.key : "client.key";
    const struct cmlrt_expect want = program_expect(p, CMLRT_CLIENT_KEY);
    struct cmlrt_file file;
    enum cml_status s = cmlrt_load(&file, path, &want, &p->fault);

    c->secrets = (struct cmlrt_secrets){ .sets = { 0 } };
    if (s != CML_E_ok)
        return s;
    memcpy(c->key, file.header.key, CMLRT_ID);
    s = cmlrt_secrets_new(&c->secrets, &p->sets, file.payload);
    cmlrt_unload(&file);
    return s == CML_E_ok ? s : program_no_memory(p);
}

/* ---- encryption */

struct encryption {
    const struct program *p;
    const struct client *c;
    const uint8_t *seed;
    const struct messages *in;
    uint64_t *words;
    atomic_bool failed;
};

static bool
encrypt_piece(const struct encryption *e, const struct cml_piece *d,
              uint64_t row)
{
    const struct cmlrt_layout *l = &e->p->layout;
    const int64_t n = (int64_t)1 << e->p->sets.at[d->set].log2_n;
    const int64_t *message = e->in->at + row * l->messages + d->first;
    uint64_t *word = e->words + row * l->words + d->word;

    if (d->open) {
        memcpy(word, message, (size_t)d->count * sizeof *word);
        return true;
    }
    for (int64_t i = 0; i < d->count; i += n) {
        const int64_t left = d->count - i;
        const uint64_t glwe = row * l->glwes + (uint64_t)(d->glwe + i / n);
        const struct cmlrt_plain in = { message + i,
                                        (size_t)(left < n ? left : n),
                                        (unsigned)d->log2_delta };

        if ((d->times_key ? cmlrt_encrypt_times_key : cmlrt_encrypt)(
                word + i, e->c->secrets.at[d->set], e->seed, glwe, &in)
            != CML_E_ok)
            return false;
    }
    cmlrt_keep_bits(word, (size_t)d->count, (unsigned)d->keep_bits);
    return true;
}

static void
encrypt_rows(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    struct encryption *e = arg;
    const struct cml_piece *piece = e->p->m->pieces;

    (void)thread;
    for (int64_t row = begin; row < end; row++)
        for (int64_t i = 0; i < e->p->m->npieces; i++)
            if (!encrypt_piece(e, &piece[i], (uint64_t)row))
                atomic_store(&e->failed, true);
}

enum cml_status
client_encrypt(struct program *p, uint64_t *words, const struct client *c,
               const uint8_t seed[CMLRT_SEED], const struct messages *in,
               struct cmlrt_pool *pool)
{
    struct encryption e = { p, c, seed, in, words, false };

    cmlrt_pool_run(pool, (int64_t)in->rows, 1, encrypt_rows, &e);
    return atomic_load(&e.failed) ? program_no_memory(p) : CML_E_ok;
}

/* ---- decryption */

static size_t
big_words(const struct program *p, int64_t set)
{
    return ((size_t)p->sets.at[set].k << p->sets.at[set].log2_n) + 1;
}

/* the longest ciphertext, and room for a packed answer */
static uint64_t *
lwe_new(const struct program *p)
{
    size_t most = 1;

    for (size_t i = 0; i < p->sets.n; i++)
        if (big_words(p, (int64_t)i) > most)
            most = big_words(p, (int64_t)i);
    return malloc((most + CML_MAX_COEFS) * sizeof(uint64_t));
}

static const uint8_t *
unpack(uint64_t *word, const uint8_t *from, size_t n, int64_t bits)
{
    if (bits == 64) {
        memcpy(word, from, n * sizeof *word);
        return from + n * sizeof *word;
    }
    for (size_t i = 0; i < n; i++, from += sizeof(uint32_t)) {
        uint32_t top;

        memcpy(&top, from, sizeof top);
        word[i] = (uint64_t)top << 32;
    }
    return from;
}

/* The phases of an answer's messages, as replies; where the next one is. */
static const uint8_t *
decrypt_separate(struct program *p, int64_t *replies, const struct client *c,
                 const uint8_t *from, const struct cml_answer *a, uint64_t *lwe)
{
    for (int64_t j = 0; j < a->count; j++) {
        from = unpack(lwe, from, big_words(p, a->set), a->word_bits);
        replies[j] = reply_of(a, cmlrt_phase(c->secrets.at[a->set], lwe));
    }
    return from;
}

static const uint8_t *
decrypt_packed(struct program *p, int64_t *replies, const struct client *c,
               const uint8_t *from, const struct cml_answer *a, uint64_t *glwe)
{
    from = unpack(glwe, from, big_words(p, a->set) - 1 + (size_t)a->count,
                  a->word_bits);
    for (int64_t j = 0; j < a->count; j++) {
        replies[j] =
            reply_of(a, cmlrt_phase_at(c->secrets.at[a->set], glwe, (size_t)j));
    }
    return from;
}

enum cml_status
client_decrypt(struct program *p, int64_t *replies, const struct client *c,
               const uint8_t *answers, size_t rows)
{
    const struct cml_answer *a = p->m->answers;
    uint64_t *lwe = lwe_new(p);

    if (!lwe)
        return program_no_memory(p);
    for (size_t r = 0; r < rows; r++, replies += p->layout.replies)
        for (int64_t i = 0; i < p->m->nanswers; i++)
            answers = (a[i].packed ? decrypt_packed : decrypt_separate)(
                p, replies + a[i].first, c, answers, &a[i], lwe);
    free(lwe);
    return CML_E_ok;
}

enum cml_status
client_check(struct program *p, const int64_t *replies, size_t rows,
             const char *path)
{
    const struct cml_answer *a = p->m->answers;

    for (size_t r = 0; r < rows; r++, replies += p->layout.replies)
        for (int64_t i = 0; i < p->m->nanswers; i++)
            for (int64_t j = 0; j < a[i].count; j++)
                if (!reply_fits(&a[i], replies[a[i].first + j]))
                    return cmlrt_fail(&p->fault, CML_E_mismatch,
                                      "%s: row %zu decrypts to nothing that "
                                      "the model can answer",
                                      path, r + 1);
    return CML_E_ok;
}
