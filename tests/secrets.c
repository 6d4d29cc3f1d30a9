/* What a client does with its secrets, for valgrind: the master seed, messages
 * and phases are undefined, so whatever branches on them, or takes an address
 * from them, is reported.  tests/secrets.sh runs it.
 *
 * usage: secrets [branch]
 *
 * branch: does what is forbidden, which has to be seen. */
#include "runtime/inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

enum { COUNT = 100, DELTA = 50 };

static const struct cmlrt_set sets[] = {
    { 1, 11, 0, 0, 0, 0, 0, 0, 17, true, { 0 }, { 0 } },
    { 2,
      9,
      20,
      3,
      12,
      3,
      4,
      40,
      30,
      false,
      { 5, 9, 4, 12, 4, 6, 3, 40, 44 },
      { 0 } },
};

static void
undefine(const void *at, size_t bytes)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(at, bytes);
}

/* Encryption, and the phase of what may be any bytes. */
static int
cycle(const struct cmlrt_secret *s, uint64_t *work)
{
    const uint8_t seed[CMLRT_SEED] = { 3 };
    int64_t message[COUNT] = { 0 };
    const struct cmlrt_plain plain = { message, COUNT, DELTA };
    uint64_t phase, unknown = 0;

    undefine(message, sizeof message);
    if (cmlrt_encrypt(work, s, seed, 0, &plain) != CML_E_ok)
        return 1;
    if (s->set.k == 1
        && cmlrt_encrypt_times_key(work, s, seed, 1, &plain) != CML_E_ok)
        return 1;
    memset(work, 1, (cmlrt_big(&s->set) + 1) * sizeof *work);
    phase = cmlrt_phase(s, work);
    (void)VALGRIND_GET_VBITS(&phase, &unknown, sizeof phase);
    return unknown == 0; /* then no secret was in it, or this is no valgrind */
}

static int
try_set(const struct cmlrt_set *set, bool branch)
{
    const uint8_t seed[CMLRT_SEED] = { 2 };
    uint8_t master[CMLRT_SEED] = { 1 };
    uint8_t *payload = calloc(cmlrt_eval_bytes(set), 1);
    struct cmlrt_pool *pool = cmlrt_pool_new(1);
    uint64_t *work = calloc(cmlrt_big(set) + 1, sizeof *work);
    struct cmlrt_secret *s = NULL;
    int bad = 1;

    undefine(master, sizeof master);
    if (payload && work && pool
        && cmlrt_secret_new(&s, set, master) == CML_E_ok)
        bad = cmlrt_eval_derive(payload, s, seed, pool) != CML_E_ok
              || cycle(s, work);
    if (branch && s && s->big[0] == 1)
        puts("a coefficient of the key is 1");
    cmlrt_secret_free(s);
    cmlrt_pool_free(pool);
    free(work);
    free(payload);
    return bad;
}

int
main(int argc, char **argv)
{
    const bool branch = argc > 1 && strcmp(argv[1], "branch") == 0;
    int bad = 0;

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        bad |= try_set(&sets[i], branch);
    return bad;
}
