/* Files, by the system's calls.
 *
 * Writing: a temporary beside the target (exclusive, 0600), write, fsync,
 * rename, fsync of the folder.  SIGKILL may leave the temporary, a hidden file;
 * the named file is the old one or the new one.  A symbolic link is replaced,
 * not followed.
 */
#define _POSIX_C_SOURCE 200809L

#include "runtime/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1 << 30 }; /* of one system call */

/* ---- reading */

enum cml_status
cmlrt_open(int *fd, const char *path, struct cml_fault *f)
{
    struct stat st;

    *fd = strcmp(path, "-") == 0 ? STDIN_FILENO
                                 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0)
        return cmlrt_fail(f, CML_E_io, "%s:", path);
    if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        cmlrt_close(*fd);
        errno = EISDIR;
        return cmlrt_fail(f, CML_E_io, "%s:", path);
    }
    return CML_E_ok;
}

void
cmlrt_close(int fd)
{
    if (fd > STDERR_FILENO)
        (void)close(fd); /* was only read, or the write has been synced */
}

int64_t
cmlrt_read(int fd, void *out, size_t bytes)
{
    char *p = out;
    size_t done = 0;

    while (done < bytes) {
        const size_t left = bytes - done;
        const ssize_t got = read(fd, p + done, left < MOST ? left : MOST);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

static enum cml_status
read_all(char **out, size_t *bytes, int fd, struct cml_fault *f)
{
    size_t room = (size_t)1 << 16;

    for (*bytes = 0;; room *= 2) {
        char *p = room > *bytes ? cmlrt_regrow(*out, *bytes, room) : NULL;
        int64_t got;

        if (!p)
            return cmlrt_no_memory(f);
        *out = p;
        got = cmlrt_read(fd, p + *bytes, room - *bytes - 1);
        if (got < 0)
            return CML_E_io;
        *bytes += (size_t)got;
        p[*bytes] = 0;
        if (*bytes < room - 1)
            return CML_E_ok;
    }
}

enum cml_status
cmlrt_read_file(char **out, size_t *bytes, const char *path,
                struct cml_fault *f)
{
    enum cml_status s;
    int fd;

    *out = NULL;
    s = cmlrt_open(&fd, path, f);
    if (s != CML_E_ok)
        return s;
    s = read_all(out, bytes, fd, f);
    if (s == CML_E_io)
        (void)cmlrt_fail(f, s, "%s:", path);
    cmlrt_close(fd);
    if (s != CML_E_ok) {
        if (*out)
            cmlrt_wipe(*out, *bytes);
        free(*out);
        *out = NULL;
    }
    return s;
}

/* ---- writing; these return false with errno set */

bool
cmlrt_write(int fd, const void *at, size_t bytes)
{
    const char *p = at;

    while (bytes > 0) {
        const ssize_t put = write(fd, p, bytes < MOST ? bytes : MOST);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        p += put;
        bytes -= (size_t)put;
    }
    return true;
}

static bool
write_parts(int fd, const struct cmlrt_part *parts, size_t n)
{
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++)
        ok = cmlrt_write(fd, parts[i].at, parts[i].bytes);
    return ok;
}

static bool
sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    char *folder = strdup(n ? path : ".");
    bool ok = false;
    int fd = -1;

    if (folder) {
        if (n)
            folder[n] = 0;
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd >= 0) {
        ok = fsync(fd) == 0 || errno == EINVAL; /* some systems cannot */
        (void)close(fd);
    }
    free(folder);
    return ok;
}

static mode_t
public_mode(void)
{
    const mode_t mask = umask(077);

    (void)umask(mask);
    return 0644 & ~mask;
}

/* With CMLRT_ONCE a link, which fails where a rename would replace. */
static bool
put_in_place(const char *temporary, const char *path, unsigned flags)
{
    if (!(flags & CMLRT_ONCE))
        return rename(temporary, path) == 0;
    if (link(temporary, path) == 0)
        return unlink(temporary) == 0;
    if (errno != EPERM && errno != ENOTSUP && errno != EMLINK)
        return false;
    /* a file system without links */
    if (access(path, F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(temporary, path) == 0;
}

/* ---- drafts: a key may take minutes to make, and who stops that by a signal
 * does not want hundreds of megabytes of it */

static const int stops[] = { SIGHUP, SIGINT, SIGTERM };
enum { STOPS = sizeof stops / sizeof *stops, MOST_COMPLETE = 2 };
static char *volatile unfinished;
static struct sigaction before[STOPS];
/* complete, but not in their places: CMLRT_LATER */
static struct complete {
    char *name;
    const char *path;
    unsigned flags;
} complete[MOST_COMPLETE];
static volatile sig_atomic_t ncomplete;
static volatile sig_atomic_t placing, held; /* a signal that came meanwhile */

static void
take_away(int stop)
{
    const int error = errno;

    if (placing) { /* none or all */
        held = stop;
        return;
    }
    if (unfinished)
        (void)unlink(unfinished);
    for (int i = 0; i < ncomplete; i++)
        (void)unlink(complete[i].name);
    errno = error;
    (void)raise(stop); /* by default now, and once this has returned */
}

static void
watch(void)
{
    struct sigaction now = { .sa_flags = (int)SA_RESETHAND };

    if (ncomplete > 0)
        return; /* it does already */
    now.sa_handler = take_away;
    (void)sigemptyset(&now.sa_mask);
    for (size_t i = 0; i < STOPS; i++) {
        (void)sigaction(stops[i], NULL, &before[i]);
        if (before[i].sa_handler == SIG_DFL)
            (void)sigaction(stops[i], &now, NULL);
    }
}

static void
unwatch(void)
{
    for (size_t i = 0; i < STOPS && ncomplete == 0; i++)
        (void)sigaction(stops[i], &before[i], NULL);
    unfinished = NULL;
}

/* FOLDER/.NAME.PID.N, opened; free the name.  It is watched before it is there.
 */
static int
open_temporary(char **name, const char *path)
{
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path + 1) : 0;
    const size_t size = strlen(path) + 40;
    int fd = -1;

    *name = malloc(size);
    for (int i = 0; *name && fd < 0 && i < 100; i++) {
        unfinished = NULL;
        (void)snprintf(*name, size, "%.*s.%s.%ld.%d", folder, path,
                       path + folder, (long)getpid(), i);
        unfinished = *name;
        fd = open(*name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    return fd;
}

bool
cmlrt_draft_open(struct cmlrt_draft *d, const char *path)
{
    d->path = path;
    watch();
    d->fd = open_temporary(&d->name, path);
    if (d->fd < 0)
        unwatch();
    return d->fd >= 0;
}

bool
cmlrt_draft_close(struct cmlrt_draft *d, bool ok, unsigned flags)
{
    int error = errno;

    if (d->fd < 0) {
        free(d->name);
        errno = error;
        return false;
    }
    if (ok && !(flags & CMLRT_SECRET))
        ok = fchmod(d->fd, public_mode()) == 0;
    ok = ok && fsync(d->fd) == 0;
    error = ok ? error : errno;
    if (close(d->fd) != 0 && ok) {
        error = errno;
        ok = false;
    }
    if (ok && flags & CMLRT_LATER && ncomplete < MOST_COMPLETE) {
        complete[ncomplete] = (struct complete){ d->name, d->path, flags };
        ncomplete++;
        unwatch();
        return true;
    }
    if (ok) {
        ok = put_in_place(d->name, d->path, flags);
        error = errno;
    }
    if (!ok)
        (void)unlink(d->name);
    unwatch();
    free(d->name);
    errno = error;
    return ok && sync_folder(d->path);
}

/* All have been synced, so nothing can fail but what the folder refuses; then
 * those before go again, unless they have replaced something. */
enum cml_status
cmlrt_place_all(bool ok, struct cml_fault *f)
{
    enum cml_status s = CML_E_ok;
    int placed = 0, n = (int)ncomplete;

    placing = 1;
    while (ok && placed < n) {
        const struct complete *c = &complete[placed];

        ok = put_in_place(c->name, c->path, c->flags);
        if (!ok)
            s = cmlrt_fail(f, CML_E_io, "%s:", c->path);
        placed += ok;
    }
    for (int i = 0; i < n && !ok; i++)
        if (i >= placed)
            (void)unlink(complete[i].name);
        else if (complete[i].flags & CMLRT_ONCE)
            (void)unlink(complete[i].path);
    ncomplete = 0;
    unwatch();
    placing = 0;
    for (int i = 0; i < n; i++) {
        if (ok && !sync_folder(complete[i].path) && s == CML_E_ok)
            s = cmlrt_fail(f, CML_E_io, "%s:", complete[i].path);
        free(complete[i].name);
    }
    if (held)
        (void)raise(held); /* by default now */
    return s;
}

static bool
write_beside(const char *path, const struct cmlrt_part *parts, size_t n,
             unsigned flags)
{
    struct cmlrt_draft d;
    const bool ok = cmlrt_draft_open(&d, path) && write_parts(d.fd, parts, n);

    return cmlrt_draft_close(&d, ok, flags);
}

static bool
write_device(const char *path, const struct cmlrt_part *parts, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    const bool ok = fd >= 0 && write_parts(fd, parts, n);
    const int error = errno;

    if (fd >= 0 && close(fd) != 0 && ok)
        return false;
    errno = error;
    return ok;
}

bool
cmlrt_in_place(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && !S_ISREG(st.st_mode)
           && !S_ISLNK(st.st_mode);
}

enum cml_status
cmlrt_write_file(const char *path, const struct cmlrt_part *parts, size_t n,
                 unsigned flags, struct cml_fault *f)
{
    struct stat st;
    bool ok;

    if (strcmp(path, "-") == 0) {
        path = "standard output";
        ok = write_parts(STDOUT_FILENO, parts, n);
    } else if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        ok = false;
    } else if (cmlrt_in_place(path)) {
        ok = write_device(path, parts, n);
    } else {
        ok = write_beside(path, parts, n, flags);
    }
    return ok ? CML_E_ok : cmlrt_fail(f, CML_E_io, "%s:", path);
}
