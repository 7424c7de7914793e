package io.broxy.examples;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A proxy that runs until it is told to end: {@code java -jar broxy-mini-server.jar --help}.
 *
 * <p>It exits with 0 after SIGTERM or SIGINT, with 1 if it cannot run and with 2 if its options are wrong.
 *
 * <p>Threading: the main thread starts the server, waits for a signal and drains.
 */
@Command(
        name = MiniServer.NAME,
        description = "A proxy for CONNECT tunnels and plain HTTP.",
        mixinStandardHelpOptions = true,
        versionProvider = MiniServer.Version.class,
        sortOptions = false,
        usageHelpAutoWidth = true)
final class MiniServer implements Callable<Integer> {
    static final String NAME = "broxy-mini-server";

    @Mixin
    private final ServerOptions options = new ServerOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec command;

    /** Runs the server and ends the process. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The command, ready to be executed. */
    static CommandLine commandLine() {
        OneLineErrors errors = new OneLineErrors();
        return new CommandLine(new MiniServer())
                .setExpandAtFiles(false)
                .setParameterExceptionHandler(errors)
                .setExecutionExceptionHandler(errors);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        String contradiction = options.contradiction();
        if (contradiction != null) {
            throw new ParameterException(command.commandLine(), contradiction);
        }
        Logging.configure(options.verbose(), options.accessLog());
        StopSignals signals = StopSignals.install();
        try (RunningServer server = RunningServer.start(options)) {
            System.out.println("listening on " + server.address());
            ListenAddress admin = server.adminAddress();
            if (admin != null) {
                System.out.println("admin on " + admin);
            }
            System.out.flush();
            signals.await();
            server.drain(options.drain());
        }
        return CommandLine.ExitCode.OK;
    }

    /** What {@code --version} prints. Threading: immutable. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = MiniServer.class.getPackage().getImplementationVersion();
            return new String[] {NAME + " " + (version == null ? "(not packaged)" : version)};
        }
    }
}
