#!/bin/sh
# Adds the objects of one archive to another.  Both GNU's and LLVM's ar can make
# a new archive of two; only GNU's can open one.
#
# usage: merge.sh AR ARCHIVE OTHER
printf 'create %s\naddlib %s\naddlib %s\nsave\nend\n' "$2.tmp" "$2" "$3" |
    "$1" -M && mv "$2.tmp" "$2"
