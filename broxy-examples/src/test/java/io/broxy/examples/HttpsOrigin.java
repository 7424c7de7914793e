package io.broxy.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** Web servers on the loopback that answer each request with the same bytes. */
final class HttpsOrigin {
    private static final String PASSWORD = "changeit"; // opens a key that lives as long as a test

    private HttpsOrigin() {}

    static HttpServer http(byte[] answer) throws IOException {
        return start(HttpServer.create(), answer);
    }

    /**
     * A server with TLS for the names {@code localhost} and {@code 127.0.0.1}.
     *
     * @param folder where the certificate is left as {@link #certificate}
     */
    static HttpServer https(byte[] answer, Path folder) throws Exception {
        HttpsServer server = HttpsServer.create();
        server.setHttpsConfigurator(new HttpsConfigurator(context(folder)));
        return start(server, answer);
    }

    /** The file of the server's certificate, in PEM. */
    static Path certificate(Path folder) {
        return folder.resolve("origin.pem");
    }

    private static HttpServer start(HttpServer server, byte[] answer) throws IOException {
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, answer.length);
                exchange.getResponseBody().write(answer);
            }
        });
        server.start();
        return server;
    }

    private static SSLContext context(Path folder) throws Exception {
        Path keys = folder.resolve("origin.p12");
        keytool(
                "-genkeypair -alias origin -keyalg EC -groupname secp256r1 -dname CN=localhost"
                        + " -ext SAN=dns:localhost,ip:127.0.0.1 -validity 2 -storetype PKCS12 -storepass " + PASSWORD
                        + " -keystore",
                keys);
        keytool(
                "-exportcert -rfc -alias origin -storepass " + PASSWORD + " -keystore",
                keys,
                "-file",
                certificate(folder));
        return context(load(keys));
    }

    private static void keytool(String options, Object... more) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(options.split(" ")));
        for (Object part : more) {
            command.add(part.toString());
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
    }

    private static KeyStore load(Path file) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        return keys;
    }

    private static SSLContext context(KeyStore keys) throws GeneralSecurityException {
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }
}
