/* Arrays of numpy in a zip, stored or deflated: numpy.savez and
 * savez_compressed call the array NAME's entry NAME.npy.
 *
 * libzip reads the directory, with its consistency checks, and compares the
 * checksum.
 */
#include "frontend/sources.h"

#include <stdint.h>
#include <string.h>
#include <zip.h>

enum { MOST_RATIO = 1032 }; /* that deflate reaches */
enum { MOST_BYTES = 1 << 30 };

bool
fe_read_npy(struct cml_array *out, const struct fe_reading *r)
{
    return cml_npy_parse(out, r->at, r->n, r->most, r->file, r->fault)
           == CML_E_ok;
}

/* NULL, or what is wrong with an entry before it is read. */
static const char *
refused(const struct zip_stat *st)
{
    const zip_uint64_t need =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;

    if ((st->valid & need) != need)
        return "the entry has no size";
    if (st->comp_method != ZIP_CM_STORE && st->comp_method != ZIP_CM_DEFLATE)
        return "the entry is neither stored nor deflated";
    if ((st->valid & ZIP_STAT_ENCRYPTION_METHOD)
        && st->encryption_method != ZIP_EM_NONE)
        return "the entry is encrypted";
    if (st->size > MOST_BYTES)
        return "the entry has more than 1 GiB";
    if (st->size / MOST_RATIO > st->comp_size)
        return "the entry claims more than its bytes can hold";
    return NULL;
}

/* All bytes, and then the end: there the checksum is compared. */
static char *
read_entry(zip_t *zip, zip_uint64_t index, const struct zip_stat *st,
           const struct fe_reading *r)
{
    char *at = arena_new(r->scratch, char, st->size + 1);
    zip_file_t *f = zip_fopen_index(zip, index, 0);
    char more;
    bool ok;

    if (!f) {
        (void)fe_bad_file(r, "'%s': %s", r->name, zip_strerror(zip));
        return NULL;
    }
    ok = zip_fread(f, at, st->size) == (zip_int64_t)st->size
         && zip_fread(f, &more, 1) == 0;
    if (!ok)
        (void)fe_bad_file(r, "'%s': %s", r->name, zip_file_strerror(f));
    (void)zip_fclose(f);
    return ok ? at : NULL;
}

static zip_int64_t
find(zip_t *zip, const char *name, struct arena *scratch)
{
    const size_t n = strlen(name) + sizeof ".npy";
    char *entry = arena_new(scratch, char, n);

    (void)snprintf(entry, n, "%s.npy", name);
    return zip_name_locate(zip, entry, 0);
}

/* The names that are there, for a message. */
static void
list_names(zip_t *zip, struct cml_fault *f)
{
    const zip_int64_t n = zip_get_num_entries(zip, 0);
    size_t len = 0;

    for (zip_int64_t i = 0; i < n && len < sizeof f->help - 48; i++) {
        const char *name = zip_get_name(zip, (zip_uint64_t)i, 0);
        const size_t all = name ? strlen(name) : 0;

        if (all < 4 || strcmp(name + all - 4, ".npy") != 0)
            continue;
        len += (size_t)snprintf(
            f->help + len, sizeof f->help - len, "%s%.*s",
            len ? ", " : "there are: ", all - 4 < 32 ? (int)all - 4 : 32, name);
    }
    for (char *c = f->help; *c; c++) /* from anybody's file */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static bool
read_array(struct cml_array *out, zip_t *zip, const struct fe_reading *r)
{
    const zip_int64_t index = find(zip, r->name, r->scratch);
    const size_t n = strlen(r->file) + strlen(r->name) + 4;
    char *label = arena_new(r->scratch, char, n);
    struct fe_reading inner = *r;
    struct zip_stat st;
    const char *why;

    if (index < 0) {
        (void)fe_bad_file(r, "no array is called '%s'", r->name);
        list_names(zip, r->fault);
        return false;
    }
    if (zip_stat_index(zip, (zip_uint64_t)index, 0, &st) != 0)
        return fe_bad_file(r, "'%s': %s", r->name, zip_strerror(zip));
    why = refused(&st);
    if (why)
        return fe_bad_file(r, "'%s': %s", r->name, why);
    (void)snprintf(label, n, "%s[%s]", r->file, r->name);
    inner.file = label;
    inner.n = st.size;
    inner.at = read_entry(zip, (zip_uint64_t)index, &st, r);
    return inner.at && fe_read_npy(out, &inner);
}

bool
fe_read_npz(struct cml_array *out, const struct fe_reading *r)
{
    zip_error_t error;
    zip_source_t *source;
    zip_t *zip;
    bool ok;

    *out = (struct cml_array){ 0 };
    zip_error_init(&error);
    source = zip_source_buffer_create(r->at, r->n, 0, &error);
    if (!source)
        out_of_memory();
    zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (!zip) {
        (void)fe_bad_file(r, "%s", zip_error_strerror(&error));
        zip_source_free(source);
    }
    zip_error_fini(&error);
    if (!zip)
        return false;
    ok = read_array(out, zip, r);
    zip_discard(zip);
    return ok;
}
