/* A fresh pair of keys: both in memory for run, or the client's alone, for a
 * keygen that writes the other as it is made. */
#include "runtime/program/program.h"

#include <stdlib.h>
#include <string.h>

enum cml_status
pair_secret(struct program *p, struct pair *k)
{
    enum cml_status s;

    memset(k, 0, sizeof *k);
    if (!cmlrt_system_random(k->master, sizeof k->master))
        return cmlrt_fail(&p->fault, CML_E_io,
                          "the system gives no randomness");
    s = cmlrt_secrets_new(&k->client.secrets, &p->sets, k->master);
    return s == CML_E_ok ? s : cmlrt_fail(&p->fault, s, "%s", cml_strstatus(s));
}

enum cml_status
pair_new(struct program *p, struct pair *k, struct cmlrt_pool *pool)
{
    const size_t bytes = cmlrt_sets_bytes(&p->sets);
    enum cml_status s = pair_secret(p, k);

    if (s != CML_E_ok)
        return s;
    k->eval = malloc(bytes);
    if (!k->eval)
        return program_no_memory(p);
    s = cmlrt_sets_generate(k->eval, &k->client.secrets, pool);
    if (s != CML_E_ok)
        return cmlrt_fail(&p->fault, s, "%s", cml_strstatus(s));
    cmlrt_key_id(k->client.key, k->eval, bytes);
    return CML_E_ok;
}

void
pair_close(struct pair *k)
{
    cmlrt_secrets_free(&k->client.secrets);
    cmlrt_wipe(k->master, sizeof k->master);
    free(k->eval);
    memset(k, 0, sizeof *k);
}
