/* The records of manifest.def as C structs, and the entry points of programs.
 *
 * An emitted object holds one struct cml_manifest and a main that hands it to
 * cml_main_all, cml_main_client or cml_main_server.
 */
#ifndef CML_RUNTIME_MODEL_H
#define CML_RUNTIME_MODEL_H

#include <stdint.h>

#define CML_TYPE_i64 int64_t
#define CML_TYPE_f64 double
#define CML_TYPE_ptr const void *

/* clang-format off */
struct cml_manifest {
#define M(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_input {
#define I(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_output {
#define O(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_piece {
#define P(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_answer {
#define A(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_value {
#define V(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_step {
#define S(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_extract {
#define X(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_matmul {
#define W(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_sum {
#define U(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_table {
#define T(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_tables {
#define L(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_place {
#define Y(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_border {
#define B(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_set {
#define K(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_switch {
#define H(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_reply {
#define Z(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cml_leveled {
#define J(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_expand {
#define E(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_spread {
#define Q(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_load_ggsw {
#define D(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_load_glwe {
#define G(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_forest {
#define F(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_lut {
#define C(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_products {
#define R(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
struct cmlrt_glwes {
#define N(type, field) CML_TYPE_##type field;
#include "runtime/manifest.def"
};
/* clang-format on */

/* S(pbs) of leveled ops */
enum { CMLRT_LEVELED = 2, CMLRT_SPREAD };

/* what a value holds, V(key) */
enum {
    CMLRT_BIG,
    CMLRT_SMALL,
    CMLRT_GLWE,
    CMLRT_GGSW,
    CMLRT_DOUBLED,
    CMLRT_WINDOWS,
    CMLRT_OPEN
};

struct cmlrt_env;

/* Function pointers travel as void pointers in the records. */
typedef void cml_step_fn(struct cmlrt_env *env, uint64_t *const *value,
                         int64_t begin, int64_t end);
typedef int64_t cml_prologue_fn(const double *in, int64_t *out, void *scratch);
typedef void cml_epilogue_fn(const int64_t *in, double *out, void *scratch);

int cml_main_all(const struct cml_manifest *m, int argc, char **argv);
int cml_main_client(const struct cml_manifest *m, int argc, char **argv);
int cml_main_server(const struct cml_manifest *m, int argc, char **argv);

#endif
