/* Where rows come from: a file, standard input, or the argument itself. */
#define _POSIX_C_SOURCE 200809L

#include "runtime/table.h"

#include "runtime/serial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers, commas and semicolons, and no file of that name. */
static bool
is_literal(const char *what)
{
    return strspn(what, "0123456789+-.eE,; ") == strlen(what)
           && strpbrk(what, "0123456789") && access(what, F_OK) != 0;
}

static enum cml_status
from_literal(struct cml_rows *out, const char *what,
             const struct cml_columns *columns, struct cml_fault *f)
{
    struct cml_columns as_they_come = *columns;
    char *text = strdup(what);
    enum cml_status s;

    if (!text)
        return cmlrt_no_memory(f);
    for (char *p = text; *p; p++)
        if (*p == ';')
            *p = '\n';
    as_they_come.named = false;
    s = cml_csv_parse(out, text, strlen(text), "argument", &as_they_come, f);
    free(text);
    return s;
}

/* ---- arrays: the first dimension counts rows, the others together are the
 * columns; one dimension is one row of all columns, or rows of one column */

static const char *
fit(struct cml_rows *out, const struct cml_array *a, size_t all)
{
    out->rows = a->rank > 1 ? a->dims[0] : all / out->columns;
    if (out->rows * out->columns == all
        && (a->rank > 1 || out->columns == 1 || out->rows == 1))
        return NULL;
    return a->rank > 1 ? "rows of other length than the model's columns"
                       : "a single row of other length than the model's "
                         "columns";
}

static enum cml_status
check(const struct cml_rows *r, const char *file, const struct cml_columns *d,
      struct cml_fault *f)
{
    for (size_t i = 0; i < r->rows * r->columns; i++) {
        const struct cml_column *c = &d->at[i % r->columns];
        const double x = r->at[i];
        const char *wrong = NULL;

        if (!isfinite(x))
            wrong = "is not a finite number";
        else if (c->integer && x != floor(x))
            wrong = "is not an integer";
        if (wrong)
            return cmlrt_fail(f, CML_E_data, "%s: row %zu, column %.60s: %g %s",
                              file, i / r->columns + 1, c->name, x, wrong);
    }
    return CML_E_ok;
}

static enum cml_status
from_npy(struct cml_rows *out, const char *data, size_t bytes, const char *file,
         const struct cml_columns *columns, struct cml_fault *f)
{
    struct cml_array a;
    enum cml_status s = cml_npy_parse(&a, data, bytes, SIZE_MAX, file, f);
    const char *wrong;
    size_t all = 1;

    *out = (struct cml_rows){ 0, columns->count, NULL };
    if (s != CML_E_ok)
        return s;
    for (size_t i = 0; i < a.rank; i++)
        all *= a.dims[i];
    out->at = a.at;
    wrong = fit(out, &a, all);
    if (wrong)
        s = cmlrt_fail(f, CML_E_data, "%s: %s", file, wrong);
    else
        s = check(out, file, columns, f);
    if (s != CML_E_ok) {
        cmlrt_wipe(out->at, all * sizeof *out->at);
        free(out->at);
        out->at = NULL;
    }
    return s;
}

enum cml_status
cmlrt_rows_read(struct cml_rows *out, const char *what,
                const struct cml_columns *columns, struct cml_fault *f)
{
    const char *file = strcmp(what, "-") == 0 ? "standard input" : what;
    enum cml_status s;
    size_t bytes;
    char *data;

    if (is_literal(what))
        return from_literal(out, what, columns, f);
    s = cmlrt_read_file(&data, &bytes, what, f);
    if (s != CML_E_ok)
        return s;
    if (cml_npy_is(data, bytes))
        s = from_npy(out, data, bytes, file, columns, f);
    else
        s = cml_csv_parse(out, data, bytes, file, columns, f);
    cmlrt_wipe(data, bytes); /* rows may be secret */
    free(data);
    return s;
}
