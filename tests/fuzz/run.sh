#!/bin/sh
# Runs the fuzzers in turn, one process at a time, until WORK/stop exists.
#
# usage: run.sh BUILD WORK SECONDS
#
# BUILD is of the preset `fuzz`.  WORK receives the corpora, what was found
# (crash-*, timeout-*, oom-*, slow-unit-*) and a line a turn in `history`.  What is slow on
# a busy machine is to be timed alone: a hang is what takes more than 2 s there.
build=$1 work=$2 seconds=$3
here=$(cd "$(dirname "$0")" && pwd) || exit 2
root=$here/../..
mkdir -p "$work"/parse "$work"/ir "$work"/trees "$work"/data || exit 2

# Words of the languages, from the tables of the compiler.
row() { sed -nE "s/^$1\\(([a-z_0-9]+)[,)].*/\"\\1\"/p" "$2"; }
{
    row B "$root/frontend/builtin.def"
    row F "$root/ir/ops.def"
    sed -nE 's/^L\("([a-z_0-9]+).*/"\1"/p' "$root/frontend/library.def"
    grep -oE '^ *"[a-z]+"' "$root/frontend/lexer.re" | tr -d ' '
    sed -n '/^Reserved words/,/\./p' "$root/lang-spec/language.md" |
        grep -oE '[a-z]{2,}' | sed 's/.*/"&"/'
    for w in '\x2f\x2f' '**' '<<' '>>' '<=' '==' '!=' '..' 'u4' 'i8' 'real' \
        'int' 'bool' 'bits' 'axis = ' 'stride = ' 'names' 'labels'; do
        echo "\"$w\""
    done
} | sort -u >"$work/parse.dict"
{
    row B "$root/ir/ops.def"; row F "$root/ir/ops.def"; row T "$root/ir/ops.def"
    sed -nE 's/^C\(([a-z]+), *([a-z_]+),.*/"\1.\2"/p' "$root/ir/ops.def"
    grep -ohE '"[a-z.]+"' "$root/passes/settings.c"
    for w in 'enc ' 'open ' 'int' 'real' 'param @' 'const @' 'calib @' 'names @' \
        'set ' ' in ' ' delta ' ' noise ' ' small' ' set 1' 'output %'; do
        echo "\"$w\""
    done
} | sort -u >"$work/ir.dict"
# A loop to its limit of 2^16 turns takes sanitized code longer than a turn may.
mkdir -p "$work/seeds" || exit 2
for folder in golden language; do
    for f in "$here/../$folder"/*.cml; do
        cp "$f" "$work/seeds/$folder-${f##*/}" || exit 2
    done
done
rm -f "$work/seeds/golden-turns.cml"

# turn FUZZER READER SEEDS...: READER may be empty
turn() {
    fuzzer=$1 reader=$2
    shift 2
    name=$fuzzer${reader:+-$reader}
    (
        [ -z "$reader" ] || export CML_READER="$reader"
        export ASAN_OPTIONS=quarantine_size_mb=8
        "$build/bin/fuzz_$fuzzer" -rss_limit_mb=256 -timeout=20 \
            -report_slow_units=2 -max_total_time="$seconds" -max_len=4096 \
            -print_final_stats=1 \
            $([ -e "$work/$fuzzer.dict" ] && echo "-dict=$work/$fuzzer.dict") \
            -artifact_prefix="$work/$name-" "$work/$fuzzer" "$@"
        code=$?
        times >"$work/$name.times" # not in a pipe: that has none
        exit $code
    ) >"$work/$name.log" 2>&1
    echo "$name exit $? user and system $(sed -n 2p "$work/$name.times")" \
        "$(sed -n 's/^stat::number_of_executed_units: */runs /p' \
            "$work/$name.log")" >>"$work/history"
}

until [ -e "$work/stop" ]; do
    turn parse "" "$work/seeds" "$here/parse"
    turn ir '' "$here/ir"
    turn trees xgboost "$here/trees"
    for r in npy npz safetensors idx csv; do
        turn data $r "$here/data" "$here/../golden/data"
        [ -e "$work/stop" ] && break
    done
    turn trees lightgbm "$here/trees"
    turn trees sklearn "$here/trees"
    turn parse ''
    turn ir ''
done
