/* The client's half: it has keys and no circuit.  Nothing that it refers to may
 * pull the engine out of the archive. */
#include "runtime/program/program.h"

#define none NULL
static program_verb *const verb[NVERBS] = {
#define V(name, all, client, server, operands, summary) [VERB_##name] = client,
#include "runtime/program/verbs.def"
};

int
cml_main_client(const struct cml_manifest *m, int argc, char **argv)
{
    return program_main(m, argc, argv, verb);
}
