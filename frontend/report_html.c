/* A report as one page: no script, nothing from elsewhere, a picture of the
 * cost of each source line as inline SVG. */
#include "frontend/frontend.h"
#include "ir/json.h"

#include <math.h>
#include <string.h>

static void
put(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default:
            putc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text,
                 out);
        }
}

static void
begin(FILE *out, const struct json *j)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
          "<meta charset=\"utf-8\"/>\n<title>",
          out);
    put(out, json_string(j, "name"));
    fputs(", a report of cmlc</title>\n<style>\n"
          "body { font-family: sans-serif; margin: 2em; max-width: 70em }\n"
          "table { border-collapse: collapse }\n"
          "td, th { padding: 0.2em 0.6em; text-align: right;\n"
          "  border-bottom: 1px solid #ccc }\n"
          "td.l, th.l { text-align: left }\n"
          "code, svg text { font-family: monospace }\n"
          "</style>\n</head>\n<body>\n<h1>",
          out);
    put(out, json_string(j, "name"));
    fputs("</h1>\n", out);
}

/* the text form's facts are the page's as well */
static void
facts(FILE *out, const struct json *j)
{
    const struct json *t = json_get(j, "totals"), *s = json_get(j, "security");
    const struct json *z = json_get(j, "sizes");

    fprintf(out,
            "<p>%.0f bootstraps a row, about %.3g ms on one core with AVX-512. "
            "A row fails with 2^%.1f at most; 2^%.5g was asked for.</p>\n",
            json_number(t, "bootstraps"), json_number(t, "ms"),
            json_number(t, "log2_p_fail"), json_number(t, "log2_p_fail_asked"));
    fprintf(out, "<p>Security: %.0f bits, the %.0f-bit curve of ",
            json_number(s, "bits"), json_number(s, "curve"));
    put(out, json_string(s, "source"));
    fputs(", ", out);
    put(out, json_string(s, "date"));
    fputs(" (", out);
    put(out, json_string(s, "estimator"));
    fprintf(out,
            "). eval.key has %.0f bytes, client.key %.0f; a row of input %.0f, "
            "of output %.0f.</p>\n",
            json_number(z, "eval_key"), json_number(z, "client_key"),
            json_number(z, "input_row"), json_number(z, "output_row"));
}

enum { BAR = 360, STEP = 22, TEXT_AT = 470, WIDTH = 1000 };

static void
picture(FILE *out, const struct json *j)
{
    const struct json *lines = json_first(j, "lines");
    double most = 0;
    int n = 0;

    for (const struct json *l = lines; l; l = l->next, n++)
        most = fmax(most, json_number(l, "ms"));
    if (n == 0)
        return;
    fprintf(out,
            "<h2>Cost of the source lines</h2>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
            "height=\"%d\" role=\"img\">\n",
            WIDTH, (n + 1) * STEP);
    n = 0;
    for (const struct json *l = lines; l; l = l->next, n++) {
        const double ms = fmax(json_number(l, "ms"), 0);
        const double bar = most > 0 ? (double)BAR * ms / most : 0;

        fprintf(out,
                "<rect x=\"40\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
                "fill=\"#47a\"/>\n",
                n * STEP + 3, fmax(bar, 1), STEP - 6);
        fprintf(out,
                "<text x=\"0\" y=\"%d\" font-size=\"12\">%.0f</text>\n"
                "<text x=\"%.1f\" y=\"%d\" font-size=\"12\">%.3g ms</text>\n"
                "<text x=\"%d\" y=\"%d\" font-size=\"12\">",
                n * STEP + 15, json_number(l, "line"), 44 + fmax(bar, 1),
                n * STEP + 15, ms, TEXT_AT, n * STEP + 15);
        put(out, json_string(l, "file"));
        fputs(*json_string(l, "file") ? ": " : "", out);
        put(out, json_string(l, "text"));
        fputs("</text>\n", out);
    }
    fputs("</svg>\n", out);
}

static void
cell(FILE *out, const char *before, int digits, double x, const char *after)
{
    fputs("<td>", out);
    if (isfinite(x))
        fprintf(out, "%s%.*f%s", before, digits, x, after);
    fputs("</td>", out);
}

static void
list(FILE *out, const struct json *x, const char *between)
{
    for (bool first = true; x; x = x->next, first = false) {
        fputs(first ? "" : between, out);
        if (x->kind == JSON_TEXT)
            put(out, x->text);
        else
            fprintf(out, "%.16g", x->number);
    }
}

/* 12, or layers.cml:12 */
static void
put_line(FILE *out, const struct json *x)
{
    const char *file = json_string(x, "file");

    put(out, file);
    fprintf(out, *file ? ":%.0f" : "%.0f", json_number(x, "line"));
}

static void
row(FILE *out, const struct json *op)
{
    fputs("<tr><td>", out);
    put_line(out, op);
    fputs("</td><td class=\"l\">", out);
    put(out, json_string(op, "op"));
    fputs("</td><td class=\"l\">[", out);
    list(out, json_first(op, "shape"), ",");
    fputs("]</td><td class=\"l\">[", out);
    list(out, json_first(op, "interval"), ", ");
    fputs("]</td>", out);
    cell(out, "", 0, json_number(op, "table_bits"), "");
    cell(out, "", 0, json_number(op, "bits"), "");
    cell(out, "", 0, json_number(op, "bootstraps"), "");
    cell(out, "", 3, json_number(op, "ms"), "");
    cell(out, "", 3, json_number(op, "margin"), "");
    cell(out, "2^", 1, json_number(op, "log2_p_fail"), "");
    cell(out, "", 1, 100 * json_number(op, "share"), " %");
    fputs("<td class=\"l\">", out);
    for (const struct json *x = json_first(op, "why"); x; x = x->next) {
        put_line(out, x);
        fputs(": ", out);
        put(out, json_string(x, "text"));
        fputs("<br/>", out);
    }
    fputs("</td></tr>\n", out);
}

static void
rows(FILE *out, const struct json *j)
{
    if (!json_first(j, "ops"))
        return;
    fputs("<h2>Operations of the circuit</h2>\n<table>\n<tr><th>line</th>"
          "<th class=\"l\">op</th><th class=\"l\">shape</th>"
          "<th class=\"l\">interval</th><th>table</th><th>bits</th>"
          "<th>bootstraps</th><th>ms</th><th>margin</th><th>p_fail</th>"
          "<th>share</th><th class=\"l\">why these bits (by line)</th></tr>\n",
          out);
    for (const struct json *op = json_first(j, "ops"); op; op = op->next)
        row(out, op);
    fputs("</table>\n<p>table: bits that a table reads. margin: sqrt(V_safe / "
          "V), V the variance at the worst event of the operation, V_safe the "
          "one that would spend a row's bound alone.</p>\n",
          out);
}

static void
learns(FILE *out, const struct json *j)
{
    static const struct {
        const char *key, *title;
    } part[] = { { "client", "The client learns" },
                 { "client_not", "and does not learn" },
                 { "server", "The server learns" },
                 { "server_not", "and does not learn" } };

    fputs("<h2>Who learns what</h2>\n", out);
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        fprintf(out, "<p>%s: ", part[i].title);
        list(out, json_first(json_get(j, "learns"), part[i].key), "; ");
        fputs(".</p>\n", out);
    }
}

static void
keys(FILE *out, const struct json *j)
{
    fputs("<h2>Keys</h2>\n<table>\n<tr><th class=\"l\">file</th>"
          "<th class=\"l\">key</th><th>bytes</th></tr>\n",
          out);
    for (const struct json *k = json_first(j, "keys"); k; k = k->next) {
        fputs("<tr><td class=\"l\">", out);
        put(out, json_string(k, "file"));
        fputs("</td><td class=\"l\">", out);
        put(out, json_string(k, "key"));
        fputs("</td>", out);
        cell(out, "", 0, json_number(k, "bytes"), "");
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

void
fe_report_html(FILE *out, const struct json *j)
{
    begin(out, j);
    facts(out, j);
    picture(out, j);
    rows(out, j);
    keys(out, j);
    learns(out, j);
    fputs("</body>\n</html>\n", out);
}
