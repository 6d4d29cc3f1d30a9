/* The runtime's public header: status codes, and the readers of rows and
 * arrays that the compiler and every emitted program share. */
#ifndef CML_RUNTIME_CML_H
#define CML_RUNTIME_CML_H

#include <stdbool.h>
#include <stddef.h>

enum cml_status {
#define S(name, exit, text) CML_E_##name,
#include "runtime/status.def"
    CML_NSTATUS
};

const char *cml_strstatus(enum cml_status s);
int cml_exit_code(enum cml_status s);

/* Bootstraps whose digits take at most so many bits, levels log2_base, have
 * accumulators of 32 bits; the noise model counts their rounding,
 * lang-spec/crypto.md (20). */
enum { CML_NARROW_BITS = 30 };

/* Coefficients of a leaf of a forest, and GGSWs on a path, at most. */
enum { CML_MAX_COEFS = 64, CML_MAX_DEPTH = 63 };

/* What went wrong, in words: functions that read fill one of these and return
 * a status; only main prints. */
struct cml_fault {
    char text[1024]; /* may have further lines, indented */
    char help[256];  /* what to do, or empty */
};

/* ---- npy.c: arrays of numpy, format 1.0 to 3.0, in C order */
enum { CML_MAX_RANK = 8 };

struct cml_array {
    size_t rank, dims[CML_MAX_RANK];
    bool integer; /* the element type has no fractions */
    double *at;   /* free it; integers beyond 2^53 are refused */
};

bool cml_npy_is(const char *data, size_t bytes);
/* file: its name in messages */
enum cml_status cml_npy_parse(struct cml_array *out, const char *data,
                              size_t bytes, const char *file,
                              struct cml_fault *f);

/* ---- csv.c: tables of numbers, RFC 4180 */
struct cml_column {
    const char *name;
    const char *const *labels; /* NULL, or cells may be these: their index */
    size_t nlabels;
    bool integer; /* refuses fractions */
    bool missing; /* an empty cell, or one without a value, is NaN */
};

struct cml_columns {
    const struct cml_column *at;
    size_t count;
    bool named; /* a CSV must have the names in its first line */
    bool loose; /* other columns are skipped, missing ones become NaN */
};

/* rows * columns values, row after row; free at */
struct cml_rows {
    size_t rows, columns;
    double *at;
};

/* text is changed; file is its name in messages */
enum cml_status cml_csv_parse(struct cml_rows *out, char *text, size_t bytes,
                              const char *file,
                              const struct cml_columns *columns,
                              struct cml_fault *f);

/* The cells of the first line; free *out, which points into text. */
enum cml_status cml_csv_header(char ***out, size_t *count, char *text,
                               size_t bytes, const char *file,
                               struct cml_fault *f);

#endif
