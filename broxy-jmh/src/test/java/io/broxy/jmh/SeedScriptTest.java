package io.broxy.jmh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Specifies how {@code lab/seed.sh} pairs benchmarks in Go with ours, and what it says of the others. Skipped where Go is missing. */
class SeedScriptTest {
    private static final Path SCRIPT = Path.of("lab/seed.sh").toAbsolutePath();

    /** In place of Java: JMH's result of a benchmark that takes 50 ns and 20 bytes, and the command in a log. */
    private static final String JAVA = """
            #!/bin/bash
            echo "$*" >> "$(dirname "$0")/java.log"
            while [ $# -gt 0 ]; do
                if [ "$1" = -rff ]; then file=$2; fi
                shift
            done
            if [ -n "$file" ]; then
                echo '"Benchmark","Mode","Threads","Samples","Score","Score Error (99.9%)","Unit","Param: size"'
                echo '"io.broxy.jmh.X.x","avgt",1,2,50.000000,NaN,"ns/op",1024'
                echo '"io.broxy.jmh.X.x:gc.alloc.rate","avgt",1,2,4.329044,NaN,"MB/sec",1024'
                echo '"io.broxy.jmh.X.x:gc.alloc.rate.norm","avgt",1,2,20.000000,NaN,"B/op",1024'
            fi > "${file:-/dev/null}"
            """;

    private static final String BENCHMARKS = """
            package seed

            import "testing"

            var sink []byte

            func BenchmarkCopyConn(b *testing.B) {
                for _, name := range []string{"1KB", "unpooled/1024", "size=1MiB"} {
                    b.Run(name, func(b *testing.B) {
                        b.SetBytes(1024)
                        for i := 0; i < b.N; i++ {
                            sink = make([]byte, 40)
                        }
                    })
                }
            }

            func BenchmarkDial_HTTPProxy(b *testing.B) {
                b.Run("pooled+warm", func(b *testing.B) {
                    println("a line of its log")
                })
            }

            func BenchmarkHandleConnect_SOCKS5Proxy(b *testing.B) {}

            func BenchmarkHandleHTTP_Direct(b *testing.B) { b.Fatal("no origin") }
            """;

    private final Path folder;
    private final Path module;

    SeedScriptTest(@TempDir Path folder) {
        this.folder = folder;
        this.module = folder.resolve("seed");
    }

    @BeforeEach
    void prepare() throws Exception {
        Daemon.program("taskset");
        Daemon.program("go");
        Path java = Files.writeString(folder.resolve("java"), JAVA);
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Files.writeString(folder.resolve("benchmarks.jar"), "");
        Files.createDirectory(module);
        Files.writeString(module.resolve("go.mod"), "module example.com/seed\n\ngo 1.19\n");
    }

    private Program seed(String go, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "GO=" + go,
                "JAVA=" + folder.resolve("java"),
                "BENCHMARKS=" + folder.resolve("benchmarks.jar"),
                "bash",
                SCRIPT.toString()));
        command.addAll(List.of(arguments));
        return Program.run(folder, "env", command.toArray(String[]::new));
    }

    private void benchmarks(String text) throws Exception {
        Files.writeString(module.resolve("seed_test.go"), text);
    }

    @Test
    void benchmarksAreComparedRowByRowAndPhaseByPhase() throws Exception {
        benchmarks(BENCHMARKS);

        Program run = seed("go", "--quick", "-o", "rows.tsv", module.toString());

        assertThat(run.exitCode()).as(run.output()).isZero();
        assertThat(run.output())
                .contains("| CopyConn 1 KiB | pooled | `BenchmarkCopyConn/1KB` | ")
                .contains("| CopyConn 1 KiB | unpooled | `BenchmarkCopyConn/unpooled/1024` | ")
                .contains("| CopyConn 1 MiB | pooled | `BenchmarkCopyConn/size=1MiB` | ")
                .contains("| Dial_HTTPProxy | pooled+warm | `BenchmarkDial_HTTPProxy/pooled+warm` | ");
        assertThat(folder.resolve("rows.tsv"))
                .content()
                .containsPattern("BenchmarkCopyConn/1KB\t[0-9.]+\t48\t50.000000\t20.000000\n");
        assertThat(folder.resolve("java.log"))
                .content()
                .contains("CopyConnBenchmark\\. ", "-p size=1024 -p phase=unpooled", "-p size=1048576 -p phase=pooled")
                .contains("DialHttpProxyBenchmark\\. ", "-p phase=pooled+warm");
    }

    @Test
    void whatHasNoPartnerIsListed() throws Exception {
        benchmarks(BENCHMARKS);

        Program run = seed("go", "--quick", module.toString());

        assertThat(run.output())
                .contains("- `BenchmarkHandleConnect_SOCKS5Proxy` has no partner among our rows")
                .contains("- `BenchmarkHandleHTTP_Direct` fails: ", "no origin")
                .contains("- our row HandleHTTP_Direct has no partner")
                .contains("- our row CopyConn 32 KiB has no partner")
                .doesNotContain("- our row CopyConn 1 KiB has no partner");
    }

    @Test
    void directoryCanNameThePhase() throws Exception {
        benchmarks(BENCHMARKS);

        Program run = seed("go", "--quick", "pooled+warm=" + module);

        assertThat(run.output())
                .contains("| CopyConn 1 KiB | pooled+warm | `BenchmarkCopyConn/1KB` | ")
                .contains("| CopyConn 1 KiB | unpooled | `BenchmarkCopyConn/unpooled/1024` | ");
    }

    @Test
    void runWithNothingToCompareFails() throws Exception {
        benchmarks("package seed\n\nimport \"testing\"\n\nfunc BenchmarkOther(b *testing.B) {}\n");

        Program run = seed("go", "--quick", module.toString());

        assertThat(run.exitCode()).isOne();
        assertThat(run.output())
                .contains("- `BenchmarkOther` has no partner among our rows")
                .contains("seed: nothing could be compared");
    }

    @Test
    void packageThatDoesNotBuildIsListed() throws Exception {
        benchmarks("package seed\n\nfunc BenchmarkOther(\n");

        Program run = seed("go", "--quick", module.toString());

        assertThat(run.exitCode()).isOne();
        assertThat(run.output()).contains("- package . does not build: ", "seed_test.go");
    }

    @Test
    void everythingThatIsMissingIsNamed() throws Exception {
        Path none = folder.resolve("none");

        Program run = seed(none.toString(), folder.toString(), none.toString());

        assertThat(run.exitCode()).isOne();
        assertThat(run.output())
                .contains("seed: no Go toolchain: " + none + " does not run")
                .contains("seed: no source: " + folder + " has no go.mod")
                .contains("seed: no source: " + none + " is not a directory")
                .endsWith("seed: nothing can be compared\n");
    }

    @Test
    void eachRowNamesABenchmarkOfOurs() throws Exception {
        List<String> names = Pattern.compile(";(\\w+Benchmark);")
                .matcher(Files.readString(SCRIPT))
                .results()
                .map((MatchResult found) -> found.group(1))
                .distinct()
                .toList();

        assertThat(names)
                .hasSize(6)
                .allSatisfy(name -> assertThatCode(() -> Class.forName("io.broxy.jmh." + name))
                        .doesNotThrowAnyException());
    }
}
