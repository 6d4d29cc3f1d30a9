/* Shared by the files of the front end.
 *
 *     lexer.re grammar.y   text -> syntax tree
 *     compile.c            statements: names, declarations, outputs
 *     expr.c builtin.c index.c constant.c
 *                          expressions -> operations
 *     data.c               values from files
 *     settings.c           quantize { } and target { }
 */
#ifndef CML_FRONTEND_INNER_H
#define CML_FRONTEND_INNER_H

#include "frontend/ast.h"
#include "frontend/frontend.h"

/* ---- lexer.re, grammar.y */
struct parser {
    const char *base, *cur, *end; /* *end is 0 */
    struct diag *diag;
    struct arena *mem;
    struct ast *model;
    bool stop;  /* the rest is not read, and no message says so */
    bool quiet; /* to the end of the statement: its mistake has been told */
    bool after; /* the token before ended a statement */
};

/* NULL after messages */
struct ast *fe_parse(struct arena *mem, struct diag *dg);

/* ---- compile.c */
enum fe_kind { FE_VALUE, FE_CONST, FE_PARAM, FE_FN, FE_FOREST };

/* A name: a value in the function, a constant by its blob, or a fn. */
struct fe_name {
    const struct fe_name *next;
    const char *text;
    struct span at;
    enum fe_kind kind;
    const struct ir_func *of;   /* the function that value belongs to */
    ir_ref value;               /* FE_VALUE */
    const struct ir_blob *blob; /* FE_CONST, FE_PARAM; NULL: it was wrong */
    const struct ast *fn;
    const struct fe_forest *forest; /* NULL: it was wrong */
};

struct fe {
    struct arena *mem;     /* of the function */
    struct arena *scratch; /* of the tree and of what is forgotten */
    struct diag *diag;
    const struct fe_options *options;
    struct ir_func *f; /* that operations are added to */
    /* the initialiser of a const (FE_CONST) or a param is being computed: f is
     * a function of constants only; FE_VALUE otherwise */
    enum fe_kind computing;
    const struct fe_name *names;
    const char *calling; /* the fn whose body is being lowered */
    uint32_t depth;      /* of expressions, through the fn */
};

/* What a wrong expression stands for: silent wherever it is used. */
#define FE_NONE ((ir_ref){ UINT32_MAX })

static inline bool
fe_is_none(ir_ref v)
{
    return v.id == UINT32_MAX;
}

const struct fe_name *fe_find(const struct fe *fe, const char *text);
struct fe_name *fe_define(struct fe *fe, struct span at, const char *text);

enum { FE_MAX_ELEMENTS = 1 << 26, FE_MAX_OPS = 1 << 20, FE_MAX_DEPTH = 2000 };

/* ---- suggest.c: the nearest of several candidates to a word */
void fe_nearest(const char **best, size_t *least, const char *word,
                const char *candidate);
/* the same of all names, as a help line */
void fe_suggest(struct fe *fe, const char *word);

/* ---- expr.c */
ir_ref fe_expr(struct fe *fe, const struct ast *a);
/* one more operation; FE_NONE after the message that it does not fit */
ir_ref fe_build(struct fe *fe, enum ir_op op, struct span at, const ir_ref *in,
                size_t nin, const union ir_attrs *as);
ir_ref fe_build_typed(struct fe *fe, enum ir_op op, struct span at, ir_ref in,
                      const union ir_attrs *as, const struct ir_type *type);
const struct ir_type *fe_type(const struct fe *fe, ir_ref v);
ir_ref fe_real(struct fe *fe, struct span at, ir_ref v);
/* both as reals, if one of them is */
void fe_join(struct fe *fe, struct span at, ir_ref *a, ir_ref *b);
ir_ref fe_reshape(struct fe *fe, struct span at, ir_ref v, size_t rank,
                  const uint32_t *dim);
/* a private constant */
ir_ref fe_literal(struct fe *fe, struct span at, const struct ir_type *type,
                  const union ir_cell *cell);

/* ---- builtin.c, index.c */
ir_ref fe_call(struct fe *fe, const struct ast *a);
ir_ref fe_index(struct fe *fe, const struct ast *a);
/* elements of v by position; dims of the result */
ir_ref fe_gather(struct fe *fe, struct span at, ir_ref v,
                 const struct ir_type *shape, const union ir_cell *index);
bool fe_is_builtin(const char *name);

/* ---- constant.c: what must be known now */
struct fe_constant {
    struct ir_type type;
    const union ir_cell *cell; /* NULL after messages */
};
/* a const or param initialiser, computed; kind says which */
struct fe_constant fe_constant(struct fe *fe, const struct ast *a,
                               enum fe_kind kind);
/* a public number */
bool fe_number(struct fe *fe, const struct ast *a, double *out);
bool fe_integer(struct fe *fe, const struct ast *a, int64_t lo, int64_t hi,
                int64_t *out);
/* `real[2,3]`, `u4`; the range of an integer type is set */
bool fe_read_type(struct fe *fe, const struct ast *a, struct ir_type *out);
/* cells as `want` (base, shape; range of integers), or a message */
bool fe_fit(struct fe *fe, struct span at, struct fe_constant *c,
            const struct ir_type *want);
/* for messages: "real[2, 3]" */
const char *fe_type_text(struct fe *fe, const struct ir_type *t);

/* ---- data.c */
/* whether a call is of a function that reads a file as an array */
bool fe_is_file(const struct ast *a);
/* npy("F"), csv("F"); want: what is declared, or NULL */
struct fe_constant fe_file(struct fe *fe, const struct ast *call,
                           const struct ir_type *want);
/* ["a", "b"] or csv_header("F"): strings, or NULL after messages */
const char *const *fe_strings(struct fe *fe, const struct ast *a,
                              uint32_t *count);
/* rows of numbers for calibration; columns by name if the names are known */
struct fe_rows {
    size_t rows, columns;
    const double *at; /* NULL after messages */
};
struct fe_rows fe_rows(struct fe *fe, const struct ast *call, size_t columns,
                       const char *const *names);

/* the file that the only argument of a call names, and a NUL; NULL after
 * messages */
const char *fe_contents(struct fe *fe, const struct ast *call, size_t *n);

/* ---- forest.c */
bool fe_is_forest(const struct ast *type);
/* xgboost("F") and others; NULL after messages */
const struct fe_forest *fe_forest_read(struct fe *fe, const struct ast *call,
                                       enum ir_blob_kind kind);
ir_ref fe_forest_call(struct fe *fe, const struct ast *a,
                      const struct fe_name *n);

/* ---- choice.c */
ir_ref fe_choice(struct fe *fe, const struct ast *a);

/* ---- settings.c */
void fe_quantize(struct fe *fe, const struct ast *a);
void fe_target(struct fe *fe, const struct ast *a);

#endif
