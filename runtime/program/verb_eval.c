/* eval: input.ct to output.ct with eval.key and nothing secret. */
#include "runtime/program/program.h"

#include <stdlib.h>
#include <string.h>

static enum cml_status
save(struct program *p, const struct cmlrt_file *in, const uint8_t *out)
{
    const char *path = p->o.output ? p->o.output : "output.ct";
    const uint32_t rows = in->header.rows;
    const struct cmlrt_part part = { out, rows * p->layout.reply_bytes };
    struct cmlrt_header h = program_header(p, CMLRT_OUTPUT_CT);
    enum cml_status s;

    memcpy(h.key, in->header.key, CMLRT_ID);
    h.rows = rows;
    s = cmlrt_save(path, &h, &part, 1, CMLRT_REPLACE, &p->fault);
    if (s == CML_E_ok)
        program_note(
            p, "%s: %u rows, %s; next: %s%s%s", path, (unsigned)rows,
            size_text((double)program_file_bytes(p, CMLRT_OUTPUT_CT, rows))
                .text,
            next_command(p, VERB_decrypt).text, p->o.output ? " -i " : "",
            p->o.output ? path : "");
    return s;
}

static enum cml_status
evaluate(struct program *p, const struct server *server,
         const struct cmlrt_file *in)
{
    const size_t rows = in->header.rows;
    uint8_t *out = calloc(rows, p->layout.reply_bytes);
    enum cml_status s = out ? CML_E_ok : program_no_memory(p);

    if (s == CML_E_ok)
        s = server_run(p, server, out, in->payload,
                       (void *)(in->payload + CMLRT_SEED), rows);
    if (s == CML_E_ok)
        s = save(p, in, out);
    free(out);
    return s;
}

/* An id that is not that of the payload is a mixed-up file. */
static enum cml_status
check_key_id(struct program *p, const struct cmlrt_file *key, const char *path)
{
    uint8_t id[CMLRT_ID];

    cmlrt_key_id(id, key->payload, key->bytes);
    if (memcmp(id, key->header.key, CMLRT_ID) == 0)
        return CML_E_ok;
    return cmlrt_fail(&p->fault, CML_E_mismatch,
                      "%s is damaged: key %.8s... is not that of its payload",
                      path, cmlrt_id_hex(key->header.key).text);
}

static enum cml_status
load(struct program *p, struct cmlrt_file *key, struct cmlrt_file *in)
{
    const char *key_path = p->o.eval_key ? p->o.eval_key : "eval.key";
    const char *in_path = p->o.listed ? p->o.list[0] : "input.ct";
    struct cmlrt_expect want = program_expect(p, CMLRT_EVAL_KEY);
    enum cml_status s = cmlrt_load(key, key_path, &want, &p->fault);

    if (s == CML_E_ok)
        s = check_key_id(p, key, key_path);
    if (s != CML_E_ok)
        return s;
    want = program_expect(p, CMLRT_INPUT_CT);
    want.key = key->header.key;
    want.key_from = key_path;
    return cmlrt_load(in, in_path, &want, &p->fault);
}

enum cml_status
verb_eval(struct program *p)
{
    struct cmlrt_file key = { .memory = NULL }, in = { .memory = NULL };
    struct server server = { NULL, NULL, NULL };
    struct cmlrt_pool *pool = NULL;
    enum cml_status s = load(p, &key, &in);

    if (s == CML_E_ok)
        s = program_pool(p, &pool);
    if (s == CML_E_ok)
        s = server_open(p, &server, key.payload, pool);
    cmlrt_unload(&key); /* the prepared form takes several times its size */
    if (s == CML_E_ok)
        s = evaluate(p, &server, &in);
    server_close(&server);
    cmlrt_unload(&in);
    if (pool)
        cmlrt_pool_free(pool);
    return s;
}
