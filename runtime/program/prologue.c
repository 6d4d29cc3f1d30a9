/* Rows to the messages that are encrypted: the model's prologue, with a count
 * of the rows that had to be clipped on the way.
 *
 * Rows are the user's secret: they are erased as soon as they are messages.
 */
#include "runtime/program/program.h"

#include <stdlib.h>
#include <string.h>

/* "3 of 40 rows clipped: age, income" */
static void
tell_clipped(const struct program *p, size_t rows, const struct clipping *c)
{
    char names[400] = "";
    size_t clipped = 0, end = 0;

    for (size_t r = 0; r < rows; r++)
        clipped += c->row[r];
    for (size_t i = 0; i < p->layout.inputs; i++) {
        const size_t left = sizeof names - end;

        if (!c->input[i])
            continue;
        if (left < sizeof(struct number_name) + 8) { /* too many to tell */
            (void)snprintf(names + end, left, ", ...");
            break;
        }
        end += (size_t)snprintf(names + end, left, "%s%s", end ? ", " : ": ",
                                input_name(p, i).text);
    }
    if (clipped)
        program_note(p, "%zu of %zu rows clipped%s", clipped, rows, names);
}

/* An input without a box is clipped where its quantiser ends; with a box that
 * is rounding at its ends, and no news. */
static bool
all_boxed(const struct program *p)
{
    const struct cml_input *in = p->m->inputs;
    bool boxed = true;

    for (int64_t i = 0; i < p->m->ninputs; i++)
        boxed = boxed && in[i].boxed;
    return boxed;
}

/* The circuit is proved for messages within the bounds of their piece. */
static bool
within(const struct program *p, const int64_t *message)
{
    const struct cml_piece *piece = p->m->pieces;
    bool ok = true;

    for (int64_t i = 0; i < p->m->npieces; i++)
        for (int64_t j = 0; j < piece[i].count; j++) {
            const int64_t m = message[piece[i].first + j];

            ok = ok && m >= piece[i].lo && m <= piece[i].hi;
        }
    return ok;
}

static enum cml_status
convert(struct program *p, struct messages *out, const struct cml_rows *rows,
        struct clipping *clipped, void *scratch)
{
    const size_t columns = rows->columns, messages = p->layout.messages;
    const bool boxed = all_boxed(p);
    cml_prologue_fn *prologue;

    memcpy(&prologue, &p->m->prologue, sizeof prologue);
    for (size_t r = 0; r < rows->rows; r++) {
        const int64_t clips =
            prologue(rows->at + r * columns, out->at + r * messages, scratch);
        const bool outside = clips > 0;

        if (clips < 0)
            return cmlrt_fail(&p->fault, CML_E_data,
                              "row %zu becomes not-a-number before it is "
                              "encrypted, a logarithm of a negative number or "
                              "the like",
                              r + 1);
        if (outside && !boxed && p->o.strict)
            return cmlrt_fail(&p->fault, CML_E_data,
                              "row %zu has a value outside the range that the "
                              "model was calibrated for",
                              r + 1);
        clipped->row[r] |= outside && !boxed;
        if (!within(p, out->at + r * messages))
            return cmlrt_fail(&p->fault, CML_E_data,
                              "row %zu has a value that the model has no "
                              "message for",
                              r + 1);
    }
    return CML_E_ok;
}

static enum cml_status
allocate(struct program *p, struct messages *out, void **scratch)
{
    out->at = calloc(out->rows * p->layout.messages + 1, sizeof *out->at);
    *scratch = calloc((size_t)p->m->prologue_bytes + 1, 1);
    return out->at && *scratch ? CML_E_ok : program_no_memory(p);
}

enum cml_status
program_read(struct program *p, struct messages *out)
{
    struct clipping clipped = { NULL, NULL };
    struct cml_rows rows = { 0, 0, NULL };
    void *scratch = NULL;
    enum cml_status s = program_rows(p, &rows, &clipped);

    *out = (struct messages){ rows.rows, NULL };
    if (s == CML_E_ok)
        s = allocate(p, out, &scratch);
    if (s == CML_E_ok)
        s = convert(p, out, &rows, &clipped, scratch);
    if (s == CML_E_ok)
        tell_clipped(p, rows.rows, &clipped);
    else
        messages_free(p, out);
    if (scratch)
        cmlrt_wipe(scratch, (size_t)p->m->prologue_bytes);
    if (rows.at)
        cmlrt_wipe(rows.at, rows.rows * rows.columns * sizeof *rows.at);
    free(scratch);
    free(rows.at);
    free(clipped.row);
    free(clipped.input);
    return s;
}

void
messages_free(const struct program *p, struct messages *m)
{
    if (m->at)
        cmlrt_wipe(m->at, m->rows * p->layout.messages * sizeof *m->at);
    free(m->at);
    m->at = NULL;
}
