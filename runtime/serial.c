/* The header that keys and ciphertexts share, and the files around it.
 *
 *     0    89 43 4D 4C 0D 0A 1A 0A
 *     8    u16 type, major, minor, flags
 *     16   model id, parameter id, key id, 16 bytes each
 *     64   u64 payload bytes   72  u32 rows   76  u32 sections
 *     80   8 bytes version of the writer   88  24 zeros
 *     112  BLAKE2b-128 of bytes 0 .. 111
 *     128  payload, then BLAKE2b-256 of all before
 *
 * Little-endian.  What a reader returns has exactly the size that the program's
 * parameters and the header's rows ask for.  Hashes find damage; they do not
 * authenticate.
 */
#define _POSIX_C_SOURCE 200809L

#include "runtime/serial.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HASHED = 112, ZEROS = 88, MAX_PARTS = 4 };

static const uint8_t magic[8] = { 0x89, 'C', 'M', 'L', '\r', '\n', 0x1a, '\n' };

static const char not_ours[] =
    "is not a file of cmlc, or was changed in text mode";

static const char *const type_names[CMLRT_NTYPES] = {
    [CMLRT_CLIENT_KEY] = "client key",
    [CMLRT_EVAL_KEY] = "evaluation key",
    [CMLRT_INPUT_CT] = "input ciphertext",
    [CMLRT_OUTPUT_CT] = "output ciphertext",
};

const char *
cmlrt_type_name(unsigned type)
{
    return type > 0 && type < CMLRT_NTYPES ? type_names[type] : "unknown";
}

/* ---- the header */

static void
put(uint8_t *to, uint64_t x, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(x >> 8 * i);
}

static uint64_t
get(const uint8_t *from, size_t bytes)
{
    uint64_t x = 0;

    for (size_t i = 0; i < bytes; i++)
        x |= (uint64_t)from[i] << 8 * i;
    return x;
}

void
cmlrt_header_fill(struct cmlrt_header *h, uint64_t bytes)
{
    h->major = CMLRT_MAJOR;
    h->minor = 0;
    h->sections = 1;
    h->bytes = bytes;
}

void
cmlrt_header_pack(uint8_t out[CMLRT_HEADER], const struct cmlrt_header *h)
{
    memset(out, 0, CMLRT_HEADER);
    memcpy(out, magic, sizeof magic);
    put(out + 8, h->type, 2);
    put(out + 10, h->major, 2);
    put(out + 12, h->minor, 2);
    put(out + 14, h->flags, 2);
    memcpy(out + 16, h->model, CMLRT_ID);
    memcpy(out + 32, h->params, CMLRT_ID);
    memcpy(out + 48, h->key, CMLRT_ID);
    put(out + 64, h->bytes, 8);
    put(out + 72, h->rows, 4);
    put(out + 76, h->sections, 4);
    memcpy(out + 80, h->version, 8);
    cmlrt_key_id(out + HASHED, out, HASHED);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;

    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

const char *
cmlrt_header_unpack(struct cmlrt_header *h, const uint8_t in[CMLRT_HEADER])
{
    uint8_t hash[CMLRT_ID];

    if (memcmp(in, magic, sizeof magic) != 0)
        return not_ours;
    cmlrt_key_id(hash, in, HASHED);
    if (memcmp(hash, in + HASHED, sizeof hash) != 0)
        return "is damaged: the hash of its header does not match";
    memset(h, 0, sizeof *h);
    h->type = (uint16_t)get(in + 8, 2);
    h->major = (uint16_t)get(in + 10, 2);
    h->minor = (uint16_t)get(in + 12, 2);
    h->flags = (uint16_t)get(in + 14, 2);
    memcpy(h->model, in + 16, CMLRT_ID);
    memcpy(h->params, in + 32, CMLRT_ID);
    memcpy(h->key, in + 48, CMLRT_ID);
    h->bytes = get(in + 64, 8);
    h->rows = (uint32_t)get(in + 72, 4);
    h->sections = (uint32_t)get(in + 76, 4);
    memcpy(h->version, in + 80, 8);
    if (h->major != CMLRT_MAJOR)
        return "has a format that this program does not know";
    if (!all_zero(in + ZEROS, HASHED - ZEROS))
        return "is damaged: reserved bytes are not zero";
    return NULL;
}

/* ---- writing */

enum cml_status
cmlrt_save(const char *path, struct cmlrt_header *h,
           const struct cmlrt_part *payload, size_t parts, unsigned flags,
           struct cml_fault *f)
{
    uint8_t head[CMLRT_HEADER], tail[CMLRT_TAIL];
    struct cmlrt_part all[MAX_PARTS + 2] = { { head, sizeof head } };
    crypto_generichash_state state;
    uint64_t bytes = 0;

    if (parts > MAX_PARTS)
        return cmlrt_fail(f, CML_E_bug, "%s: too many parts", path);
    for (size_t i = 0; i < parts; i++)
        bytes += payload[i].bytes;
    cmlrt_header_fill(h, bytes);
    cmlrt_header_pack(head, h);
    (void)crypto_generichash_init(&state, NULL, 0, sizeof tail);
    (void)crypto_generichash_update(&state, head, sizeof head);
    for (size_t i = 0; i < parts; i++) {
        all[1 + i] = payload[i];
        (void)crypto_generichash_update(&state, payload[i].at,
                                        payload[i].bytes);
    }
    (void)crypto_generichash_final(&state, tail, sizeof tail);
    cmlrt_wipe(&state, sizeof state);
    all[1 + parts] = (struct cmlrt_part){ tail, sizeof tail };
    return cmlrt_write_file(path, all, parts + 2, flags, f);
}

/* ---- reading */

/* An id of the header that is not the wanted one. */
struct binding {
    const char *what, *from, *help;
    const uint8_t *got, *want;
};

static enum cml_status
other_id(struct cml_fault *f, const char *path, const struct binding *b)
{
    (void)cmlrt_fail(f, CML_E_mismatch,
                     "%s belongs to another %s\n"
                     "  %s   %s %.8s...   %s   %s %.8s...",
                     path, b->what, path, b->what, cmlrt_id_hex(b->got).text,
                     b->from, b->what, cmlrt_id_hex(b->want).text);
    cmlrt_help(f, "%s", b->help);
    return CML_E_mismatch;
}

static enum cml_status
check_ids(const struct cmlrt_header *h, const char *path,
          const struct cmlrt_expect *want, struct cml_fault *f)
{
    static const uint8_t none[CMLRT_ID];
    const uint8_t *model = want->model ? want->model : none;
    const struct binding bindings[] = {
        { "model", "this program", "only the program that made it can use it",
          h->model, model },
        { "parameter set", "this program",
          "make keys with this program's keygen and encrypt again", h->params,
          want->params },
        { "key", want->key_from,
          "use the key that it was encrypted under, or encrypt again", h->key,
          want->key ? want->key : h->key },
    };

    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        if (memcmp(bindings[i].got, bindings[i].want, CMLRT_ID) != 0)
            return other_id(f, path, &bindings[i]);
    return CML_E_ok;
}

/* Payload bytes as the rows ask for; nothing here can overflow. */
static bool
size_fits(const struct cmlrt_header *h, const struct cmlrt_expect *want)
{
    const uint64_t rest = h->bytes - want->fixed;

    if (h->bytes < want->fixed)
        return false;
    if (want->per_row == 0)
        return rest == 0 && h->rows == 0;
    return h->rows > 0 && rest % want->per_row == 0
           && rest / want->per_row == h->rows;
}

static enum cml_status
check_header(const struct cmlrt_header *h, const char *path,
             const struct cmlrt_expect *want, struct cml_fault *f)
{
    const enum cml_status bad = CML_E_mismatch;
    enum cml_status s;

    if (h->type != want->type)
        return cmlrt_fail(f, bad, "%s is of type '%s', not '%s'", path,
                          cmlrt_type_name(h->type),
                          cmlrt_type_name(want->type));
    if ((h->flags & CMLRT_INSECURE) != want->insecure)
        return cmlrt_fail(f, bad, "%s is %s an insecure test build", path,
                          want->insecure ? "not of" : "of");
    if (h->flags & CMLRT_HAS_PASSPHRASE)
        return cmlrt_fail(f, bad,
                          "%s has a passphrase, which this version "
                          "cannot read",
                          path);
    s = check_ids(h, path, want, f);
    if (s != CML_E_ok)
        return s;
    if (!size_fits(h, want))
        return cmlrt_fail(f, bad,
                          "%s is damaged: %u rows cannot have %llu "
                          "bytes",
                          path, (unsigned)h->rows,
                          (unsigned long long)h->bytes);
    return CML_E_ok;
}

/* what: the rest of a sentence that begins with the file's name */
static enum cml_status
damaged(const char *path, const char *what, struct cml_fault *f)
{
    (void)cmlrt_fail(f, CML_E_mismatch, "%s %s", path, what);
    cmlrt_help(f, "copy it again, in binary mode, or make it again");
    return CML_E_mismatch;
}

static enum cml_status
short_file(const char *path, struct cml_fault *f)
{
    return damaged(path, "is cut off", f);
}

/* What a file too short for a header is. */
static enum cml_status
short_header(const uint8_t *head, size_t bytes, const char *path,
             struct cml_fault *f)
{
    if (memcmp(head, magic, bytes < sizeof magic ? bytes : sizeof magic) != 0)
        return damaged(path, not_ours, f);
    return short_file(path, f);
}

static enum cml_status
read_header(struct cmlrt_header *h, uint8_t raw[CMLRT_HEADER], int fd,
            const char *path, struct cml_fault *f)
{
    const int64_t got = cmlrt_read(fd, raw, CMLRT_HEADER);
    const char *wrong;

    if (got < 0)
        return cmlrt_fail(f, CML_E_io, "%s:", path);
    if (got < CMLRT_HEADER)
        return short_header(raw, (size_t)got, path, f);
    wrong = cmlrt_header_unpack(h, raw);
    return wrong ? damaged(path, wrong, f) : CML_E_ok;
}

/* The size of the whole file, before memory is asked for; pipes have none. */
static enum cml_status
check_size(int fd, const struct cmlrt_header *h, const char *path,
           const struct cmlrt_expect *want, struct cml_fault *f)
{
    const uint64_t size = CMLRT_HEADER + h->bytes + CMLRT_TAIL;
    struct stat st;

    if (h->bytes > INT64_MAX - CMLRT_HEADER - CMLRT_TAIL)
        return short_file(path, f);
    if (fstat(fd, &st) != 0)
        return cmlrt_fail(f, CML_E_io, "%s:", path);
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size != size)
        return cmlrt_fail(f, CML_E_mismatch,
                          "%s is damaged: it has %lld bytes, not %llu", path,
                          (long long)st.st_size, (unsigned long long)size);
    if (want->secret && (st.st_mode & 077) != 0) {
        (void)cmlrt_fail(f, CML_E_io, "%s can be used by others (mode %04o)",
                         path, (unsigned)(st.st_mode & 07777));
        cmlrt_help(f, "chmod 600 %.200s, or --insecure-permissions", path);
        return CML_E_io;
    }
    return CML_E_ok;
}

/* The file's own pages; false: it is to be read.  raw is what was checked, and
 * not what is at 0 if a shared descriptor stood elsewhere. */
static bool
map_file(struct cmlrt_file *out, int fd, const uint8_t raw[CMLRT_HEADER],
         const char *path)
{
    const size_t size = CMLRT_HEADER + out->bytes + CMLRT_TAIL;
    uint8_t *at = cmlrt_map(fd, size, path);

    if (at && memcmp(at, raw, CMLRT_HEADER) != 0) {
        cmlrt_unmap(at, size);
        at = NULL;
    }
    if (!at)
        return false;
    out->memory = at;
    out->room = size;
    out->mapped = true;
    return true;
}

/* Memory grows with what arrives, since a pipe's header may promise much. */
static enum cml_status
read_file(struct cmlrt_file *out, int fd, const uint8_t raw[CMLRT_HEADER],
          const char *path, struct cml_fault *f)
{
    const size_t size = CMLRT_HEADER + out->bytes + CMLRT_TAIL;
    const size_t step = (size_t)64 << 20;
    size_t done = CMLRT_HEADER;
    char one;

    out->memory = malloc(done);
    if (!out->memory)
        return cmlrt_no_memory(f);
    out->room = done;
    memcpy(out->memory, raw, done);
    while (done < size) {
        const size_t next = size - done < step ? size : done + step;
        uint8_t *p = realloc(out->memory, next);
        int64_t got;

        if (!p)
            return cmlrt_no_memory(f);
        out->memory = p;
        out->room = next;
        got = cmlrt_read(fd, p + done, next - done);
        if (got < 0)
            return cmlrt_fail(f, CML_E_io, "%s:", path);
        if ((size_t)got < next - done)
            return short_file(path, f);
        done = next;
    }
    if (cmlrt_read(fd, &one, 1) != 0)
        return damaged(path, "is too long", f);
    return CML_E_ok;
}

static bool
tail_matches(const uint8_t *file, size_t size)
{
    uint8_t hash[CMLRT_TAIL];

    (void)crypto_generichash(hash, sizeof hash, file, size - sizeof hash, NULL,
                             0);
    return memcmp(hash, file + size - sizeof hash, sizeof hash) == 0;
}

/* The hash of the file and, in the key id of an evaluation key, that of its
 * payload: a thread each, as they are a good part of loading. */
struct hashes {
    const struct cmlrt_file *file;
    bool whole, id;
};

static void
match_hashes(void *arg, unsigned thread, int64_t begin, int64_t end)
{
    struct hashes *h = arg;
    const struct cmlrt_file *f = h->file;
    uint8_t id[CMLRT_ID];

    (void)thread;
    for (int64_t i = begin; i < end; i++)
        if (i == 0) {
            h->whole =
                tail_matches(f->memory, CMLRT_HEADER + f->bytes + CMLRT_TAIL);
        } else {
            cmlrt_key_id(id, f->memory + CMLRT_HEADER, f->bytes);
            h->id = memcmp(id, f->header.key, sizeof id) == 0;
        }
}

static enum cml_status
check_hashes(const struct cmlrt_file *file, const char *path,
             const struct cmlrt_expect *want, struct cml_fault *f)
{
    const int64_t n = want->type == CMLRT_EVAL_KEY ? 2 : 1;
    struct hashes h = { file, false, n == 1 };

    if (want->pool)
        cmlrt_pool_run(want->pool, n, 1, match_hashes, &h);
    else
        match_hashes(&h, 0, 0, n);
    if (!h.whole)
        return damaged(path,
                       "is damaged: the hash of its payload does not match", f);
    if (!h.id) /* a mixed-up file */
        return cmlrt_fail(f, CML_E_mismatch,
                          "%s is damaged: key %.8s... is not that of its "
                          "payload",
                          path, cmlrt_id_hex(file->header.key).text);
    return CML_E_ok;
}

static enum cml_status
load(struct cmlrt_file *out, int fd, const char *path,
     const struct cmlrt_expect *want, struct cml_fault *f)
{
    uint8_t raw[CMLRT_HEADER];
    enum cml_status s = read_header(&out->header, raw, fd, path, f);

    if (s == CML_E_ok)
        s = check_header(&out->header, path, want, f);
    if (s == CML_E_ok)
        s = check_size(fd, &out->header, path, want, f);
    if (s != CML_E_ok)
        return s;
    out->bytes = (size_t)out->header.bytes;
    if (!want->map || !map_file(out, fd, raw, path))
        s = read_file(out, fd, raw, path, f);
    return s == CML_E_ok ? check_hashes(out, path, want, f) : s;
}

enum cml_status
cmlrt_load(struct cmlrt_file *out, const char *path,
           const struct cmlrt_expect *want, struct cml_fault *f)
{
    enum cml_status s;
    int fd;

    memset(out, 0, sizeof *out);
    s = cmlrt_open(&fd, path, f);
    if (s != CML_E_ok)
        return s;
    s = load(out, fd, path, want, f);
    cmlrt_close(fd);
    if (s == CML_E_ok)
        out->payload = out->memory + CMLRT_HEADER;
    else
        cmlrt_unload(out);
    return s;
}

void
cmlrt_unload(struct cmlrt_file *file)
{
    if (file->mapped)
        cmlrt_unmap(file->memory, file->room);
    else if (file->memory)
        cmlrt_wipe(file->memory, file->room);
    if (!file->mapped)
        free(file->memory);
    memset(file, 0, sizeof *file);
}

enum cml_status
cmlrt_inspect(struct cmlrt_header *h, bool *whole, const char *path,
              struct cml_fault *f)
{
    uint8_t head[CMLRT_HEADER];
    char *data;
    size_t bytes;
    const char *wrong;
    enum cml_status s = cmlrt_read_file(&data, &bytes, path, f);

    if (s != CML_E_ok)
        return s;
    if (bytes < CMLRT_HEADER) {
        s = short_header((const uint8_t *)data, bytes, path, f);
        free(data);
        return s;
    }
    memcpy(head, data, sizeof head);
    wrong = cmlrt_header_unpack(h, head);
    *whole = !wrong && bytes - CMLRT_HEADER >= CMLRT_TAIL
             && bytes - CMLRT_HEADER - CMLRT_TAIL == h->bytes
             && tail_matches((const uint8_t *)data, bytes);
    cmlrt_wipe(data, bytes);
    free(data);
    return wrong ? damaged(path, wrong, f) : CML_E_ok;
}
