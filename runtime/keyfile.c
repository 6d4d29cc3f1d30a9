/* An evaluation key's file, written while the key is made, so that nobody has
 * to hold it.
 *
 *     0     zeros at first, the header at last: it has the id, which is a hash
 *           of the payload
 *     128   payload as it comes, hashed on its way
 *     end   hash of header and payload, for which the file is read once more:
 *           a hash cannot begin with what is not known yet
 */
#define _POSIX_C_SOURCE 200809L

#include "runtime/inner.h"
#include "runtime/serial.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PIECE = 8 << 20, /* large enough for all threads, small for a machine */
    CHUNK = 1 << 18, /* of what is read once more; in a cache */
};

struct keyfile {
    struct cmlrt_draft draft;
    crypto_generichash_state id;
    uint64_t bytes; /* of the payload so far */
    int error;      /* of the first write that failed, or 0 */
};

static bool
put(void *arg, const void *at, size_t bytes)
{
    struct keyfile *k = arg;

    (void)crypto_generichash_update(&k->id, at, bytes);
    k->bytes += bytes;
    if (!cmlrt_write(k->draft.fd, at, bytes))
        k->error = errno; /* of this thread */
    return k->error == 0;
}

/* The hash of all that is there so far; the file ends at its end again. */
static bool
hash_file(uint8_t hash[CMLRT_TAIL], const struct keyfile *k)
{
    const uint64_t size = CMLRT_HEADER + k->bytes;
    uint8_t *chunk = malloc(CHUNK);
    bool ok = chunk && lseek(k->draft.fd, 0, SEEK_SET) == 0;
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, NULL, 0, CMLRT_TAIL);
    for (uint64_t done = 0; ok && done < size;) {
        const uint64_t left = size - done;
        const size_t step = left < CHUNK ? (size_t)left : CHUNK;
        const int64_t got = cmlrt_read(k->draft.fd, chunk, step);

        if (got >= 0 && (size_t)got < step)
            errno = EIO; /* somebody cut the file */
        ok = got >= 0 && (size_t)got == step;
        (void)crypto_generichash_update(&state, chunk, ok ? step : 0);
        done += step;
    }
    (void)crypto_generichash_final(&state, hash, CMLRT_TAIL);
    free(chunk);
    return ok;
}

static bool
finish(struct keyfile *k, struct cmlrt_header *h)
{
    uint8_t head[CMLRT_HEADER], tail[CMLRT_TAIL];
    const int fd = k->draft.fd;

    (void)crypto_generichash_final(&k->id, h->key, CMLRT_ID);
    cmlrt_header_fill(h, k->bytes);
    cmlrt_header_pack(head, h);
    return lseek(fd, 0, SEEK_SET) == 0 && cmlrt_write(fd, head, sizeof head)
           && hash_file(tail, k) && cmlrt_write(fd, tail, sizeof tail);
}

enum cml_status
cmlrt_save_made(const char *path, struct cmlrt_header *h, cmlrt_maker *make,
                void *arg, unsigned flags, struct cml_fault *f)
{
    static const uint8_t later[CMLRT_HEADER];
    struct keyfile k = { .bytes = 0 };
    const struct cmlrt_outlet out = { put, &k, PIECE };
    enum cml_status s = CML_E_ok;
    bool ok;

    (void)crypto_generichash_init(&k.id, NULL, 0, CMLRT_ID);
    ok = cmlrt_draft_open(&k.draft, path)
         && cmlrt_write(k.draft.fd, later, sizeof later);
    if (ok) {
        s = make(arg, &out);
        errno = k.error;
        ok = s == CML_E_ok && finish(&k, h);
    }
    ok = cmlrt_draft_close(&k.draft, ok, flags);
    if (s != CML_E_ok && k.error == 0)
        return cmlrt_fail(f, s, "%s", cml_strstatus(s));
    return ok ? CML_E_ok : cmlrt_fail(f, CML_E_io, "%s:", path);
}
