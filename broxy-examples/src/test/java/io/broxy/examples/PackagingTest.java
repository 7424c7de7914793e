package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.core.testkit.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Specifies the Dockerfile and the units for systemd, as far as neither a registry nor a running systemd is needed. */
@Timeout(120)
class PackagingTest {
    private static final Path ROOT = Path.of("..");
    private static final Path UNITS = ROOT.resolve("packaging/systemd");

    /** What exposes a service the least is 0, the most 10. */
    private static final double MOST_EXPOSURE = 2.0;

    private static final String JAVA = "/opt/broxy/bin/java";

    private final Path folder;

    PackagingTest(@TempDir Path folder) {
        this.folder = folder;
    }

    /** An instruction of a Dockerfile. */
    private record Instruction(String name, String arguments) {
        /** The strings of an exec form. */
        List<String> exec() {
            int open = arguments.indexOf('[');
            assertThat(open).as("the exec form of %s", this).isNotNegative();
            List<String> words = new ArrayList<>();
            Matcher quoted = Pattern.compile("\"([^\"\\\\]*)\"").matcher(arguments.substring(open));
            while (quoted.find()) {
                words.add(quoted.group(1));
            }
            return words;
        }
    }

    private static List<Instruction> dockerfile() throws IOException {
        List<Instruction> instructions = new ArrayList<>();
        String text = Files.readString(ROOT.resolve("packaging/Dockerfile"))
                .replaceAll("(?m)^#.*\n", "")
                .replace("\\\n", " ");
        for (String line : text.lines().filter(line -> !line.isBlank()).toList()) {
            String[] words = line.split(" +", 2);
            assertThat(words[0])
                    .isIn(
                            "ARG",
                            "FROM",
                            "WORKDIR",
                            "COPY",
                            "RUN",
                            "LABEL",
                            "USER",
                            "EXPOSE",
                            "STOPSIGNAL",
                            "HEALTHCHECK",
                            "ENTRYPOINT",
                            "CMD");
            instructions.add(new Instruction(words[0], words[1].strip()));
        }
        return instructions;
    }

    private static List<Instruction> all(String name) throws IOException {
        return dockerfile().stream().filter(each -> each.name.equals(name)).toList();
    }

    private static Instruction only(String name) throws IOException {
        assertThat(all(name)).hasSize(1);
        return all(name).get(0);
    }

    // ------------------------------------------------------------------ Dockerfile

    @Test
    void bothBaseImagesAreArguments() throws Exception {
        assertThat(all("ARG"))
                .extracting(arg -> arg.arguments.replaceFirst("=.*", ""))
                .containsExactly("BUILD_IMAGE", "RUNTIME_IMAGE");
        assertThat(all("FROM"))
                .extracting(Instruction::arguments)
                .containsExactly("${BUILD_IMAGE} AS build", "${RUNTIME_IMAGE}");
    }

    @Test
    void theLastStageTakesWhatTheBuildHasMadeAndRunsAsANumber() throws Exception {
        List<Instruction> file = dockerfile();
        int last = file.lastIndexOf(all("FROM").get(1));
        assertThat(file.subList(last, file.size())).noneMatch(each -> each.name.equals("RUN"));
        assertThat(all("COPY"))
                .extracting(Instruction::arguments)
                .containsExactly(". .", "--from=build /opt/broxy /opt/broxy");
        assertThat(only("USER").arguments).matches("[1-9][0-9]*:[1-9][0-9]*");
        assertThat(only("STOPSIGNAL").arguments).isEqualTo("SIGTERM");
    }

    @Test
    void theBuildRunsTheScriptsAndProfilesOfThisRepository() throws Exception {
        String run = only("RUN").arguments;
        Matcher script = Pattern.compile("packaging/\\S+\\.sh").matcher(run);
        assertThat(script.find()).isTrue();
        assertThat(ROOT.resolve(script.group())).isExecutable();
        assertThat(run).contains(" /opt/broxy");
    }

    @Test
    void entryPointCommandAndHealthCheckAreExecFormsWithOptionsOfTheMiniServer() throws Exception {
        List<String> start = List.of(JAVA, "@/opt/broxy/java.options", "-jar", "/opt/broxy/broxy-mini-server.jar");
        assertThat(only("ENTRYPOINT").exec()).isEqualTo(start);
        List<String> check = only("HEALTHCHECK").exec();
        assertThat(check.subList(0, start.size())).isEqualTo(start);

        ServerOptions options = ServerOptions.parse(only("CMD").exec().toArray(String[]::new));
        ServerOptions checked =
                ServerOptions.parse(check.subList(start.size(), check.size()).toArray(String[]::new));
        assertThat(checked.checkHealth()).isNotNull().isEqualTo(options.admin().address());
        assertThat(options.listen()).hasToString("0.0.0.0:" + only("EXPOSE").arguments);
    }

    @Test
    void whatTheBuildNeedsIsNotIgnored() throws Exception {
        List<String> kept = Files.readAllLines(ROOT.resolve(".dockerignore")).stream()
                .filter(line -> line.startsWith("!"))
                .map(line -> line.substring(1))
                .toList();
        assertThat(kept)
                .contains(
                        "pom.xml",
                        ".mvn",
                        "broxy-api",
                        "broxy-core",
                        "broxy-examples",
                        "broxy-jmh/pom.xml",
                        "packaging")
                .allSatisfy(path -> assertThat(ROOT.resolve(path)).exists());
    }

    // ------------------------------------------------------------------ systemd

    private static List<String> values(String unit, String key) throws IOException {
        return Files.readAllLines(UNITS.resolve(unit)).stream()
                .filter(line -> line.startsWith(key + "="))
                .map(line -> line.substring(key.length() + 1))
                .toList();
    }

    private Path copy(String unit) throws IOException {
        String text = Files.readString(UNITS.resolve(unit))
                .replace(
                        JAVA,
                        Path.of(System.getProperty("java.home"), "bin", "java").toString());
        return Files.writeString(folder.resolve(unit), text);
    }

    @Test
    void theCommandOfTheServiceHasOptionsOfTheMiniServer() throws Exception {
        List<String> command =
                Arrays.asList(values("broxy.service", "ExecStart").get(0).split(" "));
        int jar = command.indexOf("/opt/broxy/broxy-mini-server.jar");
        assertThat(command).endsWith("$BROXY_OPTIONS").startsWith(JAVA, "@/opt/broxy/java.options", "-jar");

        ServerOptions options =
                ServerOptions.parse(command.subList(jar + 1, command.size() - 1).toArray(String[]::new));

        assertThat(options.listen()).isEqualTo(new ListenInherited());
        Duration stop = Duration.ofSeconds(
                Long.parseLong(values("broxy.service", "TimeoutStopSec").get(0)));
        assertThat(stop).isGreaterThanOrEqualTo(options.drain().plusSeconds(10));
        assertThat(Integer.parseInt(values("broxy.service", "LimitNOFILE").get(0)))
                .isGreaterThan(3 * options.maxConnections());
    }

    @Test
    void systemdFindsNoMistakeInTheUnits() throws Exception {
        copy("broxy.socket");

        Program verify = Program.run(
                folder,
                "systemd-analyze",
                "verify",
                "--man=no",
                copy("broxy.service").toString(),
                folder.resolve("broxy.socket").toString());

        assertThat(verify.output().lines().filter(line -> line.contains("broxy")))
                .isEmpty();
        assertThat(verify.exitCode()).as(verify.output()).isZero();
    }

    @Test
    void theServiceIsHardened() throws Exception {
        Program security = Program.run(
                folder,
                "systemd-analyze",
                "security",
                "--offline=yes",
                "--no-pager",
                copy("broxy.service").toString());

        Matcher exposure = Pattern.compile("Overall exposure level for broxy.service: ([0-9.]+)")
                .matcher(security.output());
        assertThat(exposure.find()).as(security.output()).isTrue();
        assertThat(Double.parseDouble(exposure.group(1))).isLessThanOrEqualTo(MOST_EXPOSURE);
    }
}
