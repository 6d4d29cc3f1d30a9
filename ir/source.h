/* The texts of a model: its own file and those that it imports.
 *
 * They lie one after the other, so that one number, a place, tells a byte of
 * one of them: a span of any file is two of these.  A file of n bytes takes
 * n + 1 places, the last for its end.
 */
#ifndef CML_IR_SOURCE_H
#define CML_IR_SOURCE_H

#include <stddef.h>
#include <stdint.h>

/* Part of a text: places, half open. */
struct span {
    uint32_t begin, end;
};

struct source {
    const char *name;
    const char *text; /* text[len] is 0 */
    size_t len;
    uint32_t begin;      /* the place of its first byte; 0 of the model's */
    struct source *more; /* the text behind it, or NULL */
};

/* the file that a place lies in; the last, if it lies behind all */
const struct source *src_of(const struct source *src, uint32_t at);
/* from 1, in that file; *column, if not NULL, in bytes from 1 */
unsigned src_line(const struct source *src, uint32_t at, unsigned *column);
/* without the folder */
const char *src_base_name(const struct source *src);

#endif
