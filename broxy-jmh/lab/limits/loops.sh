# shellcheck shell=bash disable=SC2154 # variables of limits.sh
# A part of limits.sh: what an operation costs with two event loops, and what a model makes of that for 16.

with_loops() { # NAME KIND MODE...: adds an operation's cost to $tmp/KIND-NAME and the rate to $tmp/rate-KIND-NAME
    local name=$1 kind=$2 row
    shift 2
    proxy_of "$name"
    row=$(load "$port" "${!name}" "" "$@" --secs "$secs")
    column proxy_cpu_us_per_unit <<<"$row" >>"$tmp/$kind-$name"
    column rate_per_s <<<"$row" >>"$tmp/rate-$kind-$name"
    column units <<<"$row" >>"$tmp/units-$kind-$name"
}
loop_times() { # PID: CPU times of its first and its second loop, in µs
    local task
    for task in "/proc/$1/task"/*; do
        { echo "$(cat "$task/comm") $(cat "$task/schedstat")"; } 2>/dev/null || true # a thread may have ended
    done | awk '/^broxy-(loop|epoll)-1 / { a += $2 } /^broxy-(loop|epoll)-2 / { b += $2 } END { printf "%.0f %.0f\n", a / 1000, b / 1000 }'
}
loops_part() {
    local kind name one two
    origin_at
    broxy "$PEER_CPU,$LAB_CPU" "$OWN_PORT" -Xmx512m -- --event-loops 1
    one=$proxy
    warm_up "$OWN_PORT" "$one"
    broxy "$PEER_CPU,$LAB_CPU" $((OWN_PORT + 1)) -Xmx512m -- --event-loops 2
    two=$proxy
    warm_up $((OWN_PORT + 1)) "$two"
    rm -f "$tmp"/connect-* "$tmp"/message-* "$tmp"/rate-* "$tmp"/units-*
    for ((i = 0; i < rounds; i++)); do
        say "event loops, round $((i + 1)) of $rounds"
        for name in one two; do
            loop_times "${!name}" >"$tmp/before"
            with_loops "$name" connect connect -c 32
            [ "$name" = one ] || echo "$(cat "$tmp/before") $(loop_times "$two") $(tail -n 1 "$tmp/units-connect-two")" >>"$tmp/uneven"
            with_loops "$name" message pingpong -c 64 --size 64
        done
    done
    echo "### Event loops"
    echo
    echo "The proxy may use both processors; load and origin share one of them, so the rates are no measure of two loops: compare CPU. $rounds rounds, median (range)."
    echo
    echo "| operation | CPU in µs, 1 loop | 2 loops | ratio of the rounds | rate/s, 1 loop | 2 loops |"
    echo "|---|---|---|---|---|---|"
    for kind in connect message; do
        paste "$tmp/$kind-two" "$tmp/$kind-one" | awk '$2 > 0 { print $1 / $2 }' >"$tmp/ratio-$kind"
        echo "| $kind | $(median <"$tmp/$kind-one") | $(median <"$tmp/$kind-two") | $(median <"$tmp/ratio-$kind") | $(median <"$tmp/rate-$kind-one") | $(median <"$tmp/rate-$kind-two") |"
    done
    echo
    # The first loop accepts for both. Both have the same number of clients at a time.
    awk '{ d = ($3 - $1 - ($4 - $2)) / $5; print (d > 0 ? d : 0) }' "$tmp/uneven" >"$tmp/accepting"
    echo "The loop that accepts uses $(median <"$tmp/accepting") µs more of CPU a CONNECT than the other: what accepting and handing over take, the serial part."
    echo "That is a lower bound: as it has more to do, its clients take longer, and it serves somewhat fewer of them."
    echo
    model connect "$(median <"$tmp/accepting")"
    model message 0
    echo
    stop "$one"
    stop "$two"
}
# The universal scalability law: with n loops, n / (1 + s (n - 1) + k n (n - 1)) times the rate of one, where s is the serial share, and k what
# each pair of loops costs. As waiting loops sleep, k shows in the CPU of an operation: with two loops it is 1 + 2 k of that with one. The milder
# assumption is that only each further loop costs so much: n / (1 + (s + 2 k) (n - 1)).
model() { # KIND SERIAL-MICROSECONDS
    awk -v kind="$1" -v one="$(median <"$tmp/$1-one")" -v serial="$2" -v ratio="$(median <"$tmp/ratio-$1")" '
        function pairs(ratio) { more = ratio > 1 ? ratio - 1 : 0; return 16 / (1 + 15 * s + 120 * more) }
        function loops(ratio) { more = ratio > 1 ? ratio - 1 : 0; return 16 / (1 + 15 * s + 15 * more) }
        BEGIN {
            split(ratio, r, /[ (-]+/); split(one, o, " "); s = serial / o[1]
            printf "- 16 loops, %s: serial share %.3f, which alone allows %.1f times the rate of one loop. CPU with two loops is %.3f (%.3f-%.3f) of that with one:", kind, s, pairs(1), r[1], r[2], r[3]
            printf " if each further loop costs so much, %.1f times (%.1f-%.1f); if each pair of loops does, %.1f times (%.1f-%.1f).\n", loops(r[1]), loops(r[3]), loops(r[2]), pairs(r[1]), pairs(r[3]), pairs(r[2])
        }'
}
