/* Arrays of numpy, format 1.0 to 3.0: little-endian numbers in C order.
 *
 *     93 "NUMPY" major minor, u16 or u32 length, dict of that length, data
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (150, 4), }
 */
#include "runtime/fault.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- element types */

static double
load_f8(const void *p)
{
    double x;

    memcpy(&x, p, sizeof x);
    return x;
}

static double
load_f4(const void *p)
{
    float x;

    memcpy(&x, p, sizeof x);
    return (double)x;
}

#define LOAD(name, type) \
    static double load_##name(const void *p) \
    { \
        type x; \
\
        memcpy(&x, p, sizeof x); \
        return (double)x; \
    }
LOAD(i8, int64_t)
LOAD(u8, uint64_t)
LOAD(i4, int32_t)
LOAD(u4, uint32_t)
LOAD(i2, int16_t)
LOAD(u2, uint16_t)
LOAD(i1, int8_t)
LOAD(u1, uint8_t)
#undef LOAD

static const struct element {
    const char *name;
    size_t bytes;
    double (*load)(const void *p);
    bool integer;
} elements[] = {
    { "<f8", 8, load_f8, false }, { "<f4", 4, load_f4, false },
    { "<i8", 8, load_i8, true },  { "<u8", 8, load_u8, true },
    { "<i4", 4, load_i4, true },  { "<u4", 4, load_u4, true },
    { "<i2", 2, load_i2, true },  { "<u2", 2, load_u2, true },
    { "|i1", 1, load_i1, true },  { "|u1", 1, load_u1, true },
    { "|b1", 1, load_u1, true },
};

/* ---- the dictionary */

struct array {
    const struct element *element;
    size_t rank, dims[CML_MAX_RANK];
    bool has_order, has_shape;
};

struct text {
    const char *at, *end;
};

static void
skip_blanks(struct text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n'))
        t->at++;
}

static bool
take(struct text *t, const char *word)
{
    const size_t n = strlen(word);

    skip_blanks(t);
    if ((size_t)(t->end - t->at) < n || memcmp(t->at, word, n) != 0)
        return false;
    t->at += n;
    return true;
}

static bool
read_dim(size_t *out, struct text *t)
{
    size_t x = 0;

    skip_blanks(t);
    if (t->at == t->end || *t->at < '0' || *t->at > '9')
        return false;
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        if (x > SIZE_MAX / 16)
            return false;
        x = 10 * x + (size_t)(*t->at - '0');
    }
    *out = x;
    return true;
}

/* (), (3,), (3, 4), (3, 4,) */
static bool
read_shape(struct array *a, struct text *t)
{
    if (a->has_shape || !take(t, "("))
        return false;
    a->has_shape = true;
    while (!take(t, ")")) {
        if (a->rank == CML_MAX_RANK || !read_dim(&a->dims[a->rank], t))
            return false;
        a->rank++;
        if (!take(t, ",")) {
            return a->rank > 1 && take(t, ")");
        }
    }
    return true;
}

static bool
read_type(struct array *a, struct text *t)
{
    const size_t n = sizeof elements / sizeof *elements;

    if (a->element || !take(t, "'"))
        return false;
    for (size_t i = 0; i < n && !a->element; i++)
        if (take(t, elements[i].name))
            a->element = &elements[i];
    return a->element && take(t, "'");
}

static bool
read_order(struct array *a, struct text *t)
{
    if (a->has_order || !take(t, "False"))
        return false;
    a->has_order = true;
    return true;
}

/* NULL, or what is wrong */
static const char *
read_dict(struct array *a, struct text *t)
{
    if (!take(t, "{"))
        return "the header has no dictionary";
    while (!take(t, "}")) {
        if (take(t, "'descr':")) {
            if (!read_type(a, t))
                return "the element type is not one of f8 f4 i8 u8 i4 u4 i2 "
                       "u2 i1 u1 b1, little-endian";
        } else if (take(t, "'fortran_order':")) {
            if (!read_order(a, t))
                return "the array is not in C order";
        } else if (take(t, "'shape':")) {
            if (!read_shape(a, t))
                return "the shape cannot be read";
        } else {
            return "the header has an unknown key";
        }
        if (!take(t, ",")) {
            if (!take(t, "}"))
                return "the header cannot be read";
            break;
        }
    }
    skip_blanks(t);
    if (t->at != t->end || !a->element || !a->has_order || !a->has_shape)
        return "the header is not complete";
    return NULL;
}

/* ---- the file */

bool
cml_npy_is(const char *data, size_t bytes)
{
    return bytes >= 6 && memcmp(data, "\x93NUMPY", 6) == 0;
}

/* Moves *t to the data, or to what is wrong in the header. */
static const char *
read_header(struct array *a, struct text *t)
{
    const unsigned char *p = (const unsigned char *)t->at;
    const size_t bytes = (size_t)(t->end - t->at);
    const size_t head = bytes >= 8 && p[6] == 1 ? 10 : 12;
    struct text dict;
    const char *wrong;
    size_t length;

    if (bytes < head)
        return "is cut off";
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return "the version of the format is not 1.0, 2.0 or 3.0";
    length = p[8] | (size_t)p[9] << 8;
    if (head == 12)
        length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
    if (length > bytes - head)
        return "is cut off";
    dict.at = t->at + head;
    dict.end = dict.at + length;
    wrong = read_dict(a, &dict);
    t->at = wrong ? dict.at : dict.end;
    return wrong;
}

/* false when the product does not fit */
static bool
product(size_t *out, const size_t *dims, size_t rank)
{
    *out = 1;
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] != 0 && *out > SIZE_MAX / 64 / dims[i])
            return false;
        *out *= dims[i];
    }
    return true;
}

static const char *
measure(size_t *count, const struct array *a, size_t bytes, size_t most)
{
    if (!product(count, a->dims, a->rank) || *count != bytes / a->element->bytes
        || bytes % a->element->bytes != 0)
        return "the data has another size than the header says";
    if (*count > most)
        return "the array has more elements than are allowed";
    return *count > 0 ? NULL : "the array is empty";
}

/* Every element as a double, which holds integers up to 2^53. */
static const char *
load(struct cml_array *out, const struct array *a, const char *data,
     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out->at[i] = a->element->load(data + i * a->element->bytes);
        if (a->element->integer && fabs(out->at[i]) > 0x1p53)
            return "an integer beyond 2^53";
    }
    return NULL;
}

enum cml_status
cml_npy_parse(struct cml_array *out, const char *data, size_t bytes,
              size_t most, const char *file, struct cml_fault *f)
{
    struct array a = { 0 };
    struct text t = { data, data + bytes };
    const char *wrong =
        cml_npy_is(data, bytes) ? read_header(&a, &t) : "this is no .npy file";
    size_t count = 0;

    *out = (struct cml_array){ .rank = a.rank };
    if (!wrong)
        wrong = measure(&count, &a, (size_t)(t.end - t.at), most);
    if (!wrong) {
        out->integer = a.element->integer;
        memcpy(out->dims, a.dims, sizeof out->dims);
        out->at = malloc(count * sizeof *out->at);
        if (!out->at)
            return cmlrt_no_memory(f);
        wrong = load(out, &a, t.at, count);
    }
    if (!wrong)
        return CML_E_ok;
    free(out->at);
    out->at = NULL;
    return cmlrt_fail(f, CML_E_data, "%s: byte %zu: %s", file,
                      (size_t)(t.at - data), wrong);
}
