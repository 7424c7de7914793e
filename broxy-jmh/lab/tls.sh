#!/usr/bin/env bash
# Measures proxies that speak TLS to their clients, each on one core, with load and origin on another: Broxy, Netty with the JDK's
# TLS engine (NIO and epoll), a thread for each direction over SSLSocket, and HAProxy and nginx, which end TLS and relay without CONNECT.
#
#   tls.sh [-n ROUNDS] [-s SECS] [-w WARM-UP] [-o FILE]
#
# Environment: JAVA [java], MODES [full8 resumed8 ping16 bulk1 idle], PEERS [broxy netty-nio netty-epoll blocking haproxy nginx], and what
# compare.sh reads. Takes about 10 minutes. Needs gcc, OpenSSL with its headers (Debian: openssl libssl-dev), and the benchmarks' jar.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module=${lab%/*}
build=$module/target/lab
benchmarks=${BENCHMARKS:-$module/target/broxy-benchmarks.jar}
java=${JAVA:-java}
modes=${MODES:-full8 resumed8 ping16 bulk1 idle}
peers=${PEERS:-broxy netty-nio netty-epoll blocking haproxy nginx}

say() { echo "tls: $*" >&2; }

mkdir -p "$build"
gcc -O2 -Wall -Wextra -std=gnu11 -o "$build/tunlab" "$lab/tunlab.c"
gcc -O2 -Wall -Wextra -std=gnu11 -o "$build/tlslab" "$lab/tlslab.c" -lssl -lcrypto -lpthread
[ -f "$benchmarks" ] || { say "$benchmarks is not built: mvn -B package -DskipTests"; exit 1; }

# ---- a certificate for this run: ECDSA P-256, as most servers have today
certificate=$(mktemp -d)
trap 'rm -rf "$certificate"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -keyout "$certificate/key.pem" -out "$certificate/cert.pem" 2>/dev/null
openssl pkcs12 -export -in "$certificate/cert.pem" -inkey "$certificate/key.pem" -out "$certificate/lab.p12" -passout pass:lab
cat "$certificate/cert.pem" "$certificate/key.pem" >"$certificate/both.pem"

# ---- HAProxy and nginx: the origin's port of echoes and that of its source, each behind a port of its own
cat >"$certificate/haproxy.sh" <<END
#!/bin/bash
cat >"$certificate/haproxy-\$1.cfg" <<CONFIG
global
    nbthread 1
    maxconn 4000
    tune.ssl.cachesize 20000
defaults
    mode tcp
    timeout connect 10s
    timeout client 5m
    timeout server 5m
listen echo
    bind 127.0.0.1:\$1 ssl crt $certificate/both.pem
    server origin 127.0.0.1:\$2
listen source
    bind 127.0.0.1:\$((\$1 + 2)) ssl crt $certificate/both.pem
    server origin 127.0.0.1:\$((\$2 + 2))
CONFIG
exec haproxy -db -f "$certificate/haproxy-\$1.cfg"
END
cat >"$certificate/nginx.sh" <<END
#!/bin/bash
module=/usr/lib/nginx/modules/ngx_stream_module.so
{
    [ ! -f \$module ] || echo "load_module \$module;"
    cat <<CONFIG
daemon off;
master_process off;
pid $certificate/nginx.pid;
error_log stderr warn;
events { worker_connections 10000; }
stream {
    ssl_certificate $certificate/cert.pem;
    ssl_certificate_key $certificate/key.pem;
    ssl_session_cache shared:lab:10m;
    server { listen 127.0.0.1:\$1 ssl; proxy_pass 127.0.0.1:\$2; tcp_nodelay on; }
    server { listen 127.0.0.1:\$((\$1 + 2)) ssl; proxy_pass 127.0.0.1:\$((\$2 + 2)); tcp_nodelay on; }
}
CONFIG
} >"$certificate/nginx.conf"
exec nginx -e stderr -p "$certificate" -c "$certificate/nginx.conf"
END
chmod +x "$certificate"/*.sh

proxies=()
for peer in $peers; do
    case $peer in
    haproxy | nginx)
        if PATH="$PATH:/usr/sbin" command -v "$peer" >/dev/null && [ "$peer" != nginx -o -f /usr/lib/nginx/modules/ngx_stream_module.so ]; then
            proxies+=("$peer@plain=env PATH='$PATH:/usr/sbin' '$certificate/$peer.sh' @PORT @ORIGIN")
        else
            say "$peer is left out: it is not installed (Debian: haproxy; nginx libnginx-mod-stream)"
        fi
        ;;
    *) proxies+=("$peer=$java -Xmx512m -XX:+UseSerialGC -jar '$benchmarks' peer --tls '$certificate/lab.p12' $peer @PORT") ;;
    esac
done
IDLE=${IDLE:-500} TUNLAB=$build/tlslab "$lab/compare.sh" -w 8 -m "$modes" "$@" "${proxies[@]}"
