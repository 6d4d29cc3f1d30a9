/* Tokens.  The whole text is in memory and text[len] is 0. */
#include "frontend/inner.h"

#include "frontend/grammar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BITS = 62 };

static int64_t
whole(struct parser *ps, const char *text, struct span at)
{
    const int64_t most = ((int64_t)1 << MAX_BITS) - 1;
    int64_t v = 0;

    for (uint32_t i = 0; i < at.end - at.begin; i++) {
        const int digit = text[i] - '0';

        if (v > (most - digit) / 10) {
            diag_error(ps->diag, at, E_number,
                       "this integer needs more than %d bits", MAX_BITS);
            return 0;
        }
        v = v * 10 + digit;
    }
    return v;
}

static double
real(struct parser *ps, const char *text, struct span at)
{
    const double x =
        strtod(arena_string(ps->mem, text, at.end - at.begin), NULL);

    if (isfinite(x))
        return x;
    diag_error(ps->diag, at, E_number, "this number is too large");
    return 0;
}

/* the text between quotes; \" and \\ stand for themselves */
static const char *
string(struct parser *ps, const char *text, size_t len)
{
    char *s = arena_string(ps->mem, text + 1, len - 2), *to = s;

    for (const char *from = s; *from; from++) {
        if (*from == '\\')
            from++;
        *to++ = *from;
    }
    *to = 0;
    return s;
}

int
cml_yylex(CML_YYSTYPE *val, struct span *loc, struct parser *ps)
{
    const unsigned char *cur = (const unsigned char *)ps->cur;
    const unsigned char *lim = (const unsigned char *)ps->end;
    const char *text;

    for (;;) {
        const unsigned char *mar;
        int kind;

        if (ps->diag->errors >= DIAG_MAX)
            ps->stop = true;
        if (ps->after)
            ps->quiet = ps->after = false;
        if (ps->stop)
            cur = lim;
        text = (const char *)cur;
        loc->begin = ps->first + (uint32_t)(text - ps->base);
        /*!re2c
            re2c:define:YYCTYPE  = "unsigned char";
            re2c:define:YYCURSOR = cur;
            re2c:define:YYLIMIT  = lim;
            re2c:define:YYMARKER = mar;
            re2c:yyfill:enable   = 0;
            re2c:eof             = 0;
            re2c:indent:string   = "    ";

            ident  = [a-zA-Z_] [a-zA-Z0-9_]*;
            whole  = [0-9]+;
            exp    = [eE] [-+]? [0-9]+;
            real   = [0-9]+ ("." [0-9]+ exp? | exp);
            string = "\"" ([^"\\\n\x00] | "\\\"" | "\\\\")* "\"";
            utf8   = [^\x00-\x7f];

            $                { kind = T_END; goto done; }
            [ \t\r\n]+       { continue; }
            "#" [^\n\x00]*   { continue; }
            "and"            { kind = T_AND_WORD; goto done; }
            "at"             { kind = T_AT; goto done; }
            "const"          { kind = T_CONST; goto done; }
            "else"           { kind = T_ELSE; goto done; }
            "false"          { kind = T_FALSE; goto done; }
            "fn"             { kind = T_FN; goto done; }
            "for"            { kind = T_FOR; goto done; }
            "if"             { kind = T_IF; goto done; }
            "import"         { kind = T_IMPORT; goto done; }
            "in"             { kind = T_IN; goto done; }
            "input"          { kind = T_INPUT; goto done; }
            "labels"         { kind = T_LABELS; goto done; }
            "let"            { kind = T_LET; goto done; }
            "model"          { kind = T_MODEL; goto done; }
            "names"          { kind = T_NAMES; goto done; }
            "not"            { kind = T_NOT; goto done; }
            "or"             { kind = T_OR_WORD; goto done; }
            "output"         { kind = T_OUTPUT; goto done; }
            "param"          { kind = T_PARAM; goto done; }
            "quantize"       { kind = T_QUANTIZE; goto done; }
            "return"         { kind = T_RETURN; goto done; }
            "table"          { kind = T_TABLE; goto done; }
            "target"         { kind = T_TARGET; goto done; }
            "then"           { kind = T_THEN; goto done; }
            "true"           { kind = T_TRUE; goto done; }
            "var"            { kind = T_VAR; goto done; }
            "enc"            { kind = T_ENC; goto done; }
            "clear"          { kind = T_CLEAR; goto done; }
            "{"              { kind = T_LBRACE; goto done; }
            "}"              { kind = T_RBRACE; goto done; }
            "("              { kind = T_LPAREN; goto done; }
            ")"              { kind = T_RPAREN; goto done; }
            "["              { kind = T_LBRACKET; goto done; }
            "]"              { kind = T_RBRACKET; goto done; }
            "="              { kind = T_EQ; goto done; }
            ","              { kind = T_COMMA; goto done; }
            ";"              { kind = T_SEMI; goto done; }
            ":"              { kind = T_COLON; goto done; }
            ".."             { kind = T_DOTS; goto done; }
            "..."            { kind = T_ALL; goto done; }
            "+"              { kind = T_PLUS; goto done; }
            "-"              { kind = T_MINUS; goto done; }
            "*"              { kind = T_STAR; goto done; }
            "/"              { kind = T_SLASH; goto done; }
            "@"              { kind = T_MATMUL; goto done; }
            "**"             { kind = T_POWER; goto done; }
            "//"             { kind = T_FLOOR; goto done; }
            "%"              { kind = T_PERCENT; goto done; }
            "&"              { kind = T_AND; goto done; }
            "|"              { kind = T_OR; goto done; }
            "<<"             { kind = T_LEFT; goto done; }
            ">>"             { kind = T_RIGHT; goto done; }
            "~"              { kind = T_TILDE; goto done; }
            "^"              { kind = T_CARET; goto done; }
            "<"              { kind = T_LESS; goto done; }
            "<="             { kind = T_LESS_EQUAL; goto done; }
            ">"              { kind = T_GREATER; goto done; }
            ">="             { kind = T_GREATER_EQUAL; goto done; }
            "=="             { kind = T_EQUAL; goto done; }
            "!="             { kind = T_NOT_EQUAL; goto done; }
            ident            { kind = T_IDENT; goto done; }
            whole            { kind = T_WHOLE; goto done; }
            real             { kind = T_REAL; goto done; }
            string           { kind = T_STRING; goto done; }
            "\""             { goto unclosed; }
            utf8             { goto bad; }
            *                { goto bad; }
        */
    done:
        ps->cur = (const char *)cur;
        loc->end = ps->first + (uint32_t)(ps->cur - ps->base);
        if (kind == T_IDENT)
            val->T_IDENT = arena_string(ps->mem, text, loc->end - loc->begin);
        else if (kind == T_STRING)
            val->T_STRING = string(ps, text, loc->end - loc->begin);
        else if (kind == T_WHOLE)
            val->T_WHOLE = whole(ps, text, *loc);
        else if (kind == T_REAL)
            val->T_REAL = real(ps, text, *loc);
        ps->after = kind == T_SEMI;
        return kind;
    unclosed: /* the statement ends with its line */
        loc->end = loc->begin + 1;
        diag_error(ps->diag, *loc, E_character,
                   "this string is not closed on its line, or has an escape "
                   "other than \\\" and \\\\");
        while (cur < lim && *cur != '\n')
            cur++;
        ps->quiet = true;
        kind = T_SEMI;
        goto done;
    bad: /* a run of them is one mistake */
        loc->end = ps->first + (uint32_t)((const char *)cur - ps->base);
        diag_error(ps->diag, *loc, E_character,
                   "no token starts with this character");
        while (cur < lim && *cur >= 0x80)
            cur++;
        ps->quiet = true;
    }
}
