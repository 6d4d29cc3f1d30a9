#include "tests/rows.h"

#include <check.h>

FILE *
rows_open(const char *path)
{
    FILE *f = fopen(path, "r");

    ck_assert_msg(f != NULL, "%s", path);
    return f;
}

bool
rows_next(FILE *f, char *line, int size)
{
    do {
        if (!fgets(line, size, f)) {
            fclose(f);
            return false;
        }
    } while (line[0] == '#');
    return true;
}
