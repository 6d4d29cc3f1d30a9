#!/bin/sh
# The command line of cmlc: exit codes, messages, what is written and what is
# not.
#
# usage: cli.sh CMLC EXAMPLES SANITIZERS
cmlc=$1
examples=$2
sanitizers=$3
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0
set --
[ -z "$sanitizers" ] || set -- "--link-arg=-fsanitize=$sanitizers"

fail() {
    echo "cli: $*" >&2
    cat "$tmp/out" >&2
    bad=1
}

# expect CODE COMMAND...: output goes to $tmp/out
expect() {
    want=$1
    shift
    "$@" >"$tmp/out" 2>&1
    got=$?
    [ $got -eq "$want" ] || fail "exit $got instead of $want: $*"
}

# says TEXT: the last output has it
says() {
    grep -qF -e "$1" "$tmp/out" || fail "not said: $1"
}

bc=$examples/breast_cancer/breast_cancer.cml
cat >"$tmp/bad.cml" <<'END'
model bad {
    input x : real in 0..1;
    output o = y;
}
END
cat >"$tmp/hard.cml" <<'END'
model hard {
    input x : real[8] in 0..255;
    param w : real[8] = [1.3, 2.1, 3.7, 4.9, 5.2, 6.6, 7.4, 8];
    output y = relu(x @ w) * 3;
}
END

# programs
expect 0 "$cmlc" "$bc" -o "$tmp/bc" "$@"
says 'next: '
expect 0 "$tmp/bc" info
says 'breast_cancer'
expect 0 "$cmlc" "$bc" -o "$tmp/again" "$@"
cmp -s "$tmp/bc" "$tmp/again" || fail 'two builds differ'
expect 0 "$cmlc" "$bc" --split -o "$tmp/half" "$@"
[ -x "$tmp/half-client" ] && [ -x "$tmp/half-server" ] || fail 'no halves'
expect 2 "$tmp/half-client" eval
says 'half-server'
expect 2 "$tmp/half-server" keygen
says 'half-client'
expect 0 "$cmlc" "$bc" --emit=obj -o "$tmp/bc.o"
[ -s "$tmp/bc.o" ] || fail 'no object'

# text of each stage, which parses back
for pass in fold place calibrate quantize fuse range to-tfhe noise params \
            schedule; do
    expect 0 "$cmlc" "$bc" --stop-after=$pass
    cp "$tmp/out" "$tmp/stage.ir"
    expect 0 "$cmlc" "$tmp/stage.ir" --emit=ir
    cmp -s "$tmp/out" "$tmp/stage.ir" || fail "after $pass: reads differently"
done
expect 0 "$cmlc" "$bc" --stop-after=clean
cp "$tmp/out" "$tmp/stage.ir"
expect 0 "$cmlc" "$tmp/stage.ir" --passes=to-tfhe,noise,params
says 'lwe.matmul_clear'
expect 1 "$cmlc" "$tmp/stage.ir" --passes=noise
expect 0 "$cmlc" "$bc" --emit=ast
says 'model breast_cancer {'
expect 0 "$cmlc" "$bc" --emit=llvm
says 'define i32 @main'
expect 0 "$cmlc" "$bc" --dump-after=all --time-passes --stop-after=schedule
says '# after to-tfhe'

# help
expect 0 "$cmlc" --help
says 'usage: cmlc'
expect 0 "$cmlc" --version
says 'cmlc '
expect 0 "$cmlc" explain E0504
says 'round_bits'
expect 2 "$cmlc" explain E9999
expect 2 "$cmlc" explain E0508
says "'cmlc explain E0506' was meant"
expect 2 "$cmlc" explain too_wise
says "'cmlc explain E0504' was meant"
expect 0 "$cmlc" explain
says 'E0504 too_wide'
[ "$("$cmlc" --help | wc -l)" -le 24 ] || fail '--help has more than 24 lines'

# report: of a model, and what its program, object and halves carry; nothing of
# them is run
expect 0 "$cmlc" report "$bc"
says 'client learns'
cp "$tmp/out" "$tmp/model.txt"
expect 0 "$cmlc" report "$tmp/bc"
cmp -s "$tmp/out" "$tmp/model.txt" || fail 'program and model report differently'
expect 0 "$cmlc" report "$tmp/bc.o"
cmp -s "$tmp/out" "$tmp/model.txt" || fail 'object and model report differently'
expect 0 "$cmlc" report "$bc" --json
cp "$tmp/out" "$tmp/model.json"
chmod -x "$tmp/bc"
expect 0 "$cmlc" report "$tmp/bc" --json
chmod +x "$tmp/bc"
cmp -s "$tmp/out" "$tmp/model.json" || fail 'program and model: other JSON'
head -n 2 "$tmp/out" | grep -q '"schema": "cmlc.report/1",' || fail 'no schema'
expect 0 "$cmlc" report "$tmp/half-server"
says 'matmul'
expect 0 "$cmlc" report "$tmp/half-client" --json
! grep -q -e matmul -e "'w'" "$tmp/out" || fail 'a client reports the circuit'
expect 0 "$cmlc" report "$bc" --html="$tmp/bc.html"
grep -q '</svg>' "$tmp/bc.html" || fail 'no picture'
expect 3 "$cmlc" report "$bc" --html="$tmp/no/such/folder"
expect 1 "$cmlc" report "$cmlc"
says 'carries no report of cmlc'
printf 'a\000b' >"$tmp/neither"
expect 1 "$cmlc" report "$tmp/neither"
says 'neither a model nor a program'
head -c 3000 "$tmp/bc" >"$tmp/cut"
expect 1 "$cmlc" report "$tmp/cut"
expect 3 "$cmlc" report "$tmp/absent.cml"
expect 1 "$cmlc" report "$tmp/bad.cml" --json
says '"error": {"exit": 1}'
expect 2 "$cmlc" report
expect 2 "$cmlc" "$bc" --json

# the files that a program makes are as large as the report says
expect 0 "$tmp/bc" keygen -o "$tmp/keys"
for file in client_key eval_key; do
    size=$(wc -c <"$tmp/keys/$(echo $file | tr _ .)")
    grep -q "\"$file\": $size[,}]" "$tmp/model.json" || fail "$file: $size bytes"
done
for example in breast_cancer diabetes digits; do
    expect 0 "$cmlc" "$examples/$example/$example.cml" -o "$tmp/model" "$@"
    expect 0 "$tmp/model" info --json
    sizes=$(grep '"sizes"' "$tmp/out")
    expect 0 "$cmlc" report "$tmp/model" --json
    [ "$(tr -d ' \n' <"$tmp/out" | grep -o '"sizes":{[^}]*}')" = \
      "$(echo "$sizes" | tr -d ' \n' | grep -o '"sizes":{[^}]*}')" ] ||
        fail "$example: info has other sizes: $sizes"
done

# mistakes: the message, the exit code, and no file
expect 1 "$cmlc" "$tmp/bad.cml" -o "$tmp/none"
says "bad.cml:3:16: error: 'y' is not defined [E0201]"
expect 6 "$cmlc" "$tmp/hard.cml" -o "$tmp/none"
says 'E0504'
[ "$(grep -c 'help: .*: compiles, .* ms a row$' "$tmp/out")" -ge 2 ] ||
    fail 'fewer than two ways out'
# each of them is one, at that price
sed -n 's/^ *help: \(.*\): compiles, \(.*\) ms a row$/\2 \1/p' "$tmp/out" \
    >"$tmp/ways"
while read -r ms way; do
    sed "s/^}/    quantize { $(echo "$way" | sed 's/,/;/g'); }\n}/" \
        "$tmp/hard.cml" >"$tmp/way.cml"
    expect 0 "$cmlc" report "$tmp/way.cml"
    says "about $ms ms on one core"
done <"$tmp/ways"
# with data, how far its answers are from those of the reals
awk 'BEGIN { print "a,b"
             for (i = 0; i < 20; i++) print i / 20 "," i * 7 % 20 / 20 }' \
    >"$tmp/off.csv"
off() {
    cat <<END
model off {
    input x : real[2] in 0..1;
    param p : real = 1.5;
    output y = p * exp(x[0] * p + x[1] * 0.9);
    quantize { calibrate csv("off.csv"); x $1 bits; }
}
END
}
off 16 >"$tmp/off.cml"
expect 6 "$cmlc" "$tmp/off.cml" -o "$tmp/none"
bits=$(sed -n 's/^ *help: x \([0-9]*\) bits: compiles.*/\1/p' "$tmp/out")
told=$(sed -n 's/^ *help: x [0-9]* bits: .* off by \([^ ]*\) on.*/\1/p' "$tmp/out")
off "$bits" >"$tmp/off.cml"
expect 0 "$cmlc" "$tmp/off.cml" -o "$tmp/off" "$@"
"$tmp/off" clear -q -i "$tmp/off.csv" | paste -d , "$tmp/off.csv" - |
    awk -F , -v told="$told" 'NR > 1 { d = 1.5 * exp($1 * 1.5 + $2 * 0.9) - $3
                                        sum += d < 0 ? -d : d; n++ }
        END { exit !(n == 20 && sprintf("%.2g", sum / n) == told) }' ||
    fail "a way out says '$told' of its answers"
expect 2 "$cmlc"
expect 2 "$cmlc" "$bc" --no-such-option=1
expect 2 "$cmlc" "$bc" --spilt
says "'--split' was meant"
expect 2 "$cmlc" "$bc" --passes=fold,no
expect 2 "$cmlc" "$bc" --emit=wasm
expect 2 "$cmlc" "$bc" "$bc"
expect 3 "$cmlc" "$tmp/absent.cml"
says 'No such file'
expect 3 "$cmlc" "$tmp"
expect 3 "$cmlc" "$bc" --output="$tmp/no/such/folder"
expect 3 "$cmlc" "$bc" -o "$tmp/none" --cc=/no/such/cc
expect 3 "$cmlc" "$bc" -o "$tmp/none" --cc=false
expect 3 "$cmlc" "$bc" -o "$tmp/none" --runtime="$tmp/absent.a"
[ ! -e "$tmp/none" ] || fail 'a program was left behind'
ls "$tmp" | grep -q '\.tmp' && fail 'temporary files were left behind'

# any bytes: 10 MB of noise, deep nesting, a long line
awk 'BEGIN { srand(1); for (i = 0; i < 10485760 / 64; i++) {
         s = ""; for (j = 0; j < 64; j++) s = s sprintf("%c", rand() * 255 + 1)
         printf "%s", s } }' >"$tmp/noise.cml"
expect 1 "$cmlc" "$tmp/noise.cml"
[ "$(grep -c ': error: ' "$tmp/out")" -le 20 ] || fail 'more than 20 errors'
awk 'BEGIN { printf "model m { let x = "
             for (i = 0; i < 100000; i++) printf "("; print "1; }" }' \
    >"$tmp/deep.cml"
expect 1 "$cmlc" "$tmp/deep.cml"
says 'E0104'
awk 'BEGIN { printf "model m { input x : real in 0..1; output y = x"
             for (i = 0; i < 5000; i++) printf " + x"; print "; }" }' \
    >"$tmp/long.cml"
expect 1 "$cmlc" "$tmp/long.cml"
says 'E0104'
# a chain of functions of 60,000 operations: no recursion, no search of all for each
cat >"$tmp/chain.cml" <<'END'
model chain {
    input x : real in 0..8;
    param w : real = 0.5;
    var s = round(x * w);
    for i in 0..20000 { s = clip(s + 1, -3, 5) * 1.0; }
    output y = s * w;
}
END
expect 0 "$cmlc" "$tmp/chain.cml" -o "$tmp/chain" --stop-after=schedule
printf 'model z { input x : real in 0..1; output y = x; }\000' >"$tmp/nul.cml"
expect 1 "$cmlc" "$tmp/nul.cml"
says 'E0102'
expect 0 sh -c "printf 'model z { input x : real in 0..1; output y = x; }' |
                '$cmlc' - --stop-after=params"
exit $bad
