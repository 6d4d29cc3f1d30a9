/* `cmlc explain`: what a code means, from diag.def, and the way out, from
 * explain.def. */
#include "ir/diag.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Both tables have the same names in the same order, or this does not compile:
 * way_NAME is the index of a row of explain.def. */
enum {
#define WAY(name, text) way_##name,
#include "ir/explain.def"
    NWAYS
};

static const char *const ways[NWAYS] = {
#define WAY(name, text) [way_##name] = text,
#include "ir/explain.def"
};

static const struct {
    int number, way;
    const char *code, *name, *text;
} codes[] = {
#define D(number, name, text) { number, way_##name, "E0" #number, #name, text },
#include "ir/diag.def"
};

enum { NCODES = sizeof codes / sizeof *codes };

_Static_assert((int)NCODES == (int)NWAYS, "a way out belongs to no code");

static bool
same(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
    return *a == *b;
}

/* E0504, e504, 504; -1 for anything else */
static long
number_of(const char *code)
{
    const char *digits = code + (*code == 'E' || *code == 'e');
    char *end;
    long n;

    if (!isdigit((unsigned char)*digits))
        return -1;
    n = strtol(digits, &end, 10);
    return *end ? -1 : n;
}

/* How many edits away, or so: names by the letters in common at their begin. */
static long
apart(const char *code, size_t i)
{
    const long n = number_of(code);
    long common = 0;

    if (n >= 0)
        return labs(n - codes[i].number);
    while (code[common] && codes[i].name[common]
           && tolower((unsigned char)code[common]) == codes[i].name[common])
        common++;
    return common >= 3 ? (long)strlen(codes[i].name) - common : 1000000;
}

static const char *
nearest(const char *code)
{
    long least = 1000000;
    size_t best = 0;

    for (size_t i = 0; i < NCODES; i++)
        if (apart(code, i) < least) {
            least = apart(code, i);
            best = i;
        }
    return least < 1000000 ? codes[best].code : NULL;
}

bool
diag_explain(FILE *out, const char *code, const char **meant)
{
    const long number = number_of(code);

    for (size_t i = 0; i < NCODES; i++)
        if (codes[i].number == number || same(codes[i].name, code)) {
            fprintf(out, "E%04d %s\n\n%s\nway out\n\n%s", codes[i].number,
                    codes[i].name, codes[i].text, ways[codes[i].way]);
            return true;
        }
    *meant = nearest(code);
    return false;
}

/* The first sentence, in one line. */
static void
put_sentence(FILE *out, const char *text)
{
    for (; *text && !(*text == '.' && isspace((unsigned char)text[1]))
           && !(*text == ':' && text[1] == '\n');
         text++)
        putc(*text == '\n' ? ' ' : *text, out);
}

void
diag_list(FILE *out)
{
    for (size_t i = 0; i < NCODES; i++) {
        fprintf(out, "E%04d %-17s ", codes[i].number, codes[i].name);
        put_sentence(out, codes[i].text);
        putc('\n', out);
    }
}
