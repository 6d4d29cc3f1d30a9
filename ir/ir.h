/* The IR: a model is one array of operations in topological order.
 *
 * A value is the index of the operation that makes it, so the only rule of
 * form is that an operand's index is smaller than its user's.  Two levels
 * share one op table: tensors of reals and integers, and ciphertexts.  Values
 * of `enc` type live at the server; `encrypt` and `decrypt` are the borders.
 *
 * The text form (print.c, parse.re) is exact: what is printed parses back to
 * the same function.  lang-spec/ir.md describes it.
 */
#ifndef CML_IR_IR_H
#define CML_IR_IR_H

#include "ir/arena.h"
#include "ir/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    uint32_t id;
} ir_ref;

/* clang-format off */
enum ir_op {
#define A(op, kind, field)
#define T(name, nin, infer, traits, attrs) IR_##name,
#define C(family, name, nin, infer, traits, attrs) IR_##family##_##name,
#include "ir/ops.def"
    IR_NOPS
};
/* clang-format on */

enum ir_trait {
    IR_PURE = 1 << 0,
    IR_COMM = 1 << 1,
    IR_PINNED = 1 << 2,
    IR_VOID = 1 << 3,
    IR_MAP = 1 << 4,
    IR_LINEAR = 1 << 5,
    IR_BORDER = 1 << 6,
};

enum ir_kind { IR_KIND_u32, IR_KIND_i64, IR_KIND_f64, IR_KIND_sym };

/* Attributes, one struct per op: ins->as.lut.offset.  ISO C wants a member even
 * where an op has none. */
#define IR_KINDTYPE_u32 uint32_t
#define IR_KINDTYPE_i64 int64_t
#define IR_KINDTYPE_f64 double
#define IR_KINDTYPE_sym const char *
/* clang-format off */
union ir_attrs {
#define A(op, kind, field) IR_KINDTYPE_##kind field;
#define T(name, nin, infer, traits, attrs) struct { attrs char none; } name;
#define C(family, name, nin, infer, traits, attrs) \
    struct { attrs char none; } family##_##name;
#include "ir/ops.def"
};
/* clang-format on */

enum ir_base {
    IR_REAL, /* f64 */
    IR_INT,  /* i64; never wraps, range proves it */
    IR_GLWE,
    IR_LWE,
    IR_GGSW,
    IR_BASES
};

extern const char *const ir_base_name[IR_BASES];

/* The ring of selections without bootstraps, lang-spec/crypto.md 17: its degree
 * is known before the parameters. */
enum {
    IR_LOG2_LEVELED = 11,
    IR_LEVELED_COEFS = 64, /* of a leaf */
    IR_LEVELED_BITS = 22,  /* that a table is read by */
    IR_LEVELED_DEPTH = 63, /* nodes on a path */
};

enum ir_key { IR_BIG, IR_SMALL };

enum { IR_MAX_RANK = 6, IR_MAX_CELLS = 1 << 26 };

/* real[2,3]   enc real[4] in -1..3.5   enc int[32] in -7..12   open int in 0..3
 * lwe[32] delta 58 noise 1 12   lwe[32] small delta 58   glwe[4] delta 58
 * ggsw[350] noise 1e-19 1e-16
 *
 * A GLWE counts messages, not ring elements: N is not known before params.  A
 * GGSW is a bit that selects. */
struct ir_type {
    uint8_t base;       /* enum ir_base */
    bool enc;           /* REAL and INT: held by the server, encrypted */
    bool open;          /* with enc: but in the clear, as the client sent it,
                           or of such values and constants only */
    bool ranged;        /* lo and hi; INT: proved; REAL: declared or calibrated;
                           LWE: the variance is
                           lo V_fresh + hi V_br + wide V_ext;
                           GLWE: lo; GGSW: lo of a body row, hi of a mask row */
    uint8_t key;        /* LWE: enum ir_key */
    uint8_t set;        /* LWE, GLWE: whose key, an index of parameter sets */
    uint8_t log2_delta; /* LWE, GLWE */
    uint8_t rank;
    uint32_t dim[IR_MAX_RANK];
    double lo, hi;    /* of REAL and ciphertexts */
    double wide;      /* of LWE */
    int64_t ilo, ihi; /* of INT */
};

struct ir_attr_info {
    const char *name; /* NULL ends the list */
    enum ir_kind kind;
    size_t offset; /* into union ir_attrs */
};

struct ir_op_info {
    const char *name;
    int nin; /* -1 is any number */
    unsigned traits;
    bool cipher; /* of the ciphertext level */
    const struct ir_attr_info *attrs;
};

extern const struct ir_op_info ir_ops[IR_NOPS];

struct ir_ins {
    uint16_t op;
    uint16_t nin;
    struct span at;
    /* of a ciphertext: the op of the circuit of integers, plus one, that it is
     * part of; 0: none is known.  Kept by copies, in no text. */
    uint32_t from;
    const ir_ref *in;
    union ir_attrs as;
    struct ir_type type;
};

/* One element of a tensor: r in REAL, i in INT, w in ciphertexts. */
union ir_cell {
    double r;
    int64_t i;
    uint64_t w; /* a phase: torus word; of a GGSW the bit itself */
};

enum ir_blob_kind {
    IR_PARAM, /* the server's, never reaches the client */
    IR_CONST, /* public */
    IR_CALIB, /* rows of an input, for calibrate; named as the input */
    IR_NAMES, /* strings: column names of an input, labels of an output */
};

struct ir_blob {
    struct ir_blob *next;       /* in order of making */
    const struct ir_blob *same; /* likewise, of the names with one hash */
    const char *name;
    enum ir_blob_kind kind;
    struct ir_type type;
    const union ir_cell *cell; /* not in NAMES */
    const char *const *text;   /* NAMES: type.dim[0] strings */
};

/* quantize { } and target { } of the source: set bits.w = 8 */
struct ir_setting {
    const struct ir_setting *next;
    const char *key;
    double value;
    struct span at;
};

/* Chosen by the pass `params`. */
/* clang-format off */
struct ir_params {
    bool chosen;
#define N(type, field) type field;
#define R(field) double field;
#include "ir/params.def"
};
/* clang-format on */

/* A circuit has one set of parameters, or a few: a keyswitch from the big key
 * of one to the small or big key of another has a gadget of its own. */
enum { IR_MAX_SETS = 3, IR_MAX_SWITCHES = 2 * IR_MAX_SETS * (IR_MAX_SETS - 1) };

/* clang-format off */
struct ir_switch {
#define N(type, field) type field;
#define R(field) double field;
#include "ir/switch.def"
};
/* clang-format on */

/* what a function with several sets has beyond its first */
struct ir_sets {
    uint32_t more, switches;
    struct ir_params set[IR_MAX_SETS - 1];
    struct ir_switch sw[IR_MAX_SWITCHES];
};

struct ir_func {
    struct arena *mem;
    const char *name;
    struct ir_ins *ins;
    uint32_t n, cap;
    struct ir_blob *blobs, *last_blob;
    struct ir_blob **first, **last; /* by hash of their names */
    uint32_t buckets, nblobs;
    struct ir_setting *settings, *last_setting;
    struct ir_params params; /* the first set; cost and bound are of all */
    struct ir_sets sets;
    uint32_t fresh; /* numbers for ir_blob_add */
};

/* build.c: every operation has a place in the source; its type is inferred.
 * A type that cannot be inferred (input, reshape, gather) is given by `as_type`
 * of ir_build_typed.  Operands that do not fit are a bug() of the caller: the
 * front end asks ir_infer first. */
struct ir_func *ir_func_new(struct arena *mem, const char *name);
/* name, settings and params of f; like: the blobs too; no ops */
struct ir_func *ir_func_bare(struct arena *mem, const struct ir_func *f);
struct ir_func *ir_func_like(struct arena *mem, const struct ir_func *f);
ir_ref ir_build(struct ir_func *f, enum ir_op op, struct span at,
                const ir_ref *in, size_t nin, const union ir_attrs *as);
ir_ref ir_build_typed(struct ir_func *f, enum ir_op op, struct span at,
                      const ir_ref *in, size_t nin, const union ir_attrs *as,
                      const struct ir_type *type);
ir_ref ir_build1(struct ir_func *f, enum ir_op op, struct span at, ir_ref a);
ir_ref ir_build2(struct ir_func *f, enum ir_op op, struct span at, ir_ref a,
                 ir_ref b);
/* an op of another function, its operands renamed by map; the type is kept */
ir_ref ir_copy(struct ir_func *g, const struct ir_ins *ins, const ir_ref *map);
/* the same, its type inferred anew from the operands */
ir_ref ir_copy_infer(struct ir_func *g, const struct ir_ins *ins,
                     const ir_ref *map);
const struct ir_ins *ir_at(const struct ir_func *f, ir_ref v);
bool ir_same(const struct ir_ins *a, const struct ir_ins *b);

/* set i, and the switch between two of them or NULL */
const struct ir_params *ir_params_of(const struct ir_func *f, uint32_t i);
const struct ir_switch *ir_switch_of(const struct ir_func *f, uint32_t from,
                                     uint32_t to, bool big);
/* the set whose key the operand of a keyswitch is under */
uint32_t ir_from_set(const struct ir_func *f, const struct ir_ins *ins);

/* infer.c: NULL and *out, or what is wrong, as a phrase for a message:
 * "shapes [3] and [4] do not fit" */
const char *ir_infer(struct arena *mem, const struct ir_func *f, enum ir_op op,
                     const ir_ref *in, size_t nin, const union ir_attrs *as,
                     const struct ir_type *given, struct ir_type *out);

/* type.c */
struct ir_type ir_type_of(enum ir_base base, size_t rank, const uint32_t *dim);
size_t ir_count(const struct ir_type *t);
bool ir_same_shape(const struct ir_type *a, const struct ir_type *b);
bool ir_same_type(const struct ir_type *a, const struct ir_type *b);
/* numpy broadcasting; false if they do not fit */
bool ir_broadcast(struct ir_type *out, const struct ir_type *a,
                  const struct ir_type *b);
/* index into a value of type t of element i of a result of shape `out` */
size_t ir_broadcast_index(const struct ir_type *out, const struct ir_type *t,
                          size_t i);
/* the shape as [outer][length][inner] around an axis */
struct ir_around {
    size_t outer, length, inner;
};
struct ir_around ir_around(const struct ir_type *t, uint32_t axis);
/* size of the last axis; 1 for scalars */
size_t ir_channels(const struct ir_type *t);
unsigned ir_bits(int64_t lo, int64_t hi); /* ceil(log2(hi - lo + 1)) */

/* blob.c: named constants; cells and strings are copied.  A NULL name gets a
 * fresh one, prefix and number. */
const struct ir_blob *ir_blob_add(struct ir_func *f, const char *name,
                                  enum ir_blob_kind kind,
                                  const struct ir_type *type,
                                  const union ir_cell *cell);
/* whether it is of a fresh name, or made of one that is */
bool ir_blob_unnamed(const char *name);
/* how long the name is that the model declares, of which this one is made; 0:
 * there is none */
size_t ir_blob_declared(const char *name);
/* a fresh name for a part or another form of a blob: OF.7 */
const char *ir_blob_part(struct ir_func *f, const char *of);
const struct ir_blob *ir_blob_text(struct ir_func *f, const char *name,
                                   const char *const *text, uint32_t n);
/* of kind NAMES if text, else of the others; NULL if there is none */
const struct ir_blob *ir_blob_find(const struct ir_func *f, const char *name,
                                   bool text);
const struct ir_blob *ir_calibration(const struct ir_func *f,
                                     const char *input);
void ir_blob_copy(struct ir_func *g, const struct ir_blob *b);
ir_ref ir_constant(struct ir_func *f, struct span at, const char *name,
                   enum ir_blob_kind kind, const struct ir_type *type,
                   const union ir_cell *cell);
const struct ir_blob *ir_data(const struct ir_func *f, const char *name);
/* Whether an op of the tensor level has a param among its attributes. */
bool ir_has_param(const struct ir_func *f, const struct ir_ins *ins);

/* settings: see lang-spec/ir.md for the keys */
void ir_set(struct ir_func *f, const char *key, double value, struct span at);
double ir_get(const struct ir_func *f, const char *key, double otherwise);
const struct ir_setting *ir_setting(const struct ir_func *f, const char *key);
/* whether the model says of an input that it is sent in the clear */
bool ir_is_clear(const struct ir_func *f, const char *input);
/* whether the server is sent something in the clear */
bool ir_has_open(const struct ir_func *f);

/* print.c, parse.re */
/* the fewest digits, 15 to 17, that read back to the same bits */
enum { IR_REAL_TEXT = 40 };
void ir_real_text(char text[IR_REAL_TEXT], double x);
void ir_print(FILE *out, const struct ir_func *f);
void ir_print_type(FILE *out, const struct ir_type *t);
struct ir_func *ir_parse(struct arena *mem, struct diag *dg);

/* verify.c: NULL, or the rule that op *bad breaks */
const char *ir_verify(const struct ir_func *f, uint32_t *bad);

/* eval.c: the oracle.
 *
 * in     cells of each input, in order of the input ops
 * out    receives one array per output op, allocated in mem
 * keep   NULL, or receives the cells of every op
 *
 * Ciphertexts are evaluated by their phases, without noise. */
void ir_eval(struct arena *mem, const struct ir_func *f,
             const union ir_cell *const *in, const union ir_cell **out,
             const union ir_cell **keep);
/* one op whose operands have the cells in[] */
const union ir_cell *ir_eval_ins(struct arena *mem, const struct ir_func *f,
                                 const struct ir_ins *ins,
                                 const union ir_cell *const *in);
/* lwe.pbs and lwe.pbs_many, whose attributes begin alike */
bool ir_is_bootstrap(const struct ir_ins *ins);
/* how often an op rotates, a row: lwe.bit_lut does for each bit */
size_t ir_bootstraps(const struct ir_func *f, const struct ir_ins *ins);
/* log2 of the outputs that share a rotation, rounded up */
unsigned ir_theta(const struct ir_ins *ins);
size_t ir_inputs(const struct ir_func *f, ir_ref *list, size_t max);
size_t ir_outputs(const struct ir_func *f, ir_ref *list, size_t max);

#endif
