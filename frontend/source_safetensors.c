/* Tensors behind a JSON header:
 *
 *     u64 n, little-endian   header of n bytes   data
 *     {"NAME": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, ..}
 */
#include "frontend/sources.h"

#include "ir/json.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MOST_HEADER = 16 << 20 };

/* An integer from 0 to 2^53, or SIZE_MAX. */
static size_t
whole(const struct json *j)
{
    if (!j || j->kind != JSON_NUMBER || !(j->number >= 0) || j->number > 0x1p53
        || j->number != floor(j->number))
        return SIZE_MAX;
    return (size_t)j->number;
}

/* The one member that is called so; the header may hold a name twice. */
static const struct json *
tensor(const struct json *header, const struct fe_reading *r)
{
    const struct json *found = NULL;
    size_t len = 0;

    for (const struct json *k = header->first; k; k = k->next)
        if (strcmp(k->key, r->name) == 0) {
            if (found) {
                (void)fe_bad_file(r, "two tensors are called '%s'", r->name);
                return NULL;
            }
            found = k;
        }
    if (found && strcmp(r->name, "__metadata__") != 0)
        return found;
    (void)fe_bad_file(r, "no tensor is called '%s'", r->name);
    for (const struct json *k = header->first;
         k && len < sizeof r->fault->help - 64; k = k->next)
        if (strcmp(k->key, "__metadata__") != 0)
            len += (size_t)snprintf(r->fault->help + len,
                                    sizeof r->fault->help - len, "%s%.48s",
                                    len ? ", " : "there are: ", k->key);
    for (char *c = r->fault->help; *c; c++) /* from anybody's file */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return NULL;
}

static bool
read_shape(struct cml_array *out, const struct json *t,
           const struct fe_reading *r)
{
    const struct json *shape = json_get(t, "shape");

    if (!shape || shape->kind != JSON_LIST)
        return fe_bad_file(r, "tensor '%s' has no shape", r->name);
    for (const struct json *d = shape->first; d; d = d->next) {
        if (out->rank == CML_MAX_RANK || whole(d) == SIZE_MAX)
            return fe_bad_file(r, "tensor '%s': its shape cannot be read",
                               r->name);
        out->dims[out->rank++] = whole(d);
    }
    return true;
}

/* data: where it begins in the file */
static bool
read_tensor(struct cml_array *out, const struct json *t, size_t data,
            const struct fe_reading *r)
{
    const struct json *at = json_first(t, "data_offsets");
    const size_t begin = whole(at), end = whole(at ? at->next : NULL);
    const char *type = json_string(t, "dtype");
    const struct fe_element *e = fe_element_named(type);
    size_t count;

    if (!e)
        return fe_bad_file(r,
                           "tensor '%s': there are no elements of type "
                           "'%.16s'",
                           r->name, type);
    if (!read_shape(out, t, r))
        return false;
    if (begin > end || end > r->n - data)
        return fe_bad_file(r, "tensor '%s': its data lies outside of the file",
                           r->name);
    if (!fe_array_count(&count, out, r))
        return false;
    if (end - begin != count * fe_element_bytes(e))
        return fe_bad_byte(r, data + begin,
                           "tensor '%s': its data has another size than its "
                           "shape",
                           r->name);
    fe_array_open(out, count, e);
    return fe_array_fill(out->at, (const unsigned char *)r->at + data + begin,
                         count, e, false, r);
}

bool
fe_read_safetensors(struct cml_array *out, const struct fe_reading *r)
{
    const unsigned char *p = (const unsigned char *)r->at;
    const struct json *header, *t;
    const char *why;
    uint64_t n = 0;

    *out = (struct cml_array){ 0 };
    if (r->n < 8)
        return fe_bad_byte(r, r->n, "the file ends here, and should not");
    for (size_t i = 8; i-- > 0;)
        n = n << 8 | p[i];
    if (n > r->n - 8)
        return fe_bad_byte(r, 0, "the header is longer than the file");
    if (n > MOST_HEADER)
        return fe_bad_byte(r, 0, "the header has more than 16 MiB");
    header = json_read(r->scratch, r->at + 8, (size_t)n, &why);
    if (!header)
        return fe_bad_byte(r, 8, "the header is no JSON: %s", why);
    if (header->kind != JSON_OBJECT)
        return fe_bad_byte(r, 8, "the header is no JSON object");
    t = tensor(header, r);
    return t && (read_tensor(out, t, 8 + (size_t)n, r) || fe_array_drop(out));
}
