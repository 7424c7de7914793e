#!/usr/bin/env bash
# Measures what the ratios of whole-process.sh do not show, for Broxy's mini-server beside the C relay `floor`, as Markdown on
# standard output: the time to start, a dial beside one in C, thousands of idle tunnels in a small heap, memory by the number of
# tunnels, the cost of an operation among more and more open tunnels and with two event loops, and a small message beside bulk.
#
#   limits.sh [--quick] [PART...]
#
#   PART      start, dials, idle, memory, curve, loops, bulk [all of them]
#   --quick   short and small: shows that everything works, and nothing else
#
# Environment: JAVA [java], LAB_CPU [0], PEER_CPU [1], PORT [20200] of the proxies, ORIGIN [19100] (4 ports), MINI_SERVER and BENCHMARKS
# [the jars of `mvn -B package -DskipTests`]. Takes about 9 minutes. Wants gcc, two processors with nothing else to do, and 40,200
# descriptors a process (`ulimit -Hn`) for 20,000 tunnels: with fewer it takes the most that they allow. For TLS: OpenSSL with its headers.
# shellcheck disable=SC2034 # the parts in limits/ read what is set here
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module=${lab%/*} root=${lab%/broxy-jmh/lab}
build=$module/target/lab
mini_server=${MINI_SERVER:-$root/broxy-examples/target/broxy-mini-server.jar}
benchmarks=${BENCHMARKS:-$module/target/broxy-benchmarks.jar}
java=${JAVA:-java} LAB_CPU=${LAB_CPU:-0} PEER_CPU=${PEER_CPU:-1} PORT=${PORT:-20200} ORIGIN=${ORIGIN:-19100}
OWN_PORT=$((PORT + 20)) # and the next, of proxies that only one part uses: others stay until the end
starts=11 rounds=5 curve_rounds=3 secs=2 warm=12 idle=9000 curve="50 500 2000 5000 20000" plain_counts="2000 5000 9000" tls_counts="1000 2500 4000"
all_parts="start dials idle memory curve loops bulk"
addresses=8 # loopback addresses of clients and of origins: the ephemeral ports of one do not do for 20,000 tunnels
tmp='' pids=() proxy='' holder='' port='' via='' load=tunlab

say() { echo "limits: $*" >&2; }
fail() { say "$@"; exit 1; }

if [ "${1-}" = --quick ]; then
    starts=3 rounds=1 curve_rounds=1 secs=0.5 warm=0.5 idle=400 curve="50 200" plain_counts="200 400" tls_counts="50 100"
    shift
fi
parts=${*:-$all_parts}
for part in $parts; do
    if [[ " $all_parts " != *" $part "* ]]; then sed -n '2,/^# shellcheck/{/shellcheck/!s/^# \{0,1\}//p}' "$0" >&2; exit 2; fi
done
[ -f "$mini_server" ] || fail "the mini-server is not built: mvn -B package -DskipTests"
[[ " $parts " != *" dials "* ]] || [ -f "$benchmarks" ] || fail "the benchmarks are not built: mvn -B package -DskipTests"
[ "$(nproc)" -ge 2 ] || fail "wants two processors"

finish() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    [ -z "$holder" ] || kill "$holder" 2>/dev/null || true
    [ ${#pids[@]} -eq 0 ] || wait "${pids[@]}" 2>/dev/null || true
    [ -z "$tmp" ] || rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tmp=$(mktemp -d)
mkdir -p "$build"
for program in tunlab floor dial; do gcc -O2 -Wall -Wextra -std=gnu11 -o "$build/$program" "$lab/$program.c"; done

# A proxy needs two descriptors for each tunnel, and a hundred or so of its own.
ulimit -n 100000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
most=$((($(ulimit -n) - 200) / 2 / 100 * 100))
possible() { # COUNTS: no more than the descriptors allow
    local count last=
    for count; do
        if [ "$count" -gt "$most" ]; then
            say "$count tunnels need $((2 * count + 200)) descriptors a process and \`ulimit -Hn\` is $(ulimit -Hn): $most take their place"
            count=$most
        fi
        [ "$count" = "$last" ] || echo "$count"
        last=$count
    done
}

# shellcheck source=limits/proxies.sh
. "$lab/limits/proxies.sh"
# shellcheck source=limits/memory.sh
. "$lab/limits/memory.sh"
# shellcheck source=limits/loops.sh
. "$lab/limits/loops.sh"

# ---------------------------------------------------------------- start

start_times() {
    for ((i = 0; i < starts; i++)); do
        local begin end line
        begin=$(date +%s%N)
        exec 3< <(exec "$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -jar "$mini_server" --listen 127.0.0.1:0)
        local pid=$!
        read -r line <&3
        end=$(date +%s%N)
        [[ $line == listening* ]] || fail "it said: $line"
        stop "$pid"
        exec 3<&-
        echo $(((end - begin) / 1000000))
    done
}
start_part() {
    echo "### Start"
    echo
    echo "Until the line \`listening on …\`, both processors free, \`-XX:+UseSerialGC -XX:TieredStopAtLevel=1\`, $starts starts: $(start_times | median) ms."
    echo
}

# ---------------------------------------------------------------- a dial

dials_part() {
    local each c=()
    origin_at
    each=$(awk "BEGIN { print $secs * 1000 }")ms # JMH wants a whole number
    for ((i = 0; i < rounds; i++)); do c+=("$("$build/dial" $((ORIGIN + 1)) "$secs")"); done
    "$java" -jar "$benchmarks" jmh DialDirectBenchmark -f 1 -wi "$rounds" -i "$rounds" -w "$each" -r "$each" -rf csv -rff "$tmp/dials" >/dev/null
    for ((i = 0; i < rounds; i++)); do c+=("$("$build/dial" $((ORIGIN + 1)) "$secs")"); done
    echo "### A dial"
    echo
    echo "Connect to a server on the loopback that discards, close; both processors free; µs. C ran before and behind the JVM."
    echo
    echo "| who | mean of a dial |"
    echo "|---|---|"
    echo "| C, \`socket\`, \`connect\`, \`close\`, median (range) of $((2 * rounds)) rounds | $(printf '%s\n' "${c[@]}" | cut -d' ' -f1 | median), best dial $(printf '%s\n' "${c[@]}" | cut -d' ' -f2 | sort -g | head -n 1) |"
    awk -F, 'NR > 1 { gsub(/["\r]/, ""); printf "| %s, ± 99.9 %% interval | %.1f ± %.1f |\n", $NF == "jdk" ? "JDK, a `SocketChannel`" : "Broxy, `DirectDialer`", $5 / 1000, $6 / 1000 }' "$tmp/dials"
    echo
}

# ---------------------------------------------------------------- idle tunnels

idle_part() {
    local count before during
    count=$(possible "$idle")
    origin_at
    broxy "$PEER_CPU" "$OWN_PORT" -Xmx64m
    before=$(live_heap "$proxy")
    hold "$OWN_PORT" "$proxy" "" "$count" 8
    during=$(live_heap "$proxy")
    wait "$holder" || fail "the tunnels did not stand: $(cat "$tmp/held")"
    holder=
    echo "### $count idle tunnels in \`-Xmx64m\`"
    echo
    echo "| tunnels that answered | live heap a tunnel | resident memory a tunnel | CPU while they stand |"
    echo "|---|---|---|---|"
    awk -v n="$count" -v a="$(figure answered)" -v h="$((during - before))" -v r="$(figure kb_per_touched)" -v c="$(figure idle_cpu_ms_per_s)" \
        'BEGIN { printf "| %d of %d | %.0f B | %.1f KiB | %.1f ms/s |\n\n", a, n, h / n, r, c }'
    stop "$proxy"
}

# ---------------------------------------------------------------- cost among open tunnels

among() { # NAME COUNT: adds a CONNECT's cost to $tmp/connect-NAME, and a message's to $tmp/message-NAME
    proxy_of "$1"
    hold "$port" "${!1}" "$via" "$2" 110
    load "$port" "${!1}" "$via" connect -c 32 --secs "$secs" | column proxy_cpu_us_per_unit >>"$tmp/connect-$1"
    let_go "${!1}"
    load "$port" "${!1}" "$via" pingpong -c "$2" --size 64 --secs "$secs" | column proxy_cpu_us_per_unit >>"$tmp/message-$1"
}
growth() { # KIND NAME: the median, its range, and how many times the median of the first row it is
    local now
    now=$(median <"$tmp/$1-$2")
    [ -e "$tmp/first-$1-$2" ] || echo "$now" >"$tmp/first-$1-$2"
    awk -v now="$now" '{ printf "%s, %.2f", now, now / $1 }' "$tmp/first-$1-$2"
}
floor='' broxy=''
proxies_start() { # what the last two parts share
    [ -z "$floor" ] || return 0
    origin_at
    start_on "$PEER_CPU" $((PORT + 10)) "$build/floor" --listen $((PORT + 10)) --target "$ORIGIN" --targets "$addresses" --buffer 1048576
    floor=$proxy
    broxy "$PEER_CPU" "$PORT" -Xmx512m
    broxy=$proxy
    warm_up "$PORT" "$broxy"
    load "$PORT" "$broxy" "" bulk -c 16 --dir down --secs "$warm" >/dev/null
}
curve_part() {
    local count name
    proxies_start
    echo "### Cost among open tunnels"
    echo
    echo "CPU of the proxy's process an operation, in µs, while so many tunnels stand idle beside it, and a message when all of them talk; $curve_rounds rounds, median (range), and the ratio to the first row."
    echo
    echo "| tunnels | CONNECT with 15,360 B both ways, 32 at once: Broxy | the C relay | message of 64 B, all tunnels at once: Broxy | the C relay |"
    echo "|---|---|---|---|---|"
    # shellcheck disable=SC2086
    for count in $(possible $curve); do
        say "$count tunnels"
        rm -f "$tmp"/connect-* "$tmp"/message-*
        for ((i = 0; i < curve_rounds; i++)); do
            for name in broxy floor; do among "$name" "$count"; done
        done
        echo "| $count | $(growth connect broxy) | $(growth connect floor) | $(growth message broxy) | $(growth message floor) |"
    done
    echo
}

# ---------------------------------------------------------------- a small message beside bulk

bulk_part() {
    local name p50 p99 row bulk
    proxies_start
    echo "### A small message beside bulk"
    echo
    echo "64 B on 8 tunnels while 16 others carry bulk from the origin, $rounds rounds, median (range). Load and origin share a processor."
    echo
    echo "| proxy | p50, ms | p99, ms |"
    echo "|---|---|---|"
    for name in broxy floor; do
        say "messages beside bulk: $name"
        proxy_of "$name"
        p50=() p99=()
        for ((i = 0; i < rounds; i++)); do
            load "$port" "${!name}" "$via" bulk -c 16 --dir down --secs $((${secs%.*} + 2)) >/dev/null &
            bulk=$!
            sleep 1
            row=$(load "$port" "${!name}" "$via" pingpong -c 8 --size 64 --secs "$secs")
            p50+=("$(column p50_us <<<"$row" | awk '{ print $1 / 1000 }')") p99+=("$(column p99_us <<<"$row" | awk '{ print $1 / 1000 }')")
            wait "$bulk"
        done
        echo "| $name | $(printf '%s\n' "${p50[@]}" | median) | $(printf '%s\n' "${p99[@]}" | median) |"
    done
    echo
}

for part in $parts; do
    say "$part"
    "${part}_part"
done
