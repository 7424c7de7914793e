#!/usr/bin/env bash
# Measures whole proxy processes in turn, each on one core, with load and origin on another, and writes one report with one
# picture: DATE-whole-process.md, .json and .svg. Nothing leaves the loopback; everything that it starts ends with it.
#
#   whole-process.sh [options] [NAME='COMMAND WITH @PORT']...
#
#   --quick           one short round: shows that everything works, not how fast
#   --to DIRECTORY    for the results [broxy-jmh/results]
#   -n, -s, -w, -i    rounds [5], seconds of a run [1], warm-up ["connect32:15 ping64:3 bulk16:3 up16:3 http32:5"] and rounds of
#                     idle [1], as in compare.sh
#   NAME='COMMAND'    one proxy more, as in compare.sh: another program that answers CONNECT
#
# Environment:
#   JDKS       the homes of the JDKs to measure on [JAVA_HOME, or that of the java on the path]
#   PEERS      [floor-again floor-connect splice splice-connect broxy broxy-epoll haproxy haproxy-splice goproxy squid tinyproxy
#              netty-nio netty-epoll jetty littleproxy vertx blocking vthread]; a JVM's name means all JDKS, jetty25 means one
#   MODES      [connect32 connect1 ping64 bulk1 bulk16 up1 up16 http32 idle]
#   TLS_PEERS, TLS_MODES   the PEERS and MODES of tls.sh; an empty one of the four leaves that part out
#   and what compare.sh reads
#
# `floor` is the C relay that all others are compared with; the same once more is the noise of the run. With two JDKs a whole run
# takes about 70 minutes: 30 s for each JVM's warm-up, 1.2 s for each proxy, mode and round, 9 s for a JVM's idle tunnels, and the
# same again for TLS with fewer proxies.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
modes=${MODES-connect32 connect1 ping64 bulk1 bulk16 up1 up16 http32 idle}
peers=${PEERS-floor-again floor-connect splice splice-connect broxy broxy-epoll haproxy haproxy-splice goproxy squid tinyproxy
    netty-nio netty-epoll jetty littleproxy vertx blocking vthread}
tls_modes=${TLS_MODES-full8 resumed8 ping16 bulk1 idle} tls_peers=${TLS_PEERS-default}
rounds=5 secs=1 idle_rounds=1 warm='connect32:15 ping64:3 bulk16:3 up16:3 http32:5' tls_warm=8
to=$module/results quick=() files= command="broxy-jmh/lab/whole-process.sh${*:+ $*}"

# ---- arguments
while [ $# -gt 0 ]; do
    case $1 in
    --quick) rounds=1 secs=0.5 warm=0.5 tls_warm=0.5 quick=(--quick); export IDLE=${IDLE:-200} ;;
    --to | -n | -s | -w | -i)
        [ $# -ge 2 ] || usage
        case $1 in --to) to=$2 ;; -n) rounds=$2 ;; -s) secs=$2 ;; -w) warm=$2 tls_warm=3 ;; -i) idle_rounds=$2 ;; esac
        shift
        ;;
    [!-]*=*@PORT*) proxies+=("$1") ;;
    *) usage ;;
    esac
    shift
done
more=("${proxies[@]}") proxies=()
need

# ---- the proxies
finish() { [ -z "$files" ] || rm -rf "$files"; }
trap finish EXIT
files=$(mktemp -d)
conditions=()
add_jvm() { # JDK PEER
    local release
    release=$(release_of "$1")
    case $2 in
    broxy) proxies+=("broxy$release=$(jvm "$1") -jar '$mini_server' --listen 127.0.0.1:@PORT --allow-private --transport nio") ;;
    broxy-epoll)
        if has_native_sockets "$1"; then
            proxies+=("broxy$release-epoll=$(jvm "$1") --enable-native-access=ALL-UNNAMED -jar '$mini_server' --listen 127.0.0.1:@PORT --allow-private --transport auto")
        fi
        ;;
    blocking | vthread) proxies+=("$2$release@tunnels=$(peer_jvm "$1") -jar '$benchmarks' peer $2 @PORT") ;;
    *) proxies+=("$2$release=$(peer_jvm "$1") -jar '$benchmarks' peer $2 @PORT") ;;
    esac
}
add_program() { # NAME KIND
    local version
    if version=$("$lab/program.sh" "$1" 2>&1); then
        proxies+=("$1$2='$lab/program.sh' $1 '$files' @PORT @ORIGIN")
        conditions+=("$1: $version")
    else
        leave_out "$version"
    fi
}
add_goproxy() {
    local library=/usr/share/gocode
    if ! command -v go >/dev/null || [ ! -d $library/src/github.com/elazarl/goproxy ]; then
        leave_out "goproxy is left out: Go or its library is not installed (Debian: golang-go golang-github-elazarl-goproxy-dev)"
    elif GO111MODULE=off GOPATH=$library go build -o "$build/goproxy" "$lab/goproxy.go"; then
        proxies+=("goproxy='$build/goproxy' 127.0.0.1:@PORT")
        conditions+=("goproxy: $(go version)")
    else
        leave_out "goproxy is left out: it cannot be built"
    fi
}
floor="'$build/floor' --listen @PORT --target @ORIGIN --buffer 1048576"

measure_plain() {
    compile tunlab
    compile floor
    proxies=("floor@plain=$floor")
    local peer
    for peer in $peers; do
        case $peer in
        floor) ;;
        floor-again) proxies+=("$peer@plain=$floor") ;;
        floor-connect) proxies+=("$peer=$floor --connect") ;;
        splice) proxies+=("$peer@plain=$floor --mode splice") ;;
        splice-connect) proxies+=("$peer=$floor --mode splice --connect") ;;
        haproxy*) add_program "$peer" @plain ;;
        squid | tinyproxy) add_program "$peer" '' ;;
        goproxy) add_goproxy ;;
        *) on_jdks add_jvm "$peer" ;;
        esac
    done
    proxies+=("${more[@]}")
    TUNLAB=$build/tunlab "$lab/compare.sh" -n "$rounds" -s "$secs" -w "$warm" -i "$idle_rounds" -m "$modes" -o "$build/rows.tsv" "${proxies[@]}"
    complete "$build/rows.tsv" "${conditions[@]}"
}

report=()
if [ -n "$peers" ] && [ -n "$modes" ]; then
    measure_plain
    report+=(--rows "$build/rows.tsv")
fi
if [ -n "$tls_peers" ] && [ -n "$tls_modes" ]; then
    [ "$tls_peers" = default ] || export PEERS=$tls_peers
    [ "$tls_peers" != default ] || unset PEERS
    if MODES=$tls_modes "$lab/tls.sh" -n "$rounds" -s "$secs" -w "$tls_warm" -i "$idle_rounds" -o "$build/tls-rows.tsv"; then
        report+=(--tls-rows "$build/tls-rows.tsv")
    else
        say "TLS is left out, see above"
    fi
fi
[ ${#report[@]} -gt 0 ] || { say "nothing was measured"; exit 1; }
for jdk in $jdks; do report+=(--jdk "$(version_of "$jdk")"); done
"${jdks%% *}/bin/java" -jar "$benchmarks" whole-process "${report[@]}" "${quick[@]}" --to "$to" --command "$command" --foreign-load "${OTHER:-15}"
