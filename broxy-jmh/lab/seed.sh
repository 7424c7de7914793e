#!/usr/bin/env bash
# Runs the rows of Broxy's seed, a Go program, and ours of the same definition in turn: Go, Java, Go, Java. Prints Markdown: time and
# bytes of an operation on both sides, medians and ranges of the rounds, and the ratios of ours to Go's.
#
#   seed.sh [--quick] [-n ROUNDS] [-o FILE] [PHASE=]DIRECTORY...
#
#   DIRECTORY   the root of the seed's Go module (with its go.mod); it is copied, and built and run in the copy
#   PHASE       unpooled, pooled or pooled+warm: what the benchmarks measure whose names do not say it [pooled]
#   -n ROUNDS   [5]
#   -o FILE     keeps the figures of the rounds (TSV)
#   --quick     one short round: shows that everything works, and nothing else
#
# Environment: GO [go], JAVA [java], CPUS [all that this shell may use] as for taskset, BENCHMARKS [the jar of this module].
# A round takes about 15 s a row. Exits with 1 if there is nothing to compare, and says what is missing.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
go=${GO:-go} java=${JAVA:-java} jar=${BENCHMARKS:-${lab%/*}/target/broxy-benchmarks.jar}
rounds=5 go_time=3s warm_ups=3 iterations=3 length=1s limit=300

# ---- the rows: name, pattern (extended regular expression) of the Go benchmark's name, our benchmark, its parameter besides the phase.
# A name is matched in lower case, without "Benchmark" and the number of processors, such as copyconn/1kb or dial_direct.
sized() { echo "^copy_?conn(.*[^0-9])?($1)([^0-9a-z]|\$)"; }    # ALTERNATIVES
kib() { echo "$1[ _]?ki?b?|$(($1 * 1024))[ _]?(b|bytes)?"; } # KIBIBYTES
rows=(
    "CopyConn 1 KiB;$(sized "$(kib 1)");CopyConnBenchmark;size=1024"
    "CopyConn 32 KiB;$(sized "$(kib 32)");CopyConnBenchmark;size=32768"
    "CopyConn 256 KiB;$(sized "$(kib 256)");CopyConnBenchmark;size=262144"
    "CopyConn 1 MiB;$(sized "1[ _]?mi?b?|$(kib 1024)");CopyConnBenchmark;size=1048576"
    "HandleConnect_Direct;^handle_?connect.*direct;HandleConnectDirectBenchmark;"
    "HandleConnect_HTTPProxy;^handle_?connect.*http_?proxy;HandleConnectHttpProxyBenchmark;"
    "Dial_Direct;^dial.*direct;DialDirectBenchmark;"
    "Dial_HTTPProxy;^dial.*http_?proxy;DialHttpProxyBenchmark;"
    "HandleHTTP_Direct;^handle_?http[_/]?(.*[_/])?direct;HandleHttpDirectBenchmark;"
)
# The first pattern that matches decides: "unpooled" contains "pooled".
phases=(
    "unpooled;un_?pooled|no_?pool|without_?pool|baseline|before"
    "pooled+warm;warm|pre_?dial|post_?pool|conn_?pool|spare"
    "pooled;pool|foundation"
)
ours() { # BENCHMARK PHASE: our parameters of that phase; fails where we have none
    case $1:$2 in
    CopyConnBenchmark:unpooled) echo phase=unpooled ;;
    CopyConnBenchmark:*) echo phase=pooled ;;
    HandleConnectDirectBenchmark:unpooled) echo implementation=blocking ;;
    *:unpooled) return 1 ;;
    *HttpProxyBenchmark:*) echo "phase=$2" ;;
    *) echo implementation=broxy ;; # spare connections to a proxy have no part in the direct rows
    esac
}

# ---------------------------------------------------------------- arguments, and what has to be there

say() { echo "seed: $*" >&2; }
fail() { say "$@"; exit 1; }
usage() {
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
}

sources=() out=
while [ $# -gt 0 ]; do
    case $1 in
    --quick) rounds=1 go_time=100ms warm_ups=1 iterations=1 length=300ms ;;
    -n) rounds=${2-} && shift ;;
    -o) out=${2-} && shift ;;
    -*) usage ;;
    *) sources+=("$1") ;;
    esac
    shift || usage
done
if [ ${#sources[@]} -eq 0 ] || [[ ! $rounds =~ ^[1-9][0-9]*$ ]]; then usage; fi

missing=()
command -v "$go" >/dev/null || missing+=("no Go toolchain: $go does not run (Debian: golang-go)")
command -v "$java" >/dev/null || missing+=("no Java: $java does not run")
[ -f "$jar" ] || missing+=("the benchmarks are not built: mvn -B package -DskipTests")
for source in "${sources[@]}"; do
    directory=${source#unpooled=} directory=${directory#pooled=} directory=${directory#pooled+warm=}
    if [ ! -d "$directory" ]; then missing+=("no source: $directory is not a directory")
    elif [ ! -f "$directory/go.mod" ]; then missing+=("no source: $directory has no go.mod, so it is not the root of a Go module"); fi
done
if [ ${#missing[@]} -gt 0 ]; then
    for each in "${missing[@]}"; do say "$each"; done
    fail "nothing can be compared"
fi
before=$(cut -d ' ' -f 1-3 /proc/loadavg)
cpus=${CPUS:-$(taskset -cp $$ | sed 's/.*: //')}
processors=$(taskset -c "$cpus" nproc)

tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
figures=$tmp/figures
: >"$figures"

# ---------------------------------------------------------------- the seed's benchmarks

notes=()
pairs=() # binary;directory;name;row;phase;our class;our parameters

go_bench() { # BINARY DIRECTORY REGEX TIME
    (cd "$2" && GOMAXPROCS=$processors timeout --foreground "$limit" taskset -c "$cpus" "$1" -test.run '^$' -test.bench "$3" \
        -test.benchtime "$4" -test.benchmem -test.cpu "$processors" -test.timeout 0 </dev/null 2>&1)
}
exactly() { # NAME: the expression that selects this benchmark and no other
    sed -E 's/[^A-Za-z0-9_/]/\\&/g; s/[^/]+/^&$/g' <<<"$1"
}
figure() { # UNIT: the last one in the output on standard input, which may contain the program's own lines
    awk -v unit="$1" '{ for (i = 2; i <= NF; i++) if ($i == unit) last = $(i - 1) } END { if (last == "") exit 1; print last }'
}
phase_of() { # NAME DEFAULT
    local each
    for each in "${phases[@]}"; do
        if [[ $1 =~ ${each#*;} ]]; then echo "${each%%;*}"; return; fi
    done
    echo "$2"
}
pair() { # BINARY DIRECTORY NAME PHASE-BY-DEFAULT: finds the row of ours
    local plain=${3#Benchmark} each row pattern class more phase parameters
    plain=${plain,,}
    for each in "${rows[@]}"; do
        IFS=';' read -r row pattern class more <<<"$each"
        [[ $plain =~ $pattern ]] || continue
        phase=$(phase_of "$plain" "$4")
        if parameters=$(ours "$class" "$phase"); then
            pairs+=("$1;$2;$3;$row;$phase;$class;$more $parameters")
        else
            notes+=("\`$3\` has no partner: ours has no row $row in the phase $phase")
        fi
        return
    done
    notes+=("\`$3\` has no partner among our rows")
}
discover() { # BINARY DIRECTORY PHASE-BY-DEFAULT: one operation of each benchmark shows the names, those beneath b.Run too
    local top names name said
    for top in $(cd "$2" && "$1" -test.list '^Benchmark' | sed -n '/^Benchmark/p'); do
        said=$(go_bench "$1" "$2" "^$top\$" 1x) || notes+=("\`$top\` fails: $(grep -A 1 -E 'FAIL|panic' <<<"$said" | tr -s '[:space:]' ' ' | cut -c -200)")
        names=$(awk -v suffix="-$processors" '
            /^Benchmark/ { name = $1; n = length(name) - length(suffix); if (suffix != "-1" && substr(name, n + 1) == suffix) name = substr(name, 1, n) }
            / ns\/op/ && name != "" { print name; name = "" }' <<<"$said")
        for name in $names; do pair "$1" "$2" "$name" "$3"; done
    done
}

binaries=0
for source in "${sources[@]}"; do
    phase=pooled directory=$source
    case $source in unpooled=* | pooled=* | pooled+warm=*) phase=${source%%=*} directory=${source#*=} ;; esac
    copy=$(mktemp -d -p "$tmp")
    tar -C "$directory" --exclude=.git -cf - . | tar -C "$copy" -xf -
    packages=$(find "$copy" -name '*_test.go' -exec grep -lE '^func Benchmark' {} + | sed -E "s|^$copy|.|; /\\/(vendor|testdata|[._][^/]*)\\//d; s|/[^/]*\$||" | sort -u)
    [ -n "$packages" ] || notes+=("no package of $(basename "$directory") has benchmarks")
    while read -r package; do
        [ -n "$package" ] || continue
        binary=$tmp/$((binaries += 1)).test
        say "building the tests of $package"
        if ! (cd "$copy/$package" && "$go" test -c -o "$binary" .) >"$tmp/built" 2>&1 || [ ! -x "$binary" ]; then
            notes+=("package $package does not build: $(tr -s '[:space:]' ' ' <"$tmp/built" | cut -c -300)")
            continue
        fi
        discover "$binary" "$copy/$package" "$phase"
    done <<<"$packages"
done
for each in "${rows[@]}"; do
    row=${each%%;*}
    if ! grep -qF ";$row;" <(printf '%s\n' "${pairs[@]-}"); then notes+=("our row $row has no partner: no benchmark in Go has such a name, and runs"); fi
done

# ---------------------------------------------------------------- the rounds

java_bench() { # CLASS PARAMETER...: nanoseconds and bytes of an operation
    local class=$1 options=() each
    shift
    for each; do options+=(-p "$each"); done
    rm -f "$tmp/jmh.csv"
    (cd "$tmp" && taskset -c "$cpus" "$java" -jar "$jar" jmh "^io\\.broxy\\.jmh\\.$class\\." -f 1 -wi "$warm_ups" -w "$length" -i "$iterations" \
        -r "$length" -foe true -prof gc -rf csv -rff "$tmp/jmh.csv" -jvmArgsAppend "-XX:ActiveProcessorCount=$processors" "${options[@]}") \
        >"$tmp/jmh.log" 2>&1 || return 1
    awk -F, '{ gsub(/"|\r/, "") } NR > 1 && $1 !~ /:/ && $7 == "ns/op" { ns = $5 } $1 ~ /gc\.alloc\.rate\.norm$/ { bytes = $5 }
        END { if (ns == "" || bytes == "") exit 1; print ns, bytes }' "$tmp/jmh.csv"
}

jar=$(readlink -f "$jar")
for ((round = 1; round <= rounds && ${#pairs[@]} > 0; round++)); do
    for i in "${!pairs[@]}"; do
        IFS=';' read -r binary directory name row phase class parameters <<<"${pairs[i]}"
        say "round $round of $rounds: $row, $phase"
        if ! said=$(go_bench "$binary" "$directory" "$(exactly "$name")" "$go_time") || ! go_ns=$(figure ns/op <<<"$said") || ! go_bytes=$(figure B/op <<<"$said"); then
            notes+=("round $round: \`$name\` fails: $(tail -n 3 <<<"$said" | tr -s '[:space:]' ' ' | cut -c -200)")
            continue
        fi
        # shellcheck disable=SC2086
        if ! our=$(java_bench "$class" $parameters); then
            notes+=("round $round: our row $row fails: $(grep -m 1 -E 'Exception|ERROR|rror:' "$tmp/jmh.log" | cut -c -200 || true)")
            continue
        fi
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$i" "$row" "$phase" "$name" "$go_ns" "$go_bytes" "${our% *}" "${our#* }" >>"$figures"
    done
done
if [ -n "$out" ]; then
    { printf 'pair\trow\tphase\tbenchmark\tgo_ns\tgo_bytes\tns\tbytes\n' && cat "$figures"; } >"$out"
fi

# ---------------------------------------------------------------- the table

echo "### The matrix beside the seed"
echo
if [ -s "$figures" ]; then
    cat <<END_OF_TEXT
$("$go" version | sed 's/^go version //'), and Java $("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.vm\.version = //p' | head -n 1); $(uname -sr), \
processors $cpus for both (GOMAXPROCS and ActiveProcessorCount $processors); load before $before. Medians and ranges,
rounds: $rounds, Go and Java in turn; a ratio is ours to Go's in the same round, and less is better for us. Go measures $go_time a row, after the shorter runs
by which its testing package finds the number of operations. Each of our rounds is a new JVM, which warms up for $warm_ups times $length and measures
$iterations times $length. Client, proxy and origin are in one process on both sides, so times and bytes are those of all three.
A benchmark whose name tells no phase is taken for that given with its directory. In our phase \`pooled+warm\`, spares are opened outside the measured time.

| row | phase | benchmark in Go | ns, Go | ns, Broxy | ratio | B, Go | B, Broxy | ratio |
|---|---|---|---|---|---|---|---|---|
END_OF_TEXT
    awk -F '\t' '
    function sorted(list,   n, i, j, t) {
        n = split(list, v, " ")
        for (i = 2; i <= n; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] + 0 > t + 0; j--) v[j + 1] = v[j]; v[j + 1] = t }
        return n
    }
    function shown(x) { return sprintf(x < 10 ? "%.2f" : x < 1000 ? "%.0f" : "%d", x < 1000 ? x : x + .5) }
    function spread(list, format,   n, m) {
        n = sorted(list)
        if (n == 0) return "–"
        m = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
        return format == "" ? shown(m + 0) " (" shown(v[1] + 0) "–" shown(v[n] + 0) ")" : sprintf("%.2f (%.2f–%.2f)", m, v[1], v[n])
    }
    !($1 in row) { row[$1] = $2; phase[$1] = $3; name[$1] = $4; order[++pairs] = $1 }
    {
        gons[$1] = gons[$1] " " $5; gob[$1] = gob[$1] " " $6; ns[$1] = ns[$1] " " $7; b[$1] = b[$1] " " $8
        if ($5 > 0) nsr[$1] = nsr[$1] " " $7 / $5
        if ($6 > 0) br[$1] = br[$1] " " $8 / $6
    }
    END {
        for (p = 1; p <= pairs; p++) {
            i = order[p]
            printf "| %s | %s | `%s` | %s | %s | %s | %s | %s | %s |\n", row[i], phase[i], name[i], spread(gons[i]), spread(ns[i]), spread(nsr[i], "r"), spread(gob[i]), spread(b[i]), spread(br[i], "r")
        }
    }' "$figures"
    echo
fi
if [ ${#notes[@]} -gt 0 ]; then
    echo "Not compared:"
    echo
    printf -- '- %s\n' "${notes[@]}"
fi
[ -s "$figures" ] || fail "nothing could be compared: no row has figures on both sides"
