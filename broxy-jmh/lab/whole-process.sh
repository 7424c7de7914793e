#!/usr/bin/env bash
# Measures whole proxy processes in turn, each on one core, with load and origin on another: Broxy's mini-server, the C relay
# `floor` (which parses no CONNECT), the same with one exchange before each tunnel (`floor-connect`), and the peers. The figures go into a result file of the benchmarks.
#
#   whole-process.sh [--quick] [RESULTS.json]
#
#   --quick         one short round: shows that everything works, not how fast
#   RESULTS.json    the file that gets the figures; default the newest in broxy-jmh/results
#
# Environment: JAVA [java], MODES [connect32 connect1 ping64 bulk1 bulk16 up1 up16 http32 idle], PEERS [netty-nio netty-epoll jetty
# littleproxy vthread], and what compare.sh reads. Takes about 16 minutes.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module=${lab%/*} root=${lab%/broxy-jmh/lab}
build=$module/target/lab
benchmarks=$module/target/broxy-benchmarks.jar
mini_server=$root/broxy-examples/target/broxy-mini-server.jar
java=${JAVA:-java}
modes=${MODES:-connect32 connect1 ping64 bulk1 bulk16 up1 up16 http32 idle}
peers=${PEERS:-netty-nio netty-epoll jetty littleproxy vthread}
length=(-n 5 -s 1 -w 8)

say() { echo "whole-process: $*" >&2; }

# ---- arguments
if [ "${1-}" = --quick ]; then
    length=(-n 1 -s 0.5 -w 0.5)
    export IDLE=${IDLE:-200}
    shift
fi
case ${1-} in
-*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
esac
results=${1-}
if [ -z "$results" ]; then results=$(ls -t "$module"/results/*.json 2>/dev/null | head -n 1) || true; fi

# ---- what must be here; everything that is missing is told at once
missing=()
for program in gcc:'a C compiler (Debian: gcc libc6-dev)' taskset:'util-linux' flock:'util-linux' awk:'any awk' timeout:'coreutils' "$java:a JDK"; do
    command -v "${program%%:*}" >/dev/null || missing+=("${program%%:*} is not installed: ${program#*:}")
done
[ "$(nproc)" -ge 2 ] || missing+=("two processors: one for the proxy, one for load and origin")
for jar in "$benchmarks" "$mini_server"; do
    [ -f "$jar" ] || missing+=("${jar#"$root"/} is not built: mvn -B package -DskipTests")
done
[ -n "$results" ] && [ -f "$results" ] || missing+=("a result file to put the figures into: run the benchmarks first, or name one")
if [ ${#missing[@]} -gt 0 ]; then
    say "cannot run, for this is missing:"
    printf '  - %s\n' "${missing[@]}" >&2
    exit 1
fi

# ---- the C programs
mkdir -p "$build"
for program in tunlab floor; do
    gcc -O2 -Wall -Wextra -std=gnu11 -o "$build/$program" "$lab/$program.c" || {
        say "$program.c does not compile, see above; it needs Linux and the C library's headers"
        exit 1
    }
done

# ---- the proxies; Netty is half as fast on newer Java unless it may use Unsafe
jvm="$java -Xmx512m -XX:+UseSerialGC"
if "$java" --sun-misc-unsafe-memory-access=allow -version >/dev/null 2>&1; then
    jvm+=" --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
    jvm+=" --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/jdk.internal.misc=ALL-UNNAMED"
    jvm+=" -Dio.netty.noUnsafe=false -Dio.netty.tryReflectionSetAccessible=true"
fi
proxies=(
    broxy="$jvm -jar '$mini_server' --listen 127.0.0.1:@PORT --allow-private"
    floor@plain="'$build/floor' --listen @PORT --target @ORIGIN --buffer 1048576"
    floor-connect="'$build/floor' --connect --listen @PORT --target @ORIGIN --buffer 1048576"
)
for peer in $peers; do
    # A peer that cannot run here says so on standard error and ends; a running one is ended by timeout, which is 124.
    status=0
    timeout 5 $jvm -jar "$benchmarks" peer "$peer" 0 >/dev/null || status=$?
    if [ "$status" -eq 124 ]; then
        proxies+=("$peer=$jvm -jar '$benchmarks' peer $peer @PORT")
    else
        say "$peer is left out"
    fi
done

rows=$build/rows.tsv
TUNLAB=$build/tunlab "$lab/compare.sh" "${length[@]}" -m "$modes" -o "$rows" "${proxies[@]}"
"$java" -jar "$benchmarks" add-whole-process --foreign-load "${OTHER:-15}" "$results" "$rows"
