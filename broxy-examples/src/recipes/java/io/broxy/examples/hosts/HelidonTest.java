package io.broxy.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntSupplier;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/**
 * Specifies tunnels beside Helidon 4, over a shared port. Helidon needs JDK 21, so the server is compiled by the test, which is
 * skipped on an older one.
 */
@EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "Helidon 4 needs JDK 21")
class HelidonTest extends SharedPortContract {
    private static final String SERVER = """
            import io.helidon.webserver.WebServer;
            public final class Own implements java.util.function.IntSupplier, AutoCloseable {
                private final WebServer server = WebServer.builder()
                        .host("127.0.0.1")
                        .port(0)
                        .backlog(1024)
                        .routing(routing -> routing.any((request, response) -> response.send("hello\\n")))
                        .build()
                        .start();
                @Override public int getAsInt() {
                    return server.port();
                }
                @Override public void close() {
                    server.stop();
                }
            }
            """;

    @Override
    Host startServer() throws Exception {
        Path source = Files.writeString(folder().resolve("Own.java"), SERVER);
        int status = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        null,
                        null,
                        "-proc:none",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-d",
                        folder().toString(),
                        source.toString());
        assertThat(status).as("the compiler's status").isZero();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {folder().toUri().toURL()})) {
            Object server = loader.loadClass("Own").getConstructor().newInstance();
            return Host.at(((IntSupplier) server).getAsInt(), ((AutoCloseable) server)::close);
        }
    }
}
