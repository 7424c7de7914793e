package io.broxy.examples;

import io.broxy.AccessRequest;
import io.broxy.EngineStats;
import io.broxy.Explanation;
import io.broxy.examples.admin.Explain;
import io.broxy.examples.logging.LogProvider;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * A proxy that runs until a signal ends it: {@code java -jar broxy-mini-server.jar --help}.
 *
 * <p>It exits with 0 after SIGTERM or SIGINT, with 1 if it cannot run or the server that {@code --check-health} asks is not
 * healthy, and with 2 if its options are wrong. With {@code --explain} it exits with 0 if the request would be admitted, and
 * with 3 if it would be refused.
 *
 * <p>Threading: the main thread starts the server, waits for a signal and drains.
 */
final class MiniServer {
    static final String NAME = "broxy-mini-server";

    private static final int DONE = 0;
    private static final int FAILED = 1;
    private static final int USAGE = 2;
    private static final int REFUSED = 3;

    private MiniServer() {}

    /** Runs the server and ends the process. */
    public static void main(String[] args) {
        LogProvider.install();
        System.exit(run(System.out, System.err, args));
    }

    /**
     * Runs the command line. An error that the operator can fix is printed as one line; any other keeps its stack
     * trace.
     *
     * @return the exit code
     */
    static int run(PrintStream out, PrintStream err, String... args) {
        try {
            ServerOptions options = ServerOptions.parse(args);
            if (options.help()) {
                Help.print(NAME, "A proxy for CONNECT tunnels and plain HTTP.", options.declared(), out);
            } else if (options.version()) {
                out.println(NAME + " " + version());
            } else if (options.checkHealth() != null) {
                HealthCheck.run(options.checkHealth());
            } else {
                return serve(options, out);
            }
            return DONE;
        } catch (UsageException e) {
            OneLineErrors.tell(err, e);
            return USAGE;
        } catch (IOException | UncheckedIOException e) {
            OneLineErrors.tell(err, e);
            return FAILED;
        } catch (InterruptedException | RuntimeException e) {
            e.printStackTrace(err);
            return FAILED;
        }
    }

    private static int serve(ServerOptions options, PrintStream out) throws IOException, InterruptedException {
        Logging.start(options.log().settings(options.verbose()));
        AccessRequest question = options.explain().request();
        if (question != null) {
            return explain(options, question, out);
        }
        StopSignals signals = StopSignals.install();
        ReloadSignal reload = ReloadSignal.install();
        try (RunningServer server = RunningServer.start(options)) {
            reload.reloads(server::reload);
            out.println("listening on " + server.address() + (server.speaksTls() ? " with TLS" : "")
                    + (server.transport() == EngineStats.Transport.EPOLL ? " over epoll" : ""));
            ListenAddress admin = server.adminAddress();
            if (admin != null) {
                out.println("admin on " + admin);
            }
            List<String> forwards = server.forwards();
            for (int i = 0; i < forwards.size(); i++) {
                out.println("forwarding " + forwards.get(i) + " to "
                        + options.forwards().get(i).target());
            }
            out.flush();
            signals.await();
            server.drain(options.drain());
        }
        return DONE;
    }

    private static int explain(ServerOptions options, AccessRequest question, PrintStream out) throws IOException {
        try (ProxyAssembly proxy = new ProxyAssembly(options)) {
            Explanation explanation = proxy.handler().explain(question);
            out.println(Explain.text(explanation));
            return explanation.isAdmitted() ? DONE : REFUSED;
        }
    }

    /** As the manifest says. */
    static String version() {
        String version = MiniServer.class.getPackage().getImplementationVersion();
        return version == null ? "(not packaged)" : version;
    }
}
