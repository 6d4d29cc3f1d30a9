/* A report as text: facts first, then a line an op, then why. */
#include "frontend/frontend.h"
#include "ir/json.h"

#include <math.h>
#include <string.h>

/* Anybody's text: no control characters on a terminal. */
static void
put(FILE *out, const char *text)
{
    for (; *text; text++)
        putc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

static void
put_bytes(FILE *out, double bytes)
{
    static const char *const unit[] = { "B", "kB", "MB", "GB" };
    size_t i = 0;

    while (bytes >= 1000 && i < 3)
        bytes /= 1000, i++;
    fprintf(out, "%.3g %s", bytes, unit[i]);
}

/* [64,32]; scalars are [] */
static void
shape(char text[static 64], const struct json *op)
{
    size_t n = 0;

    text[n++] = '[';
    for (const struct json *d = json_first(op, "shape"); d && n < 48;
         d = d->next)
        n += (size_t)snprintf(text + n, 64 - n, "%s%.0f", n > 1 ? "," : "",
                              d->number);
    snprintf(text + n, 64 - n, "]");
}

static void
interval(char text[static 64], const struct json *op)
{
    const struct json *lo = json_first(op, "interval");
    const struct json *hi = lo ? lo->next : NULL;

    snprintf(text, 64, "%.16g..%.16g", lo ? lo->number : (double)NAN,
             hi ? hi->number : (double)NAN);
}

static void
put_ms(char text[static 32], double ms)
{
    snprintf(text, 32, ms < 100 ? "%.3g" : "%.0f", ms);
}

/* a dash where there is nothing to say */
static void
cell(FILE *out, int width, const char *text, double x)
{
    fprintf(out, " %*s", width, isfinite(x) && x != 0 ? text : "-");
}

static void
number(FILE *out, int width, const char *before, int digits, double x,
       const char *after)
{
    char text[64];

    snprintf(text, sizeof text, "%s%.*f%s", before, digits, x, after);
    cell(out, width, text, x);
}

/* what is far below all bounds is not told to the bit */
enum { LEAST = -1000 };

/* the file of a line, if it is not the model's own */
static void
put_file(FILE *out, const char *before, const struct json *x)
{
    if (!*json_string(x, "file"))
        return;
    fputs(before, out);
    put(out, json_string(x, "file"));
}

static void
row(FILE *out, const struct json *op)
{
    char dims[64], range[64], bits[64], time[32];
    const double table = json_number(op, "table_bits");
    const double ms = json_number(op, "ms");

    shape(dims, op);
    interval(range, op);
    if (isfinite(table))
        snprintf(bits, sizeof bits, "%.0f>%.0f", table,
                 json_number(op, "bits"));
    else
        snprintf(bits, sizeof bits, "%.0f", json_number(op, "bits"));
    fprintf(out, "%5.0f  ", json_number(op, "line"));
    put(out, json_string(op, "op"));
    fprintf(out, "%*s", 9 - (int)strlen(json_string(op, "op")), "");
    fprintf(out, " %-9s %-20s %5s", dims, range, bits);
    number(out, 6, "", 0, json_number(op, "bootstraps"), "");
    put_ms(time, ms);
    cell(out, 9, time, ms);
    snprintf(bits, sizeof bits, "%.4g", json_number(op, "margin"));
    cell(out, 7, bits, json_number(op, "margin"));
    if (json_number(op, "log2_p_fail") < (double)LEAST)
        cell(out, 8, "<2^-1000", 1);
    else
        number(out, 8, "2^", 1, json_number(op, "log2_p_fail"), "");
    number(out, 6, "", 1, 100 * json_number(op, "share"), "%");
    put_file(out, "  ", op);
    putc('\n', out);
}

static void
rows(FILE *out, const struct json *j)
{
    if (!json_get(j, "ops"))
        return;
    fputs("\n line  op        shape     interval              bits  boots"
          "        ms  margin   p_fail  share\n",
          out);
    for (const struct json *op = json_first(j, "ops"); op; op = op->next)
        row(out, op);
    fputs(
        "\nbits a>b: a table that reads a bits and gives b.  margin: "
        "sqrt(V_safe"
        " / V),\nV the variance at the op's worst event, V_safe the one that "
        "would spend a row's\nbound alone; of an answer, after the noise that "
        "hides its sum.\n",
        out);
}

static void
why(FILE *out, const struct json *j)
{
    if (!json_first(j, "ops"))
        return;
    fputs("\nwhy these bits\n", out);
    for (const struct json *op = json_first(j, "ops"); op; op = op->next) {
        fprintf(out, "%5.0f  ", json_number(op, "line"));
        put(out, json_string(op, "op"));
        put_file(out, " of ", op);
        fprintf(out, ", %.0f bits\n", json_number(op, "bits"));
        for (const struct json *x = json_first(op, "why"); x; x = x->next) {
            fprintf(out, "       line %.0f", json_number(x, "line"));
            put_file(out, " of ", x);
            fputs(": ", out);
            put(out, json_string(x, "text"));
            putc('\n', out);
        }
    }
}

static void
keys(FILE *out, const struct json *j)
{
    const struct json *z = json_get(j, "sizes");

    fputs("keys        eval.key ", out);
    put_bytes(out, json_number(z, "eval_key"));
    for (const struct json *k = json_first(j, "keys"); k; k = k->next) {
        if (strcmp(json_string(k, "file"), "eval.key") != 0)
            continue;
        fputs(", ", out);
        put(out, json_string(k, "key"));
        if (json_get(j, "more_parameters"))
            fprintf(out, " of set %.0f", json_number(k, "set"));
        fputs(" ", out);
        put_bytes(out, json_number(k, "bytes"));
    }
    fputs("; client.key ", out);
    put_bytes(out, json_number(z, "client_key"));
    fputs("\nciphertexts input ", out);
    put_bytes(out, json_number(z, "input_row"));
    fputs(" a row, output ", out);
    put_bytes(out, json_number(z, "output_row"));
    fputs(" a row\n", out);
}

static bool
is_true(const struct json *j, const char *key)
{
    const struct json *m = json_get(j, key);

    return m && m->truth;
}

static void
security(FILE *out, const struct json *j)
{
    const struct json *s = json_get(j, "security");

    if (is_true(j, "insecure")) {
        fputs("security    NONE: toy parameters of a test\n", out);
        return;
    }
    fprintf(out, "security    %.0f bits: the %.0f-bit curve of ",
            json_number(s, "bits"), json_number(s, "curve"));
    put(out, json_string(s, "source"));
    fputs(" (", out);
    put(out, json_string(s, "date"));
    fputs("; ", out);
    put(out, json_string(s, "estimator"));
    fputs(")\n", out);
}

/* "client learns" and the list, a line each */
static void
learns(FILE *out, const struct json *j, const char *key, const char *label)
{
    const struct json *x = json_first(json_get(j, "learns"), key);

    for (; x; x = x->next) {
        fprintf(out, "  %-16s", label);
        put(out, x->kind == JSON_TEXT ? x->text : "");
        putc('\n', out);
        label = "";
    }
}

static void
ends(FILE *out, const struct json *j, const char *key, const char *label)
{
    char dims[64];

    for (const struct json *x = json_first(j, key); x; x = x->next) {
        fprintf(out, "%-12s", label);
        put(out, json_string(x, "name"));
        shape(dims, x);
        fprintf(out, " : %s%s%s", is_true(x, "clear") ? "clear " : "",
                is_true(x, "integer") ? "int" : "real", dims);
        if (isfinite(json_number(x, "lo")))
            fprintf(out, " in %g..%g", json_number(x, "lo"),
                    json_number(x, "hi"));
        putc('\n', out);
    }
}

static void
crossings(FILE *out, const struct json *j, const char *key, const char *label)
{
    const struct json *x = json_first(json_get(j, "learns"), key);

    for (; x; x = x->next) {
        const struct json *scale = json_first(x, "scale");

        fprintf(out, "%-12s%.0f integers in [%.16g, %.16g], %s, grid %g", label,
                json_number(x, "count"), json_number(x, "lo"),
                json_number(x, "hi"),
                is_true(x, "open") ? "in the clear" : "encrypted",
                scale ? scale->number : (double)NAN);
        fputs(scale && scale->next ? " and others, one a channel\n" : "\n",
              out);
    }
}

void
fe_report_text(FILE *out, const struct json *j)
{
    const struct json *t = json_get(j, "totals");
    char ms[32];

    fputs("model       ", out);
    put(out, json_string(j, "name"));
    fputs(", by cmlc ", out);
    put(out, json_string(j, "version"));
    putc('\n', out);
    ends(out, j, "inputs", "input");
    ends(out, j, "outputs", "output");
    crossings(out, j, "sent", "sent");
    crossings(out, j, "answers", "answered");
    put_ms(ms, json_number(t, "ms"));
    fprintf(out,
            "cost        %.0f bootstraps a row, about %s ms on one core with "
            "AVX-512\n",
            json_number(t, "bootstraps"), ms);
    fprintf(out, "p_fail      2^%.1f a row at most, 2^%.5g was asked for%s\n",
            fmax(json_number(t, "log2_p_fail"), (double)LEAST),
            json_number(t, "log2_p_fail_asked"),
            is_true(j, "approximate") ? "; tables approximate on purpose" : "");
    security(out, j);
    keys(out, j);
    rows(out, j);
    why(out, j);
    fputs("\nwho learns what\n", out);
    learns(out, j, "client", "client learns");
    learns(out, j, "client_not", "and does not");
    learns(out, j, "server", "server learns");
    learns(out, j, "server_not", "and does not");
}
