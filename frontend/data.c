/* Values from files.
 *
 * A path is relative to the model's folder and may not leave it, whatever links
 * are on the way, but for the folder that the command line allows.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "frontend/inner.h"
#include "frontend/sources.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILE = 1 << 30 };

/* Functions that read a file as an array. */
static const struct source_form {
    const char *name;
    fe_reader *read; /* NULL: csv */
    bool named;      /* a second string says which array */
} forms[] = {
    { "csv", NULL, false },
    { "idx", fe_read_idx, false },
    { "npy", fe_read_npy, false },
    { "npz", fe_read_npz, true },
    { "safetensors", fe_read_safetensors, true },
};

static const struct source_form *
form_of(const struct ast *a)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (a->kind == AST_call && strcmp(a->text, forms[i].name) == 0)
            return &forms[i];
    return NULL;
}

bool
fe_is_file(const struct ast *a)
{
    return form_of(a) != NULL;
}

/* ---- reading */

/* Whether a canonical path is below a folder. */
static bool
below(const char *path, const char *folder)
{
    char real[PATH_MAX];
    size_t n;

    if (!folder || !realpath(folder, real))
        return false;
    n = strlen(real);
    return strncmp(path, real, n) == 0
           && (path[n] == '/' || real[n - 1] == '/');
}

static const char *
resolved(struct fe *fe, const struct ast *a)
{
    const char *name = a->text, *folder = fe_folder(fe, a->at);
    const size_t n = strlen(folder) + strlen(name) + 2;
    char *path = arena_new(fe->scratch, char, n);
    char real[PATH_MAX];

    snprintf(path, n, *name == '/' ? "%s%s" : "%s/%s",
             *name == '/' ? "" : folder, name);
    if (!realpath(path, real)) {
        diag_error(fe->diag, a->at, E_file, "cannot read %s: %s", name,
                   strerror(errno));
        return NULL;
    }
    if (below(real, fe->options->folder)
        || below(real, fe->options->allow_path))
        return arena_string(fe->scratch, real, strlen(real));
    diag_error(fe->diag, a->at, E_outside,
               "%s is outside the folder of the model", name);
    diag_help(fe->diag, "--allow-path=DIR allows one more folder");
    return NULL;
}

struct bytes {
    char *at; /* and a NUL behind; NULL after messages */
    size_t n;
};

static struct bytes
slurp(struct fe *fe, const struct ast *a, FILE *f, size_t most)
{
    struct bytes b = { NULL, 0 };
    struct stat st;

    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        diag_error(fe->diag, a->at, E_file, "%s is no regular file", a->text);
        return b;
    }
    if ((uintmax_t)st.st_size > most) {
        diag_error(fe->diag, a->at, E_file, "%s has more than %zu MiB", a->text,
                   most >> 20);
        return b;
    }
    b.at = arena_new(fe->scratch, char, (size_t)st.st_size + 1);
    b.n = fread(b.at, 1, (size_t)st.st_size, f);
    if (!ferror(f))
        return b;
    diag_error(fe->diag, a->at, E_file, "cannot read %s: %s", a->text,
               strerror(errno));
    return (struct bytes){ NULL, 0 };
}

char *
fe_read(struct fe *fe, const struct ast *a, size_t most, size_t *n,
        const char **path)
{
    struct bytes b = { NULL, 0 };
    FILE *f;

    *path = resolved(fe, a);
    if (!*path)
        return NULL;
    f = fopen(*path, "rb");
    if (f) {
        b = slurp(fe, a, f, most);
        fclose(f);
    } else {
        diag_error(fe->diag, a->at, E_file, "cannot read %s: %s", a->text,
                   strerror(errno));
    }
    *n = b.n;
    return b.at;
}

/* The argument that names the file; of some forms a second names the array. */
static const struct ast *
file_argument(struct fe *fe, const struct ast *call)
{
    const struct source_form *form = form_of(call);
    const bool named = form && form->named;
    const struct ast *a = call->kid, *b = a ? a->next : NULL;

    if (a && a->kind == AST_string && !b == !named
        && (!b || (b->kind == AST_string && !b->next)))
        return a;
    diag_error(fe->diag, call->at, E_arguments,
               named ? "%s takes the names of a file and of an array in it, "
                       "in quotes"
                     : "%s takes the name of a file in quotes",
               call->text);
    return NULL;
}

char *
fe_contents(struct fe *fe, const struct ast *call, size_t *n)
{
    const struct ast *a = file_argument(fe, call);
    const char *path;

    *n = 0;
    return a ? fe_read(fe, a, MAX_FILE, n, &path) : NULL;
}

/* The file that a call names. */
static struct bytes
contents(struct fe *fe, const struct ast *call)
{
    struct bytes b;

    b.at = fe_contents(fe, call, &b.n);
    return b;
}

static const char *
file_name(const struct ast *call)
{
    return call->kid->text;
}

static void
complain(struct fe *fe, const struct ast *call, const struct cml_fault *f)
{
    diag_error(fe->diag, call->at, E_data, "%s", f->text);
    if (*f->help)
        diag_help(fe->diag, "%s", f->help);
}

/* ---- arrays */

/* "element [2, 0]" */
struct place_text {
    char text[96];
};

static struct place_text
place(const struct ir_type *t, size_t i)
{
    struct place_text p = { "the number" };
    size_t len = 0, inner = ir_count(t);

    if (t->rank > 0)
        len = (size_t)snprintf(p.text, sizeof p.text, "element ");
    for (size_t d = 0; d < t->rank; d++) {
        inner /= t->dim[d];
        len += (size_t)snprintf(p.text + len, sizeof p.text - len, "%s%zu%s",
                                d ? ", " : "[", i / inner,
                                d + 1 == t->rank ? "]" : "");
        i %= inner;
    }
    return p;
}

/* any: numbers that are not finite are for the caller to judge */
static struct fe_constant
cells(struct fe *fe, const struct ast *call, const double *x,
      const struct ir_type *t, bool any)
{
    struct fe_constant c = { .type = *t };
    union ir_cell *cell = arena_new(fe->scratch, union ir_cell, ir_count(t));

    for (size_t i = 0; i < ir_count(t); i++) {
        if (!any && !isfinite(x[i])) {
            diag_error(fe->diag, call->at, E_data_value,
                       "%s: %s is not a finite number", file_name(call),
                       place(t, i).text);
            return c;
        }
        if (t->base == IR_REAL)
            cell[i].r = x[i];
        else
            cell[i].i = (int64_t)x[i];
    }
    c.cell = cell;
    return c;
}

static bool
shape_of(struct ir_type *t, const struct cml_array *a)
{
    uint64_t n = 1;

    if (a->rank > IR_MAX_RANK)
        return false;
    *t = ir_type_of(a->integer ? IR_INT : IR_REAL, 0, NULL);
    t->rank = (uint8_t)a->rank;
    for (size_t i = 0; i < a->rank; i++) {
        n *= a->dims[i];
        if (n > FE_MAX_ELEMENTS)
            return false;
        t->dim[i] = (uint32_t)a->dims[i];
    }
    return true;
}

static struct fe_constant
from_array(struct fe *fe, const struct ast *call, struct bytes b, bool any)
{
    const struct ast *name = call->kid->next;
    struct fe_constant c = { 0 };
    struct cml_fault fault;
    struct cml_array a = { 0 };
    const struct fe_reading r = { .at = b.at,
                                  .n = b.n,
                                  .file = file_name(call),
                                  .name = name ? name->text : NULL,
                                  .most = FE_MAX_ELEMENTS,
                                  .scratch = fe->scratch,
                                  .fault = &fault };
    struct ir_type t;

    if (!form_of(call)->read(&a, &r)) {
        complain(fe, call, &fault);
        return c;
    }
    if (shape_of(&t, &a))
        c = cells(fe, call, a.at, &t, any);
    else
        diag_error(fe->diag, call->at, E_too_large,
                   "%s has more than 2^26 elements or six axes",
                   file_name(call));
    free(a.at);
    return c;
}

/* Columns that are called as given, or #1, #2, ..: no number, which a first
 * line of numbers could be taken to name. */
static struct cml_column *
numbered(struct fe *fe, size_t n, const char *const *names)
{
    struct cml_column *c = arena_new(fe->scratch, struct cml_column, n + 1);

    for (size_t i = 0; i < n; i++) {
        char text[24];

        snprintf(text, sizeof text, "#%zu", i + 1);
        c[i].name =
            names ? names[i] : arena_string(fe->scratch, text, strlen(text));
    }
    return c;
}

/* As many columns as the first line has cells. */
static struct fe_constant
from_csv(struct fe *fe, const struct ast *call, struct bytes b)
{
    char *copy = arena_string(fe->scratch, b.at, b.n), **head = NULL;
    struct cml_rows r = { 0, 0, NULL };
    struct fe_constant c = { 0 };
    struct cml_columns columns = { 0 };
    struct cml_fault fault;
    enum cml_status s = cml_csv_header(&head, &columns.count, copy, b.n,
                                       file_name(call), &fault);

    free(head);
    if (s == CML_E_ok) {
        columns.at = numbered(fe, columns.count, NULL);
        s = cml_csv_parse(&r, b.at, b.n, file_name(call), &columns, &fault);
    }
    if (s != CML_E_ok) {
        complain(fe, call, &fault);
    } else if (r.rows > FE_MAX_ELEMENTS / r.columns) {
        diag_error(fe->diag, call->at, E_too_large,
                   "%s has more than 2^26 elements", file_name(call));
    } else {
        const uint32_t dim[] = { (uint32_t)r.rows, (uint32_t)r.columns };
        const struct ir_type t = ir_type_of(IR_REAL, 2, dim);

        c = cells(fe, call, r.at, &t, false);
    }
    free(r.at);
    return c;
}

/* A table of one row or one column may be declared as a vector. */
static void
as_vector(struct fe_constant *c, const struct ir_type *want)
{
    if (want && want->rank == 1 && c->type.rank == 2
        && (c->type.dim[0] == 1 || c->type.dim[1] == 1)
        && ir_count(&c->type) == want->dim[0]) {
        c->type.rank = 1;
        c->type.dim[0] = want->dim[0];
    }
}

struct fe_constant
fe_file(struct fe *fe, const struct ast *call, const struct ir_type *want)
{
    const struct bytes b = contents(fe, call);
    struct fe_constant c = { 0 };

    if (!b.at)
        return c;
    if (form_of(call)->read)
        return from_array(fe, call, b, false);
    c = from_csv(fe, call, b);
    if (c.cell)
        as_vector(&c, want);
    return c;
}

/* ---- strings */

static const char *const *
header(struct fe *fe, const struct ast *call, uint32_t *count)
{
    const struct bytes b = contents(fe, call);
    struct cml_fault fault;
    char **cell;
    const char **own;
    size_t n;

    if (!b.at)
        return NULL;
    if (cml_csv_header(&cell, &n, b.at, b.n, file_name(call), &fault)
        != CML_E_ok) {
        complain(fe, call, &fault);
        return NULL;
    }
    own = arena_new(fe->scratch, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        own[i] = cell[i];
    free(cell);
    *count = (uint32_t)n;
    return own;
}

const char *const *
fe_strings(struct fe *fe, const struct ast *a, uint32_t *count)
{
    const char **own;
    size_t i = 0;

    if (a->kind == AST_call) {
        if (strcmp(a->text, "csv_header") == 0)
            return header(fe, a, count);
        diag_error(fe->diag, a->at, E_unknown_name,
                   "names come from a list or csv_header, not from '%s'",
                   a->text);
        return NULL;
    }
    own = arena_new(fe->scratch, const char *, ast_kids(a));
    for (const struct ast *k = a->kid; k; k = k->next) {
        if (k->kind != AST_string) {
            diag_error(fe->diag, k->at, E_type, "a string stands here");
            return NULL;
        }
        own[i++] = k->text;
    }
    *count = (uint32_t)i;
    return own;
}

/* ---- rows */

/* Columns that the file lacks are NaN, in every row. */
static bool
all_there(struct fe *fe, const struct ast *call, const struct cml_rows *r,
          const char *const *names)
{
    for (size_t i = 0; i < r->columns; i++) {
        size_t row = 0;

        while (row < r->rows && isnan(r->at[row * r->columns + i]))
            row++;
        if (row == r->rows) {
            diag_error(fe->diag, call->at, E_data,
                       "%s: no column is called '%s'", file_name(call),
                       names[i]);
            return false;
        }
    }
    return true;
}

static struct fe_rows
rows_of_csv(struct fe *fe, const struct ast *call, struct bytes b,
            struct fe_rows want, const char *const *names)
{
    struct cml_column *column = numbered(fe, want.columns, names);
    const struct cml_columns columns = { column, want.columns, false, true };
    struct cml_rows r = { 0, 0, NULL };
    struct cml_fault fault;

    for (size_t i = 0; i < want.columns; i++)
        column[i].missing = fe->missing;
    if (cml_csv_parse(&r, b.at, b.n, file_name(call), &columns, &fault)
        != CML_E_ok) {
        complain(fe, call, &fault);
        return want;
    }
    if (all_there(fe, call, &r, names)) {
        double *own = arena_new(fe->scratch, double, r.rows *r.columns);

        memcpy(own, r.at, r.rows * r.columns * sizeof *own);
        want.rows = r.rows;
        want.at = own;
    }
    free(r.at);
    return want;
}

/* Numbers are finite; not-a-number is a missing value, where there may be. */
static bool
are_values(struct fe *fe, const struct ast *call, const struct fe_rows *r,
           double *x, const char *const *names)
{
    for (size_t i = 0; i < r->rows * r->columns; i++) {
        if (isnan(x[i]) && fe->missing)
            x[i] = (double)NAN; /* one of them, whatever the file's bits */
        if (isfinite(x[i]) || (isnan(x[i]) && fe->missing))
            continue;
        diag_error(
            fe->diag, call->at, E_data_value,
            "%s: row %zu, column %zu ('%s') %s", file_name(call),
            i / r->columns + 1, i % r->columns + 1, names[i % r->columns],
            isnan(x[i]) ? "has no value: it is not a number" : "is infinite");
        if (isnan(x[i]))
            diag_help(fe->diag, "leave such rows out, or write 'missing "
                                "allowed;' if inputs may be missing");
        return false;
    }
    return true;
}

struct fe_rows
fe_rows(struct fe *fe, const struct ast *call, size_t columns,
        const char *const *names)
{
    struct fe_rows r = { 0, columns, NULL };
    const struct bytes b = contents(fe, call);
    struct fe_constant c;
    double *own;

    if (!b.at || columns == 0)
        return r;
    if (!form_of(call)->read)
        return rows_of_csv(fe, call, b, r, names);
    c = from_array(fe, call, b, true);
    if (!c.cell)
        return r;
    if (c.type.rank < 1 || ir_count(&c.type) != c.type.dim[0] * columns) {
        diag_error(fe->diag, call->at, E_data_shape,
                   "%s holds %s, the inputs have %zu elements a row",
                   file_name(call), fe_type_text(fe, &c.type), columns);
        return r;
    }
    own = arena_new(fe->scratch, double, ir_count(&c.type));
    for (size_t i = 0; i < ir_count(&c.type); i++)
        own[i] = c.type.base == IR_REAL ? c.cell[i].r : (double)c.cell[i].i;
    r.rows = c.type.dim[0];
    if (are_values(fe, call, &r, own, names))
        r.at = own;
    return r;
}
