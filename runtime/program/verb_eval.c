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

/* What came in the clear: the circuit is proved for the bounds of its piece. */
static enum cml_status
check_open(struct program *p, const uint64_t *words, size_t row)
{
    const struct cml_piece *d = p->m->pieces;

    for (int64_t i = 0; i < p->m->npieces; i++)
        for (int64_t j = 0; d[i].open && j < d[i].count; j++) {
            const int64_t x = (int64_t)words[d[i].word + j];

            if (x < d[i].lo || x > d[i].hi)
                return cmlrt_fail(&p->fault, CML_E_mismatch,
                                  "row %zu has the integer %lld in the clear, "
                                  "which lies outside %lld..%lld",
                                  row + 1, (long long)x, (long long)d[i].lo,
                                  (long long)d[i].hi);
        }
    return CML_E_ok;
}

static enum cml_status
evaluate(struct program *p, const struct server *server,
         const struct cmlrt_file *in)
{
    const size_t rows = in->header.rows;
    const size_t words = p->layout.words, bytes = cmlrt_row_bytes(p->m);
    uint8_t *out = calloc(rows, p->layout.reply_bytes);
    uint64_t *word = calloc(rows * words + 1, sizeof *word);
    enum cml_status s = out && word ? CML_E_ok : program_no_memory(p);

    for (size_t r = 0; s == CML_E_ok && r < rows; r++) {
        cmlrt_row_unpack(word + r * words, p->m,
                         in->payload + CMLRT_SEED + r * bytes);
        s = check_open(p, word + r * words, r);
    }
    if (s == CML_E_ok)
        s = server_run(p, server, out, in->payload, word, rows);
    if (s == CML_E_ok)
        s = save(p, in, out);
    free(word);
    free(out);
    return s;
}

static enum cml_status
load(struct program *p, struct cmlrt_file *key, struct cmlrt_file *in,
     struct cmlrt_pool *pool)
{
    const char *key_path = p->o.eval_key ? p->o.eval_key : "eval.key";
    const char *in_path = p->o.listed ? p->o.list[0] : "input.ct";
    struct cmlrt_expect want = program_expect(p, CMLRT_EVAL_KEY);
    enum cml_status s;

    want.pool = pool;
    s = cmlrt_load(key, key_path, &want, &p->fault);
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
    enum cml_status s = program_pool(p, &pool);

    if (s == CML_E_ok)
        s = load(p, &key, &in, pool);
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
