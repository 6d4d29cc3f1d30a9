/* Files that a model imports.
 *
 *     import "layers.cml";
 *
 * An import stands for the definitions of the file, once: who imports it again
 * sees the same ones.  A file is known by its canonical path, so that links are
 * no second copy.  Texts live as long as the function, since later passes speak
 * of places in them.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "frontend/inner.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 16 << 20, MAX_FILES = 64 };

struct fe_file {
    struct fe_file *next;
    struct source *src;
    struct span by;     /* the import that it was read for */
    const char *path;   /* canonical, or NULL: the model is no file */
    const char *folder; /* that its paths begin at */
    bool open;          /* its imports, or it, are being read */
};

/* a, or its first n bytes, then b */
static char *
join(struct arena *mem, const char *a, size_t n, const char *b)
{
    const size_t size = n + strlen(b) + 1;
    char *s = arena_new(mem, char, size);

    snprintf(s, size, "%.*s%s", (int)n, a, b);
    return s;
}

static struct fe_file *
add(struct fe *fe, struct source *src, const char *path)
{
    struct fe_file *f = arena_new(fe->scratch, struct fe_file, 1);

    fe->last_source = src;
    f->src = src;
    f->path = path;
    f->folder = fe->options->folder;
    f->open = true;
    f->next = fe->files;
    fe->files = f;
    return f;
}

void
fe_import_begin(struct fe *fe)
{
    struct source *first = arena_new(fe->mem, struct source, 1);
    const char *name, *path;
    char real[PATH_MAX];

    *first = *fe->diag->src; /* a copy, which more is put behind */
    fe->diag->src = first;
    name = src_base_name(first);
    path = join(fe->scratch, fe->options->folder, strlen(fe->options->folder),
                "/");
    path = join(fe->scratch, path, strlen(path), name);
    path = realpath(path, real);
    add(fe, first, path ? arena_string(fe->scratch, path, strlen(path)) : NULL);
}

const char *
fe_folder(const struct fe *fe, struct span at)
{
    const struct source *src = src_of(fe->diag->src, at.begin);
    const struct fe_file *f = fe->files;

    while (f && f->src != src)
        f = f->next;
    return f ? f->folder : fe->options->folder;
}

/* The text at a path, behind all others; named as who imports it has it. */
static struct source *
append(struct fe *fe, const struct ast *a, const char *text, size_t len)
{
    struct source *src = arena_new(fe->mem, struct source, 1);
    const struct source *by = src_of(fe->diag->src, a->at.begin);
    const size_t folder =
        *a->text == '/' ? 0 : (size_t)(src_base_name(by) - by->name);

    src->name = join(fe->mem, by->name, folder, a->text);
    src->text = arena_string(fe->mem, text, len);
    src->len = len;
    src->begin = fe->last_source->begin + (uint32_t)fe->last_source->len + 1;
    fe->last_source->more = src;
    return src;
}

static void
in_a_circle(struct fe *fe, const struct ast *a, const struct fe_file *f)
{
    diag_error(fe->diag, a->at, E_import, "%s imports itself",
               src_base_name(f->src));
    for (const struct fe_file *k = fe->files; k != f; k = k->next)
        if (k->open)
            diag_note(fe->diag, k->by, "by way of %s, which it imports here",
                      src_base_name(k->src));
}

static void
read_in(struct fe *fe, const struct ast *a, const struct source *src)
{
    const struct ast *file = fe_parse(fe->scratch, fe->diag, src);

    if (!file) {
        fe->stop = true;
    } else if (file->kind == AST_library) {
        fe_statements(fe, file);
    } else {
        diag_error(fe->diag, a->at, E_import,
                   "%s is a model, and what is imported holds definitions only",
                   a->text);
        fe->stop = true;
    }
}

void
fe_import(struct fe *fe, const struct ast *a)
{
    const char *path = NULL, *text, *slash;
    size_t len = 0, n = 0;
    struct fe_file *f;

    text = fe_read(fe, a, MAX_TEXT, &len, &path);
    fe->stop = fe->stop || !text;
    if (!text)
        return;
    for (f = fe->files; f; f = f->next, n++)
        if (f->path && strcmp(f->path, path) == 0)
            break;
    if (f && f->open)
        in_a_circle(fe, a, f);
    if (f)
        return;
    if (n > MAX_FILES) {
        diag_error(fe->diag, a->at, E_import,
                   "a model imports at most %d files", MAX_FILES);
        fe->stop = true;
        return;
    }
    slash = strrchr(path, '/');
    f = add(fe, append(fe, a, text, len), path);
    f->by = a->at;
    f->folder = join(fe->scratch, path, (size_t)(slash - path), "/");
    read_in(fe, a, f->src);
    f->open = false;
}
