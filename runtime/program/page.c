/* Results as text: made in memory first, so that a file is whole or untouched
 * and a full disk is noticed. */
#define _POSIX_C_SOURCE 200809L

#include "runtime/program/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
page_open(struct page *g)
{
    g->text = NULL;
    g->bytes = 0;
    g->file = open_memstream(&g->text, &g->bytes);
    return g->file != NULL;
}

/* Results are the client's secret: nothing of the text stays. */
static void
page_drop(struct page *g)
{
    if (g->text)
        cmlrt_wipe(g->text, g->bytes);
    free(g->text);
}

enum cml_status
page_emit(struct program *p, struct page *g, const char *path, unsigned flags)
{
    const bool complete = !ferror(g->file);
    enum cml_status s;

    if (fclose(g->file) != 0 || !complete)
        s = program_no_memory(p);
    else
        s = cmlrt_write_file(path ? path : "-",
                             &(struct cmlrt_part){ g->text, g->bytes }, 1,
                             flags, &p->fault);
    page_drop(g);
    return s;
}

void
json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

void
print_number(FILE *out, double x)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    fputs(isnan(x) ? "nan" : text, out);
}

struct size_text
size_text(double bytes)
{
    static const char *const unit[] = { "B", "KB", "MB", "GB", "TB" };
    struct size_text s;
    size_t u = 0;

    for (; bytes >= 999.5 && u < 4; u++)
        bytes /= 1000;
    (void)snprintf(s.text, sizeof s.text,
                   u && bytes < 99.5 ? "%.1f %s" : "%.0f %s", bytes, unit[u]);
    return s;
}

/* SELF-client for SELF-server and back; a program that was renamed is told by
 * its model's name. */
struct command_text
other_half(const struct program *p)
{
    static const char client[] = "-client", server[] = "-server";
    const char *mine = p->m->role == 1 ? client : server;
    const char *other = p->m->role == 1 ? server : client;
    const size_t n = strlen(p->self), tail = sizeof client - 1;
    struct command_text c;

    if (n > tail && strcmp(p->self + n - tail, mine) == 0)
        (void)snprintf(c.text, sizeof c.text, "%.*s%s",
                       (int)(n - tail < 100 ? n - tail : 100), p->self, other);
    else
        (void)snprintf(c.text, sizeof c.text, "%.100s%s",
                       (const char *)p->m->name, other);
    return c;
}

struct command_text
next_command(const struct program *p, enum verb v)
{
    struct command_text c;

    (void)snprintf(c.text, sizeof c.text, "%.140s %s",
                   p->has[v] ? p->self : other_half(p).text, verb_name(v));
    return c;
}
