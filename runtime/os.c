/* Files, by the system's calls.
 *
 * Writing: a temporary beside the target (exclusive, 0600), write, fsync,
 * rename, fsync of the folder.  A signal may leave the temporary, a hidden
 * file; the named file is the old one or the new one.  A symbolic link is
 * replaced, not followed.
 */
#define _POSIX_C_SOURCE 200809L

#include "runtime/serial.h"

#include <errno.h>
#include <fcntl.h>
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

static bool
write_parts(int fd, const struct cmlrt_part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *p = parts[i].at;
        size_t left = parts[i].bytes;

        while (left > 0) {
            const ssize_t put = write(fd, p, left < MOST ? left : MOST);

            if (put < 0 && errno == EINTR)
                continue;
            if (put < 0)
                return false;
            p += put;
            left -= (size_t)put;
        }
    }
    return true;
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

/* FOLDER/.NAME.PID.N, opened; free the name. */
static int
open_temporary(char **name, const char *path)
{
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path + 1) : 0;
    const size_t size = strlen(path) + 40;
    int fd = -1;

    *name = malloc(size);
    for (int i = 0; *name && fd < 0 && i < 100; i++) {
        (void)snprintf(*name, size, "%.*s.%s.%ld.%d", folder, path,
                       path + folder, (long)getpid(), i);
        fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    return fd;
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

static bool
write_beside(const char *path, const struct cmlrt_part *parts, size_t n,
             unsigned flags)
{
    char *name;
    const int fd = open_temporary(&name, path);
    bool ok = fd >= 0 && write_parts(fd, parts, n);
    int error;

    if (ok && !(flags & CMLRT_SECRET))
        ok = fchmod(fd, public_mode()) == 0;
    ok = ok && fsync(fd) == 0;
    error = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        error = errno;
        ok = false;
    }
    if (ok) {
        ok = put_in_place(name, path, flags);
        error = errno;
    }
    if (!ok && fd >= 0)
        (void)unlink(name);
    free(name);
    errno = error;
    return ok && sync_folder(path);
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

enum cml_status
cmlrt_write_file(const char *path, const struct cmlrt_part *parts, size_t n,
                 unsigned flags, struct cml_fault *f)
{
    struct stat st;
    const bool there = lstat(path, &st) == 0;
    bool ok;

    if (strcmp(path, "-") == 0) {
        path = "standard output";
        ok = write_parts(STDOUT_FILENO, parts, n);
    } else if (there && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        ok = false;
    } else if (there && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
        ok = write_device(path, parts, n);
    } else {
        ok = write_beside(path, parts, n, flags);
    }
    return ok ? CML_E_ok : cmlrt_fail(f, CML_E_io, "%s:", path);
}
