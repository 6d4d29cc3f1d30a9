/* An emitted program around its model: what the files of its verbs share. */
#ifndef CML_RUNTIME_PROGRAM_PROGRAM_H
#define CML_RUNTIME_PROGRAM_PROGRAM_H

#include "runtime/engine.h"
#include "runtime/program/options.h"
#include "runtime/serial.h"
#include "runtime/table.h"

struct program {
    const struct cml_manifest *m;
    const char *self;
    const bool *has; /* verbs of this half */
    struct options o;
    struct cmlrt_sets sets;
    struct cmlrt_layout layout;
    uint8_t params[CMLRT_ID];
    struct cml_fault fault;
};

/* Prints nothing but results and notes; an error is left in p->fault. */
typedef enum cml_status program_verb(struct program *p);
#define none NULL
#define V(name, all, client, server, operands, summary) \
    program_verb verb_##name;
#include "runtime/program/verbs.def"
#undef none
program_verb verb_bench_client, verb_bench_server, verb_selftest_half;

/* ---- main.c */
int program_main(const struct cml_manifest *m, int argc, char *const *argv,
                 program_verb *const *verb);
/* a line on standard error, unless --quiet */
void program_note(const struct program *p, const char *format, ...)
    CMLRT_PRINTF(2, 3);
static inline enum cml_status
program_no_memory(struct program *p)
{
    (void)cmlrt_no_memory(&p->fault);
    return CML_E_nomem;
}
/* -j, or the cores of the machine */
enum cml_status program_pool(struct program *p, struct cmlrt_pool **out);
enum cml_status program_kernels(struct program *p, const struct kernels **out);
double program_clock(void);

/* A text that becomes a result: fill file, then emit; or drop. */
struct page {
    FILE *file;
    char *text;
    size_t bytes;
};
bool page_open(struct page *g);
enum cml_status page_emit(struct program *p, struct page *g, const char *path,
                          unsigned flags);
/* "text", with what JSON escapes */
void json_text(FILE *out, const char *text);
/* the shortest decimal that reads back as x */
void print_number(FILE *out, double x);
/* "1.9 MB" */
struct size_text {
    char text[24];
};
struct size_text size_text(double bytes);
struct command_text {
    char text[160];
};
/* "./bc-client" for the server's half, "./bc-server" for the client's */
struct command_text other_half(const struct program *p);
/* "./bc decrypt", or "./bc-client decrypt" when the other half has the verb */
struct command_text next_command(const struct program *p, enum verb v);

/* ---- rows.c: the user's rows, clipped to the declared boxes */
struct clipping {
    bool *row;   /* [rows] */
    bool *input; /* [layout.inputs] */
};
enum cml_status program_rows(struct program *p, struct cml_rows *out,
                             struct clipping *clipped);
/* the name of one number of the user: NAME, or NAME[i] of several */
struct number_name {
    char text[96];
};
struct number_name number_name(const char *name, int64_t count, int64_t i);
/* of the i-th of all inputs */
struct number_name input_name(const struct program *p, size_t i);

/* ---- prologue.c: rows to messages, layout.messages a row; free at */
struct messages {
    size_t rows;
    int64_t *at;
};
enum cml_status program_read(struct program *p, struct messages *out);
/* erases, then frees */
void messages_free(const struct program *p, struct messages *m);

/* ---- epilogue.c: replies to outputs; free at */
struct results {
    size_t rows;
    double *at; /* rows * layout.outputs */
};
enum cml_status program_results(struct program *p, struct results *out,
                                const int64_t *replies, size_t rows);
void results_free(const struct program *p, struct results *r);

/* ---- print.c: by --format, to path or NULL */
enum cml_status program_print(struct program *p, const struct results *r,
                              const char *path);

/* ---- accuracy.c: with --truth, a line on standard error */
enum cml_status program_accuracy(struct program *p, const struct results *r);

/* ---- phases.c */
/* The integer of a phase: a->lo plus the number of steps above it. */
int64_t reply_of(const struct cml_answer *a, uint64_t phase);
bool reply_fits(const struct cml_answer *a, int64_t reply);

/* ---- client.c: with the secret key */
struct client {
    struct cmlrt_secrets secrets;
    uint8_t key[CMLRT_ID]; /* id of the pair */
};
/* from the file of --key */
enum cml_status client_open(struct program *p, struct client *c);
/* no core dump, no debugger */
void client_guard(void);
enum cml_status client_encrypt(struct program *p, uint64_t *words,
                               const struct client *c,
                               const uint8_t seed[CMLRT_SEED],
                               const struct messages *in,
                               struct cmlrt_pool *pool);
/* replies, whatever they are */
enum cml_status client_decrypt(struct program *p, int64_t *replies,
                               const struct client *c, const uint8_t *answers,
                               size_t rows);
/* refuses a reply outside its range, which means damage; path: for messages */
enum cml_status client_check(struct program *p, const int64_t *replies,
                             size_t rows, const char *path);

/* ---- pair.c: a fresh pair of keys */
struct pair {
    struct client client;
    uint8_t master[CMLRT_SEED]; /* what the client's file holds */
    uint8_t *eval;              /* cmlrt_sets_bytes(), or NULL */
};
/* Only the client's; close it, also after a failure. */
enum cml_status pair_secret(struct program *p, struct pair *k);
/* Both, and the id. */
enum cml_status pair_new(struct program *p, struct pair *k,
                         struct cmlrt_pool *pool);
void pair_close(struct pair *k);

/* ---- server.c: without a secret */
struct server {
    struct cmlrt_pool *pool;
    const struct kernels *kernels;
    struct cmlrt_evals *evals;
};
/* prepares the payload of an evaluation key, which may go then */
enum cml_status server_open(struct program *p, struct server *s,
                            const uint8_t *payload, struct cmlrt_pool *pool);
/* out: rows * layout.reply_bytes */
enum cml_status server_run(struct program *p, const struct server *s,
                           uint8_t *out, const uint8_t seed[CMLRT_SEED],
                           uint64_t *words, size_t rows);
void server_close(struct server *s);

/* ---- plain.c: the circuit without encryption; replies of all rows */
enum cml_status program_plain(struct program *p, int64_t *replies,
                              const struct messages *in, enum cmlrt_mode mode,
                              struct cmlrt_pool *pool);

/* ---- stored.c: what a file of this program must be */
struct cmlrt_expect program_expect(const struct program *p,
                                   enum cmlrt_type type);
struct cmlrt_header program_header(const struct program *p,
                                   enum cmlrt_type type);
/* of a whole file */
size_t program_file_bytes(const struct program *p, enum cmlrt_type type,
                          size_t rows);

/* ---- card.c: who learns what, on what security rests, and sizes */
void print_card(FILE *out, const struct program *p);
void print_security(FILE *out, const struct program *p);
void print_sizes(FILE *out, const struct program *p);

/* ---- info_json.c */
void info_json(FILE *out, const struct program *p);

/* ---- figures.c: what bench tells, a line each */
struct figures {
    struct program *p;
    struct page page;
    size_t count;
};
void figure(struct figures *f, const char *name, double value,
            const char *unit);
typedef enum cml_status bench_part(struct figures *f, struct cmlrt_pool *pool);
/* parts: up to a NULL */
enum cml_status figures_run(struct program *p, bench_part *const *parts);
/* ---- selftest.c: a line each of what is right, up to the first that is not */
enum cml_status program_selftest(struct program *p, struct page *g);
/* ---- verb_run.c: all of run but the results */
enum cml_status program_cycle(struct program *p);
/* bench_client.c, bench_server.c: what one half can measure */
bench_part bench_client, bench_server;

#endif
