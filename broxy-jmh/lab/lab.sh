# What whole-process.sh and tls.sh have in common; they source it.
#
# Environment: JDKS, the homes of the JDKs to measure on [JAVA_HOME, or that of the java on the path].

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module=${lab%/*} root=${lab%/broxy-jmh/lab}
build=$module/target/lab
benchmarks=$module/target/broxy-benchmarks.jar
mini_server=$root/broxy-examples/target/broxy-mini-server.jar
jdks=${JDKS:-${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java || echo /no/bin/java)")")")}}
proxies=()  # as compare.sh takes them
left_out=() # sentences for the report

say() { echo "$(basename "$0" .sh): $*" >&2; }
leave_out() { # SENTENCE
    left_out+=("$1")
    say "$1"
}
usage() {
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
}

# Everything that is missing is named at once.
need() { # PROGRAM:EXPLANATION...
    local missing=() item jdk jar
    for item in gcc:'a C compiler (Debian: gcc libc6-dev)' taskset:util-linux flock:util-linux awk:'any awk' timeout:coreutils "$@"; do
        command -v "${item%%:*}" >/dev/null || missing+=("${item%%:*} is not installed: ${item#*:}")
    done
    for jdk in $jdks; do [ -x "$jdk/bin/java" ] || missing+=("$jdk is no JDK: set JDKS to the homes of some"); done
    for jar in "$benchmarks" "$mini_server"; do
        [ -f "$jar" ] || missing+=("${jar#"$root"/} is not built: mvn -B package -DskipTests")
    done
    [ "$(nproc)" -ge 2 ] || missing+=("two processors: one for the proxy, one for load and origin")
    if [ ${#missing[@]} -gt 0 ]; then
        say "cannot run, for this is missing:"
        printf '  - %s\n' "${missing[@]}" >&2
        exit 1
    fi
}

compile() { # NAME OPTION...
    local name=$1
    shift
    mkdir -p "$build"
    gcc -O2 -Wall -Wextra -std=gnu11 -o "$build/$name" "$lab/$name.c" "$@" || {
        say "$name.c does not compile, see above; it needs Linux and the headers of the C library and its libraries"
        exit 1
    }
}

release_of() { # JDK: 17, 25
    sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}
version_of() { # JDK, in a line
    "$1/bin/java" -version 2>&1 | sed -n 2p
}

jvm() { # JDK: with what all of them have
    echo "'$1/bin/java' -Xmx512m -XX:+UseSerialGC"
}
# Netty is half as fast on newer Java unless it may use Unsafe.
peer_jvm() { # JDK
    local options=
    if [ "$(release_of "$1")" -ge 23 ]; then
        options=" --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
        options+=" --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/jdk.internal.misc=ALL-UNNAMED"
        options+=" -Dio.netty.noUnsafe=false -Dio.netty.tryReflectionSetAccessible=true"
    fi
    echo "$(jvm "$1")$options"
}
# Whether this makes sockets of its own on this JDK, instead of NIO's.
has_native_sockets() { # JDK
    [ "$(release_of "$1")" -ge 22 ]
}

# Calls ADD JDK PEER for each JDK on which a peer was asked for: jetty is Jetty on all of them, jetty25 and broxy25-epoll on one.
on_jdks() { # ADD PEER
    local base=${2//[0-9]/} only=${2//[!0-9]/} jdk found=
    for jdk in $jdks; do
        if [ -z "$only" ] || [ "$only" = "$(release_of "$jdk")" ]; then
            "$1" "$jdk" "$base"
            found=1
        fi
    done
    [ -n "$found" ] || leave_out "$2 is left out: JDKS has no JDK $only"
}

# The rows, what was left out, and what the caller knows of the conditions.
complete() { # ROWS CONDITION...
    local rows=$1
    shift
    [ $# -eq 0 ] || printf 'about\t%s\n' "$@" >>"$rows"
    [ ${#left_out[@]} -eq 0 ] || printf 'note\t%s\n' "${left_out[@]}" >>"$rows"
}
