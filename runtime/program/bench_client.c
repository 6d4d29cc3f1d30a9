/* bench, the client's half: keys, encryption, decryption.  Decryption is timed
 * on random answers, whose replies mean nothing. */
#include "runtime/program/program.h"

#include <stdlib.h>

enum { ROWS = 16 };

/* Since a start, in milliseconds a row. */
static double
row_ms(double start)
{
    const double rows = ROWS;

    return 1e3 * (program_clock() - start) / rows;
}

static enum cml_status
bench_encrypt(struct figures *f, const struct client *c,
              struct cmlrt_pool *pool)
{
    struct program *p = f->p;
    const struct messages in = { ROWS, calloc(ROWS * p->layout.messages + 1,
                                              sizeof(int64_t)) };
    uint64_t *words = calloc(ROWS * p->layout.words + 1, sizeof *words);
    uint8_t seed[CMLRT_SEED] = { 0 };
    enum cml_status s = in.at && words ? CML_E_ok : program_no_memory(p);
    const double start = program_clock();

    if (s == CML_E_ok)
        s = client_encrypt(p, words, c, seed, &in, pool);
    figure(f, "encrypt", row_ms(start), "ms/row");
    free(words);
    free(in.at);
    return s;
}

static enum cml_status
bench_decrypt(struct figures *f, const struct client *c)
{
    struct program *p = f->p;
    uint8_t *answers = calloc(ROWS, p->layout.reply_bytes + 1);
    int64_t *replies = calloc(ROWS * p->layout.replies + 1, sizeof *replies);
    enum cml_status s = answers && replies ? CML_E_ok : program_no_memory(p);
    const double start = program_clock();

    if (s == CML_E_ok)
        s = client_decrypt(p, replies, c, answers, ROWS);
    figure(f, "decrypt", row_ms(start), "ms/row");
    free(answers);
    free(replies);
    return s;
}

enum cml_status
bench_client(struct figures *f, struct cmlrt_pool *pool)
{
    const double start = program_clock();
    struct pair k;
    enum cml_status s = pair_new(f->p, &k, pool);

    figure(f, "keygen", 1e3 * (program_clock() - start), "ms");
    if (s == CML_E_ok)
        s = bench_encrypt(f, &k.client, pool);
    if (s == CML_E_ok)
        s = bench_decrypt(f, &k.client);
    figure(f, "client.key",
           (double)program_file_bytes(f->p, CMLRT_CLIENT_KEY, 0), "bytes");
    figure(f, "eval.key", (double)program_file_bytes(f->p, CMLRT_EVAL_KEY, 0),
           "bytes");
    figure(f, "input", (double)cmlrt_row_bytes(f->p->m), "bytes/row");
    pair_close(&k);
    return s;
}

enum cml_status
verb_bench_client(struct program *p)
{
    bench_part *const parts[] = { bench_client, NULL };

    client_guard();
    return figures_run(p, parts);
}
