#include "runtime/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum cml_status
cmlrt_fail(struct cml_fault *f, enum cml_status s, const char *format, ...)
{
    const int error = errno;
    const size_t size = sizeof f->text;
    va_list args;
    size_t n;

    va_start(args, format);
    (void)vsnprintf(f->text, size, format, args);
    va_end(args);
    f->help[0] = 0;
    n = strlen(f->text);
    if (n > 0 && f->text[n - 1] == ':')
        (void)snprintf(f->text + n, size - n, " %s", strerror(error));
    return s;
}

void
cmlrt_help(struct cml_fault *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(f->help, sizeof f->help, format, args);
    va_end(args);
}

enum cml_status
cmlrt_no_memory(struct cml_fault *f)
{
    return cmlrt_fail(f, CML_E_nomem, "%s", cml_strstatus(CML_E_nomem));
}

struct cmlrt_quoted
cmlrt_quote(const char *s, unsigned long bytes)
{
    struct cmlrt_quoted q = { { 0 } };
    const unsigned long room = sizeof q.text - 4;
    const unsigned long n = bytes < room ? bytes : room;

    for (unsigned long i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)s[i];

        q.text[i] = (char)(c < 0x20 || c == 0x7f ? '?' : s[i]);
    }
    if (n < bytes)
        memcpy(q.text + n, "...", 4);
    return q;
}
