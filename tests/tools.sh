#!/bin/sh
# The verbs around sources: check, fmt, new, completions, manual.
#
# usage: tools.sh CMLC ROOT
cmlc=$1
root=$2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2
bad=0

fail() {
    echo "tools: $*" >&2
    cat out >&2
    bad=1
}
expect() {
    want=$1
    shift
    "$@" >out 2>&1 </dev/null
    got=$?
    [ $got -eq "$want" ] || fail "exit $got instead of $want: $*"
}
says() { grep -qF -e "$1" out || fail "not said: $1"; }

# fmt: on every model there is, comments stay, once is enough, and what the
# compiler prints from the tree is laid out already
formatted=0
for f in $(find "$root/lang-spec" "$root/tests" "$root/frontend" -name '*.cml'); do
    "$cmlc" fmt --stdout "$f" >once.cml 2>/dev/null || continue
    "$cmlc" fmt --stdout once.cml >twice.cml 2>out || fail "$f: fmt of fmt"
    cmp -s once.cml twice.cml || fail "$f: fmt is not idempotent"
    grep -o '#.*[^ ]' "$f" >had
    grep -o '#.*[^ ]' once.cml | cmp -s - had || fail "$f: comments differ"
    "$cmlc" "$f" --emit=ast >tree.cml 2>out || fail "$f: no tree"
    expect 0 "$cmlc" fmt --check tree.cml
    "$cmlc" once.cml --emit=ast | cmp -s - tree.cml || fail "$f: another tree"
    formatted=$((formatted + 1))
done
[ $formatted -ge 20 ] || fail "only $formatted models were formatted"

cat >wild.cml <<'END'
# head


#second
model   wild{input x:u4[2]in 0..3; # trailing
  # own line
     let y=-x[0]+ (2*x[1])  # before the end
 ;


  let long_name = [[1,2],   # two
     [3 , 4]] ;
  output z:int=y ;quantize{x 2 bits;}target { p_fail 2 ^ -64;
  } }
# tail
END
cat >tame.cml <<'END'
# head

#second
model wild {
    input x : u4[2] in 0..3;  # trailing
    # own line
    let y = -x[0] + (2 * x[1])  # before the end
        ;

    let long_name = [[1, 2],  # two
        [3, 4]];
    output z : int = y;
    quantize { x 2 bits; }
    target {
        p_fail 2^-64;
    }
}
# tail
END
expect 1 "$cmlc" fmt --check wild.cml
says 'another layout'
chmod 640 wild.cml
ln -s wild.cml link.cml
expect 0 "$cmlc" fmt link.cml
cmp -s wild.cml tame.cml || { cat wild.cml >out; fail 'another layout came out'; }
[ -h link.cml ] || fail 'a link was replaced'
[ "$(stat -c %a wild.cml)" = 640 ] || fail 'the mode was lost'
expect 0 "$cmlc" fmt --check wild.cml tame.cml
printf 'model m { let x = ; }' >broken.cml
cp broken.cml kept.cml
expect 1 "$cmlc" fmt broken.cml tame.cml
says 'E0101'
cmp -s broken.cml kept.cml || fail 'a broken model was changed'
expect 3 "$cmlc" fmt absent.cml
printf 'model m{input x:u4;output y=x;}' | "$cmlc" fmt - >out
says '    input x : u4;'

# check: as the passes see it, and nothing is made
for f in "$root"/lang-spec/examples/*/*.cml; do
    expect 0 "$cmlc" check "$f"
    [ ! -s out ] || fail "$f: check is not silent"
done
printf 'model m {\n input x : u4;\n output y = z;\n}\n' >no.cml
expect 1 "$cmlc" check no.cml
says 'no.cml:3:13: error'
expect 1 "$cmlc" check no.cml --diagnostics=json
says '{"kind": "error", "code": "E0201", "file": "no.cml", "line": 3, "column": 13'
expect 2 "$cmlc" check no.cml --diagnostics=xml
expect 3 "$cmlc" check absent.cml

# new: each kind of template compiles, has the layout, and replaces nothing
kinds=0
for f in "$root"/frontend/templates/*.cml; do
    kind=$(basename "$f" .cml)
    expect 0 "$cmlc" new "my_$kind" --from="$kind"
    expect 0 "$cmlc" fmt --check "my_$kind.cml"
    expect 0 "$cmlc" "my_$kind.cml" --stop-after=schedule
    says "ir 1 my_$kind"
    expect 3 "$cmlc" new "my_$kind" --from="$kind"
    says 'File exists'
    "$cmlc" --help | grep -q -e "--from.*$kind" || fail "--help lacks $kind"
    kinds=$((kinds + 1))
done
[ $kinds -ge 3 ] || fail "only $kinds templates"
expect 2 "$cmlc" new ../x
expect 2 "$cmlc" new x --from=moon
says 'no template moon'

# completions and the manual have every verb and option
"$cmlc" manual >man
if command -v mandoc >/dev/null; then
    # no date: the same source gives the same bytes
    mandoc -Tlint man | grep -v 'missing date' >out
    [ ! -s out ] || fail 'mandoc finds fault'
fi
for shell in bash zsh fish; do
    expect 0 "$cmlc" completions $shell
    cp out $shell
done
bash -n bash 2>out || fail 'bash does not read its completions'
for option in $(sed -nE 's/^[OF]\([a-z_]+, *"([a-z-]+)".*/\1/p' \
                    "$root/frontend/options.def"); do
    grep -qF -e "--$option" bash && grep -qF -e "--$option" zsh &&
        grep -qE -e "-l $option( |\$)" fish || fail "$option is not completed"
    tr -d '\\' <man | grep -qF -e "--$option" || fail "man lacks --$option"
done
for verb in $(sed -nE 's/^V\((\w+),.*/\1/p' "$root/frontend/verbs.def"); do
    grep -qw "$verb" bash && grep -qw "$verb" zsh && grep -qw "$verb" fish &&
        grep -q "^\.B $verb" man || fail "$verb is not documented"
done
expect 2 "$cmlc" completions tcsh
bash -c '. ./bash; COMP_WORDS=(cmlc rep); COMP_CWORD=1; _cmlc
         echo "${COMPREPLY[@]}"' >out 2>&1
says 'report'
exit $bad
