/* The program with all verbs. */
#include "runtime/program/program.h"

#define none NULL
static program_verb *const verb[NVERBS] = {
#define V(name, all, client, server, operands, summary) [VERB_##name] = all,
#include "runtime/program/verbs.def"
};

int
cml_main_all(const struct cml_manifest *m, int argc, char **argv)
{
    return program_main(m, argc, argv, verb);
}
