# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # variables of limits.sh
# Parts of limits.sh: proxies, and load through them.

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # PORT
listening() { # PORT
    for _ in {1..200}; do
        if is_open "$1"; then return; fi
        sleep .05
    done
    fail "nothing listens on $1: $(cat "$tmp/out")"
}
start_on() { # CPUS PORT COMMAND...: starts a proxy and leaves its id in $proxy
    local cpus=$1 port=$2
    shift 2
    if is_open "$port"; then fail "port $port is taken"; fi
    taskset -c "$cpus" "$@" >"$tmp/out" 2>&1 &
    proxy=$!
    pids+=("$proxy")
    listening "$port"
}
broxy() { # CPUS PORT OPTION...: of the JVM, and behind -- of the mini-server
    local cpus=$1 port=$2 options=()
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1") && shift; done
    start_on "$cpus" "$port" "$java" -XX:+UseSerialGC "${options[@]}" -jar "$mini_server" --listen "127.0.0.1:$port" --allow-private --max-connections 50000 "${@:2}"
}
stop() { # PID
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
load() { # PORT PID VIA ARGS...: a row of tunlab
    local port=$1 pid=$2 via=$3 spread=()
    shift 3
    [ "$load" != tunlab ] || spread=(--spread "$addresses" --origins "$addresses")
    # shellcheck disable=SC2086 # VIA may be empty
    timeout --foreground 420 taskset -c "$LAB_CPU" "$build/$load" load "$@" --name x --pid "$pid" --proxy "127.0.0.1:$port" \
        --origin "$ORIGIN" --cpu "$PEER_CPU" "${spread[@]}" $via
}
column() { # NAME: of the row on standard input
    awk -v name="$1" -v header="$("$build/tunlab" header)" 'BEGIN { FS = "\t"; n = split(header, h, "\t"); for (i = 1; i <= n; i++) if (h[i] == name) c = i } { print $c }'
}
median() { sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); printf "%.4g (%.4g-%.4g)", NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2, v[1], v[NR] }'; }
hold() { # PORT PID VIA COUNT SECS: opens tunnels and leaves the process that holds them in $holder
    load "$1" "$2" "$3" idle --count "$4" --secs "$5" >"$tmp/held" 2>&1 &
    holder=$!
    for _ in {1..3000}; do
        if grep -q ^held "$tmp/held"; then return; fi
        kill -0 "$holder" 2>/dev/null || break
        sleep .1
    done
    fail "$4 tunnels cannot be held: $(cat "$tmp/held"); the proxy said: $(tail -n 5 "$tmp/out")"
}
let_go() { # PID: ends the holder, which must be running still, and waits until the proxy has closed the tunnels
    local children
    kill -0 "$holder" 2>/dev/null || fail "the tunnels did not stand: $(cat "$tmp/held")"
    children=$(pgrep -P "$holder" || true)
    # shellcheck disable=SC2086 # timeout and what it runs
    kill "$holder" $children 2>/dev/null || true
    wait "$holder" 2>/dev/null || true
    holder=
    for _ in {1..600}; do
        if [ "$(find "/proc/$1/fd" -mindepth 1 | wc -l)" -lt 100 ]; then return; fi
        sleep .1
    done
    fail "the proxy does not close its tunnels"
}
figure() { awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) print $(i + 1) }' "$tmp/held"; }
proxy_of() { # NAME: leaves its port in $port, and how it is talked to in $via
    case $1 in
    broxy) port=$PORT via= ;;
    one) port=$OWN_PORT via= ;;
    two) port=$((OWN_PORT + 1)) via= ;;
    floor) port=$((PORT + 10)) via=--plain-tcp ;;
    esac
}
jcmd_of() { # PID COMMAND...
    "$(dirname "$(readlink "/proc/$1/exe")")/jcmd" "$@"
}
live_heap() { # PID
    jcmd_of "$1" GC.class_histogram | awk '/^Total/ { print $3 }'
}
warm_up() { # PORT PID
    say "warming up"
    load "$1" "$2" "" connect -c 32 --secs "$warm" >/dev/null
    load "$1" "$2" "" pingpong -c 64 --size 64 --secs "$warm" >/dev/null
}
has_origin=
origin_at() {
    [ -z "$has_origin" ] || return 0
    if is_open "$ORIGIN"; then fail "port $ORIGIN is taken"; fi
    taskset -c "$LAB_CPU" "$build/tunlab" origin --port "$ORIGIN" --origins "$addresses" &
    pids+=($!)
    listening "$ORIGIN"
    has_origin=yes
}
