/* The grammar: text to syntax tree, one call per action. */
%require "3.8"
%define api.header.include {"frontend/grammar.h"}
%define api.location.type {struct span}
%define api.prefix {cml_yy}
%define api.pure full
%define api.token.prefix {T_}
%define api.token.raw
%define api.value.type union
%define parse.error custom
%define parse.lac full
%define parse.trace
%locations
%expect 0
%param { struct parser *ps }

%code requires { #include "frontend/inner.h" }

%code provides {
int cml_yylex(CML_YYSTYPE *val, struct span *loc, struct parser *ps);
}

%code {
/* An empty rule sits at the end of what precedes it. */
#define YYLLOC_DEFAULT(cur, rhs, n) \
    do { \
        (cur).begin = (n) ? YYRHSLOC(rhs, 1).begin : YYRHSLOC(rhs, 0).end; \
        (cur).end = YYRHSLOC(rhs, n).end; \
    } while (0)

#include <string.h>

static void cml_yyerror(const struct span *at, struct parser *ps,
                        const char *msg);

static struct ast *node(struct parser *ps, enum ast_kind kind, struct span at,
                        const char *text, struct ast *a, struct ast *b,
                        struct ast *c);
static struct ast *whole(struct parser *ps, enum ast_kind kind, struct span at,
                         int64_t v);
static struct ast *real(struct parser *ps, struct span at, double x);
static struct ast *nothing(struct parser *ps, struct span at);
/* parent with one more child, which may be nested too deeply */
static struct ast *add(struct parser *ps, struct ast *parent, struct ast *kid);
/* what is said of this kind, or else what is not: a node of its own, since both
 * come in any order */
static struct ast *one_of(struct parser *ps, const struct ast *abouts,
                          enum ast_kind kind, bool is);
/* a OP b; a chain, if a is a comparison that stands in no parentheses */
static struct ast *compare(struct parser *ps, struct span at, const char *op,
                           struct ast *a, struct span at_a, struct ast *b);
/* with the imports before its children */
static struct ast *headed(struct ast *imports, const struct ast *file);
/* the list's children become those of parent */
static struct ast *adopt(struct ast *parent, const struct ast *list);
}

/* Spellings first, classes last: quote() relies on it. */
%token
    END 0         "end of file"
    AND_WORD      "and"
    AT            "at"
    CLEAR         "clear"
    CONST         "const"
    ELSE          "else"
    ENC           "enc"
    FALSE         "false"
    FN            "fn"
    FOR           "for"
    IF            "if"
    IMPORT        "import"
    IN            "in"
    INPUT         "input"
    LABELS        "labels"
    LET           "let"
    MODEL         "model"
    NAMES         "names"
    NOT           "not"
    OR_WORD       "or"
    OUTPUT        "output"
    PARAM         "param"
    QUANTIZE      "quantize"
    RETURN        "return"
    TABLE         "table"
    TARGET        "target"
    THEN          "then"
    TRUE          "true"
    VAR           "var"
    LBRACE        "{"
    RBRACE        "}"
    LPAREN        "("
    RPAREN        ")"
    LBRACKET      "["
    RBRACKET      "]"
    EQ            "="
    COMMA         ","
    SEMI          ";"
    COLON         ":"
    DOTS          ".."
    ALL           "..."
    PLUS          "+"
    MINUS         "-"
    STAR          "*"
    SLASH         "/"
    MATMUL        "@"
    POWER         "**"
    CARET         "^"
    TILDE         "~"
    FLOOR         "//"
    PERCENT       "%"
    AND           "&"
    OR            "|"
    LEFT          "<<"
    RIGHT         ">>"
    LESS          "<"
    LESS_EQUAL    "<="
    GREATER       ">"
    GREATER_EQUAL ">="
    EQUAL         "=="
    NOT_EQUAL     "!="
%token <int64_t>      WHOLE  "integer"
%token <double>       REAL   "number"
%token <const char *> STRING "string"
%token <const char *> IDENT  "identifier"

%nterm <struct ast *> imports import definitions definition
%nterm <struct ast *> model stmts stmt steps step body parameter type type_opt
%nterm <struct ast *> lengths abouts about
%nterm <struct ast *> input_type value_opt ends end parameters entries entry
%nterm <struct ast *> words word
%nterm <struct ast *> expr primary list args arg subs sub expr_opt strings

%precedence CHOICE
%left "or"
%left "and"
%precedence "not"
%left "<" "<=" ">" ">=" "==" "!="
%left "|"
%left "^"
%left "&"
%left "<<" ">>"
%left "+" "-"
%left "*" "/" "//" "%" "@"
%precedence SIGN
%right "**"

%printer { fprintf(yyo, "%lld", (long long)$$); } <int64_t>
%printer { fprintf(yyo, "%g", $$); } <double>
%printer { fputs($$, yyo); } <const char *>
%printer { ast_print(yyo, $$); } <struct ast *>

%%

unit:
    imports model                   { ps->model = headed($imports, $model); }
|   imports definitions
        { $definitions->kind = AST_library;
          ps->model = headed($imports, $definitions); }
;
imports:
    %empty                          { $$ = nothing(ps, @$); }
|   imports import                  { $$ = ast_add($1, $import); }
;
import:
    "import" STRING ";"
        { $$ = node(ps, AST_import, @STRING, $STRING, NULL, NULL, NULL); }
;
model:
    "model" IDENT[name] "{" stmts "}"
        { $$ = adopt(node(ps, AST_model, @name, $name, NULL, NULL, NULL),
                     $stmts); }
|   "model" error "}"               { yyerrok; $$ = nothing(ps, @$); }
;
definitions:
    definition                      { $$ = ast_add(nothing(ps, @$), $1); }
|   definitions definition          { $$ = ast_add($1, $definition); }
|   definitions error ";"           { yyerrok; $$ = $1; }
;
definition:
    "param" IDENT type_opt "=" expr ";"
        { $$ = node(ps, AST_param, @IDENT, $IDENT, $type_opt, $expr, NULL); }
|   "const" IDENT type_opt "=" expr ";"
        { $$ = node(ps, AST_constant, @IDENT, $IDENT, $type_opt, $expr,
                    NULL); }
|   "table" IDENT type_opt "=" expr ";"
        { $$ = node(ps, AST_table, @IDENT, $IDENT, $type_opt, $expr, NULL); }
|   "fn" IDENT "(" parameters ")" body
        { $$ = adopt(node(ps, AST_fn, @IDENT, $IDENT, $body, NULL, NULL),
                     $parameters); }
|   "param" error ";"               { yyerrok; $$ = nothing(ps, @$); }
|   "const" error ";"               { yyerrok; $$ = nothing(ps, @$); }
|   "table" error ";"               { yyerrok; $$ = nothing(ps, @$); }
|   "fn" error ";"                  { yyerrok; $$ = nothing(ps, @$); }
;
stmts:
    %empty                          { $$ = nothing(ps, @$); }
|   stmts stmt                      { $$ = ast_add($1, $stmt); }
;
stmt:
    "input" IDENT ":" input_type abouts ";"
        { $$ = node(ps, AST_input, @IDENT, $IDENT, $input_type,
                    one_of(ps, $abouts, AST_range, true),
                    one_of(ps, $abouts, AST_range, false)); }
|   definition
|   import
        { diag_error(ps->diag, @import, E_syntax,
                     "files are imported above 'model', not in it");
          $$ = nothing(ps, @$); }
|   "output" IDENT type_opt value_opt ends ";"
        { $$ = add(ps, node(ps, AST_output, @IDENT, $IDENT, $type_opt,
                            $value_opt, one_of(ps, $ends, AST_name, true)),
                   one_of(ps, $ends, AST_name, false)); }
|   "quantize" "{" entries "}"
        { $$ = adopt(node(ps, AST_quantize, @1, NULL, NULL, NULL, NULL),
                     $entries); }
|   "target" "{" entries "}"
        { $$ = adopt(node(ps, AST_target, @1, NULL, NULL, NULL, NULL),
                     $entries); }
|   step
;
step:
    "let" IDENT type_opt "=" expr ";"
        { $$ = node(ps, AST_let, @IDENT, $IDENT, $type_opt, $expr, NULL); }
|   "var" IDENT type_opt "=" expr ";"
        { $$ = node(ps, AST_var, @IDENT, $IDENT, $type_opt, $expr, NULL); }
|   IDENT "=" expr ";"
        { $$ = node(ps, AST_assign, @IDENT, $IDENT, $expr, NULL, NULL); }
|   IDENT "[" subs "]" "=" expr ";"
        { $$ = adopt(node(ps, AST_assign, @IDENT, $IDENT, $expr, NULL, NULL),
                     $subs); }
|   "for" IDENT "in" expr[from] ".." expr[to] "{" steps "}"
        { $$ = adopt(node(ps, AST_for, @IDENT, $IDENT, $from, $to, NULL),
                     $steps); }
|   error ";"                       { yyerrok; $$ = nothing(ps, @$); }
;
steps:
    %empty                          { $$ = nothing(ps, @$); }
|   steps step                      { $$ = add(ps, $1, $step); }
;
body:
    "=" expr ";"                    { $$ = $expr; }
|   "{" steps "return" expr ";" "}"
        { $$ = add(ps, adopt(node(ps, AST_block, @$, NULL, NULL, NULL, NULL),
                             $steps), $expr); }
;
type:
    IDENT
        { $$ = node(ps, AST_type, @$, $IDENT, NULL, NULL, NULL); }
|   IDENT "[" lengths "]"
        { $$ = adopt(node(ps, AST_type, @$, $IDENT, NULL, NULL, NULL),
                     $lengths); }
;
input_type:
    type
|   "enc" type                      { $$ = $type; }
|   "clear" type
        { $$ = node(ps, AST_clear, @$, NULL, $type, NULL, NULL); }
;
type_opt:
    %empty                          { $$ = nothing(ps, @$); }
|   ":" type                        { $$ = $type; }
;
lengths:
    expr                            { $$ = ast_add(nothing(ps, @$), $expr); }
|   lengths "," expr                { $$ = ast_add($1, $expr); }
;
abouts:
    %empty                          { $$ = nothing(ps, @$); }
|   abouts about                    { $$ = ast_add($1, $about); }
;
about:
    "in" expr[low] ".." expr[high]
        { $$ = node(ps, AST_range, @$, NULL, $low, $high, NULL); }
|   "names" strings                 { $$ = $strings; }
;
ends:
    %empty                          { $$ = nothing(ps, @$); }
|   ends end                        { $$ = ast_add($1, $end); }
;
end:
    "at" IDENT
        { $$ = node(ps, AST_name, @IDENT, $IDENT, NULL, NULL, NULL); }
|   "labels" strings                { $$ = $strings; }
;
strings:
    "[" list "]"
        { $$ = adopt(node(ps, AST_array, @$, NULL, NULL, NULL, NULL), $list); }
|   IDENT "(" args ")"
        { $$ = adopt(node(ps, AST_call, @$, $IDENT, NULL, NULL, NULL),
                     $args); }
;
value_opt:
    %empty                          { $$ = nothing(ps, @$); }
|   "=" expr                        { $$ = $expr; }
;
parameters:
    parameter               { $$ = ast_add(nothing(ps, @$), $parameter); }
|   parameters "," parameter { $$ = ast_add($1, $parameter); }
;
parameter:
    IDENT
        { $$ = node(ps, AST_name, @IDENT, $IDENT, NULL, NULL, NULL); }
|   IDENT "=" expr
        { $$ = node(ps, AST_named, @IDENT, $IDENT, $expr, NULL, NULL); }
;
entries:
    %empty                          { $$ = nothing(ps, @$); }
|   entries entry                   { $$ = ast_add($1, $entry); }
;
entry:
    words ";"
        { $$ = adopt(node(ps, AST_entry, @1, NULL, NULL, NULL, NULL),
                     $words); }
|   error ";"                       { yyerrok; $$ = nothing(ps, @$); }
;
words:
    word                            { $$ = ast_add(nothing(ps, @$), $word); }
|   words word                      { $$ = ast_add($1, $word); }
;
word:
    IDENT       { $$ = node(ps, AST_name, @$, $IDENT, NULL, NULL, NULL); }
|   WHOLE       { $$ = whole(ps, AST_whole, @$, $WHOLE); }
|   REAL        { $$ = real(ps, @$, $REAL); }
|   STRING      { $$ = node(ps, AST_string, @$, $STRING, NULL, NULL, NULL); }
|   IDENT "(" args ")"
        { $$ = adopt(node(ps, AST_call, @$, $IDENT, NULL, NULL, NULL),
                     $args); }
|   WHOLE[base] "^" "-" WHOLE[exp]
        { $$ = node(ps, AST_binary, @$, "^", whole(ps, AST_whole, @base, $base),
                    node(ps, AST_unary, @3, "-",
                         whole(ps, AST_whole, @exp, $exp), NULL, NULL),
                    NULL); }
;
expr:
    primary
|   expr[a] "or" expr[b]
        { $$ = node(ps, AST_binary, @$, "or", $a, $b, NULL); }
|   expr[a] "and" expr[b]
        { $$ = node(ps, AST_binary, @$, "and", $a, $b, NULL); }
|   "not" expr[a]
        { $$ = node(ps, AST_unary, @$, "not", $a, NULL, NULL); }
|   expr[a] "<" expr[b]
        { $$ = compare(ps, @$, "<", $a, @a, $b); }
|   expr[a] "<=" expr[b]
        { $$ = compare(ps, @$, "<=", $a, @a, $b); }
|   expr[a] ">" expr[b]
        { $$ = compare(ps, @$, ">", $a, @a, $b); }
|   expr[a] ">=" expr[b]
        { $$ = compare(ps, @$, ">=", $a, @a, $b); }
|   expr[a] "==" expr[b]
        { $$ = compare(ps, @$, "==", $a, @a, $b); }
|   expr[a] "!=" expr[b]
        { $$ = compare(ps, @$, "!=", $a, @a, $b); }
|   expr[a] "|" expr[b]
        { $$ = node(ps, AST_binary, @$, "|", $a, $b, NULL); }
|   expr[a] "^" expr[b]
        { $$ = node(ps, AST_binary, @$, "^", $a, $b, NULL); }
|   expr[a] "&" expr[b]
        { $$ = node(ps, AST_binary, @$, "&", $a, $b, NULL); }
|   expr[a] "<<" expr[b]
        { $$ = node(ps, AST_binary, @$, "<<", $a, $b, NULL); }
|   expr[a] ">>" expr[b]
        { $$ = node(ps, AST_binary, @$, ">>", $a, $b, NULL); }
|   expr[a] "+" expr[b]
        { $$ = node(ps, AST_binary, @$, "+", $a, $b, NULL); }
|   expr[a] "-" expr[b]
        { $$ = node(ps, AST_binary, @$, "-", $a, $b, NULL); }
|   expr[a] "*" expr[b]
        { $$ = node(ps, AST_binary, @$, "*", $a, $b, NULL); }
|   expr[a] "/" expr[b]
        { $$ = node(ps, AST_binary, @$, "/", $a, $b, NULL); }
|   expr[a] "//" expr[b]
        { $$ = node(ps, AST_binary, @$, "//", $a, $b, NULL); }
|   expr[a] "%" expr[b]
        { $$ = node(ps, AST_binary, @$, "%", $a, $b, NULL); }
|   expr[a] "@" expr[b]
        { $$ = node(ps, AST_binary, @$, "@", $a, $b, NULL); }
|   expr[a] "**" expr[b]
        { $$ = node(ps, AST_binary, @$, "**", $a, $b, NULL); }
|   "if" expr[c] "then" expr[a] "else" expr[b] %prec CHOICE
        { $$ = node(ps, AST_choice, @$, NULL, $c, $a, $b); }
|   "-" expr[a] %prec SIGN
        { $$ = node(ps, AST_unary, @$, "-", $a, NULL, NULL); }
|   "~" expr[a] %prec SIGN
        { $$ = node(ps, AST_unary, @$, "~", $a, NULL, NULL); }
;
primary:
    WHOLE       { $$ = whole(ps, AST_whole, @$, $WHOLE); }
|   REAL        { $$ = real(ps, @$, $REAL); }
|   "true"      { $$ = whole(ps, AST_truth, @$, 1); }
|   "false"     { $$ = whole(ps, AST_truth, @$, 0); }
|   STRING      { $$ = node(ps, AST_string, @$, $STRING, NULL, NULL, NULL); }
|   IDENT       { $$ = node(ps, AST_name, @$, $IDENT, NULL, NULL, NULL); }
|   "(" expr ")"                    { $$ = $expr; }
|   "[" list "]"
        { $$ = adopt(node(ps, AST_array, @$, NULL, NULL, NULL, NULL), $list); }
|   "[" expr[value] "for" IDENT "in" expr[from] ".." expr[to] "]"
        { $$ = node(ps, AST_each, @$, $IDENT, $value, $from, $to); }
|   IDENT "(" args ")"
        { $$ = adopt(node(ps, AST_call, @$, $IDENT, NULL, NULL, NULL),
                     $args); }
|   primary[base] "[" subs "]"
        { $$ = adopt(node(ps, AST_index, @$, NULL, $base, NULL, NULL),
                     $subs); }
;
list:
    expr                            { $$ = ast_add(nothing(ps, @$), $expr); }
|   list "," expr                   { $$ = ast_add($1, $expr); }
;
args:
    %empty                          { $$ = nothing(ps, @$); }
|   arg                             { $$ = ast_add(nothing(ps, @$), $arg); }
|   args "," arg                    { $$ = ast_add($1, $arg); }
;
arg:
    expr
|   IDENT "=" expr
        { $$ = node(ps, AST_named, @IDENT, $IDENT, $expr, NULL, NULL); }
;
subs:
    sub                             { $$ = ast_add(nothing(ps, @$), $sub); }
|   subs "," sub                    { $$ = ast_add($1, $sub); }
;
sub:
    expr
|   "..."       { $$ = node(ps, AST_all, @$, NULL, NULL, NULL, NULL); }
|   expr_opt[from] ":" expr_opt[to]
        { $$ = node(ps, AST_slice, @$, NULL, $from, $to, nothing(ps, @to)); }
|   expr_opt[from] ":" expr_opt[to] ":" expr_opt[step]
        { $$ = node(ps, AST_slice, @$, NULL, $from, $to, $step); }
;
expr_opt:
    %empty                          { $$ = nothing(ps, @$); }
|   expr
;

%%

static struct ast *
nothing(struct parser *ps, struct span at)
{
    return ast_new(ps->mem, AST_none, at, NULL);
}

static struct ast *
add(struct parser *ps, struct ast *parent, struct ast *kid)
{
    if (!kid)
        return parent;
    if (kid->depth + 1 > AST_MAX_DEPTH && !ps->stop) {
        diag_error(ps->diag, parent->at, E_nesting,
                   "this is nested more than %d deep", AST_MAX_DEPTH);
        ps->stop = true;
    }
    return ast_add(parent, kid);
}

static struct ast *
node(struct parser *ps, enum ast_kind kind, struct span at, const char *text,
     struct ast *a, struct ast *b, struct ast *c)
{
    struct ast *n = ast_new(ps->mem, kind, at, text);

    return add(ps, add(ps, add(ps, n, a), b), c);
}

static struct ast *
whole(struct parser *ps, enum ast_kind kind, struct span at, int64_t v)
{
    struct ast *n = ast_new(ps->mem, kind, at, NULL);

    n->whole = v;
    n->number = (double)v;
    return n;
}

static struct ast *
real(struct parser *ps, struct span at, double x)
{
    struct ast *n = ast_new(ps->mem, AST_real, at, NULL);

    n->number = x;
    return n;
}

static struct ast *
adopt(struct ast *parent, const struct ast *list)
{
    for (struct ast *k = list->kid, *next; k; k = next) {
        next = k->next;
        k->next = NULL;
        ast_add(parent, k);
    }
    return parent;
}

static struct ast *
headed(struct ast *imports, const struct ast *file)
{
    imports->kind = file->kind;
    imports->at = file->at;
    imports->text = file->text;
    return adopt(imports, file);
}

static struct ast *
one_of(struct parser *ps, const struct ast *abouts, enum ast_kind kind,
       bool is)
{
    struct ast *found = NULL;

    for (const struct ast *k = abouts->kid; k; k = k->next) {
        if ((k->kind == kind) != is)
            continue;
        if (found)
            diag_error(ps->diag, k->at, E_second_name, "this is said twice");
        found = ast_new(ps->mem, k->kind, k->at, k->text);
        *found = *k;
        found->next = NULL;
    }
    return found ? found : nothing(ps, abouts->at);
}

static bool
is_comparison(const struct ast *a)
{
    return a->kind == AST_chain
           || (a->kind == AST_binary && strchr("<>=!", *a->text)
               && strcmp(a->text, "<<") != 0 && strcmp(a->text, ">>") != 0);
}

static struct ast *
compare(struct parser *ps, struct span at, const char *op, struct ast *a,
        struct span at_a, struct ast *b)
{
    struct ast *chain = a, *left = a->kid, *right;

    if (!is_comparison(a) || a->at.begin != at_a.begin)
        return node(ps, AST_binary, at, op, a, b, NULL);
    if (a->kind == AST_binary) {
        right = left->next;
        left->next = NULL;
        chain = node(ps, AST_chain, at, NULL, left,
                     node(ps, AST_link, right->at, a->text, right, NULL, NULL),
                     NULL);
    }
    chain->at = at;
    return add(ps, chain, node(ps, AST_link, b->at, op, b, NULL, NULL));
}

/* Spellings are quoted, classes such as "identifier" are not. */
static const char *
quote(yysymbol_kind_t kind)
{
    return kind > YYSYMBOL_YYUNDEF && kind < YYSYMBOL_WHOLE ? "'" : "";
}

/* unexpected ')', expected '(', integer or identifier
 *
 * With more than MAX candidates Bison gives none, and the list is left out. */
static int
yyreport_syntax_error(const yypcontext_t *ctx, struct parser *ps)
{
    enum { MAX = 6 };
    const yysymbol_kind_t got = yypcontext_token(ctx);
    yysymbol_kind_t want[MAX];
    const int n = yypcontext_expected_tokens(ctx, want, MAX);
    char list[160] = "";
    size_t len = 0;

    if (n < 0)
        return n;
    if (ps->stop || ps->quiet) /* the reason has been told */
        return 0;
    for (int i = 0; i < n; i++) {
        const char *sep = i == 0 ? ", expected " : i < n - 1 ? ", " : " or ";
        const char *q = quote(want[i]);

        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s%s%s", sep,
                                q, yysymbol_name(want[i]), q);
    }
    diag_error(ps->diag, *yypcontext_location(ctx), E_syntax,
               "unexpected %s%s%s%s", quote(got), yysymbol_name(got),
               quote(got), list);
    return 0;
}

/* Only "memory exhausted" comes here: the stack of the parser is full. */
static void
cml_yyerror(const struct span *at, struct parser *ps, const char *msg)
{
    (void)msg;
    diag_error(ps->diag, *at, E_nesting, "this is nested too deeply");
}

struct ast *
fe_parse(struct arena *mem, struct diag *dg, const struct source *src)
{
    const unsigned errors = dg->errors;
    struct parser ps = { .base = src->text,
                         .cur = src->text,
                         .end = src->text + src->len,
                         .first = src->begin,
                         .diag = dg,
                         .mem = mem };

    if (cml_yyparse(&ps) != 0 && dg->errors == errors)
        bug("the parser stopped without a message");
    return dg->errors > errors ? NULL : ps.model;
}
