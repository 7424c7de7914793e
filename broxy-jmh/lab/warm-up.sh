#!/usr/bin/env bash
# Measures what a CONNECT costs while proxies warm up: CPU time of the process, the compilers' included, after so many seconds of
# load. Prints Markdown: the median of the rounds (range), and its ratio to the last column. Every round starts each proxy anew.
#
#   warm-up.sh [-n ROUNDS] NAME='COMMAND WITH @PORT' NAME2='...'
#
# Environment: AFTER ["5 15 60 180"] seconds, LAB_CPU [0], PEER_CPU [1], PORT [20300], ORIGIN [19300] (4 ports). A round takes each
# proxy three and a half minutes. Needs gcc and two processors with nothing else to do.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${lab%/*}/target/lab
after=${AFTER:-5 15 60 180} LAB_CPU=${LAB_CPU:-0} PEER_CPU=${PEER_CPU:-1} PORT=${PORT:-20300} ORIGIN=${ORIGIN:-19300}
measured=2 rounds=3 tmp= origin= proxy=

usage() {
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
}
while getopts n: option; do case $option in n) rounds=$OPTARG ;; *) usage ;; esac; done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage

stop() { # PID
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
finish() {
    [ -z "$proxy" ] || stop "$proxy"
    [ -z "$origin" ] || stop "$origin"
    [ -z "$tmp" ] || rm -rf "$tmp"
}
trap finish EXIT
tmp=$(mktemp -d)
mkdir -p "$build"
gcc -O2 -Wall -Wextra -std=gnu11 -o "$build/tunlab" "$lab/tunlab.c"
column=$("$build/tunlab" header | tr '\t' '\n' | grep -n '^proxy_cpu_us_per_unit$' | cut -d: -f1)

listening() { # PORT
    for _ in {1..400}; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
        sleep .05
    done
    echo "warm-up: nothing listens on $1" >&2
    [ ! -e "$tmp/out" ] || cat "$tmp/out" >&2
    exit 1
}
load() { # SECS
    timeout --foreground 300 taskset -c "$LAB_CPU" "$build/tunlab" load connect -c 32 --secs "$1" --name x --pid "$proxy" \
        --proxy "127.0.0.1:$PORT" --origin "$ORIGIN" --cpu "$PEER_CPU" | cut -f"$column"
}

taskset -c "$LAB_CPU" "$build/tunlab" origin --port "$ORIGIN" &
origin=$!
listening "$ORIGIN"
for ((round = 1; round <= rounds; round++)); do
    for peer; do
        name=${peer%%=*} command=${peer#*=}
        echo "warm-up: round $round of $rounds: $name" >&2
        command=${command//@PORT/$PORT}
        eval "exec taskset -c $PEER_CPU ${command//@ORIGIN/$ORIGIN}" >"$tmp/out" 2>&1 &
        proxy=$!
        listening "$PORT"
        done=0
        for at in $after; do
            load $((at - done)) >/dev/null
            load "$measured" >>"$tmp/$name-$at"
            done=$((at + measured))
        done
        stop "$proxy"
        proxy=
    done
done

row() { printf '|'; printf ' %s |' "$@"; echo; }
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2, v[1], v[NR] }'; }
last=${after##* }
row "CPU of a CONNECT, in µs, after" $(printf "%ss " $after)
printf '|---'; printf -- '|---%.0s' $after; echo '|'
for peer; do
    name=${peer%%=*} cells=()
    read -r end _ <<<"$(median "$tmp/$name-$last")"
    for at in $after; do
        cells+=("$(median "$tmp/$name-$at" | awk -v end="$end" '{ printf "%.0f (%.0f-%.0f), %.2f", $1, $2, $3, $1 / end }')")
    done
    row "$name" "${cells[@]}"
done
