package io.broxy.examples.clients;

import io.broxy.core.testkit.Daemon;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A Redis server on the loopback that keeps nothing on disk. */
final class RedisServer {
    private RedisServer() {}

    /** A server without TLS. */
    static Daemon start(Path folder) throws Exception {
        return start(folder, "port", List.of());
    }

    /** A server that speaks TLS only. */
    static Daemon startTls(Path folder) throws Exception {
        Path certificate = folder.resolve("certificate.pem");
        Path key = folder.resolve("key.pem");
        CorporateNetwork.certificates().writePem(certificate, key);
        return start(
                folder,
                "tls-port",
                List.of(
                        "--port",
                        "0",
                        "--tls-cert-file",
                        certificate.toString(),
                        "--tls-key-file",
                        key.toString(),
                        "--tls-auth-clients",
                        "no"));
    }

    private static Daemon start(Path folder, String port, List<String> more) throws Exception {
        String program = Daemon.program("redis-server");
        return Daemon.start(folder.resolve(port + ".log"), number -> {
            List<String> command = new ArrayList<>(List.of(
                    program,
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--dir",
                    folder.toString(),
                    "--" + port,
                    String.valueOf(number)));
            command.addAll(more);
            return command;
        });
    }
}
