# shellcheck shell=bash disable=SC2034,SC2154 # variables of limits.sh
# A part of limits.sh: memory by the number of idle tunnels, and the straight line through it.

direct() { # PID: bytes that the program itself has taken outside the heap, such as direct buffers
    jcmd_of "$1" VM.native_memory summary scale=B | sed -nE 's/^- +Other \(reserved=[0-9]+B?, committed=([0-9]+).*/\1/p' | grep . || echo 0
}
memory_of() { # LOAD COUNT...: rows "count, live heap, outside the heap, what else is resident" in bytes, of the mini-server in $proxy
    local heap=$((512 * 1024 * 1024)) count outside # -Xms512m, touched at the start
    load "$OWN_PORT" "$proxy" "" "$1" -c 8 --secs "$warm" >/dev/null # loads and compiles what a tunnel needs
    shift
    live_heap "$proxy" >/dev/null
    for count; do
        say "$count tunnels"
        hold "$OWN_PORT" "$proxy" "" "$count" 110
        outside=$(direct "$proxy")
        echo "$count $(live_heap "$proxy") $outside $((1024 * $(awk '/^VmRSS:/ { print $2 }' "/proc/$proxy/status") - heap - outside))"
        let_go "$proxy"
    done
}
line() { # COLUMN: base and slope of the straight line through the rows, and the largest distance from it
    awk -v c="$1" '{ n++; x[n] = $1; y[n] = $c; sx += $1; sy += $c; sxx += $1 * $1; sxy += $1 * $c }
        END { worst = 0; b = (n * sxy - sx * sy) / (n * sxx - sx * sx); a = (sy - b * sx) / n
              for (i = 1; i <= n; i++) { d = y[i] - a - b * x[i]; if (d < 0) d = -d; if (d > worst) worst = d }
              printf "%.0f %.3f %.0f\n", a, b, worst }'
}
memory_rows() { # KIND
    awk -v kind="$1" '{ printf "| %s | %d | %.2f MiB | %.2f MiB | %.1f MiB |\n", kind, $1, $2 / 1048576, $3 / 1048576, $4 / 1048576 }' "$tmp/memory-$1"
}
formula() { # KIND
    # shellcheck disable=SC2046 # three words each, and the range of the rest
    printf '%s ' $(line 2 <"$tmp/memory-$1") $(line 3 <"$tmp/memory-$1") $(cut -d ' ' -f 4 "$tmp/memory-$1" | sort -g | sed -n '1p;$p') | awk -v kind="$1" '{
        printf "- %s: live heap %.1f MiB + %.2f KiB × tunnels (off by at most %.2f MiB); outside the heap %.2f MiB + %.2f KiB × tunnels (at most %.2f MiB); the JVM itself %.0f to %.0f MiB.",
            kind, $1 / 1048576, $2 / 1024, $3 / 1048576, $4 / 1048576, $5 / 1024, $6 / 1048576, $7 / 1048576, $8 / 1048576
        printf " 100,000 idle tunnels: %.0f MiB of live heap and %.0f MiB outside it.\n", ($1 + 1e5 * $2) / 1048576, ($4 + 1e5 * $5) / 1048576 }'
}
memory_part() {
    # Unless the dead ratio is 0, a collection leaves some garbage where it lies, which counts as live.
    local kinds=plain options=(-Xms512m -Xmx512m -XX:+AlwaysPreTouch -XX:MarkSweepDeadRatio=0 -XX:NativeMemoryTracking=summary)
    origin_at
    broxy "$PEER_CPU" "$OWN_PORT" "${options[@]}"
    # shellcheck disable=SC2046,SC2086 # counts are words
    memory_of connect $(possible $plain_counts) >"$tmp/memory-plain"
    stop "$proxy"
    if gcc -O2 -Wall -Wextra -std=gnu11 -o "$build/tlslab" "$lab/tlslab.c" -lssl -lcrypto -lpthread 2>"$tmp/out"; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
            -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
        broxy "$PEER_CPU" "$OWN_PORT" "${options[@]}" -- --tls-cert "$tmp/cert.pem" --tls-key "$tmp/key.pem"
        load=tlslab
        # shellcheck disable=SC2046,SC2086
        memory_of full $(possible $tls_counts) >"$tmp/memory-TLS"
        load=tunlab
        stop "$proxy"
        kinds="plain TLS"
    else
        say "TLS is left out: tlslab does not compile (Debian: openssl libssl-dev)"
    fi
    echo "### Memory by the number of idle tunnels"
    echo
    echo "Each tunnel has carried 1 KiB both ways. Live heap is counted after a collection. Outside the heap: what the program has taken"
    echo "there, such as direct buffers. The JVM itself: what else is resident, such as code and the compilers' memory. The kernel's memory for two sockets a tunnel is not counted."
    echo
    echo "| clients | tunnels | live heap | outside the heap | the JVM itself |"
    echo "|---|---|---|---|---|"
    for kind in $kinds; do memory_rows "$kind"; done
    echo
    for kind in $kinds; do formula "$kind"; done
    echo
}
