#!/usr/bin/env bash
# Measures what the ratios of whole-process.sh do not show, for Broxy's mini-server beside the C relay `floor`, as Markdown on
# standard output: the time to start, a dial beside one in C, thousands of idle tunnels in a small heap, what an operation costs
# among more and more open tunnels, and how long a small message takes beside bulk.
#
#   limits.sh [--quick]
#
#   --quick   short and small: shows that everything works, and nothing else
#
# Environment: JAVA [java], LAB_CPU [0], PEER_CPU [1], PORT [20200] of the proxies, ORIGIN [19100] (4 ports). Takes about 7 minutes.
# Wants the jars of `mvn -B package -DskipTests`, gcc, and two processors with nothing else to do.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module=${lab%/*} root=${lab%/broxy-jmh/lab}
build=$module/target/lab
mini_server=$root/broxy-examples/target/broxy-mini-server.jar
benchmarks=$module/target/broxy-benchmarks.jar
java=${JAVA:-java} LAB_CPU=${LAB_CPU:-0} PEER_CPU=${PEER_CPU:-1} PORT=${PORT:-20200} ORIGIN=${ORIGIN:-19100}
starts=11 rounds=5 secs=2 warm=12 idle=9000 curve="50 500 2000 5000"
tmp= pids=() proxy= holder= port= via=

say() { echo "limits: $*" >&2; }
fail() { say "$@"; exit 1; }

case ${1-} in
'') ;;
--quick) starts=3 rounds=1 secs=0.5 warm=0.5 idle=400 curve="50 200" ;;
*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
esac
for jar in "$mini_server" "$benchmarks"; do
    [ -f "$jar" ] || fail "${jar#"$root"/} is not built: mvn -B package -DskipTests"
done
[ "$(nproc)" -ge 2 ] || fail "wants two processors"

finish() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    [ -z "$tmp" ] || rm -rf "$tmp"
}
trap finish EXIT
tmp=$(mktemp -d)
mkdir -p "$build"
for program in tunlab floor dial; do gcc -O2 -Wall -Wextra -std=gnu11 -o "$build/$program" "$lab/$program.c"; done
ulimit -n "$(ulimit -Hn)"

# ---------------------------------------------------------------- parts

listening() { # PORT
    for _ in {1..200}; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
        sleep .05
    done
    fail "nothing listens on $1"
}
on_peer_cpu() { # PORT COMMAND...: starts a proxy and leaves its id in $proxy
    local port=$1
    shift
    taskset -c "$PEER_CPU" "$@" >"$tmp/out" 2>&1 &
    proxy=$!
    pids+=("$proxy")
    listening "$port"
}
broxy() { # PORT JVM-OPTION...
    local port=$1
    shift
    on_peer_cpu "$port" "$java" -XX:+UseSerialGC "$@" -jar "$mini_server" --listen "127.0.0.1:$port" --allow-private
}
stop() { # PID
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
load() { # PORT PID VIA ARGS...: a row of tunlab
    local port=$1 pid=$2 via=$3
    shift 3
    timeout --foreground 120 taskset -c "$LAB_CPU" "$build/tunlab" load "$@" --name x --pid "$pid" --proxy "127.0.0.1:$port" \
        --origin "$ORIGIN" --cpu "$PEER_CPU" $via
}
column() { # NAME: of the row on standard input
    awk -v name="$1" -v header="$("$build/tunlab" header)" 'BEGIN { FS = "\t"; n = split(header, h, "\t"); for (i = 1; i <= n; i++) if (h[i] == name) c = i } { print $c }'
}
median() { sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); printf "%.4g (%.4g-%.4g)", NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2, v[1], v[NR] }'; }
hold() { # PORT PID VIA COUNT SECS: opens tunnels and leaves the process that holds them in $holder
    load "$1" "$2" "$3" idle --count "$4" --secs "$5" >"$tmp/held" 2>&1 &
    holder=$!
    for _ in {1..600}; do
        if grep -q ^held "$tmp/held"; then return; fi
        kill -0 "$holder" 2>/dev/null || break
        sleep .1
    done
    fail "$4 tunnels cannot be held: $(cat "$tmp/held")"
}
figure() { awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) print $(i + 1) }' "$tmp/held"; }
proxy_of() { # NAME: leaves its port in $port, and how it is talked to in $via
    if [ "$1" = broxy ]; then port=$PORT via=; else port=$((PORT + 10)) via=--plain-tcp; fi
}
live_heap() { # PID
    "$(dirname "$(readlink "/proc/$1/exe")")/jcmd" "$1" GC.class_histogram | awk '/^Total/ { print $3 }'
}

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

# ---------------------------------------------------------------- all

origin_at() {
    taskset -c "$LAB_CPU" "$build/tunlab" origin --port "$ORIGIN" &
    pids+=($!)
    listening "$ORIGIN"
}

say "start"
echo "### Start"
echo
echo "Until the line \`listening on …\`, both processors free, \`-XX:+UseSerialGC -XX:TieredStopAtLevel=1\`, $starts starts: $(start_times | median) ms."
echo

origin_at
say "dials"
each=$(awk "BEGIN { print $secs * 1000 }")ms # JMH wants a whole number
c=()
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

say "$idle idle tunnels"
broxy "$PORT" -Xmx64m
before=$(live_heap "$proxy")
hold "$PORT" "$proxy" "" "$idle" 8
during=$(live_heap "$proxy")
wait "$holder" || fail "the tunnels did not stand: $(cat "$tmp/held")"
echo "### $idle idle tunnels in \`-Xmx64m\`"
echo
echo "| tunnels that answered | live heap a tunnel | resident memory a tunnel | CPU while they stand |"
echo "|---|---|---|---|"
awk -v n="$idle" -v a="$(figure answered)" -v h="$((during - before))" -v r="$(figure kb_per_touched)" -v c="$(figure idle_cpu_ms_per_s)" \
    'BEGIN { printf "| %d of %d | %.0f B | %.1f KiB | %.1f ms/s |\n\n", a, n, h / n, r, c
             printf "At the same rates 100,000 tunnels would take %.0f MiB of heap and %.0f MiB of resident memory.\n\n", h / n * 100000 / 1048576, r * 100000 / 1024 }'
stop "$proxy"

on_peer_cpu $((PORT + 10)) "$build/floor" --listen $((PORT + 10)) --target "$ORIGIN" --buffer 1048576
floor=$proxy
broxy "$PORT" -Xmx512m
broxy=$proxy
say "warming up"
for mode in "connect -c 32" "pingpong -c 64 --size 64" "bulk -c 16 --dir down"; do load "$PORT" "$broxy" "" $mode --secs "$warm" >/dev/null; done

among() { # NAME COUNT: adds a CONNECT's cost to $tmp/connect-NAME, and a message's to $tmp/message-NAME
    proxy_of "$1"
    hold "$port" "${!1}" "$via" "$2" $((${secs%.*} + 3))
    load "$port" "${!1}" "$via" connect -c 32 --secs "$secs" | column proxy_cpu_us_per_unit >>"$tmp/connect-$1"
    wait "$holder" || fail "the tunnels did not stand"
    load "$port" "${!1}" "$via" pingpong -c "$2" --size 64 --secs "$secs" | column proxy_cpu_us_per_unit >>"$tmp/message-$1"
}
growth() { # KIND NAME: the median, its range, and how many times the median of the first row it is
    local now
    now=$(median <"$tmp/$1-$2")
    [ -e "$tmp/first-$1-$2" ] || echo "$now" >"$tmp/first-$1-$2"
    awk -v now="$now" '{ printf "%s, %.2f", now, now / $1 }' "$tmp/first-$1-$2"
}
echo "### Cost among open tunnels"
echo
echo "CPU of the proxy's process an operation, in µs, while so many tunnels stand idle beside it, and a message when all of them talk; $rounds rounds, median (range), and the ratio to the first row."
echo
echo "| tunnels | CONNECT with 15,360 B both ways, 32 at once: Broxy | the C relay | message of 64 B, all tunnels at once: Broxy | the C relay |"
echo "|---|---|---|---|---|"
for count in $curve; do
    say "$count tunnels"
    rm -f "$tmp"/connect-* "$tmp"/message-*
    for ((i = 0; i < rounds; i++)); do
        for name in broxy floor; do among "$name" "$count"; done
    done
    echo "| $count | $(growth connect broxy) | $(growth connect floor) | $(growth message broxy) | $(growth message floor) |"
done
echo

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
