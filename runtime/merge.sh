#!/bin/sh
# Adds the objects of one archive to another.
#
# usage: merge.sh AR ARCHIVE OTHER
printf 'open %s\naddlib %s\nsave\nend\n' "$2" "$3" | "$1" -M
