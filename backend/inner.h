/* Shared by the files that talk to LLVM. */
#ifndef CML_BACKEND_INNER_H
#define CML_BACKEND_INNER_H

#include "backend/backend.h"

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm-c/TargetMachine.h>

enum be_abi {
#define RT(name) BE_##name,
#include "runtime/abi.def"
    BE_NABI
};

enum be_place { BE_CONSTANT, BE_BEFORE, BE_AT_SERVER, BE_AFTER };

struct be_debug {
    LLVMDIBuilderRef builder;
    LLVMMetadataRef file;
    const struct source *src;
};

/* A function of the circuit; it computes `items` elements of what ins makes. */
struct be_step {
    LLVMValueRef fn;
    const struct ir_ins *ins;
    size_t items;
};

struct be_module {
    struct arena mem;
    const struct ir_func *f;
    enum be_role role;
    LLVMContextRef cx;
    LLVMTargetMachineRef machine;
    LLVMModuleRef mod;
    LLVMTypeRef i32, i64, f64, ptr, none;
    LLVMTypeRef abi_type;
    LLVMValueRef abi[BE_NABI];
    struct be_debug debug;
    /* layout.c */
    enum be_place *place;
    size_t *offset;  /* of inputs, messages, answers, outputs: elements;
                        of other clear values: bytes of scratch */
    size_t *word;    /* of what is encrypted: its first word in a row */
    uint32_t *value; /* of ciphertexts: index into the row's values */
    bool *wanted;    /* of ciphertexts: as they are, not by a product */
    bool *bits;      /* of glwe.encrypt: a forest reads it */
    uint32_t nvalues;
    size_t prologue_bytes, epilogue_bytes;
    struct be_step *step; /* circuit.c */
    size_t nsteps;
    LLVMValueRef prologue, epilogue;
};

/* A function being built. */
struct be_fn {
    struct be_module *m;
    LLVMBuilderRef b;
    LLVMValueRef fn;
    LLVMValueRef in, out, scratch;
    LLVMMetadataRef scope;
};

/* layout.c */
void be_layout(struct be_module *m);
/* lwe.gather i is never made: products read its operand through its index */
bool be_is_view(const struct be_module *m, uint32_t i);
/* of glwe.extract i its rings are kept, whose coefficients products read */
bool be_is_windows(const struct be_module *m, uint32_t i);
/* that hold as many coefficients */
size_t be_rings(const struct be_module *m, const struct ir_ins *ins);
/* index in a row of the first GLWE of a glwe.encrypt */
size_t be_first_glwe(const struct be_module *m, uint32_t piece);

/* data.c: constants of the object */
LLVMValueRef be_i64(const struct be_module *m, int64_t v);
LLVMValueRef be_f64(const struct be_module *m, double v);
LLVMValueRef be_string(struct be_module *m, const char *text);
LLVMValueRef be_strings(struct be_module *m, const char *const *text, size_t n);
/* n words of 8 bytes, aligned to 64 */
LLVMValueRef be_words(struct be_module *m, const void *words, size_t n);
LLVMValueRef be_bytes(struct be_module *m, const void *bytes, size_t n);
LLVMValueRef be_global(struct be_module *m, LLVMValueRef value);
LLVMValueRef be_null(const struct be_module *m);

/* fn.c */
struct be_fn be_fn_begin(struct be_module *m, const char *name,
                         LLVMTypeRef type, bool exported);
void be_fn_end(struct be_fn *e);
void be_fn_at(struct be_fn *e, struct span at);
struct be_loop {
    LLVMBasicBlockRef head, body, end;
    LLVMValueRef i; /* in the body: 0 .. n-1 */
    LLVMValueRef slot;
};
struct be_loop be_loop_begin(struct be_fn *e, size_t n);
void be_loop_end(struct be_fn *e, const struct be_loop *l);
/* a variable in the frame */
LLVMValueRef be_slot(struct be_fn *e, LLVMTypeRef type);
LLVMValueRef be_at(struct be_fn *e, LLVMValueRef base, LLVMTypeRef type,
                   LLVMValueRef index);
LLVMValueRef be_libm(struct be_fn *e, const char *name, LLVMValueRef x,
                     LLVMValueRef y);

/* map.c: one element of an element-wise op; x and y as the type of the operand
 */
LLVMValueRef be_map(struct be_fn *e, const struct ir_ins *ins, LLVMValueRef x,
                    LLVMValueRef y, bool real);

/* clear.c: prologue and epilogue, */
void be_clear(struct be_module *m);
/* and the function of a step that computes op i of what the server sees */
LLVMValueRef be_open(struct be_module *m, uint32_t i);
/* circuit.c: a function a step */
void be_circuit(struct be_module *m);
/* a constant record of manifest.def: one LLVM value a field */
LLVMValueRef be_record(struct be_module *m, LLVMValueRef *fields, size_t n);
#define BE_RECORD(m, fields) \
    be_record((m), (LLVMValueRef *)(void *)&(fields), \
              sizeof(fields) / sizeof(LLVMValueRef))
/* the integers of a blob, shifted */
LLVMValueRef be_integers(struct be_module *m, const char *name, unsigned shift);
/* What a step hands to its ABI function besides out: value `in`, or the two of
 * a pair; a constant, or value with_value. */
struct be_operands {
    uint32_t in, pair[2];
    bool paired;
    LLVMValueRef with;
    int64_t with_value; /* -1: with */
};
void be_add_step(struct be_module *m, const struct ir_ins *ins, enum be_abi abi,
                 const struct be_operands *o, uint32_t out, size_t items);
/* leveled.c: ops on rings, and bits as they came that are read by a forest */
bool be_is_leveled(const struct ir_ins *ins);
void be_leveled_step(struct be_module *m, const struct ir_ins *ins);
/* the fields key, levels, count and coefs of the value of such an op */
struct be_ring_value {
    int64_t key, levels, count, coefs;
};
enum { KEY_GLWE = 2, KEY_GGSW, KEY_DOUBLED, KEY_WINDOWS, KEY_OPEN };
struct be_ring_value be_ring_value(const struct be_module *m,
                                   const struct ir_ins *ins);
/* slots.c: likewise, of products of packed bits */
bool be_is_slots(const struct ir_ins *ins);
int64_t be_slots_groups(const struct be_module *m, const struct ir_ins *ins);
int64_t be_slots_depth(const struct be_module *m, const struct ir_ins *ins);
void be_slots_step(struct be_module *m, const struct ir_ins *ins);
/* words, and ring ciphertexts, of what op i encrypts; 0: nothing */
size_t be_sent_words(const struct ir_ins *ins);
/* record J, or null */
LLVMValueRef be_leveled_keys(struct be_module *m);
/* the value of op i, if the circuit has one */
bool be_has_value(const struct be_module *m, uint32_t i);
/* manifest.c, card.c */
void be_manifest(struct be_module *m);
char *be_card(struct be_module *m);                  /* to be freed */
char *be_text(const struct ir_func *f, size_t *len); /* likewise */

/* debug.c: without these, the program has no line numbers */
void be_debug_begin(struct be_module *m, const struct source *src);
LLVMMetadataRef be_debug_function(struct be_module *m, LLVMValueRef fn,
                                  const char *name);
void be_debug_at(struct be_fn *e, struct span at);
void be_debug_end(struct be_module *m);

#endif
