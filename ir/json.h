/* JSON: what a report is written in, and a reader for what it says.
 *
 * The reader takes any bytes: RFC 8259, no duplicate keys asked for, at most
 * JSON_DEPTH deep, one document and nothing behind it.
 */
#ifndef CML_IR_JSON_H
#define CML_IR_JSON_H

#include "ir/arena.h"

#include <stdbool.h>
#include <stdio.h>

enum { JSON_DEPTH = 32 };

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_LIST,
    JSON_OBJECT
};

struct json {
    enum json_kind kind;
    bool truth;
    double number;
    const char *key;          /* of a member */
    const char *text;         /* of TEXT: UTF-8, without NUL */
    const struct json *first; /* of LIST and OBJECT */
    const struct json *next;  /* in the same list or object */
};

/* NULL, and what is wrong in *why */
const struct json *json_read(struct arena *mem, const char *text, size_t len,
                             const char **why);

/* A member of an object, NULL if there is none; j may be NULL, as in all
 * below. */
const struct json *json_get(const struct json *j, const char *key);
/* NaN, "" and NULL if there is no such member */
double json_number(const struct json *j, const char *key);
const char *json_string(const struct json *j, const char *key);
const struct json *json_first(const struct json *j, const char *key);

/* ---- writing */
void json_put_text(FILE *out, const char *text);
/* the fewest digits that read back; null if it is not finite */
void json_put_number(FILE *out, double x);

struct json_out {
    FILE *out;
    unsigned depth;
    bool comma;
};

/* key: NULL in a list and for the document; bracket: { or [, and its partner */
void json_open(struct json_out *o, const char *key, char bracket);
void json_close(struct json_out *o, char bracket);
void json_write_text(struct json_out *o, const char *key, const char *text);
void json_write_number(struct json_out *o, const char *key, double x);
void json_write_bool(struct json_out *o, const char *key, bool truth);

#endif
