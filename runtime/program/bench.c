/* bench of a program with both halves. */
#include "runtime/program/program.h"

enum cml_status
verb_bench(struct program *p)
{
    bench_part *const parts[] = { bench_client, bench_server, NULL };

    client_guard();
    return figures_run(p, parts);
}
