#!/bin/sh
# The TextMate grammar of CML, from the tables of the lexer and of the functions.
# Compared with the one in the book, or written there.
#
# usage: editor.sh ROOT [--write]
cd "$1" || exit 2
grammar=lang-spec/editor/cml.tmLanguage.json
tmp=$(mktemp) || exit 2
trap 'rm -f "$tmp"' EXIT

joined() { sort -u | tr '\n' '|' | sed 's/|$//'; }
# words in quotes before the action of a rule, also of several
words=$(sed -n '/^ *"[a-z][a-z]*"\|^ *| *"[a-z]/s/{.*//p' frontend/lexer.re |
        grep -oE '"[a-z]+"' | tr -d '"' | joined)
functions=$(sed -nE 's/^[BF]\((\w+),.*/\1/p' frontend/builtin.def ir/ops.def |
            joined)
[ -n "$words" ] && [ -n "$functions" ] || { echo 'editor: no words'; exit 1; }
cat >"$tmp" <<END
{
  "name": "CML",
  "scopeName": "source.cml",
  "fileTypes": ["cml"],
  "patterns": [
    { "name": "comment.line.number-sign.cml", "match": "#.*\$" },
    { "name": "string.quoted.double.cml", "begin": "\"", "end": "\"|\$",
      "patterns": [{ "name": "constant.character.escape.cml", "match": "\\\\\\\\[\"\\\\\\\\]" }] },
    { "name": "keyword.control.cml",
      "match": "\\\\b($words)\\\\b" },
    { "name": "storage.type.cml",
      "match": "\\\\b(real|bool|int|forest|u([1-9]|1[0-6])|i([2-9]|1[0-6]))\\\\b" },
    { "name": "support.function.cml",
      "match": "\\\\b($functions)(?=\\\\s*\\\\()" },
    { "name": "constant.numeric.cml",
      "match": "\\\\b[0-9]+(\\\\.[0-9]+)?([eE][-+]?[0-9]+)?\\\\b" },
    { "name": "keyword.operator.cml",
      "match": "\\\\*\\\\*|//|<<|>>|[<>=!]=|\\\\.\\\\.\\\\.?|[-+*/@%&|^~<>=]" }
  ]
}
END
if [ "${2:-}" = --write ]; then
    mkdir -p lang-spec/editor && cp "$tmp" $grammar
elif ! cmp -s "$tmp" $grammar; then
    diff "$tmp" $grammar
    echo "editor: the tables have changed; tests/editor.sh . --write follows" >&2
    exit 1
fi
