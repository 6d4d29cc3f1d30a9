/* The report of a compiled model, schema cmlc.report/1 of lang-spec/schema:
 * what each op of the circuit costs and risks and why it is as wide as it is,
 * what the security rests on, and who learns what.
 *
 * It is collected while the pipeline runs: intervals and their reasons are
 * those of the integers, cost and noise those of the ciphertexts they became.
 */
#ifndef CML_PASSES_REPORT_H
#define CML_PASSES_REPORT_H

#include "ir/ir.h"

struct report;

struct report *report_new(struct arena *mem);
/* for pass_options: watch, and the report as arg */
void report_watch(const char *pass, const struct ir_func *before,
                  const struct ir_func *after, void *report);

/* f: the pipeline's result.  A client's report has no circuit: no ops, lines
 * or names of private values. */
enum report_of { REPORT_ALL, REPORT_CLIENT, REPORT_SERVER };
void report_write(FILE *out, const struct report *r, const struct ir_func *f,
                  const struct source *src, enum report_of of);

#endif
