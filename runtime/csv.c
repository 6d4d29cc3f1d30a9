/* CSV, RFC 4180: commas, quotes doubled within quotes, lines end in LF or CRLF.
 *
 * The first line names the columns, in any order; without names of its own a
 * model takes the columns as they come, with or without such a line.  Nothing
 * is guessed: a cell that is not a finite number, a row of another length, an
 * unknown, missing or doubled column is refused with its place.
 */
#include "runtime/fault.h"
#include "runtime/rt.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct csv {
    char *at, *end;
    const char *file, *line_start;
    unsigned long line;
    struct cml_fault *fault;
};

struct cell {
    char *text;
    size_t bytes;
    unsigned long line, column;
};

enum cell_end { MORE, ROW_END, BAD };

static enum cml_status
bad_place(const struct csv *c, unsigned long line, unsigned long column,
          const char *text, struct cmlrt_quoted q)
{
    return cmlrt_fail(c->fault, CML_E_data, "%s:%lu:%lu: %s%s%s%s", c->file,
                      line, column, text, *q.text ? " '" : "", q.text,
                      *q.text ? "'" : "");
}

static enum cml_status
bad_cell(const struct csv *c, const struct cell *cell, const char *text)
{
    return bad_place(c, cell->line, cell->column, text,
                     cmlrt_quote(cell->text, cell->bytes));
}

static enum cell_end
bad_here(const struct csv *c, const char *text)
{
    (void)bad_place(c, c->line, (unsigned long)(c->at - c->line_start) + 1,
                    text, cmlrt_quote("", 0));
    return BAD;
}

static bool
is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

static bool
at_row_end(const struct csv *c)
{
    return c->at == c->end || *c->at == '\n'
           || (*c->at == '\r' && c->end - c->at > 1 && c->at[1] == '\n');
}

static void
skip_row_end(struct csv *c)
{
    if (c->at < c->end && *c->at == '\r')
        c->at++;
    if (c->at < c->end) {
        c->at++;
        c->line++;
        c->line_start = c->at;
    }
}

/* Behind the opening quote; the text moves over its doubled quotes. */
static bool
quoted(struct csv *c, struct cell *out)
{
    char *to = c->at;

    out->text = c->at;
    for (; c->at < c->end; c->at++) {
        if (*c->at == '"') {
            if (c->end - c->at < 2 || c->at[1] != '"')
                break;
            c->at++;
        } else if (*c->at == '\n') {
            c->line++;
            c->line_start = c->at + 1;
        }
        *to++ = *c->at;
    }
    out->bytes = (size_t)(to - out->text);
    if (c->at == c->end)
        return false;
    c->at++;
    return true;
}

static enum cell_end
next_cell(struct csv *c, struct cell *out)
{
    while (c->at < c->end && is_blank(*c->at))
        c->at++;
    out->line = c->line;
    out->column = (unsigned long)(c->at - c->line_start) + 1;
    if (c->at < c->end && *c->at == '"') {
        c->at++;
        if (!quoted(c, out))
            return bad_here(c, "a quote is not closed");
        while (c->at < c->end && is_blank(*c->at))
            c->at++;
        if (!at_row_end(c) && *c->at != ',')
            return bad_here(c, "text behind a closing quote");
    } else {
        out->text = c->at;
        while (!at_row_end(c) && *c->at != ',')
            c->at++;
        out->bytes = (size_t)(c->at - out->text);
        while (out->bytes > 0 && is_blank(out->text[out->bytes - 1]))
            out->bytes--;
    }
    if (at_row_end(c)) {
        skip_row_end(c);
        return ROW_END;
    }
    c->at++; /* the comma */
    return MORE;
}

/* Only line ends and blanks to the end of the file. */
static bool
at_file_end(const struct csv *c)
{
    for (const char *p = c->at; p < c->end; p++)
        if (!is_blank(*p) && *p != '\r' && *p != '\n')
            return false;
    return true;
}

/* ---- cells */

static bool
equal(const struct cell *cell, const char *text)
{
    return strlen(text) == cell->bytes
           && memcmp(text, cell->text, cell->bytes) == 0;
}

/* Decimal numbers only: strtod alone would take hex, inf and nan. */
static bool
number(double *out, const struct cell *cell)
{
    char buffer[64], *end;

    if (cell->bytes == 0 || cell->bytes >= sizeof buffer)
        return false;
    memcpy(buffer, cell->text, cell->bytes);
    buffer[cell->bytes] = 0;
    if (strspn(buffer, "0123456789+-.eE") != cell->bytes)
        return false;
    *out = strtod(buffer, &end);
    return *end == 0;
}

static bool
is_missing(const struct cell *cell)
{
    static const char *const words[] = {
        "", "nan", "NaN", "NAN", "NA", "null"
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (equal(cell, words[i]))
            return true;
    return false;
}

static bool
label(double *out, const struct cell *cell, const struct cml_column *d)
{
    for (size_t i = 0; i < d->nlabels; i++)
        if (equal(cell, d->labels[i])) {
            *out = (double)i;
            return true;
        }
    return false;
}

static enum cml_status
value(double *out, const struct csv *c, const struct cell *cell,
      const struct cml_column *d)
{
    char text[128];

    if (label(out, cell, d))
        return CML_E_ok;
    if (is_missing(cell) && d->missing) {
        *out = (double)NAN;
        return CML_E_ok;
    }
    if (is_missing(cell))
        (void)snprintf(text, sizeof text, "column %.60s has no value", d->name);
    else if (!number(out, cell))
        (void)snprintf(text, sizeof text, "column %.60s: not a %s", d->name,
                       d->labels ? "label or number" : "number");
    else if (!isfinite(*out))
        (void)snprintf(text, sizeof text, "column %.60s: too large", d->name);
    else if (d->integer && *out != floor(*out))
        (void)snprintf(text, sizeof text, "column %.60s: not an integer",
                       d->name);
    else
        return CML_E_ok;
    return bad_cell(c, cell, text);
}

/* ---- the first line */

enum { SKIP = -1 };

/* of[i] is the column that the i-th cell of a line is, or SKIP */
struct map {
    int64_t *of;
    size_t cells;
};

static int64_t
column_called(const struct cml_columns *d, const struct cell *cell)
{
    for (size_t i = 0; i < d->count; i++)
        if (equal(cell, d->at[i].name))
            return (int64_t)i;
    return SKIP;
}

/* The cells of the first line, how many of them name columns, and whether all
 * could be values. */
struct first_line {
    struct cell *cell;
    size_t cells, known;
    bool values;
};

static bool
add_cell(struct first_line *l, const struct cell *cell)
{
    const size_t more = l->cells ? 2 * l->cells : 1;

    if ((l->cells & (l->cells - 1)) == 0) { /* a power of two: full */
        struct cell *p = realloc(l->cell, more * sizeof *p);

        if (!p)
            return false;
        l->cell = p;
    }
    l->cell[l->cells++] = *cell;
    return true;
}

static enum cml_status
read_first(struct first_line *l, struct csv *c, const struct cml_columns *d)
{
    enum cell_end end;

    l->values = true;
    do {
        struct cell cell;
        double x;

        end = next_cell(c, &cell);
        if (end == BAD)
            return CML_E_data;
        l->known += column_called(d, &cell) != SKIP;
        l->values =
            l->values
            && (number(&x, &cell)
                || (l->cells < d->count && label(&x, &cell, &d->at[l->cells])));
        if (!add_cell(l, &cell))
            return cmlrt_no_memory(c->fault);
    } while (end == MORE);
    return CML_E_ok;
}

static bool
seen(const struct map *m, size_t cells, int64_t column)
{
    for (size_t i = 0; i < cells; i++)
        if (m->of[i] == column)
            return true;
    return false;
}

static enum cml_status
missing_column(const struct csv *c, const struct cml_columns *d,
               const struct map *m)
{
    for (size_t i = 0; i < d->count; i++)
        if (!seen(m, m->cells, (int64_t)i))
            return bad_place(c, 1, 1, "no column is called",
                             cmlrt_quote(d->at[i].name, strlen(d->at[i].name)));
    return CML_E_ok;
}

static enum cml_status
by_name(struct map *m, const struct csv *c, const struct cml_columns *d,
        const struct first_line *l)
{
    for (size_t i = 0; i < m->cells; i++) {
        m->of[i] = column_called(d, &l->cell[i]);
        if (m->of[i] == SKIP && !d->loose)
            return bad_cell(c, &l->cell[i], "unknown column");
        if (m->of[i] != SKIP && seen(m, i, m->of[i]))
            return bad_cell(c, &l->cell[i], "second column of the name");
    }
    return d->loose ? CML_E_ok : missing_column(c, d, m);
}

static enum cml_status
by_position(struct map *m, const struct csv *c, const struct cml_columns *d)
{
    if (m->cells != d->count && !(d->loose && m->cells == 1))
        return cmlrt_fail(c->fault, CML_E_data,
                          "%s:1:1: %zu columns, the model has %zu", c->file,
                          m->cells, d->count);
    for (size_t i = 0; i < m->cells; i++)
        m->of[i] = (int64_t)i;
    return CML_E_ok;
}

static enum cml_status
choose(struct map *m, const struct csv *c, const struct cml_columns *d,
       const struct first_line *l)
{
    m->cells = l->cells;
    m->of = calloc(l->cells, sizeof *m->of);
    if (!m->of)
        return cmlrt_no_memory(c->fault);
    if (l->known > 0 || (d->named && !l->values))
        return by_name(m, c, d, l);
    if (d->named) {
        (void)cmlrt_fail(c->fault, CML_E_data,
                         "%s:1:1: the first line must name the columns",
                         c->file);
        cmlrt_help(c->fault, "the first column is called %.60s", d->at[0].name);
        return CML_E_data;
    }
    return by_position(m, c, d);
}

static enum cml_status
first_line(struct map *m, struct csv *c, const struct cml_columns *d)
{
    const struct csv start = *c;
    struct first_line l = { NULL, 0, 0, false };
    enum cml_status s = read_first(&l, c, d);

    if (s == CML_E_ok)
        s = choose(m, c, d, &l);
    if (s == CML_E_ok && l.known == 0 && l.values)
        *c = start; /* a row: its cells have no quotes to undo */
    free(l.cell);
    return s;
}

/* ---- rows */

static enum cml_status
read_row(double *row, struct csv *c, const struct cml_columns *d,
         const struct map *m)
{
    const unsigned long line = c->line;
    enum cell_end end = MORE;

    for (size_t i = 0; i < m->cells; i++) {
        struct cell cell;
        enum cml_status s = CML_E_ok;

        if (end == ROW_END)
            return cmlrt_fail(c->fault, CML_E_data,
                              "%s:%lu:1: %zu cells, not %zu", c->file, line, i,
                              m->cells);
        end = next_cell(c, &cell);
        if (end == BAD)
            return CML_E_data;
        if (m->of[i] != SKIP)
            s = value(row + m->of[i], c, &cell, &d->at[m->of[i]]);
        if (s != CML_E_ok)
            return s;
    }
    if (end == MORE)
        return cmlrt_fail(c->fault, CML_E_data, "%s:%lu:1: more than %zu cells",
                          c->file, line, m->cells);
    return CML_E_ok;
}

/* Room for one more row. */
static bool
grow(struct cml_rows *r, size_t *room)
{
    size_t more = *room ? 2 * *room : 16;
    double *p;

    if (r->rows < *room)
        return true;
    if (more > SIZE_MAX / sizeof *p / (r->columns + 1))
        return false;
    p = cmlrt_regrow(r->at, r->rows * r->columns * sizeof *p,
                     more * r->columns * sizeof *p);
    if (!p)
        return false;
    r->at = p;
    *room = more;
    return true;
}

static enum cml_status
read_rows(struct cml_rows *out, struct csv *c, const struct cml_columns *d,
          const struct map *m)
{
    size_t room = 0;

    while (!at_file_end(c)) {
        double *row;
        enum cml_status s;

        if (!grow(out, &room))
            return cmlrt_no_memory(c->fault);
        row = out->at + out->rows * out->columns;
        for (size_t i = 0; i < out->columns; i++)
            row[i] = (double)NAN;
        s = read_row(row, c, d, m);
        if (s != CML_E_ok) {
            cmlrt_wipe(row, out->columns * sizeof *row);
            return s;
        }
        out->rows++;
    }
    return CML_E_ok;
}

static struct csv
opened(char *text, size_t bytes, const char *file, struct cml_fault *f)
{
    const bool mark = bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    char *at = text + (mark ? 3 : 0);

    return (struct csv){ at, text + bytes, file, at, 1, f };
}

enum cml_status
cml_csv_parse(struct cml_rows *out, char *text, size_t bytes, const char *file,
              const struct cml_columns *columns, struct cml_fault *f)
{
    struct csv c = opened(text, bytes, file, f);
    struct map m = { NULL, 0 };
    enum cml_status s;

    *out = (struct cml_rows){ 0, columns->count, NULL };
    if (at_file_end(&c))
        return cmlrt_fail(f, CML_E_data, "%s: no rows", file);
    s = first_line(&m, &c, columns);
    if (s == CML_E_ok)
        s = read_rows(out, &c, columns, &m);
    free(m.of);
    if (s == CML_E_ok && out->rows == 0)
        s = cmlrt_fail(f, CML_E_data, "%s: no rows", file);
    if (s != CML_E_ok) {
        if (out->at)
            cmlrt_wipe(out->at, out->rows * out->columns * sizeof *out->at);
        free(out->at);
        out->at = NULL;
    }
    return s;
}

enum cml_status
cml_csv_header(char ***out, size_t *count, char *text, size_t bytes,
               const char *file, struct cml_fault *f)
{
    const struct cml_columns none = { NULL, 0, true, true };
    struct csv c = opened(text, bytes, file, f);
    struct first_line l = { NULL, 0, 0, false };
    enum cml_status s = CML_E_ok;

    if (at_file_end(&c))
        return cmlrt_fail(f, CML_E_data, "%s: no line with names", file);
    s = read_first(&l, &c, &none);
    *count = l.cells;
    *out = s == CML_E_ok ? calloc(l.cells + 1, sizeof **out) : NULL;
    if (s == CML_E_ok && !*out)
        s = cmlrt_no_memory(f);
    for (size_t i = 0; *out && i < l.cells; i++) {
        (*out)[i] = l.cell[i].text;
        l.cell[i].text[l.cell[i].bytes] = 0; /* a comma, quote or line end */
    }
    free(l.cell);
    return s;
}
