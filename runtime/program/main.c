/* From the command line to a verb and its exit code.  Only here are errors
 * printed:
 *
 *     PROGRAM VERB: error: text
 *       help: what to do
 */
#define _POSIX_C_SOURCE 200809L

#include "runtime/program/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A closed descriptor would be given to the next file, and a key be mixed with
 * messages: it becomes one that cannot be used. */
static void
fill_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Who has a verb that this program lacks; by name, since a reference would
 * link the other half. */
static enum cml_status
not_here(struct program *p)
{
    static const struct {
        const char *client, *server;
    } has[NVERBS] = {
#define V(name, all, client, server, operands, summary) { #client, #server },
#include "runtime/program/verbs.def"
    };
    const char *other =
        p->m->role == 1 ? has[p->o.verb].server : has[p->o.verb].client;

    if (strcmp(other, "none") != 0)
        return cmlrt_fail(&p->fault, CML_E_usage,
                          "%s has the verb '%s', not "
                          "this half",
                          other_half(p).text, verb_name(p->o.verb));
    return cmlrt_fail(
        &p->fault, CML_E_usage,
        "the verb '%s' needs both halves: compile without --split",
        verb_name(p->o.verb));
}

static enum cml_status
check_secure(struct program *p)
{
    if (!p->m->insecure || p->o.verb == VERB_help || p->o.verb == VERB_version)
        return CML_E_ok;
#ifdef CML_INSECURE_TESTS
    fputs("INSECURE: toy parameters, for tests only\n", stderr);
    return CML_E_ok;
#else
    return cmlrt_fail(&p->fault, CML_E_mismatch,
                      "the parameters are toys of a test and not secure; this "
                      "runtime refuses them");
#endif
}

static enum cml_status
dispatch(struct program *p, int argc, char *const *argv,
         program_verb *const *verb)
{
    enum cml_status s = options_parse(&p->o, argc, argv, &p->fault);

    if (s != CML_E_ok)
        return s;
    if (p->o.version)
        return verb_version(p);
    if (!verb[p->o.verb])
        return not_here(p);
    if (p->o.help) {
        p->o.listed = p->o.verb != VERB_help;
        p->o.list[0] = verb_name(p->o.verb);
        return verb_help(p);
    }
    s = check_secure(p);
    return s == CML_E_ok ? verb[p->o.verb](p) : s;
}

static void
report(const struct program *p, bool in_verb)
{
    fprintf(stderr, "%s%s%s: error: %s\n", p->self, in_verb ? " " : "",
            in_verb ? verb_name(p->o.verb) : "", p->fault.text);
    if (p->fault.help[0])
        fprintf(stderr, "  help: %s\n", p->fault.help);
}

int
program_main(const struct cml_manifest *m, int argc, char *const *argv,
             program_verb *const *verb)
{
    struct program p = { .m = m, .self = argc > 0 ? argv[0] : m->name };
    bool has[NVERBS];
    enum cml_status s;

    fill_descriptors();
    (void)signal(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
    (void)signal(SIGXFSZ, SIG_IGN); /* a write that fails cleans up */
#endif
    for (size_t v = 0; v < NVERBS; v++)
        has[v] = verb[v] != NULL;
    p.has = has;
    p.sets = cmlrt_manifest_sets(m);
    p.layout = cmlrt_manifest_layout(m);
    if (sodium_init() < 0) {
        s = cmlrt_fail(&p.fault, CML_E_io, "the system gives no randomness");
    } else {
        cmlrt_sets_id(p.params, &p.sets);
        s = dispatch(&p, argc, argv, verb);
    }
    if (s != CML_E_ok)
        report(&p, p.o.list && p.o.verb != VERB_help);
    free(p.o.list);
    return cml_exit_code(s);
}

/* ---- what verbs share */

void
program_note(const struct program *p, const char *format, ...)
{
    va_list args;

    if (p->o.quiet)
        return;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

enum cml_status
program_pool(struct program *p, struct cmlrt_pool **out)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const long most = 1024;
    long n = p->o.jobs ? p->o.jobs : cores;

    n = n < 1 ? 1 : n < most ? n : most;
    *out = cmlrt_pool_new((unsigned)n);
    return *out ? CML_E_ok : program_no_memory(p);
}

enum cml_status
program_kernels(struct program *p, const struct kernels **out)
{
    const char *name = getenv("CML_KERNELS");

    *out = cmlrt_kernels_select(name);
    if (*out || !name)
        return CML_E_ok; /* without a name there always are some */
    return cmlrt_fail(&p->fault, CML_E_usage,
                      "CML_KERNELS: no kernels '%s' on this machine",
                      cmlrt_quote(name, strlen(name)).text);
}

double
program_clock(void)
{
    struct timespec t = { 0, 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
