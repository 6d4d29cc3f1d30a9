/* A recursive reader, and the two kinds of values that need care in writing. */
#include "ir/json.h"

#include "ir/ir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct arena *mem;
    const char *at, *end;
    const char *why;
    unsigned depth;
};

static bool
wrong(struct reader *r, const char *why)
{
    if (!r->why)
        r->why = why;
    return false;
}

static void
skip(struct reader *r)
{
    while (r->at < r->end
           && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r'
               || *r->at == '\t'))
        r->at++;
}

static bool
take(struct reader *r, char c)
{
    skip(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool
word(struct reader *r, const char *text)
{
    const size_t n = strlen(text);

    if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0)
        return wrong(r, "a value is expected");
    r->at += n;
    return true;
}

static bool
hex4(struct reader *r, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *d =
            r->at < r->end && *r->at ? strchr(digits, *r->at) : NULL;

        if (!d)
            return wrong(r, "four hexadecimal digits are expected");
        *code = 16 * *code + (unsigned)((d - digits) % 16);
    }
    return true;
}

/* UTF-8 of a code point below 2^16; halves of pairs become one each, which no
 * writer of a report makes */
static size_t
utf8(char *out, unsigned c)
{
    size_t n = 0;

    if (c < 0x80) {
        out[n++] = (char)c;
    } else if (c < 0x800) {
        out[n++] = (char)(0xc0 | c >> 6);
        out[n++] = (char)(0x80 | (c & 0x3f));
    } else {
        out[n++] = (char)(0xe0 | c >> 12);
        out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        out[n++] = (char)(0x80 | (c & 0x3f));
    }
    return n;
}

static bool
escape(struct reader *r, char *out, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p;
    unsigned code;

    if (r->at == r->end)
        return wrong(r, "a string does not end");
    if (*r->at == 'u') {
        r->at++;
        if (!hex4(r, &code))
            return false;
        if (code == 0)
            return wrong(r, "a string holds a NUL");
        *n += utf8(out + *n, code);
        return true;
    }
    p = *r->at ? strchr(from, *r->at) : NULL;
    if (!p)
        return wrong(r, "there is no such escape");
    out[(*n)++] = to[p - from];
    r->at++;
    return true;
}

/* behind the quote */
static const char *
string(struct reader *r)
{
    const char *end = r->at;
    char *out;
    size_t n = 0;

    while (end < r->end && *end != '"')
        end += *end == '\\' && end + 1 < r->end ? 2 : 1;
    /* no escape is longer than what it stands for */
    out = arena_new(r->mem, char, (size_t)(end - r->at) + 1);
    while (r->at < r->end && *r->at != '"') {
        const char c = *r->at++;

        if ((unsigned char)c < 0x20)
            return wrong(r, "a string holds a control character"), NULL;
        if (c != '\\')
            out[n++] = c;
        else if (!escape(r, out, &n))
            return NULL;
    }
    if (!take(r, '"'))
        return wrong(r, "a string does not end"), NULL;
    return out;
}

static bool value(struct reader *r, struct json *j);

/* the members up to the bracket `close` */
static bool
members(struct reader *r, struct json *j, char close)
{
    struct json *last = NULL;

    if (r->depth++ >= JSON_DEPTH)
        return wrong(r, "it is nested too deep");
    for (bool more = !take(r, close); more; more = !take(r, close)) {
        struct json *m = arena_new(r->mem, struct json, 1);

        if (last && !take(r, ','))
            return wrong(r, "a comma or a bracket is expected");
        if (j->kind == JSON_OBJECT
            && (!take(r, '"') || !(m->key = string(r)) || !take(r, ':')))
            return wrong(r, "a key and a colon are expected");
        if (!value(r, m))
            return false;
        if (last)
            last->next = m;
        else
            j->first = m;
        last = m;
    }
    r->depth--;
    return true;
}

static bool
number(struct reader *r, struct json *j)
{
    char text[64];
    size_t n = 0;
    char *end;

    while (r->at < r->end && n < sizeof text - 1 && *r->at
           && strchr("+-.0123456789eE", *r->at))
        text[n++] = *r->at++;
    text[n] = 0;
    j->number = strtod(text, &end);
    if (n == 0 || *end || text[0] == '+' || text[0] == '.'
        || !isfinite(j->number))
        return wrong(r, "a value is expected");
    return true;
}

static bool
value(struct reader *r, struct json *j)
{
    skip(r);
    switch (r->at < r->end ? *r->at : 0) {
    case 'n': j->kind = JSON_NULL; return word(r, "null");
    case 't': j->kind = JSON_BOOL, j->truth = true; return word(r, "true");
    case 'f': j->kind = JSON_BOOL; return word(r, "false");
    case '"':
        r->at++;
        j->kind = JSON_TEXT;
        j->text = string(r);
        return j->text != NULL;
    case '[':
        r->at++;
        j->kind = JSON_LIST;
        return members(r, j, ']');
    case '{':
        r->at++;
        j->kind = JSON_OBJECT;
        return members(r, j, '}');
    }
    j->kind = JSON_NUMBER;
    return number(r, j);
}

const struct json *
json_read(struct arena *mem, const char *text, size_t len, const char **why)
{
    struct reader r = { .mem = mem, .at = text, .end = text + len };
    struct json *j = arena_new(mem, struct json, 1);

    *why = NULL;
    if (value(&r, j)) {
        skip(&r);
        if (r.at == r.end)
            return j;
        r.why = "something follows the document";
    }
    *why = r.why;
    return NULL;
}

const struct json *
json_get(const struct json *j, const char *key)
{
    if (!j || j->kind != JSON_OBJECT)
        return NULL;
    for (j = j->first; j; j = j->next)
        if (strcmp(j->key, key) == 0)
            return j;
    return NULL;
}

double
json_number(const struct json *j, const char *key)
{
    const struct json *m = json_get(j, key);

    return m && m->kind == JSON_NUMBER ? m->number : (double)NAN;
}

const char *
json_string(const struct json *j, const char *key)
{
    const struct json *m = json_get(j, key);

    return m && m->kind == JSON_TEXT ? m->text : "";
}

const struct json *
json_first(const struct json *j, const char *key)
{
    const struct json *m = json_get(j, key);

    return m ? m->first : NULL;
}

/* bytes of the UTF-8 sequence that begins here, 0 if there is none */
static int
sequence(const char *text)
{
    const unsigned char c = (unsigned char)*text;
    const int n = c < 0x80   ? 1
                  : c < 0xc2 ? 0
                  : c < 0xe0 ? 2
                  : c < 0xf0 ? 3
                  : c < 0xf5 ? 4
                             : 0;

    for (int i = 1; i < n; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

void
json_put_text(FILE *out, const char *text)
{
    putc('"', out);
    while (*text) {
        const unsigned char c = (unsigned char)*text;
        const int n = sequence(text);

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", (unsigned)c);
        else if (n == 0) /* a byte of no character */
            putc('?', out);
        else
            fwrite(text, 1, (size_t)n, out);
        text += n ? n : 1;
    }
    putc('"', out);
}

void
json_put_number(FILE *out, double x)
{
    char text[IR_REAL_TEXT];

    if (!isfinite(x)) {
        fputs("null", out);
        return;
    }
    ir_real_text(text, x);
    fputs(text, out);
}

/* ---- a document, its keys in the order in which they are put */

static void
separate(struct json_out *o, const char *key)
{
    if (o->comma)
        putc(',', o->out);
    if (o->depth > 0 && o->depth <= 2)
        fprintf(o->out, "\n%*s", 2 * (int)o->depth, "");
    else if (o->comma)
        putc(' ', o->out);
    o->comma = true;
    if (key) {
        json_put_text(o->out, key);
        fputs(": ", o->out);
    }
}

void
json_open(struct json_out *o, const char *key, char bracket)
{
    separate(o, key);
    putc(bracket, o->out);
    o->depth++;
    o->comma = false;
}

void
json_close(struct json_out *o, char bracket)
{
    o->depth--;
    if (o->comma && o->depth == 0)
        putc('\n', o->out);
    putc(bracket, o->out);
    o->comma = true;
    if (o->depth == 0)
        putc('\n', o->out);
}

void
json_write_text(struct json_out *o, const char *key, const char *text)
{
    separate(o, key);
    json_put_text(o->out, text);
}

void
json_write_number(struct json_out *o, const char *key, double x)
{
    separate(o, key);
    json_put_number(o->out, x);
}

void
json_write_bool(struct json_out *o, const char *key, bool truth)
{
    separate(o, key);
    fputs(truth ? "true" : "false", o->out);
}
