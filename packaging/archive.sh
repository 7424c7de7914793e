#!/usr/bin/env bash
# Makes the mini-server start in two thirds of the time: runs it once, and stores the classes that it has loaded beside the jar, as a
# class-data sharing archive (JDK 17 and newer) or an AOT cache (JDK 25 and newer). Writes the JVM's options for it, too:
#   java @java.options -jar broxy-mini-server.jar
# usage: archive.sh [JAR [JAVA]]
# The archive is good for this jar at this place, and for this JDK only; the JVM ignores it otherwise.
set -euo pipefail

jar=$(readlink -f "${1:-$(dirname "${BASH_SOURCE[0]}")/../broxy-examples/target/broxy-mini-server.jar}")
java=${2:-${JAVA_HOME:+$JAVA_HOME/bin/}java}
base=${jar%.jar}
folder=$(dirname "$jar")

# The heap begins small, and half of the memory is left for buffers outside of it. What is short of memory ends, so that it is
# started again. Performance data would be a file in /tmp, which may be read-only.
options=(
    -XX:+UseSerialGC
    -XX:InitialHeapSize=16m
    -XX:MaxRAMPercentage=50
    -XX:+ExitOnOutOfMemoryError
    -XX:-UsePerfData
)

# Sends a request to a port of this machine, and waits for the first line of the answer.
request() {
    local status
    exec 3<> "/dev/tcp/127.0.0.1/$1"
    printf '%s HTTP/1.1\r\nHost: localhost\r\n\r\n' "$2" >&3
    read -r -t 30 status <&3
    exec 3>&-
    echo "$2: ${status%$'\r'}"
}

# Runs the mini-server with these options of the JVM, asks it a few things, and ends it.
train() {
    local proxy admin
    coproc server { exec "$java" "${options[@]}" "$@" -jar "$jar" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --allow-private; }
    local pid=$server_PID
    read -r -t 60 proxy <&"${server[0]}"
    read -r -t 60 admin <&"${server[0]}"
    request "${admin##*:}" 'GET /healthz'
    request "${proxy##*:}" 'CONNECT 127.0.0.1:1'
    request "${proxy##*:}" 'GET http://127.0.0.1:1/'
    kill -TERM "$pid"
    wait "$pid"
}

release=$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = //p')
if [ "$release" -ge 25 ]; then
    archive=$base.aot
    use=-XX:AOTCache
    train "-XX:AOTCacheOutput=$archive"
else
    archive=$base.jsa
    use=-XX:SharedArchiveFile
    classes=$base.classes
    train -Xshare:off "-XX:DumpLoadedClassList=$classes"
    # G1 writes what both collectors can read.
    "$java" -Xshare:dump -XX:+UseG1GC "-XX:SharedClassListFile=$classes" "-XX:SharedArchiveFile=$archive" -cp "$jar" > "$base.log"
    rm "$classes" "$base.log"
fi
test -s "$archive"

quoted=${archive//\\/\\\\}
printf '%s\n' "\"$use=${quoted//\"/\\\"}\"" "${options[@]}" > "$folder/java.options"
echo "$archive: $(stat -c %s "$archive") bytes"
