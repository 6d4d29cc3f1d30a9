/* From the text of a report to what the options ask for. */
#define _POSIX_C_SOURCE 200809L
#include "frontend/frontend.h"
#include "ir/json.h"

#include <errno.h>
#include <string.h>

static bool
write_page(const char *path, const struct json *j)
{
    char temporary[4096];
    FILE *f;

    if (snprintf(temporary, sizeof temporary, "%s.tmp", path)
        >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    f = fopen(temporary, "w");
    if (!f)
        return false;
    fe_report_html(f, j);
    if (ferror(f) | fclose(f) || rename(temporary, path) != 0) {
        const int why = errno;

        remove(temporary);
        errno = why;
        return false;
    }
    return true;
}

const char *
fe_report_show(struct arena *mem, const char *text, size_t len, bool json,
               const char *html)
{
    static const char kind[] = "cmlc.report/";
    const char *why;
    const struct json *j = json_read(mem, text, len, &why);

    errno = 0;
    if (!j)
        return "its report is damaged";
    if (strncmp(json_string(j, "schema"), kind, strlen(kind)) != 0)
        return "its report is none of cmlc";
    if (strcmp(json_string(j, "schema") + strlen(kind), "1") != 0)
        return "its report is of another version of cmlc";
    if (html && !write_page(html, j))
        return "";
    if (json)
        fwrite(text, 1, len, stdout);
    else if (!html)
        fe_report_text(stdout, j);
    return NULL;
}
