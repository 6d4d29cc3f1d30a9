/* Replies to outputs: the model's epilogue, a row at a time. */
#include "runtime/program/program.h"

#include <stdlib.h>
#include <string.h>

enum cml_status
program_results(struct program *p, struct results *out, const int64_t *replies,
                size_t rows)
{
    const size_t bytes = (size_t)p->m->epilogue_bytes;
    void *scratch = calloc(bytes + 1, 1);
    cml_epilogue_fn *epilogue;

    *out = (struct results){ rows, NULL };
    out->at = calloc(rows * p->layout.outputs + 1, sizeof *out->at);
    if (!out->at || !scratch) {
        free(out->at);
        free(scratch);
        out->at = NULL;
        return program_no_memory(p);
    }
    memcpy(&epilogue, &p->m->epilogue, sizeof epilogue);
    for (size_t r = 0; r < rows; r++)
        epilogue(replies + r * p->layout.replies,
                 out->at + r * p->layout.outputs, scratch);
    cmlrt_wipe(scratch, bytes);
    free(scratch);
    return CML_E_ok;
}

void
results_free(const struct program *p, struct results *r)
{
    if (r->at)
        cmlrt_wipe(r->at, r->rows * p->layout.outputs * sizeof *r->at);
    free(r->at);
    r->at = NULL;
}
