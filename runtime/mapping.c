/* Files as memory.  What cannot be read of one is a signal, SIGBUS, in the
 * middle of the work: the file was cut, or its disk fails.  It ends the program
 * as a read that fails would, in words and with that exit code.
 *
 * There is one file at a time, and nothing is being written while there is.
 */
#define _POSIX_C_SOURCE 200809L

#include "runtime/serial.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *volatile mapped;
static struct sigaction before;

static void
say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void
lost(int sig)
{
    (void)sig;
    say("error: ");
    say(mapped);
    say(" cannot be read any more: it was cut, or its disk fails\n");
    _exit(cml_exit_code(CML_E_io));
}

uint8_t *
cmlrt_map(int fd, size_t bytes, const char *path)
{
    struct sigaction now = { .sa_handler = lost };
    struct stat st;
    void *at;

    if (mapped || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)
        || (uint64_t)st.st_size != bytes)
        return NULL;
    at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return NULL;
    (void)posix_madvise(at, bytes, POSIX_MADV_WILLNEED); /* a wish */
    mapped = path;
    (void)sigemptyset(&now.sa_mask);
    (void)sigaction(SIGBUS, &now, &before);
    return at;
}

void
cmlrt_unmap(uint8_t *at, size_t bytes)
{
    (void)sigaction(SIGBUS, &before, NULL);
    mapped = NULL;
    (void)munmap(at, bytes);
}
