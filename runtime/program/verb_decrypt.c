/* decrypt: output.ct to numbers and labels. */
#include "runtime/program/program.h"

#include <stdlib.h>

static enum cml_status
decrypt(struct program *p, const struct client *c,
        const struct cmlrt_file *file, const char *path)
{
    const size_t rows = file->header.rows, n = rows * p->layout.replies;
    int64_t *replies = calloc(n + 1, sizeof *replies);
    struct results r = { 0, NULL };
    enum cml_status s = replies ? CML_E_ok : program_no_memory(p);

    if (s == CML_E_ok)
        s = client_decrypt(p, replies, c, file->payload, rows);
    if (s == CML_E_ok)
        s = client_check(p, replies, rows, path);
    if (s == CML_E_ok)
        s = program_results(p, &r, replies, rows);
    if (s == CML_E_ok)
        s = program_print(p, &r, p->o.output);
    if (s == CML_E_ok && p->o.output)
        program_note(p, "%s: %zu rows", p->o.output, rows);
    if (replies)
        cmlrt_wipe(replies, n * sizeof *replies);
    free(replies);
    results_free(p, &r);
    return s;
}

enum cml_status
verb_decrypt(struct program *p)
{
    const char *path = p->o.listed ? p->o.list[0] : "output.ct";
    struct cmlrt_expect want = program_expect(p, CMLRT_OUTPUT_CT);
    struct cmlrt_file file = { .memory = NULL };
    struct client c = { .key = { 0 } };
    enum cml_status s;

    client_guard();
    s = client_open(p, &c);
    want.key = c.key;
    want.key_from = p->o.key ? p->o.key : "client.key";
    if (s == CML_E_ok)
        s = cmlrt_load(&file, path, &want, &p->fault);
    if (s == CML_E_ok)
        s = decrypt(p, &c, &file, path);
    cmlrt_unload(&file);
    cmlrt_secrets_free(&c.secrets);
    return s;
}
