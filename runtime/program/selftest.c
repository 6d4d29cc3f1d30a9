/* selftest: what this machine computes against what is known, without any file.
 *
 *     stream    block 0 of RFC 8439, A.1 vector 1
 *     hash      BLAKE2b-128 of "abc"
 *     system    two draws of 256 bits differ
 *     kernels   of each set that runs here, a product in the ring against the
 *               schoolbook's
 */
#include "runtime/inner.h"
#include "runtime/program/program.h"

#include <stdlib.h>
#include <string.h>

enum { LOG2_N = 9, N = 1 << LOG2_N };

static bool
stream_is_right(void)
{
    static const uint8_t seed[CMLRT_SEED] = { 0 };
    static const uint8_t want[16] = { 0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1,
                                      0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5,
                                      0x53, 0x86, 0xbd, 0x28 };
    uint8_t got[sizeof want];
    struct cmlrt_rng g;

    cmlrt_rng_init(&g, seed, CMLRT_BIG_KEY, 0);
    cmlrt_rng_bytes(&g, got, sizeof got);
    return memcmp(got, want, sizeof got) == 0;
}

static bool
hash_is_right(void)
{
    static const uint8_t text[] = { 'a', 'b', 'c' };
    uint8_t id[CMLRT_ID];

    cmlrt_key_id(id, text, sizeof text);
    return strcmp(cmlrt_id_hex(id).text, "cf4ab791c62b8d2b2109c90275287816")
           == 0;
}

static bool
system_is_right(void)
{
    uint8_t a[CMLRT_SEED], b[CMLRT_SEED];

    return cmlrt_system_random(a, sizeof a) && cmlrt_system_random(b, sizeof b)
           && memcmp(a, b, sizeof a) != 0;
}

/* out <- out + a s modulo X^N + 1 and 2^64 */
static void
schoolbook(uint64_t *out, const uint64_t *a, const uint64_t *s)
{
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            const uint64_t term = a[i] * s[j];

            out[(i + j) % N] += i + j < N ? term : 0 - term;
        }
}

/* CML_E_bug: they compute something else */
static enum cml_status
try_kernels(const struct kernels *k)
{
    static const uint8_t seed[CMLRT_SEED] = { 1 };
    struct cmlrt_ring r = { .plan = NULL };
    /* a, s, two sums; points of s; scratch */
    uint64_t *a = cmlrt_alloc((5 * N + 4 * N) * sizeof *a), *s = a + N;
    double *points = (double *)(void *)(a + 4 * N);
    enum cml_status status = CML_E_nomem;
    struct cmlrt_rng g;

    if (a && cmlrt_ring_init(&r, k, LOG2_N)) {
        cmlrt_rng_init(&g, seed, CMLRT_MASK, 0);
        cmlrt_rng_bytes(&g, a, N * sizeof *a);
        cmlrt_ternary(s, N, &g);
        cmlrt_ring_small(points, &r, s, points + N);
        cmlrt_ring_mul_add(a + 2 * N, &r, a, points, points + N);
        schoolbook(a + 3 * N, a, s);
        status = memcmp(a + 2 * N, a + 3 * N, N * sizeof *a) == 0 ? CML_E_ok
                                                                  : CML_E_bug;
    }
    cmlrt_ring_free(&r);
    free(a);
    return status;
}

static enum cml_status
told(struct program *p, struct page *g, const char *what, bool right)
{
    fprintf(g->file, "%-9s %s\n", right ? "ok" : "WRONG", what);
    return right ? CML_E_ok
                 : cmlrt_fail(&p->fault, CML_E_bug,
                              "selftest: %s: other results than known", what);
}

static enum cml_status
all_kernels(struct program *p, struct page *g)
{
    const struct kernels *k;
    enum cml_status s = CML_E_ok;

    for (size_t i = 0; s == CML_E_ok && (k = cmlrt_kernels_usable(i)); i++) {
        char what[40];

        s = try_kernels(k);
        if (s == CML_E_nomem)
            return program_no_memory(p);
        (void)snprintf(what, sizeof what, "kernels %s", k->name);
        s = told(p, g, what, s == CML_E_ok);
    }
    return s;
}

enum cml_status
program_selftest(struct program *p, struct page *g)
{
    enum cml_status s = told(p, g, "stream, RFC 8439", stream_is_right());

    if (s == CML_E_ok)
        s = told(p, g, "hash, BLAKE2b-128", hash_is_right());
    if (s == CML_E_ok)
        s = told(p, g, "randomness of the system", system_is_right());
    return s == CML_E_ok ? all_kernels(p, g) : s;
}

/* Of a half: what needs no other. */
enum cml_status
verb_selftest_half(struct program *p)
{
    enum cml_status s, printed;
    struct page g;

    if (!page_open(&g))
        return program_no_memory(p);
    s = program_selftest(p, &g);
    printed = page_emit(p, &g, NULL, CMLRT_REPLACE);
    return s == CML_E_ok ? printed : s;
}
