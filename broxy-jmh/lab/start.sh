#!/usr/bin/env bash
# Measures how long proxies take from their start until they listen, their resident memory a second later, and that after 200
# requests: the mini-server as it is and with the archive of packaging/archive.sh, on each JDK, beside tinyproxy and Squid where
# they are installed. Every round starts each of them once. Prints Markdown: the median, and the range.
# usage: start.sh [ROUNDS]      with JDKS="/path/to/jdk17 /path/to/jdk25", or JAVA_HOME, or the JDK on the path
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

rounds=${1:-15}
port=13128
work=$(mktemp -d)
pid=
stop() {
    if [ -n "$pid" ]; then
        kill -KILL "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
        pid=
    fi
}
trap 'stop; rm -rf "$work"' EXIT

names=()
commands=()
add() {
    names+=("$1")
    commands+=("$2")
}

cat > "$work/Hello.java" << 'END'
public final class Hello {
    public static void main(String[] arguments) throws Exception {
        try (java.net.ServerSocket server = new java.net.ServerSocket(Integer.parseInt(arguments[0]))) {
            server.accept();
            Thread.sleep(60_000);
        }
    }
}
END

for jdk in ${JDKS:-${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}}; do
    release=$("$jdk/bin/java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = //p')
    mkdir "$work/$release"
    cp broxy-examples/target/broxy-mini-server.jar "$work/$release/"
    packaging/archive.sh "$work/$release/broxy-mini-server.jar" "$jdk/bin/java" > "$work/$release/log"
    "$jdk/bin/javac" -d "$work/$release" "$work/Hello.java"
    jar="-jar $work/$release/broxy-mini-server.jar --listen=127.0.0.1:$port --allow-private"
    add "a program that only listens, JDK $release" "$jdk/bin/java -XX:+UseSerialGC -cp $work/$release Hello $port"
    add "mini-server as it is, JDK $release" "$jdk/bin/java $jar"
    add "mini-server with its archive, JDK $release" "$jdk/bin/java @$work/$release/java.options $jar"
    add "the same with \`--admin\`, JDK $release" "$jdk/bin/java @$work/$release/java.options $jar --admin=127.0.0.1:0"
done
if command -v tinyproxy > /dev/null; then
    printf 'Port %s\nListen 127.0.0.1\nTimeout 60\nMaxClients 100\nLogLevel Error\n' "$port" > "$work/tinyproxy.conf"
    add tinyproxy "tinyproxy -d -c $work/tinyproxy.conf"
fi
if PATH="$PATH:/usr/sbin" command -v squid > /dev/null; then
    printf '%s\n' "http_port 127.0.0.1:$port" 'http_access allow all' 'cache deny all' 'cache_mem 8 MB' 'access_log none' \
        'cache_log /dev/null' "pid_filename $work/squid.pid" "coredump_dir $work" 'max_filedescriptors 4096' > "$work/squid.conf"
    add 'Squid, one process' "$(PATH="$PATH:/usr/sbin" command -v squid) -N -f $work/squid.conf"
fi

# Asks the system and not the port, because the first client makes a proxy load more.
listens() { grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$port") [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6; }

resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; }

request() {
    (
        exec 3<> "/dev/tcp/127.0.0.1/$port"
        printf 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
        read -r -t 5 <&3
    ) 2> /dev/null || true
}

for ((round = 0; round < rounds; round++)); do
    for i in "${!names[@]}"; do
        begin=$(date +%s%N)
        ${commands[$i]} > /dev/null 2>&1 &
        pid=$!
        until listens; do
            sleep 0.002
            kill -0 "$pid" || { echo "${names[$i]} has ended" >&2; exit 1; }
        done
        end=$(date +%s%N)
        sleep 1
        printf '%s\t%d\t%d\t%d\n' "$i" "$(((end - begin) / 1000))" "$(resident)" \
            "$(awk '{ sub(/.*\) /, ""); print ($12 + $13) * 10 }' "/proc/$pid/stat")" >> "$work/measured"
        if ((round == rounds - 1)) && [[ "${commands[$i]}" != *Hello* ]]; then
            for _ in {1..200}; do request; done
            sleep 1
            printf '%s\t%d\n' "$i" "$(resident)" >> "$work/used"
        fi
        stop
    done
done

middle() { sort -n | awk '{ v[NR] = $1 } END { printf "%s %s %s", v[int((NR + 1) / 2)], v[1], v[NR] }'; }
echo "load $(cut -d ' ' -f 1-3 /proc/loadavg), $rounds rounds"
echo
echo '| | listens after | CPU time | resident memory | after 200 requests |'
echo '|---|---|---|---|---|'
for i in "${!names[@]}"; do
    of() { awk -F '\t' -v i="$i" -v column="$1" -v unit="$2" '$1 == i { printf "%.1f\n", $column / unit }' "$work/measured" | middle; }
    read -r time least most <<< "$(of 2 1000)"
    read -r memory small large <<< "$(of 3 1024)"
    read -r cpu _ _ <<< "$(of 4 1)"
    used=$(awk -F '\t' -v i="$i" '$1 == i { printf "%.1f MB", $2 / 1024 }' "$work/used")
    echo "| ${names[$i]} | $time ms ($least–$most) | $cpu ms | $memory MB ($small–$large) | ${used:-–} |"
done
