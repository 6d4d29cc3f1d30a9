/* The form of MNIST, big-endian, plain or in one gzip member:
 *
 *     0 0 type rank   u32 length of each axis   elements
 *
 * What is inflated is never more than what the axes say, and that is compared
 * with what deflate can make of the bytes at hand before memory is asked for.
 */
#define ZLIB_CONST /* what zlib reads, it does not write */
#include "frontend/sources.h"

#include <string.h>
#include <zlib.h>

enum {
    GZIP_WINDOW = 15 + 16, /* zlib: a gzip header, the largest window */
    MOST_RATIO = 1032,     /* that deflate reaches */
    HELD = 64, /* bytes of input, and what a match has left, that zlib holds */
    CHUNK = 1 << 15
};

struct stream {
    const struct fe_reading *r;
    size_t at; /* of a plain file */
    z_stream z;
    bool packed;
};

static bool
open_stream(struct stream *s)
{
    const struct fe_reading *r = s->r;
    const unsigned char *head = (const unsigned char *)r->at;

    s->packed = r->n >= 2 && head[0] == 0x1f && head[1] == 0x8b;
    if (!s->packed)
        return true;
    s->z.next_in = head;
    s->z.avail_in = (uInt)r->n;
    if (inflateInit2(&s->z, GZIP_WINDOW) != Z_OK)
        out_of_memory();
    return true;
}

/* Exactly n bytes, or a message with the place in the file. */
static bool
take(struct stream *s, unsigned char *out, size_t n)
{
    const struct fe_reading *r = s->r;

    if (!s->packed) {
        if (n > r->n - s->at)
            return fe_bad_byte(r, r->n, "the file ends here, and should not");
        memcpy(out, r->at + s->at, n);
        s->at += n;
        return true;
    }
    s->z.next_out = out;
    s->z.avail_out = (uInt)n;
    while (s->z.avail_out > 0) {
        const int code = inflate(&s->z, Z_NO_FLUSH);

        if (code == Z_MEM_ERROR)
            out_of_memory();
        if (code != Z_OK && (code != Z_STREAM_END || s->z.avail_out > 0))
            return fe_bad_byte(r, s->z.total_in, "%s",
                               code == Z_DATA_ERROR && s->z.msg ? s->z.msg
                               : code == Z_STREAM_END
                                   ? "fewer elements than the axes say"
                                   : "the file ends here, and should not");
    }
    return true;
}

/* Nothing follows, and the checksum of a gzip file is right. */
static bool
ended(struct stream *s)
{
    unsigned char more;

    if (!s->packed)
        return s->at == s->r->n
               || fe_bad_byte(s->r, s->at, "more elements than the axes say");
    s->z.next_out = &more;
    s->z.avail_out = 1;
    if (inflate(&s->z, Z_FINISH) == Z_STREAM_END && s->z.avail_in == 0
        && s->z.avail_out == 1)
        return true;
    return fe_bad_byte(s->r, s->z.total_in, "%s",
                       s->z.avail_out == 0 ? "more elements than the axes say"
                       : s->z.msg          ? s->z.msg
                                  : "the file does not end with its data");
}

static bool
read_head(struct cml_array *out, const struct fe_element **e, struct stream *s)
{
    unsigned char head[4] = { 0 }, axis[4] = { 0 };

    if (!take(s, head, sizeof head))
        return false;
    if (head[0] || head[1])
        return fe_bad_byte(s->r, 0, "this is no idx file");
    *e = fe_element_coded(head[2]);
    if (!*e)
        return fe_bad_byte(s->r, 2, "there are no elements of type %d",
                           head[2]);
    if (head[3] > CML_MAX_RANK)
        return fe_bad_byte(s->r, 3, "%d axes are too many", head[3]);
    out->rank = head[3];
    for (size_t i = 0; i < out->rank; i++) {
        if (!take(s, axis, sizeof axis))
            return false;
        out->dims[i] = (size_t)axis[0] << 24 | (size_t)axis[1] << 16
                       | (size_t)axis[2] << 8 | axis[3];
    }
    return true;
}

/* Whether so many bytes can come out of what is left. */
static bool
can_hold(const struct stream *s, size_t bytes)
{
    if (s->packed)
        return bytes / MOST_RATIO <= s->z.avail_in + (size_t)HELD;
    return bytes <= s->r->n - s->at;
}

static bool
read_elements(struct cml_array *out, struct stream *s,
              const struct fe_element *e)
{
    unsigned char chunk[CHUNK];
    const size_t size = fe_element_bytes(e), step = CHUNK / size;
    size_t count;

    if (!fe_array_count(&count, out, s->r))
        return false;
    if (!can_hold(s, count * size))
        return fe_bad_byte(s->r, s->r->n, "fewer elements than the axes say");
    fe_array_open(out, count, e);
    for (size_t i = 0; i < count; i += step) {
        const size_t n = count - i < step ? count - i : step;

        if (!take(s, chunk, n * size)
            || !fe_array_fill(out->at + i, chunk, n, e, true, s->r))
            return false;
    }
    return ended(s);
}

bool
fe_read_idx(struct cml_array *out, const struct fe_reading *r)
{
    struct stream s = { .r = r };
    const struct fe_element *e = NULL;
    bool ok;

    *out = (struct cml_array){ 0 };
    ok = open_stream(&s) && read_head(out, &e, &s) && read_elements(out, &s, e);
    if (s.packed)
        (void)inflateEnd(&s.z);
    return ok || fe_array_drop(out);
}
