/* The front end: CML text to IR. */
#ifndef CML_FRONTEND_FRONTEND_H
#define CML_FRONTEND_FRONTEND_H

#include "ir/ir.h"

struct fe_options {
    const char *folder;     /* of the model: data is read below it */
    const char *allow_path; /* and below this one, or NULL */
    bool library; /* a file of definitions will do: a function without ops */
};

/* The model's function; NULL after messages to dg.  What it imports is behind
 * dg->src then, all of it in mem. */
struct ir_func *fe_compile(struct arena *mem, struct diag *dg,
                           const struct fe_options *o);

/* The syntax tree as canonical CML; false after messages to dg. */
bool fe_print_ast(FILE *out, struct diag *dg);

/* The source in canonical layout, comments kept; to be freed.  NULL after
 * messages to dg. */
char *fe_format(struct diag *dg, size_t *len);

/* ---- views of a report, which is a JSON document (passes/report.h).  The
 * document may come from anybody's file: what is missing is shown as missing,
 * and no control character gets through. */
struct json;
void fe_report_text(FILE *out, const struct json *j);
void fe_report_html(FILE *out, const struct json *j);

/* Text to standard output, as it is if json; the page to html unless that is
 * NULL.  NULL, or what is wrong with the text; "" if the page cannot be written
 * and errno says why. */
const char *fe_report_show(struct arena *mem, const char *text, size_t len,
                           bool json, const char *html);

/* A section of an ELF file, where a program of cmlc carries its report; nothing
 * of the file is run.  In mem, with a NUL behind it; NULL if there is none, and
 * why. */
bool fe_elf_is(FILE *f);
const char *fe_elf_section(struct arena *mem, FILE *f, const char *name,
                           size_t *len, const char **why);

#endif
