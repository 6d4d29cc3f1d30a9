/* Shared by the files of the report. */
#ifndef CML_PASSES_REPORT_INNER_H
#define CML_PASSES_REPORT_INNER_H

#include "ir/json.h"
#include "passes/account.h"
#include "passes/report.h"

struct report_reason {
    const struct report_reason *next;
    struct span at;
    const char *text;
};

/* An op of the circuit of integers. */
struct report_row {
    enum ir_op op;
    bool shown;
    struct span at;
    struct ir_type type;
    unsigned table_bits; /* of a lut, else 0 */
    const struct report_reason *why;
    struct report_reason *last; /* of why */
};

struct report {
    struct arena *mem;
    struct report_row *row; /* by op of the function after `clean` */
    uint32_t n;
    const struct account *account; /* by row, after `params` */
    const char **param;            /* declared names, ended by NULL */
    const char **constant;
};

/* report_ends.c: inputs, outputs, who learns what */
void report_inputs(struct json_out *o, const struct ir_func *f);
void report_learns(struct json_out *o, const struct report *r,
                   const struct ir_func *f, bool client);
void report_outputs(struct json_out *o, const struct ir_func *f);
void report_shape(struct json_out *o, const struct ir_type *t);

#endif
