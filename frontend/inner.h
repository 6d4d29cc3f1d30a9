/* Shared by the files of the front end.
 *
 *     lexer.re grammar.y   text -> syntax tree
 *     compile.c            statements: names, declarations, outputs
 *     import.c             other files
 *     steps.c              let, var, assignment, for; fn, which is written out
 *     expr.c operators.c builtin.c index.c bits.c constant.c
 *     shape.c window.c sort.c   functions of tensors
 *                          expressions -> operations
 *     library.c            functions of the language that are written in it
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
    uint32_t first;               /* the place of base */
    struct diag *diag;
    struct arena *mem;
    struct ast *model;
    bool stop;  /* the rest is not read, and no message says so */
    bool quiet; /* to the end of the statement: its mistake has been told */
    bool after; /* the token before ended a statement */
};

/* one of the files of dg->src; NULL after messages */
struct ast *fe_parse(struct arena *mem, struct diag *dg,
                     const struct source *src);

/* ---- compile.c */
enum fe_kind { FE_VALUE, FE_CONST, FE_PARAM, FE_FN, FE_FOREST };

/* A name: a value in the function, a constant by its blob, or a fn. */
struct fe_name {
    struct fe_name *next;
    const char *text;
    struct span at;
    enum fe_kind kind;
    const struct ir_func *of;   /* the function that value belongs to */
    ir_ref value;               /* FE_VALUE */
    const struct ir_blob *blob; /* FE_CONST, FE_PARAM; NULL: it was wrong */
    const struct ast *fn;
    const struct fe_forest *forest; /* NULL: it was wrong */
    bool library;           /* a fn of the language: its literals are public */
    const struct ast *type; /* of a var, as declared; NULL: it is none */
};

struct fe {
    struct arena *mem;     /* of the function */
    struct arena *scratch; /* of the tree and of what is forgotten */
    struct diag *diag;
    const struct fe_options *options;
    struct ir_func *model;
    const struct ast *file; /* of the model */
    struct ir_func *f;      /* that operations are added to: the model, or */
    /* the initialiser of a const (FE_CONST) or a param is being computed: f is
     * a function of constants only; FE_VALUE otherwise */
    enum fe_kind computing;
    struct fe_name *names;
    const struct fe_name *scope; /* names from here on may be defined again */
    const struct fe_name *pure;  /* var from here on may not be assigned */
    const struct fe_name *top;   /* those of the model, in a fn as well */
    const char *calling;         /* the fn whose body is being lowered */
    bool library;                /* and whether that is one of the language */
    uint32_t depth;              /* of expressions, through the fn */
    uint32_t turns;              /* of all loops */
    struct fe_file *files;       /* that have been read, the last first */
    struct source *last_source;  /* of them */
    bool stop;    /* a file is missing: what follows would be told twice */
    bool missing; /* quantize { missing allowed; } stands somewhere */
};

/* What a wrong expression stands for: silent wherever it is used. */
#define FE_NONE ((ir_ref){ UINT32_MAX })

static inline bool
fe_is_none(ir_ref v)
{
    return v.id == UINT32_MAX;
}

struct fe_name *fe_find(const struct fe *fe, const char *text);
struct fe_name *fe_define(struct fe *fe, struct span at, const char *text);
/* the name of a statement, which is new where it stands */
struct fe_name *fe_declare(struct fe *fe, const struct ast *a,
                           enum fe_kind kind);
/* v as the type that the tree a declares, or a message */
ir_ref fe_as_declared(struct fe *fe, const struct ast *a, ir_ref v);

/* the statements of a file */
void fe_statements(struct fe *fe, const struct ast *file);

/* ---- import.c */
/* the model's own file is the first of several */
void fe_import_begin(struct fe *fe);
void fe_import(struct fe *fe, const struct ast *a);
/* that the paths of the file at a place begin at */
const char *fe_folder(const struct fe *fe, struct span at);

/* ---- steps.c */
void fe_step(struct fe *fe, const struct ast *a);
/* [value for NAME in from..to] */
ir_ref fe_each(struct fe *fe, const struct ast *a);
/* a call of n, whose body is written out */
ir_ref fe_call_fn(struct fe *fe, const struct ast *a, const struct fe_name *n);
/* n is a fn with these parameters */
void fe_define_fn(struct fe *fe, const struct ast *a, struct fe_name *n);

/* ---- library.c */
void fe_library(struct fe *fe);
/* a copy, all of it at one place of the source */
struct ast *fe_place(struct fe *fe, const struct ast *a, struct span at);

enum {
    FE_MAX_ELEMENTS = 1 << 26,
    FE_MAX_OPS = 1 << 20,
    FE_MAX_TURNS = 1 << 16,
    FE_MAX_DEPTH = 2000
};

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
/* an integer */
ir_ref fe_integer_literal(struct fe *fe, struct span at, int64_t v);
/* along axis 0 */
ir_ref fe_concat(struct fe *fe, struct span at, const ir_ref *in, size_t n);
/* values of one shape side by side along a new first axis; NONE is among them
 * after a message */
ir_ref fe_stack(struct fe *fe, struct span at, ir_ref *in, size_t n);
/* a constant: private, unless a const or a library's */
ir_ref fe_literal(struct fe *fe, struct span at, const struct ir_type *type,
                  const union ir_cell *cell);

/* ---- operators.c */
ir_ref fe_binary(struct fe *fe, const struct ast *a);
ir_ref fe_chain(struct fe *fe, const struct ast *a);
ir_ref fe_unary(struct fe *fe, const struct ast *a);
/* two values, as reals if one is */
ir_ref fe_pair(struct fe *fe, enum ir_op op, struct span at, ir_ref x,
               ir_ref y);
/* the range of v is known, and its ends lie in [lo, hi] */
bool fe_within(const struct fe *fe, ir_ref v, int64_t lo, int64_t hi);

/* ---- shape.c: elements of all in, one after the other, by position */
ir_ref fe_rearrange(struct fe *fe, struct span at, const ir_ref *in, size_t n,
                    const struct ir_type *shape, const union ir_cell *index);

/* ---- builtin.c, index.c */
ir_ref fe_call(struct fe *fe, const struct ast *a);
ir_ref fe_index(struct fe *fe, const struct ast *a);
/* the places that the subscripts of a name, all known; false after messages */
bool fe_positions(struct fe *fe, const struct ast *a, ir_ref base,
                  struct ir_type *shape, union ir_cell **index);
/* elements of v by position; dims of the result */
ir_ref fe_gather(struct fe *fe, struct span at, ir_ref v,
                 const struct ir_type *shape, const union ir_cell *index);
/* row[e % rows][v] for element e of v; the table is [rows, size] */
ir_ref fe_select(struct fe *fe, struct span at, ir_ref v,
                 const struct ir_type *table, const union ir_cell *cell);
bool fe_is_builtin(const char *name);

/* ---- bits.c: bits(x)[..] */
bool fe_is_bits(const struct ast *index);
ir_ref fe_bits(struct fe *fe, const struct ast *a);

/* ---- constant.c: what must be known now */
struct fe_constant {
    struct ir_type type;
    const union ir_cell *cell; /* NULL after messages */
    bool secret;               /* made of a param or a private number */
};
/* a const or param initialiser, computed; kind says which */
struct fe_constant fe_constant(struct fe *fe, const struct ast *a,
                               enum fe_kind kind);
/* the same of value v of `of`, if all that it is computed from is known;
 * secret: the param among that, or NULL */
bool fe_known(struct fe *fe, const struct ir_func *of, ir_ref v,
              struct fe_constant *out, const struct fe_name **secret);
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

/* the file whose name a string is, of at most so many bytes, a NUL behind it,
 * and its canonical path; NULL after messages */
char *fe_read(struct fe *fe, const struct ast *a, size_t most, size_t *n,
              const char **path);
/* the file that the only argument of a call names; likewise */
char *fe_contents(struct fe *fe, const struct ast *call, size_t *n);

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
/* whether inputs may be missing, by any entry of the model: other entries need
 * to know, whatever their order */
bool fe_missing(const struct ast *model);
/* whether an entry of the model asks for bits of a name */
bool fe_asks_bits(const struct ast *model, const char *name);
void fe_quantize(struct fe *fe, const struct ast *a);
void fe_target(struct fe *fe, const struct ast *a);

#endif
