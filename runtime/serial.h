/* Files of keys and ciphertexts, lang-spec/formats.md, and how any file of a
 * program is read and written.  Functions that fail fill the fault. */
#ifndef CML_RUNTIME_SERIAL_H
#define CML_RUNTIME_SERIAL_H

#include "runtime/fault.h"
#include "runtime/rt.h"

/* ---- os.c */
struct cmlrt_part {
    const void *at;
    size_t bytes;
};

enum cmlrt_write {
    CMLRT_REPLACE = 0,
    CMLRT_SECRET = 1, /* mode 0600, else 0644 less umask */
    CMLRT_ONCE = 2,   /* refuses to replace a file */
    CMLRT_LATER = 4,  /* complete, but gets its name by cmlrt_place_all */
};

/* The old file or all of the new one, never between; devices and pipes are
 * written in place, "-" is standard output. */
enum cml_status cmlrt_write_file(const char *path,
                                 const struct cmlrt_part *parts, size_t n,
                                 unsigned flags, struct cml_fault *f);

/* Whether path is a device, a pipe or a folder, which nothing can replace. */
bool cmlrt_in_place(const char *path);

/* Gives the files of CMLRT_LATER, two at most, their names; path of those stays
 * until then.  A signal that stops the program finds all of them or none.  If
 * ok is false, or one cannot be placed, nothing new stays. */
enum cml_status cmlrt_place_all(bool ok, struct cml_fault *f);

/* Such a file in pieces, one at a time: a temporary, that can be written and
 * read, until it is closed.  These return false with errno. */
struct cmlrt_draft {
    int fd;
    char *name;
    const char *path;
};
bool cmlrt_draft_open(struct cmlrt_draft *d, const char *path);
/* Puts it in place if ok; else, and if that fails, nothing of it stays and
 * errno is the first failure.  Also after an open that failed. */
bool cmlrt_draft_close(struct cmlrt_draft *d, bool ok, unsigned flags);
bool cmlrt_write(int fd, const void *at, size_t bytes);

/* A whole file, or "-" for standard input, and a NUL behind it. */
enum cml_status cmlrt_read_file(char **out, size_t *bytes, const char *path,
                                struct cml_fault *f);

/* For readers that must look before they read on. */
enum cml_status cmlrt_open(int *fd, const char *path, struct cml_fault *f);
void cmlrt_close(int fd);
/* Up to bytes, less only at the end of the file; -1 with errno. */
int64_t cmlrt_read(int fd, void *out, size_t bytes);

/* ---- mapping.c: a regular file of so many bytes, read-only, or NULL: then
 * read it.  One at a time; path, for messages, stays until it is unmapped.  If
 * a page cannot be read, the process ends with a message and the exit code of
 * CML_E_io. */
uint8_t *cmlrt_map(int fd, size_t bytes, const char *path);
void cmlrt_unmap(uint8_t *at, size_t bytes);

/* ---- ids.c: BLAKE2b-128 */
void cmlrt_sets_id(uint8_t id[CMLRT_ID], const struct cmlrt_sets *sets);
/* of a program with this set alone */
void cmlrt_params_id(uint8_t id[CMLRT_ID], const struct cmlrt_set *set);
void cmlrt_key_id(uint8_t id[CMLRT_ID], const uint8_t *payload, size_t bytes);

struct cmlrt_hex {
    char text[2 * CMLRT_ID + 1];
};
struct cmlrt_hex cmlrt_id_hex(const uint8_t id[CMLRT_ID]);

/* ---- serial.c */
enum { CMLRT_HEADER = 128, CMLRT_TAIL = 32, CMLRT_MAJOR = 1 };

enum cmlrt_type {
    CMLRT_CLIENT_KEY = 1,
    CMLRT_EVAL_KEY,
    CMLRT_INPUT_CT,
    CMLRT_OUTPUT_CT,
    CMLRT_NTYPES
};

enum cmlrt_flags {
    CMLRT_HAS_PASSPHRASE = 1,
    CMLRT_APPROXIMATE = 2,
    CMLRT_INSECURE = 1 << 15,
};

struct cmlrt_header {
    uint16_t type, major, minor, flags;
    uint8_t model[CMLRT_ID], params[CMLRT_ID], key[CMLRT_ID];
    uint64_t bytes; /* of the payload */
    uint32_t rows, sections;
    char version[8 + 1]; /* of the writer */
};

const char *cmlrt_type_name(unsigned type);
/* what a writer of this version fills in: bytes, major, minor, sections */
void cmlrt_header_fill(struct cmlrt_header *h, uint64_t bytes);
void cmlrt_header_pack(uint8_t out[CMLRT_HEADER], const struct cmlrt_header *h);
/* NULL, or what is wrong: magic, header's hash, version, zeros */
const char *cmlrt_header_unpack(struct cmlrt_header *h,
                                const uint8_t in[CMLRT_HEADER]);

/* h->bytes, major, minor, sections are filled in. */
enum cml_status cmlrt_save(const char *path, struct cmlrt_header *h,
                           const struct cmlrt_part *payload, size_t parts,
                           unsigned flags, struct cml_fault *f);

/* ---- keyfile.c: an evaluation key as it is made.  Its id, which the header
 * begins with, is known at the end only; the file is the same as cmlrt_save's.
 * Fills in the rest of h and h->key. */
typedef enum cml_status cmlrt_maker(void *arg, const struct cmlrt_outlet *out);
enum cml_status cmlrt_save_made(const char *path, struct cmlrt_header *h,
                                cmlrt_maker *make, void *arg, unsigned flags,
                                struct cml_fault *f);

/* What a reader insists on.  The payload has fixed + rows per_row bytes, which
 * is compared with the header and the file before memory is asked for. */
struct cmlrt_expect {
    enum cmlrt_type type;
    unsigned insecure;     /* CMLRT_INSECURE or 0 */
    const uint8_t *model;  /* NULL: of keys, which have none */
    const uint8_t *params; /* the program's */
    const uint8_t *key;    /* NULL: any */
    const char *key_from;  /* the file that key was read from */
    size_t fixed, per_row;
    bool secret; /* refused if others can read it */
    bool map;    /* its payload is not changed, so that pages of the file do */
    struct cmlrt_pool *pool; /* NULL, or threads for the hashes */
};

struct cmlrt_file {
    struct cmlrt_header header;
    uint8_t *payload;
    size_t bytes;
    uint8_t *memory; /* the file, whole unless reading failed */
    size_t room;
    bool mapped; /* read-only; pages that all its readers share */
};

/* An evaluation key's id is checked, too. */
enum cml_status cmlrt_load(struct cmlrt_file *out, const char *path,
                           const struct cmlrt_expect *want,
                           struct cml_fault *f);
/* Erases what was read, then frees. */
void cmlrt_unload(struct cmlrt_file *file);

/* Header and hash of any file, whatever program it is of; *whole tells
 * whether size and payload hash are right. */
enum cml_status cmlrt_inspect(struct cmlrt_header *h, bool *whole,
                              const char *path, struct cml_fault *f);

#endif
