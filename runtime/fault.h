/* Filling a struct cml_fault. */
#ifndef CML_RUNTIME_FAULT_H
#define CML_RUNTIME_FAULT_H

#include "runtime/cml.h"

#define CMLRT_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Both replace what was there; a text that ends in ':' gets strerror(errno).
 * Returns s. */
enum cml_status cmlrt_fail(struct cml_fault *f, enum cml_status s,
                           const char *format, ...) CMLRT_PRINTF(3, 4);
void cmlrt_help(struct cml_fault *f, const char *format, ...)
    CMLRT_PRINTF(2, 3);
enum cml_status cmlrt_no_memory(struct cml_fault *f);

/* s for messages: unprintable bytes become '?', what is long is cut */
struct cmlrt_quoted {
    char text[48];
};
struct cmlrt_quoted cmlrt_quote(const char *s, unsigned long bytes);

#endif
