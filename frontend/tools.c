/* The verbs that are about sources alone: fmt and new. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "frontend/tools.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *kind, *text;
} templates[] = {
#include "frontend/templates.def"
};

enum { NTEMPLATES = sizeof templates / sizeof *templates };

/* ---- writing */

static bool
put(int fd, const char *text, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* Through a file beside it: the old text or the new one, nothing between.  A
 * link stays one: what it points to is replaced. */
static bool
replace(struct arena *mem, const char *path, const char *text, size_t len)
{
    char *real = realpath(path, NULL);
    const size_t n = (real ? strlen(real) : 0) + sizeof ".XXXXXX";
    char *temp = arena_new(mem, char, n);
    struct stat st;
    bool ok;
    int fd;

    if (!real)
        return false;
    (void)snprintf(temp, n, "%s.XXXXXX", real);
    ok = stat(real, &st) == 0 && (fd = mkstemp(temp)) >= 0;
    if (ok) {
        ok = fchmod(fd, st.st_mode & 07777) == 0 && put(fd, text, len);
        ok = close(fd) == 0 && ok && rename(temp, real) == 0;
        if (!ok) {
            const int why = errno;

            (void)unlink(temp);
            errno = why;
        }
    }
    free(real);
    return ok;
}

/* ---- fmt */

enum tool_end
tool_format(struct arena *mem, const struct source *src, struct diag *dg,
            const struct options *o)
{
    enum tool_end end = TOOL_OK;
    size_t len = 0;
    char *text = fe_format(dg, &len);
    bool same;

    if (!text)
        return TOOL_BAD;
    same = len == src->len && memcmp(text, src->text, len) == 0;
    if (o->check && !same) {
        fprintf(stderr, "%s: another layout\n", src->name);
        end = TOOL_BAD;
    } else if (!o->check && (o->to_stdout || strcmp(src->name, "-") == 0)) {
        (void)fwrite(text, 1, len, stdout);
    } else if (!o->check && !same && !replace(mem, src->name, text, len)) {
        end = TOOL_IO;
    }
    free(text);
    return end;
}

/* ---- new */

static bool
is_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

/* The template with its NAME. */
static bool
write_model(int fd, const char *text, const char *name)
{
    static const char word[] = "model NAME {";
    const char *at = strstr(text, word);

    return put(fd, text, (size_t)(at - text) + strlen("model "))
           && put(fd, name, strlen(name))
           && put(fd, at + strlen("model NAME"),
                  strlen(at) - strlen("model NAME"));
}

static const char *
template_of(const char *kind)
{
    for (size_t i = 0; i < NTEMPLATES; i++)
        if (strcmp(kind ? kind : "linear", templates[i].kind) == 0)
            return templates[i].text;
    return NULL;
}

enum tool_end
tool_new(struct arena *mem, const struct options *o, const char **path)
{
    const char *text = template_of(o->from);
    const size_t n = strlen(o->input) + sizeof ".cml";
    char *file = arena_new(mem, char, n);
    bool ok;
    int fd;

    (void)snprintf(file, n, "%s.cml", o->input);
    *path = file;
    if (!is_name(o->input)) {
        *path = o->input;
        return TOOL_NAME;
    }
    if (!text) {
        *path = o->from;
        return TOOL_KIND;
    }
    fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd < 0)
        return TOOL_IO;
    ok = write_model(fd, text, o->input);
    ok = close(fd) == 0 && ok;
    if (!ok) {
        const int why = errno;

        (void)unlink(file);
        errno = why;
        return TOOL_IO;
    }
    fprintf(stderr, "%s: a model to start from; next: cmlc %s\n", file, file);
    return TOOL_OK;
}
