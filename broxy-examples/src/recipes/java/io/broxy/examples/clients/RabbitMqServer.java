package io.broxy.examples.clients;

import static org.awaitility.Awaitility.await;

import io.broxy.core.testkit.Daemon;
import io.broxy.core.testkit.HeldPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A RabbitMQ server on the loopback, with a port for TLS beside the plain one, and its own Erlang port mapper. */
final class RabbitMqServer implements AutoCloseable {
    private static final Account ACCOUNT = new Account("rabbitmq");
    private static final Path PROGRAM = Path.of("/usr/lib/rabbitmq/bin/rabbitmq-server");

    private static final long START_SECONDS = 90;

    private final Daemon ports;
    private final Daemon server;
    private final int tlsPort;

    private RabbitMqServer(Daemon ports, Daemon server, int tlsPort) {
        this.ports = ports;
        this.server = server;
        this.tlsPort = tlsPort;
    }

    /** @param folder empty, for its data */
    static RabbitMqServer start(Path folder) throws Exception {
        Daemon.program("rabbitmq-server"); // which is a wrapper that changes the account
        Path certificate = folder.resolve("certificate.pem");
        Path key = folder.resolve("key.pem");
        CorporateNetwork.certificates().writePem(certificate, key);
        String epmd = Daemon.program("epmd");
        Daemon ports = Daemon.start(
                folder.resolve("epmd.log"),
                port -> ACCOUNT.command(List.of(
                        epmd, "-address", "127.0.0.1", "-port", String.valueOf(port), "-relaxed_command_check")));
        try (HeldPort tls = HeldPort.open();
                HeldPort distribution = HeldPort.open()) {
            Daemon server = Daemon.start(folder.resolve("log"), START_SECONDS, port -> {
                Files.writeString(folder.resolve("rabbitmq.conf"), """
                        listeners.tcp.1 = 127.0.0.1:%d
                        listeners.ssl.1 = 127.0.0.1:%d
                        ssl_options.certfile = %s
                        ssl_options.keyfile = %s
                        ssl_options.verify = verify_none
                        loopback_users = none
                        """.formatted(port, tls.port(), certificate, key));
                ACCOUNT.own(folder);
                List<String> command = new ArrayList<>(List.of(
                        "env",
                        "-C",
                        folder.toString(),
                        "HOME=" + folder,
                        "ERL_EPMD_PORT=" + ports.target().port(),
                        "ERL_EPMD_ADDRESS=127.0.0.1",
                        "RABBITMQ_NODENAME=recipes" + port + "@localhost",
                        "RABBITMQ_DIST_PORT=" + distribution.port(),
                        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
                        "RABBITMQ_CONFIG_FILE=" + folder.resolve("rabbitmq.conf"),
                        "RABBITMQ_MNESIA_BASE=" + folder.resolve("mnesia"),
                        "RABBITMQ_LOG_BASE=" + folder.resolve("logs"),
                        "RABBITMQ_PID_FILE=" + folder.resolve("pid"),
                        "RABBITMQ_ENABLED_PLUGINS_FILE=" + folder.resolve("plugins"),
                        "RABBITMQ_LOGS=-"));
                command.add(PROGRAM.toString());
                return ACCOUNT.command(command);
            });
            try {
                await().atMost(Duration.ofSeconds(START_SECONDS))
                        .until(() -> accepts(tls.port())); // it opens this port later
            } catch (Throwable e) {
                server.close();
                throw e;
            }
            return new RabbitMqServer(ports, server, tls.port());
        } catch (Throwable e) {
            ports.close();
            throw e;
        }
    }

    private static boolean accepts(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    int port() {
        return server.target().port();
    }

    int tlsPort() {
        return tlsPort;
    }

    @Override
    public void close() {
        server.close();
        ports.close();
    }
}
