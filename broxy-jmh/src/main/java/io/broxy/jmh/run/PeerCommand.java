package io.broxy.jmh.run;

import io.broxy.jmh.peer.Peer;
import io.broxy.jmh.peer.PeerProxy;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs one peer until the process is terminated. Threading: the main thread waits. */
@Command(
        name = "peer",
        description = "Runs one of the proxies on 127.0.0.1 until it is terminated, to be measured from outside.",
        mixinStandardHelpOptions = true,
        usageHelpAutoWidth = true)
final class PeerCommand implements Callable<Integer> {
    private static final char[] PASSWORD = {'l', 'a', 'b'};

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            index = "0",
            paramLabel = "NAME",
            description = "broxy, netty-nio, netty-epoll, jetty, littleproxy, vertx, blocking or vthread.")
    private String name = "";

    @Parameters(index = "1", paramLabel = "PORT", description = "The port to listen on; 0 for a free port.")
    private int port;

    @Option(
            names = "--tls",
            paramLabel = "KEYSTORE",
            description = "Serve clients with TLS, using the key in this PKCS #12 file, whose password is \"lab\".")
    private @Nullable Path keyStore;

    @Override
    public Integer call() throws Exception {
        try (PeerProxy proxy = peer().start(port, keyStore == null ? null : context(keyStore))) {
            spec.commandLine().getOut().println("listening on 127.0.0.1:" + proxy.port());
            spec.commandLine().getOut().flush();
            new CountDownLatch(1).await();
        }
        return CommandLine.ExitCode.OK;
    }

    private static SSLContext context(Path keyStore) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keyStore)) {
            store.load(in, PASSWORD);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    private Peer peer() throws IOException {
        Peer peer;
        try {
            peer = Peer.named(name);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        if (peer.unavailable().isPresent()) {
            throw new IOException(name + " cannot run: " + peer.unavailable().get());
        }
        return peer;
    }
}
