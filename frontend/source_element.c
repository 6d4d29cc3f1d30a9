/* Numbers of safetensors and idx files: their types, once. */
#include "frontend/sources.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum form { UNSIGNED, SIGNED, HALF, BRAIN, SINGLE, DOUBLE };

/* clang-format off */
static const struct fe_element {
    const char *name; /* in safetensors */
    unsigned code;    /* in idx, 0: none */
    size_t bytes;
    enum form form;
} elements[] = {
    /* name    code  bytes form */
    { "U8",    0x08, 1,    UNSIGNED },
    { "I8",    0x09, 1,    SIGNED   },
    { "I16",   0x0b, 2,    SIGNED   },
    { "I32",   0x0c, 4,    SIGNED   },
    { "F32",   0x0d, 4,    SINGLE   },
    { "F64",   0x0e, 8,    DOUBLE   },
    { "F16",   0,    2,    HALF     },
    { "BF16",  0,    2,    BRAIN    },
    { "I64",   0,    8,    SIGNED   },
    { "U16",   0,    2,    UNSIGNED },
    { "U32",   0,    4,    UNSIGNED },
    { "U64",   0,    8,    UNSIGNED },
    { "BOOL",  0,    1,    UNSIGNED },
};
/* clang-format on */

enum { NELEMENTS = sizeof elements / sizeof *elements };

const struct fe_element *
fe_element_named(const char *name)
{
    for (size_t i = 0; i < NELEMENTS; i++)
        if (strcmp(elements[i].name, name) == 0)
            return &elements[i];
    return NULL;
}

const struct fe_element *
fe_element_coded(unsigned code)
{
    for (size_t i = 0; code && i < NELEMENTS; i++)
        if (elements[i].code == code)
            return &elements[i];
    return NULL;
}

size_t
fe_element_bytes(const struct fe_element *e)
{
    return e->bytes;
}

/* ---- values */

static double
single(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return (double)x;
}

/* (-1)^s * 2^(e-15) * 1.m, and 2^-14 * 0.m if e = 0; e = 31: inf or nan */
static double
half(uint32_t bits)
{
    const int e = (int)(bits >> 10 & 31), m = (int)(bits & 1023);
    double x = e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);

    if (e == 31)
        x = m ? (double)NAN : (double)INFINITY;
    return bits >> 15 ? -x : x;
}

static double
value(const struct fe_element *e, uint64_t bits)
{
    const uint64_t sign = (uint64_t)1 << ((8 * e->bytes - 1) & 63);
    double x;

    switch (e->form) {
    case UNSIGNED: return (double)bits;
    case SIGNED:
        return bits & sign ? -(double)((~bits & (sign - 1)) + 1) : (double)bits;
    case HALF: return half((uint32_t)bits);
    case BRAIN: return single((uint32_t)bits << 16);
    case SINGLE: return single((uint32_t)bits);
    case DOUBLE: memcpy(&x, &bits, sizeof x); return x;
    }
    return (double)NAN;
}

static uint64_t
load(const unsigned char *p, size_t bytes, bool big_endian)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < bytes; i++)
        bits = bits << 8 | p[big_endian ? i : bytes - 1 - i];
    return bits;
}

bool
fe_array_fill(double *out, const unsigned char *bytes, size_t n,
              const struct fe_element *e, bool big_endian,
              const struct fe_reading *r)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = value(e, load(bytes + i * e->bytes, e->bytes, big_endian));
        if (e->form <= SIGNED && fabs(out[i]) > 0x1p53)
            return fe_bad_file(r, "an integer beyond 2^53");
    }
    return true;
}

/* ---- arrays */

bool
fe_array_count(size_t *count, const struct cml_array *a,
               const struct fe_reading *r)
{
    size_t n = 1;

    for (size_t i = 0; i < a->rank; i++) {
        if (a->dims[i] == 0)
            return fe_bad_file(r, "the array is empty");
        if (a->dims[i] > r->most / n)
            return fe_bad_file(r, "the array has more than %zu elements",
                               r->most);
        n *= a->dims[i];
    }
    *count = n;
    return true;
}

void
fe_array_open(struct cml_array *out, size_t count, const struct fe_element *e)
{
    out->integer = e->form <= SIGNED;
    out->at = malloc(count * sizeof *out->at);
    if (!out->at)
        out_of_memory();
}

bool
fe_array_drop(struct cml_array *out)
{
    free(out->at);
    out->at = NULL;
    return false;
}

/* ---- messages */

bool
fe_bad_file(const struct fe_reading *r, const char *fmt, ...)
{
    const size_t size = sizeof r->fault->text;
    size_t at;
    va_list args;

    (void)snprintf(r->fault->text, size / 2, "%s: ", r->file);
    at = strlen(r->fault->text);
    r->fault->help[0] = 0;
    va_start(args, fmt);
    (void)vsnprintf(r->fault->text + at, size - at, fmt, args);
    va_end(args);
    return false;
}

bool
fe_bad_byte(const struct fe_reading *r, size_t byte, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return fe_bad_file(r, "byte %zu: %s", byte, text);
}
