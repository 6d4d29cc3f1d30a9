/* Places to files, lines and columns. */
#include "ir/source.h"

#include <string.h>

const struct source *
src_of(const struct source *src, uint32_t at)
{
    while (src->more && at >= src->more->begin)
        src = src->more;
    return src;
}

unsigned
src_line(const struct source *src, uint32_t at, unsigned *column)
{
    unsigned line = 1, col = 1;

    src = src_of(src, at);
    at -= src->begin;
    for (uint32_t i = 0; i < at && i < src->len; i++)
        if (src->text[i] == '\n')
            line++, col = 1;
        else
            col++;
    if (column)
        *column = col;
    return line;
}

const char *
src_base_name(const struct source *src)
{
    const char *slash = strrchr(src->name, '/');

    return slash ? slash + 1 : src->name;
}
