/* Any bytes as a file of data: every reader takes them.
 *
 * Nothing crashes, leaks or asks for much memory; what is accepted has the
 * elements that its shape says, and all of them can be read; a refusal has a
 * message.  Built with clang and CML_FUZZ this is a libFuzzer target, otherwise
 * it replays files.
 */
#include "frontend/sources.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double sink;

static void
use(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sink = x[i];
}

static void
try_reader(fe_reader *read, const char *name, const char *at, size_t size)
{
    struct arena mem = { 0 };
    struct cml_fault fault = { "", "" };
    struct cml_array a = { 0 };
    const struct fe_reading r = { at, size, "fuzz", name, MOST, &mem, &fault };
    size_t n;

    if (!read(&a, &r)) {
        if (!fault.text[0] || a.at)
            abort();
    } else if (a.rank > CML_MAX_RANK || !fe_array_count(&n, &a, &r)) {
        abort();
    } else {
        use(a.at, n);
    }
    free(a.at);
    arena_free(&mem);
}

static void
try_table(const char *text, size_t size, bool loose)
{
    static const struct cml_column column[] = {
        { .name = "a" }, { .name = "b", .integer = true }
    };
    const struct cml_columns columns = { column, 2, loose, loose };
    struct cml_fault fault = { "", "" };
    struct cml_rows rows;
    char *copy = malloc(size + 1);

    if (!copy)
        abort();
    memcpy(copy, text, size + 1);
    if (cml_csv_parse(&rows, copy, size, "fuzz", &columns, &fault) == CML_E_ok)
        use(rows.at, rows.rows * rows.columns);
    else if (!fault.text[0] || rows.at)
        abort();
    free(rows.at);
    free(copy);
}

static void
try_header(const char *text, size_t size)
{
    struct cml_fault fault = { "", "" };
    char *copy = malloc(size + 1), **cell = NULL;
    size_t n = 0, all = 0;

    if (!copy)
        abort();
    memcpy(copy, text, size + 1);
    if (cml_csv_header(&cell, &n, copy, size, "fuzz", &fault) == CML_E_ok)
        for (size_t i = 0; i < n; i++)
            all += strlen(cell[i]);
    else if (!fault.text[0])
        abort();
    sink = (double)all;
    free(cell);
    free(copy);
}

static void
try_npy(const char *text, size_t size)
{
    try_reader(fe_read_npy, NULL, text, size);
}

static void
try_npz(const char *text, size_t size)
{
    try_reader(fe_read_npz, "w", text, size);
}

static void
try_safetensors(const char *text, size_t size)
{
    try_reader(fe_read_safetensors, "w", text, size);
}

static void
try_idx(const char *text, size_t size)
{
    try_reader(fe_read_idx, NULL, text, size);
}

static void
try_csv(const char *text, size_t size)
{
    try_table(text, size, false);
    try_table(text, size, true);
    try_header(text, size);
}

/* CML_READER=npz fuzzes that one. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const char *name;
        void (*run)(const char *text, size_t size);
    } readers[] = { { "npy", try_npy },
                    { "npz", try_npz },
                    { "safetensors", try_safetensors },
                    { "idx", try_idx },
                    { "csv", try_csv } };
    const char *only = getenv("CML_READER");
    char *text = malloc(size + 1);

    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (!only || strcmp(only, readers[i].name) == 0)
            readers[i].run(text, size);
    free(text);
    return 0;
}
