/* The final link: the system's cc knows crt files, PIE and libc.
 *
 * An argument vector and no shell; CC in the environment names another cc.
 */
#define _POSIX_C_SOURCE 200809L
#include "backend/backend.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

static void
show(const char *const *argv)
{
    for (size_t i = 0; argv[i]; i++)
        fprintf(stderr, "%s%s", i ? " " : "", argv[i]);
    putc('\n', stderr);
}

int
be_link(const char *object, const char *output, const struct be_link *how)
{
    const char *env = getenv("CC"), *cc = how->cc ? how->cc : env ? env : "cc";
    const char *argv[] = { cc,   object, how->runtime,  "-lm", "-lpthread",
                           "-o", output, how->link_arg, NULL };
    int status, error;
    pid_t pid;

    if (how->verbose)
        show(argv);
    error = posix_spawnp(&pid, cc, NULL, NULL, (char **)(void *)argv, environ);
    if (error) {
        errno = error;
        return -1;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
