#!/usr/bin/env bash
# Runs a program that is no JVM as the lab measures it, with a configuration of its own, in the foreground.
#
#   program.sh NAME DIRECTORY PORT [ORIGIN]   runs it on 127.0.0.1:PORT; its files go to DIRECTORY, which the caller removes
#   program.sh NAME                           prints its version; fails with a reason if it cannot run here
#
#   squid, tinyproxy           forward proxies
#   haproxy, haproxy-splice    a relay without CONNECT of four ports from PORT to those from ORIGIN; splices wherever it can, or never
#   haproxy-tls, nginx-tls     the same for two ports, behind TLS with DIRECTORY/both.pem, cert.pem and key.pem
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
name=$1 directory=${2-} port=${3-} origin=${4-}
stream_module=/usr/lib/nginx/modules/ngx_stream_module.so

installed() { # PROGRAM PACKAGES
    command -v "$1" >/dev/null || { echo "$name is left out: it is not installed (Debian: $2)" >&2; exit 1; }
}

if [ -z "$directory" ]; then
    case $name in
    squid) installed squid squid && squid -v | sed -n 1p ;;
    tinyproxy) installed tinyproxy tinyproxy && tinyproxy -v ;;
    haproxy*) installed haproxy haproxy && haproxy -v | sed -n 1p ;;
    nginx-tls)
        installed nginx 'nginx libnginx-mod-stream'
        [ -f $stream_module ] || nginx -V 2>&1 | grep -q -e '--with-stream ' || { echo "$name is left out: it has no module stream" >&2; exit 1; }
        nginx -v 2>&1
        ;;
    *) echo "$name is no program of the lab" >&2; exit 2 ;;
    esac
    exit
fi
[ -n "$port" ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }

relay_by_haproxy() { # LINE-OF-DEFAULTS OFFSETS BIND-OPTIONS
    {
        printf '%s\n' global '    nbthread 1' '    maxconn 4000' '    tune.ssl.cachesize 20000' defaults '    mode tcp' \
            '    timeout connect 10s' '    timeout client 5m' '    timeout server 5m' "$1"
        for offset in $2; do
            printf 'listen port%d\n    bind 127.0.0.1:%d %s\n    server origin 127.0.0.1:%d\n' \
                "$offset" $((port + offset)) "$3" $((origin + offset))
        done
    } >"$directory/$name-$port.cfg"
    exec haproxy -db -f "$directory/$name-$port.cfg"
}

case $name in
squid)
    printf '%s\n' "http_port 127.0.0.1:$port" 'http_access allow all' 'cache deny all' 'cache_mem 8 MB' 'access_log none' \
        'cache_log /dev/null' "pid_filename $directory/squid.pid" "coredump_dir $directory" 'max_filedescriptors 16384' \
        'shutdown_lifetime 0 seconds' >"$directory/squid.conf"
    exec squid -N -f "$directory/squid.conf"
    ;;
tinyproxy)
    printf '%s\n' "Port $port" 'Listen 127.0.0.1' 'Timeout 300' 'MaxClients 4000' 'LogLevel Error' >"$directory/tinyproxy.conf"
    exec tinyproxy -d -c "$directory/tinyproxy.conf"
    ;;
haproxy) relay_by_haproxy '' '0 1 2 3' '' ;;
haproxy-splice) relay_by_haproxy $'    option splice-request\n    option splice-response' '0 1 2 3' '' ;;
haproxy-tls) relay_by_haproxy '' '0 2' "ssl crt $directory/both.pem" ;;
nginx-tls)
    {
        [ ! -f $stream_module ] || echo "load_module $stream_module;"
        cat <<END
daemon off;
master_process off;
pid $directory/nginx.pid;
error_log stderr warn;
events { worker_connections 10000; }
stream {
    ssl_certificate $directory/cert.pem;
    ssl_certificate_key $directory/key.pem;
    ssl_session_cache shared:lab:10m;
    server { listen 127.0.0.1:$port ssl; proxy_pass 127.0.0.1:$origin; tcp_nodelay on; }
    server { listen 127.0.0.1:$((port + 2)) ssl; proxy_pass 127.0.0.1:$((origin + 2)); tcp_nodelay on; }
}
END
    } >"$directory/nginx.conf"
    exec nginx -e stderr -p "$directory" -c "$directory/nginx.conf"
    ;;
*) echo "$name is no program of the lab" >&2; exit 2 ;;
esac
