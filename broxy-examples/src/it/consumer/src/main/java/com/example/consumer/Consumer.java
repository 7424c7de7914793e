package com.example.consumer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.broxy.AddressPolicy;
import io.broxy.Connection;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.core.Broxy;
import io.broxy.core.ProxyServer;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs a tunnel with what is on its path, which must be Broxy's two jars, slf4j-api and jspecify. */
final class Consumer {
    private static final String GREETING = "the origin speaks first";
    private static final String ESTABLISHED = "HTTP/1.1 200 OK\r\n\r\n";

    private Consumer() {}

    public static void main(String[] args) throws IOException {
        boolean modular = Consumer.class.getModule().isNamed();
        String path = System.getProperty(modular ? "jdk.module.path" : "java.class.path");
        Set<String> jars = jars(path);
        check(jars.equals(Set.of("broxy-api", "broxy-core", "jspecify", "slf4j-api")), "jars: " + jars);
        Module engine = Broxy.class.getModule();
        check(engine.isNamed() == modular, "Broxy's module: " + engine);
        check(!modular || !engine.isExported("io.broxy.core.internal.loop"), "the engine's inside is exported");
        String got = throughATunnel();
        check(got.equals(ESTABLISHED + GREETING), "got: " + got);
        String kind = modular ? "module" : "class";
        System.out.println("Java " + Runtime.version() + ", " + kind + " path: a tunnel with " + jars);
    }

    /** The names of the jars on a path, without their versions. */
    private static Set<String> jars(String path) {
        return Stream.of(path.split(File.pathSeparator))
                .map(entry -> Path.of(entry).getFileName().toString())
                .filter(name -> name.endsWith(".jar"))
                .map(name -> name.replaceFirst("-[0-9].*", ""))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String throughATunnel() throws IOException {
        try (ServerSocket origin = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Broxy broxy = Broxy.create();
                ProxyHandler handler =
                        broxy.proxyHandler().addressPolicy(AddressPolicy.any()).build();
                ProxyServer server =
                        broxy.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), handler)) {
            Thread greeter = new Thread(() -> greet(origin));
            greeter.start();
            HostPort proxy = HostPort.of("127.0.0.1", ((InetSocketAddress) server.localAddress()).getPort());
            HostPort target = HostPort.of("127.0.0.1", origin.getLocalPort());
            try (Connection connection = broxy.directDialer().build().dial(proxy)) {
                String head = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n";
                connection.write(ByteBuffer.wrap(head.getBytes(US_ASCII)));
                return new String(Channels.newInputStream(connection).readAllBytes(), US_ASCII);
            }
        }
    }

    private static void greet(ServerSocket origin) {
        try (Socket client = origin.accept()) {
            client.getOutputStream().write(GREETING.getBytes(US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void check(boolean right, String otherwise) {
        if (!right) {
            throw new IllegalStateException(otherwise);
        }
    }
}
