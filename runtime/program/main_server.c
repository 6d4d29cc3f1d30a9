/* The server's half: it has the circuit and no key.  Nothing that it refers to
 * may pull key generation, encryption or decryption out of the archive. */
#include "runtime/program/program.h"

#define none NULL
static program_verb *const verb[NVERBS] = {
#define V(name, all, client, server, operands, summary) [VERB_##name] = server,
#include "runtime/program/verbs.def"
};

int
cml_main_server(const struct cml_manifest *m, int argc, char **argv)
{
    return program_main(m, argc, argv, verb);
}
