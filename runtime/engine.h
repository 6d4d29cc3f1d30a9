/* Runs the step list of a model over rows. */
#ifndef CML_RUNTIME_ENGINE_H
#define CML_RUNTIME_ENGINE_H

#include "runtime/model.h"
#include "runtime/rt.h"

/* What one row takes, computed from the manifest's tables. */
struct cmlrt_layout {
    size_t inputs, outputs; /* numbers of the user */
    size_t messages;        /* integers to encrypt */
    size_t words, glwes;    /* of the input ciphertext */
    size_t replies;         /* integers that come back */
    size_t phases;          /* ciphertexts that carry them */
    size_t reply_bytes;     /* of the output ciphertext */
};

struct cmlrt_sets cmlrt_manifest_sets(const struct cml_manifest *m);
struct cmlrt_layout cmlrt_manifest_layout(const struct cml_manifest *m);

/* ---- row.c: the words of a row in a file; what a piece does not keep of a
 * word is 0 when it is read */
size_t cmlrt_row_bytes(const struct cml_manifest *m);
void cmlrt_row_pack(uint8_t *to, const struct cml_manifest *m,
                    const uint64_t *words);
void cmlrt_row_unpack(uint64_t *words, const struct cml_manifest *m,
                      const uint8_t *from);

enum cmlrt_mode { CMLRT_ENCRYPTED, CMLRT_SIMULATED, CMLRT_CLEAR };

struct cmlrt_job {
    const struct cml_manifest *m;
    enum cmlrt_mode mode;
    const struct cmlrt_evals *evals; /* encrypted only */
    const struct kernels *kernels;   /* that evals were loaded with */
    struct cmlrt_pool *pool;
    const uint8_t *mask_seed; /* encrypted: of the input */
    size_t rows;
    uint64_t *words; /* rows * layout.words; phases if not encrypted; read */
};

/* out: rows * reply_bytes as in an output ciphertext; or, not encrypted,
 * rows * phases words of 8 bytes in the order of the answers. */
enum cml_status cmlrt_engine_run(const struct cmlrt_job *job, uint8_t *out);

#endif
