/* Arrays in the bytes of a file: one reader a form.
 *
 *     source_npz.c          arrays of numpy (runtime/npy.c), and a zip of them
 *     source_safetensors.c  tensors behind a JSON header
 *     source_idx.c          the form of MNIST, plain or gzip
 *     source_element.c             the types of numbers of the last two
 *
 * The bytes may be anybody's: sizes are compared with what is there and with
 * the limit before memory is asked for.
 */
#ifndef CML_FRONTEND_SOURCES_H
#define CML_FRONTEND_SOURCES_H

#include "ir/arena.h"
#include "ir/diag.h"
#include "runtime/cml.h"

struct fe_reading {
    const char *at; /* the file */
    size_t n;
    const char *file; /* its name in messages */
    const char *name; /* of the array in it, or NULL */
    size_t most;      /* elements that an array may have */
    struct arena *scratch;
    struct cml_fault *fault;
};

/* False after filling r->fault; free out->at. */
typedef bool fe_reader(struct cml_array *out, const struct fe_reading *r);

fe_reader fe_read_npy, fe_read_npz, fe_read_safetensors, fe_read_idx;

/* Fills r->fault with "FILE: text", or "FILE: byte N: text"; false. */
bool fe_bad_file(const struct fe_reading *r, const char *fmt, ...)
    CML_PRINTF(2, 3);
bool fe_bad_byte(const struct fe_reading *r, size_t byte, const char *fmt, ...)
    CML_PRINTF(3, 4);

/* ---- source_element.c */
struct fe_element;

/* by the name that safetensors gives it, or the code of idx; NULL: unknown */
const struct fe_element *fe_element_named(const char *name);
const struct fe_element *fe_element_coded(unsigned code);
size_t fe_element_bytes(const struct fe_element *e);

/* How many elements the shape has: some, and no more than the limit. */
bool fe_array_count(size_t *count, const struct cml_array *a,
                    const struct fe_reading *r);
/* room for them */
void fe_array_open(struct cml_array *out, size_t count,
                   const struct fe_element *e);
/* n elements from bytes; an integer beyond 2^53 is refused */
bool fe_array_fill(double *out, const unsigned char *bytes, size_t n,
                   const struct fe_element *e, bool big_endian,
                   const struct fe_reading *r);
/* frees what a failed reader leaves; false */
bool fe_array_drop(struct cml_array *out);

#endif
