/* encrypt: rows to input.ct.  The seed of the masks is fresh for each file and
 * travels in it. */
#include "runtime/program/program.h"

#include <stdlib.h>
#include <string.h>

static enum cml_status
save(struct program *p, const struct client *c, const struct cmlrt_part part[2],
     size_t rows)
{
    const char *path = p->o.output ? p->o.output : "input.ct";
    struct cmlrt_header h = program_header(p, CMLRT_INPUT_CT);
    enum cml_status s;

    memcpy(h.key, c->key, CMLRT_ID);
    h.rows = (uint32_t)rows;
    s = cmlrt_save(path, &h, part, 2, CMLRT_REPLACE, &p->fault);
    if (s == CML_E_ok)
        program_note(
            p, "%s: %zu rows, %s; next: %s%s%s", path, rows,
            size_text((double)program_file_bytes(p, CMLRT_INPUT_CT, rows)).text,
            next_command(p, VERB_eval).text, p->o.output ? " -i " : "",
            p->o.output ? path : "");
    return s;
}

static enum cml_status
encrypt(struct program *p, const struct client *c, const struct messages *in,
        struct cmlrt_pool *pool)
{
    const size_t bytes = cmlrt_row_bytes(p->m);
    uint64_t *words = calloc(in->rows * p->layout.words + 1, sizeof *words);
    uint8_t *packed = calloc(in->rows, bytes + 1), seed[CMLRT_SEED];
    const struct cmlrt_part part[2] = { { seed, sizeof seed },
                                        { packed, in->rows * bytes } };
    enum cml_status s = words && packed ? CML_E_ok : program_no_memory(p);

    if (s == CML_E_ok && !cmlrt_system_random(seed, sizeof seed))
        s = cmlrt_fail(&p->fault, CML_E_io, "the system gives no randomness");
    if (s == CML_E_ok)
        s = client_encrypt(p, words, c, seed, in, pool);
    for (size_t r = 0; s == CML_E_ok && r < in->rows; r++)
        cmlrt_row_pack(packed + r * bytes, p->m, words + r * p->layout.words);
    if (s == CML_E_ok)
        s = save(p, c, part, in->rows);
    free(packed);
    free(words);
    return s;
}

enum cml_status
verb_encrypt(struct program *p)
{
    struct messages in = { 0, NULL };
    struct cmlrt_pool *pool = NULL;
    struct client c = { .key = { 0 } };
    enum cml_status s;

    client_guard();
    s = client_open(p, &c);
    if (s == CML_E_ok)
        s = program_read(p, &in);
    if (s == CML_E_ok)
        s = program_pool(p, &pool);
    if (s == CML_E_ok)
        s = encrypt(p, &c, &in, pool);
    messages_free(p, &in);
    cmlrt_secrets_free(&c.secrets);
    if (pool)
        cmlrt_pool_free(pool);
    return s;
}
