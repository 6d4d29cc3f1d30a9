/* Rows of numbers from a CSV file, an .npy file or an argument. */
#ifndef CML_RUNTIME_TABLE_H
#define CML_RUNTIME_TABLE_H

#include "runtime/fault.h"

/* what: a path, "-" for standard input, or the numbers themselves as in
 * '5.1,3.5;4.9,3'.  The content tells an .npy from a CSV file. */
enum cml_status cmlrt_rows_read(struct cml_rows *out, const char *what,
                                const struct cml_columns *columns,
                                struct cml_fault *f);

#endif
