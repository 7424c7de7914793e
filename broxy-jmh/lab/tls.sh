#!/usr/bin/env bash
# Measures proxies that speak TLS to their clients, each on one core, with load and origin on another: Broxy's mini-server, Netty with
# the JDK's TLS engine (NIO and epoll), a thread for each direction over SSLSocket, and HAProxy and nginx, which end TLS and relay
# without CONNECT.
#
#   tls.sh [-n ROUNDS] [-s SECS] [-w WARM-UP] [-i ROUNDS] [-o FILE]      as in compare.sh
#
# Environment: JDKS, the homes of the JDKs to measure on [JAVA_HOME, or that of the java on the path], MODES [full8 resumed8 ping16
# bulk1 idle], PEERS [broxy broxy-epoll netty-nio netty-epoll blocking haproxy nginx], of which a JVM's name means all JDKS, broxy25 one
# of them, and what compare.sh reads. The first of PEERS on the first of JDKS is what the others are compared with.
# Takes about 10 minutes a JDK. Needs gcc, OpenSSL with its headers (Debian: openssl libssl-dev), and the jars of the build.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
modes=${MODES:-full8 resumed8 ping16 bulk1 idle}
peers=${PEERS:-broxy broxy-epoll netty-nio netty-epoll blocking haproxy nginx}
rows=$build/tls-rows.tsv options=()

while getopts n:s:w:i:o: option; do
    case $option in
    o) rows=$OPTARG ;;
    n | s | w | i) options+=("-$option" "$OPTARG") ;;
    *) usage ;;
    esac
done
[ $OPTIND -gt $# ] || usage
need openssl:'Debian: openssl'
compile tunlab
compile tlslab -lssl -lcrypto -lpthread

# ---- a certificate for this run: ECDSA P-256, as most servers have today
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -keyout "$files/key.pem" -out "$files/cert.pem" 2>/dev/null
openssl pkcs12 -export -in "$files/cert.pem" -inkey "$files/key.pem" -out "$files/lab.p12" -passout pass:lab
cat "$files/cert.pem" "$files/key.pem" >"$files/both.pem"

# ---- the proxies
conditions=()
mini="-jar '$mini_server' --listen 127.0.0.1:@PORT --allow-private --tls-cert '$files/cert.pem' --tls-key '$files/key.pem'"
add_jvm() { # JDK PEER
    local release
    release=$(release_of "$1")
    case $2 in
    broxy) proxies+=("broxy$release=$(jvm "$1") $mini --transport nio") ;;
    broxy-epoll)
        if has_native_sockets "$1"; then
            proxies+=("broxy$release-epoll=$(jvm "$1") --enable-native-access=ALL-UNNAMED $mini --transport auto")
        fi
        ;;
    *) proxies+=("$2$release=$(peer_jvm "$1") -jar '$benchmarks' peer --tls '$files/lab.p12' $2 @PORT") ;;
    esac
}
for peer in $peers; do
    case $peer in
    haproxy | nginx)
        if version=$("$lab/program.sh" "$peer-tls" 2>&1); then
            proxies+=("$peer@plain='$lab/program.sh' $peer-tls '$files' @PORT @ORIGIN")
            conditions+=("$peer: $version")
        else
            leave_out "$version"
        fi
        ;;
    *) on_jdks add_jvm "$peer" ;;
    esac
done
[ ${#proxies[@]} -gt 0 ] || { say "none of PEERS can run here"; exit 1; }
IDLE=${IDLE:-500} TUNLAB=$build/tlslab "$lab/compare.sh" -w 8 -m "$modes" "${options[@]}" -o "$rows" "${proxies[@]}"
complete "$rows" "${conditions[@]}"
