/* Models as JSON, and as UBJSON, which becomes the same tree of values.
 *
 * UBJSON (Draft 12): a marker a value, numbers big-endian, `$` and `#` give the
 * type and the length of what follows. */
#include "frontend/trees.h"

#include "ir/json.h"

#include <math.h>
#include <string.h>

struct ubj {
    struct trees *t;
    const unsigned char *at, *end;
    size_t values;
    unsigned depth;
};

static struct json *ubj_value(struct ubj *u, unsigned char marker);

static bool
cut(struct ubj *u)
{
    return trees_fail(u->t, "the file ends too early, or is no UBJSON");
}

static bool
ubj_take(struct ubj *u, unsigned char *c)
{
    if (u->at == u->end)
        return cut(u);
    *c = *u->at++;
    return true;
}

/* bytes of a number of this kind, 0: it is none */
static size_t
ubj_size(unsigned char marker)
{
    static const char kinds[] = "iUIlLdD";
    static const size_t size[] = { 1, 1, 2, 4, 8, 4, 8 };
    const char *p = marker ? strchr(kinds, marker) : NULL;

    return p ? size[p - kinds] : 0;
}

static bool
ubj_number(struct ubj *u, unsigned char marker, double *out)
{
    const size_t n = ubj_size(marker);
    uint64_t w = 0;
    uint32_t half;
    float f;

    if (!n || (size_t)(u->end - u->at) < n)
        return cut(u);
    for (size_t i = 0; i < n; i++)
        w = w << 8 | *u->at++;
    half = (uint32_t)w;
    memcpy(&f, &half, sizeof f);
    if (marker == 'D')
        memcpy(out, &w, sizeof w);
    else if (marker == 'd')
        *out = (double)f;
    else if (marker == 'U')
        *out = (double)w;
    else /* the sign is the top bit of n bytes */
        *out = (double)((int64_t)(w << (64 - 8 * n)) >> (64 - 8 * n));
    return true;
}

static bool
ubj_length(struct ubj *u, size_t *n)
{
    unsigned char marker = 0;
    double x = 0;

    if (!ubj_take(u, &marker) || !ubj_number(u, marker, &x))
        return false;
    if (!(x >= 0 && x <= (double)TREES_MAX_VALUES))
        return trees_fail(u->t, "a list of %g values is too long", x);
    *n = (size_t)x;
    return true;
}

/* a length and so many bytes */
static const char *
ubj_text(struct ubj *u)
{
    size_t n = 0;
    const char *s;

    if (!ubj_length(u, &n))
        return NULL;
    if ((size_t)(u->end - u->at) < n) {
        cut(u);
        return NULL;
    }
    s = arena_string(u->t->mem, (const char *)u->at, n);
    u->at += n;
    return s;
}

static struct json *
ubj_new(struct ubj *u, enum json_kind kind)
{
    struct json *j;

    if (u->values++ >= TREES_MAX_VALUES) {
        trees_fail(u->t, "the file has more than 2^22 values");
        return NULL;
    }
    j = arena_new(u->t->mem, struct json, 1);
    j->kind = kind;
    return j;
}

/* `$` type and `#` length, if they are there */
static bool
ubj_head(struct ubj *u, unsigned char *type, size_t *n)
{
    unsigned char c;

    *type = 0;
    *n = SIZE_MAX;
    if (u->at < u->end && *u->at == '$') {
        u->at++;
        if (!ubj_take(u, type))
            return false;
        if (u->at == u->end || *u->at != '#')
            return cut(u);
    }
    if (u->at < u->end && *u->at == '#')
        return ubj_take(u, &c) && ubj_length(u, n);
    return true;
}

/* Lists and objects, behind their bracket. */
static bool
ubj_members(struct ubj *u, struct json *j, unsigned char close)
{
    const struct json **last = &j->first;
    unsigned char type = 0, marker = 0;
    size_t n = 0;

    if (!ubj_head(u, &type, &n))
        return false;
    /* values of no bytes, whose number costs nothing to claim, nobody writes */
    if (n != SIZE_MAX && n > (size_t)(u->end - u->at))
        return cut(u);
    for (size_t i = 0; i < n; i++) {
        const char *key = NULL;
        struct json *kid;

        if (n == SIZE_MAX && u->at < u->end && *u->at == close) {
            u->at++;
            return true;
        }
        if (close == '}' && !(key = ubj_text(u)))
            return false;
        marker = type;
        if (!type && !ubj_take(u, &marker))
            return false;
        kid = ubj_value(u, marker);
        if (!kid)
            return false;
        kid->key = key;
        *last = kid;
        last = &kid->next;
    }
    return true;
}

static struct json *
ubj_value(struct ubj *u, unsigned char marker)
{
    const bool list = marker == '[', object = marker == '{';
    struct json *j = ubj_new(u, list               ? JSON_LIST
                                : object           ? JSON_OBJECT
                                : marker == 'S'    ? JSON_TEXT
                                : marker == 'Z'    ? JSON_NULL
                                : ubj_size(marker) ? JSON_NUMBER
                                                   : JSON_BOOL);

    if (!j)
        return NULL;
    if (list || object) {
        bool ok;

        if (u->depth++ == JSON_DEPTH) {
            trees_fail(u->t, "values are nested more than %d deep", JSON_DEPTH);
            return NULL;
        }
        ok = ubj_members(u, j, list ? ']' : '}');
        u->depth--;
        return ok ? j : NULL;
    }
    if (marker == 'S')
        return (j->text = ubj_text(u)) ? j : NULL;
    if (j->kind == JSON_NUMBER)
        return ubj_number(u, marker, &j->number) ? j : NULL;
    j->truth = marker == 'T';
    if (marker == 'T' || marker == 'F' || marker == 'Z')
        return j;
    cut(u);
    return NULL;
}

/* Text begins with `{"` or blanks between; UBJSON with `{`, a type of length.
 */
static bool
is_ubj(const char *text, size_t n)
{
    return n > 1 && text[0] == '{'
           && (text[1] == '#' || text[1] == '$'
               || ubj_size((unsigned char)text[1]));
}

const struct json *
trees_document(struct trees *t, const char *text, size_t n)
{
    struct ubj u = { t, (const unsigned char *)text + 1,
                     (const unsigned char *)text + n, 0, 0 };
    const struct json *j = NULL;
    size_t values = 1;
    const char *why;

    if (is_ubj(text, n))
        return ubj_value(&u, '{');
    for (size_t i = 0; i < n; i++) /* before memory is asked for */
        values += text[i] == ',' || text[i] == '[' || text[i] == '{';
    if (values > TREES_MAX_VALUES)
        trees_fail(t, "the file has more than 2^22 values");
    else if (!(j = json_read(t->mem, text, n, &why)))
        trees_fail(t, "this is no JSON: %s", why);
    return j;
}

const double *
trees_numbers(struct trees *t, const struct json *j, const char *key, size_t *n)
{
    const struct json *list = json_get(j, key);
    size_t count = 0;
    double *x;

    if (!list || list->kind != JSON_LIST) {
        trees_fail(t, "there is no list '%s'", key);
        return NULL;
    }
    for (const struct json *k = list->first; k; k = k->next)
        count++;
    if (*n != SIZE_MAX && count != *n) {
        trees_fail(t, "'%s' has %zu values, not %zu", key, count, *n);
        return NULL;
    }
    x = arena_new(t->mem, double, count + 1);
    *n = 0;
    for (const struct json *k = list->first; k; k = k->next) {
        if (k->kind != JSON_NUMBER && k->kind != JSON_BOOL) {
            trees_fail(t, "'%s' holds something that is no number", key);
            return NULL;
        }
        x[(*n)++] = k->kind == JSON_BOOL ? k->truth : k->number;
    }
    return x;
}
