#!/bin/sh
# The book is true: its models compile, its lists are those of the tables, and
# every formula that code cites exists.
#
# usage: book.sh CMLC ROOT
cmlc=$1
cd "$2" || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0

fail() {
    echo "book: $*" >&2
    bad=1
}

# every model in the texts compiles; a block with a name is a file of definitions
# that those behind it import
mkdir "$tmp/named"
for text in language tutorial cookbook; do
    awk -v to="$tmp/" -v text=$text '
        /^```cml/ { on = 1; file = to text (++n) ".cml"
                    if (NF == 2) { file = to $2; print $2 > (to "named/" $2) }
                    next }
        /^```$/ { on = 0 }
        on { print > file }' lang-spec/$text.md
done
models=0
for f in "$tmp"/*.cml; do
    if [ -e "$tmp/named/${f##*/}" ]; then
        "$cmlc" check "$f" || fail "${f##*/} of the book is wrong"
        continue
    fi
    "$cmlc" "$f" --stop-after=schedule >"$tmp/out" 2>&1 ||
        { fail "model ${f##*/} of the book does not compile"
          cat "$tmp/out" >&2; }
    models=$((models + 1))
done
[ $models -ge 15 ] || fail "only $models models found in the book"

# listed FILE WORD...: each word stands in the file, in backticks or a block
listed() {
    file=$1
    shift
    [ $# -gt 0 ] || fail "nothing to look for in $file"
    for word; do
        grep -qE "(^|[^a-zA-Z_])$word([^a-zA-Z_]|\$)" "$file" ||
            fail "$file does not mention $word"
    done
}

row() { sed -nE "s/^$1\\((\\w+)[,)].*/\\1/p" "$2"; }
listed lang-spec/language.md $(row F ir/ops.def) $(row B frontend/builtin.def)
listed lang-spec/language.md $(sed -nE 's/^L\("(\w+).*/\1/p' \
                                   frontend/library.def)
listed lang-spec/ir.md $(row F ir/ops.def) $(row B ir/ops.def) \
    $(row T ir/ops.def)
listed lang-spec/ir.md $(sed -nE 's/^C\((\w+), *(\w+),.*/\2/p' ir/ops.def)
listed lang-spec/ir.md $(sed -nE 's/^PASS\("([^"]+)".*/\1/p' \
                             passes/pipeline.def)
listed lang-spec/abi.md $(row RT runtime/abi.def)

# codes of diagnostics: those of the book exist, and each code has a message
for code in $(grep -ohE '\[E[0-9]{4}\]' lang-spec/*.md README.md | sort -u |
              tr -d '[]'); do
    "$cmlc" explain "$code" >/dev/null || fail "there is no code $code"
done
for name in $(sed -nE 's/^D\([0-9]+, *(\w+),.*/\1/p' ir/diag.def); do
    grep -rqE --include='*.c' --include='*.re' --include='*.y' "E_$name\\b" \
        frontend ir passes || fail "no message has the code $name"
done

# each code is seen in a golden
for number in $(sed -nE 's/^D\(([0-9]+),.*/\1/p' ir/diag.def); do
    grep -q "\[E0$number\]" tests/golden/*.err ||
        fail "no golden of E0$number: tests/golden/NAME.cml and NAME.err"
done

# each message has a cause and a way out, whatever the case of its code; their
# list in the book is that of the compiler
for name in $(sed -nE 's/^D\([0-9]+, *(\w+),.*/\1/p' ir/diag.def); do
    "$cmlc" explain "$(echo "$name" | tr a-z A-Z)" >"$tmp/out" ||
        fail "nothing explains $name"
    cause=$(sed '1,2d; /^way out$/,$d' "$tmp/out" | wc -w)
    way=$(sed '1,/^way out$/d' "$tmp/out" | wc -w)
    [ "$cause" -ge 5 ] && [ "$way" -ge 5 ] ||
        fail "$name has no cause ($cause words) or no way out ($way words)"
done
"$cmlc" explain >"$tmp/out"
sed -n '/^```$/,/^```$/p' lang-spec/messages.md | grep -v '^```$' |
    cmp -s - "$tmp/out" || fail 'messages.md is not what cmlc explain lists'

# the report: keys of the documents are those of the schema
"$cmlc" report lang-spec/examples/digits/digits.cml --json >"$tmp/out"
for key in $(grep -oE '"[a-z_]+": ' "$tmp/out" | sort -u | tr -d '": '); do
    grep -q "\"$key\": " lang-spec/schema/report.json ||
        fail "schema/report.json does not know $key"
done

# formulas: those that are cited exist; each is cited or belongs to a text
cited=$(grep -rohE --include='*.[ch]' --include='*.def' \
            'crypto\.md \([0-9]+\)' ir passes backend runtime |
        grep -oE '\([0-9]+\)' | sort -u)
[ -n "$cited" ] || fail 'no formula is cited'
for k in $cited; do
    grep -qF "$k" lang-spec/crypto.md || fail "crypto.md has no formula $k"
done
exit $bad
