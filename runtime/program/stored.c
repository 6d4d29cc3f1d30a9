/* What a file of this program must be.  Sizes come from the parameters and the
 * layout, so that a reader can refuse a file before it asks for memory.
 *
 *     client key     master seed, 32 bytes
 *     eval key       sets.c
 *     input          seed of the masks, 32 bytes, then the rows' body words
 *     output         the rows' answers
 */
#include "runtime/program/program.h"

#include <string.h>

struct cmlrt_expect
program_expect(const struct program *p, enum cmlrt_type type)
{
    struct cmlrt_expect e = { .type = type, .params = p->params };

    e.insecure = p->m->insecure ? CMLRT_INSECURE : 0;
    switch (type) {
    case CMLRT_CLIENT_KEY:
        e.fixed = CMLRT_SEED;
        e.secret = !p->o.insecure_permissions;
        break;
    case CMLRT_EVAL_KEY:
        e.fixed = cmlrt_sets_bytes(&p->sets);
        e.map = true;
        break;
    case CMLRT_INPUT_CT:
        e.model = p->m->model_id;
        e.fixed = CMLRT_SEED;
        e.per_row = cmlrt_row_bytes(p->m);
        break;
    case CMLRT_OUTPUT_CT:
        e.model = p->m->model_id;
        e.per_row = p->layout.reply_bytes;
        break;
    case CMLRT_NTYPES: break;
    }
    return e;
}

struct cmlrt_header
program_header(const struct program *p, enum cmlrt_type type)
{
    const bool ciphertext = type == CMLRT_INPUT_CT || type == CMLRT_OUTPUT_CT;
    struct cmlrt_header h = { .type = (uint16_t)type };

    if (p->m->insecure)
        h.flags |= CMLRT_INSECURE;
    if (ciphertext && p->m->approx)
        h.flags |= CMLRT_APPROXIMATE;
    if (ciphertext)
        memcpy(h.model, p->m->model_id, CMLRT_ID);
    memcpy(h.params, p->params, CMLRT_ID);
    strncpy(h.version, p->m->version, sizeof h.version - 1);
    return h;
}

size_t
program_file_bytes(const struct program *p, enum cmlrt_type type, size_t rows)
{
    const struct cmlrt_expect e = program_expect(p, type);

    return CMLRT_HEADER + e.fixed + rows * e.per_row + CMLRT_TAIL;
}
