package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.broxy.HostPort;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * The curl of this machine, which leaves what it gets in a folder. Where there is none, the test is skipped.
 *
 * @param folder for the page
 */
record Curl(Path folder) {

    /**
     * How a run ended.
     *
     * @param codes the status of the CONNECT, and of the request
     */
    record End(int exitCode, String codes) {}

    static Curl in(Path folder) throws InterruptedException {
        try {
            new ProcessBuilder("curl", "--version")
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            abort("curl is not on this machine: " + e.getMessage());
        }
        return new Curl(folder);
    }

    /** Gets a page through a proxy. */
    End get(HostPort proxy, String... arguments) throws IOException, InterruptedException {
        return getVia("http://" + proxy, arguments);
    }

    /** Gets a page through a proxy with TLS, whose certificate is for {@code localhost}. */
    End getOverTls(HostPort proxy, Path trusted, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("--proxy-cacert", trusted.toString()));
        all.addAll(List.of(arguments));
        return getVia("https://localhost:" + proxy.port(), all.toArray(String[]::new));
    }

    private End getVia(String proxy, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "curl",
                "--disable", // no .curlrc
                "--silent",
                "--max-time",
                "60",
                "--proxy",
                proxy,
                "--output",
                page().toString(),
                "--write-out",
                "%{http_connect} %{http_code}"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment()
                .keySet()
                .removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        Process process = builder.start();
        String codes = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        return new End(process.exitValue(), codes);
    }

    /** What came last. */
    Path page() {
        return folder.resolve("page");
    }
}
