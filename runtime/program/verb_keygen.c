/* keygen: client.key and eval.key, in the folder of -o; eval.key is never whole
 * in memory.
 *
 * Keys are never replaced but with --force.  Both are complete and on the disk
 * before either has its name; eval.key gets its own first: client.key is the
 * commit.  A signal finds none or both.
 */
#define _POSIX_C_SOURCE 200809L

#include "runtime/program/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* FOLDER/client.key and FOLDER/eval.key, freed together by first */
struct paths {
    char *client, *eval;
};

static enum cml_status
open_paths(struct program *p, struct paths *at)
{
    const char *folder = p->o.output ? p->o.output : "";
    const char *slash = p->o.output ? "/" : "";
    const size_t size = strlen(folder) + sizeof "/client.key";

    at->client = malloc(2 * size);
    if (!at->client)
        return program_no_memory(p);
    at->eval = at->client + size;
    (void)snprintf(at->client, size, "%s%sclient.key", folder, slash);
    (void)snprintf(at->eval, size, "%s%seval.key", folder, slash);
    if (p->o.output && mkdir(folder, 0777) != 0 && errno != EEXIST)
        return cmlrt_fail(&p->fault, CML_E_io, "%s:", folder);
    return CML_E_ok;
}

/* Before minutes of work; the writing checks again.  eval.key alone is what a
 * machine leaves that fails between two names, or belongs to a client.key that
 * is elsewhere: it is not for us to say. */
static enum cml_status
check_free(struct program *p, const struct paths *at)
{
    struct stat st;
    const bool client = lstat(at->client, &st) == 0;

    if (client && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return cmlrt_fail(&p->fault, CML_E_io, "%s:", at->client);
    }
    if (p->o.force || (!client && lstat(at->eval, &st) != 0))
        return CML_E_ok;
    (void)cmlrt_fail(&p->fault, CML_E_io, "%s exists",
                     client ? at->client : at->eval);
    if (client)
        cmlrt_help(&p->fault, "--force replaces both keys; what was encrypted "
                              "under the old ones cannot be read then");
    else
        cmlrt_help(&p->fault, "without a client.key beside it: if no other "
                              "folder has it, a keygen was stopped, and "
                              "--force replaces the rest");
    return CML_E_io;
}

static enum cml_status
save_part(struct program *p, const struct pair *k, enum cmlrt_type type,
          const char *path, unsigned later)
{
    const bool secret = type == CMLRT_CLIENT_KEY;
    const struct cmlrt_part part = { secret ? k->master : k->eval,
                                     secret ? sizeof k->master
                                            : cmlrt_sets_bytes(&p->sets) };
    struct cmlrt_header h = program_header(p, type);

    memcpy(h.key, k->client.key, CMLRT_ID);
    return cmlrt_save(path, &h, &part, 1,
                      (secret ? CMLRT_SECRET : CMLRT_REPLACE)
                          | (p->o.force ? 0u : CMLRT_ONCE) | later,
                      &p->fault);
}

struct making {
    const struct cmlrt_secrets *secrets;
    struct cmlrt_pool *pool;
};

static enum cml_status
make(void *arg, const struct cmlrt_outlet *out)
{
    const struct making *m = arg;

    return cmlrt_sets_stream(out, m->secrets, m->pool);
}

/* In pieces, which what is written in place cannot take: its header comes
 * first and is known last. */
static enum cml_status
make_eval(struct program *p, struct pair *k, const char *path, unsigned later,
          struct cmlrt_pool *pool)
{
    struct cmlrt_header h = program_header(p, CMLRT_EVAL_KEY);
    enum cml_status s =
        cmlrt_in_place(path) ? pair_new(p, k, pool) : pair_secret(p, k);
    struct making m = { &k->client.secrets, pool };

    if (s != CML_E_ok)
        return s;
    if (k->eval)
        return save_part(p, k, CMLRT_EVAL_KEY, path, later);
    s = cmlrt_save_made(path, &h, make, &m,
                        (p->o.force ? 0u : CMLRT_ONCE) | later, &p->fault);
    memcpy(k->client.key, h.key, CMLRT_ID);
    return s;
}

static enum cml_status
save(struct program *p, struct pair *k, const struct paths *at,
     struct cmlrt_pool *pool)
{
    const bool devices = cmlrt_in_place(at->eval) || cmlrt_in_place(at->client);
    const unsigned later = devices ? 0 : CMLRT_LATER;
    enum cml_status s = make_eval(p, k, at->eval, later, pool), placed;

    if (s == CML_E_ok)
        s = save_part(p, k, CMLRT_CLIENT_KEY, at->client, later);
    placed = cmlrt_place_all(s == CML_E_ok, &p->fault);
    s = s == CML_E_ok ? placed : s;
    if (s != CML_E_ok && devices && !cmlrt_in_place(at->eval) && !p->o.force)
        (void)unlink(at->eval);
    if (s != CML_E_ok)
        return s;
    program_note(
        p, "%s: keep it; %s: %s, for the server; next: %s -i FILE", at->client,
        at->eval,
        size_text((double)program_file_bytes(p, CMLRT_EVAL_KEY, 0)).text,
        next_command(p, VERB_encrypt).text);
    return s;
}

enum cml_status
verb_keygen(struct program *p)
{
    struct paths at = { NULL, NULL };
    struct cmlrt_pool *pool = NULL;
    struct pair k;
    enum cml_status s;

    client_guard();
    memset(&k, 0, sizeof k);
    s = open_paths(p, &at);
    if (s == CML_E_ok)
        s = check_free(p, &at);
    if (s == CML_E_ok)
        s = program_pool(p, &pool);
    if (s == CML_E_ok)
        s = save(p, &k, &at, pool);
    pair_close(&k);
    if (pool)
        cmlrt_pool_free(pool);
    free(at.client);
    return s;
}
