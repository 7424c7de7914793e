package io.broxy.core.internal.observe;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.broxy.HostPort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jdk.jfr.Configuration;
import jdk.jfr.Event;
import jdk.jfr.EventType;
import jdk.jfr.Recording;
import jdk.jfr.ValueDescriptor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Specifies how the events of Java Flight Recorder describe themselves, and that the files in {@code docs/jfr} fit them. */
class FlightRecorderMetadataTest {
    private static final Path FOLDER = Path.of("..", "docs", "jfr");
    private static final Path VIEWS = FOLDER.resolve("views");

    /** Those of every event, which the JDK describes. */
    private static final Set<String> COMMON = Set.of("startTime", "duration", "eventThread", "stackTrace");

    /** Numbers that have no unit. */
    private static final Set<String> PLAIN = Set.of("status", "failedAddresses");

    private static final int VIEWS_SINCE = 21;

    /** Every event of the engine by its name, found in its classes. */
    @SuppressWarnings("unchecked") // they are subclasses of Event
    private static Map<String, EventType> types() {
        Map<String, EventType> types = new TreeMap<>();
        for (JavaClass type : new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.broxy.core")) {
            if (type.isAssignableTo(Event.class)) {
                EventType event = EventType.getEventType((Class<? extends Event>) type.reflect());
                types.put(event.getName(), event);
            }
        }
        return types;
    }

    private static List<ValueDescriptor> fields(EventType type) {
        return type.getFields().stream()
                .filter(field -> !COMMON.contains(field.getName()))
                .toList();
    }

    // ------------------------------------------------------------------ events

    @Test
    void everyEventIsOfBroxyAndSaysWhatItIs() {
        assertThat(types()).hasSizeGreaterThanOrEqualTo(4);
        types().forEach((name, type) -> {
            assertThat(name).matches("io\\.broxy\\.[A-Z][A-Za-z]+");
            assertThat(type.getLabel()).as("the label of %s", name).isNotBlank().doesNotContain(".");
            assertThat(type.getDescription()).as("the description of %s", name).isNotBlank();
            assertThat(type.getCategoryNames()).as("the category of %s", name).containsExactly("Broxy");
        });
    }

    @Test
    void everyFieldHasALabelADescriptionAndItsUnit() {
        types().forEach((name, type) -> {
            assertThat(fields(type)).as("the fields of %s", name).isNotEmpty();
            for (ValueDescriptor field : fields(type)) {
                String where = name + "." + field.getName();
                assertThat(field.getLabel())
                        .as("the label of %s", where)
                        .isNotBlank()
                        .doesNotEndWith(".");
                assertThat(field.getDescription())
                        .as("the description of %s", where)
                        .isNotBlank();
                boolean number = Set.of("long", "int", "double").contains(field.getTypeName());
                if (number && !PLAIN.contains(field.getName())) {
                    assertThat(field.getContentType())
                            .as("the unit of %s", where)
                            .isIn("jdk.jfr.DataAmount", "jdk.jfr.Timespan");
                }
            }
        });
    }

    // ------------------------------------------------------------------ settings

    @Test
    void theSettingsEnableEveryEventAndNoOther() throws Exception {
        Map<String, String> settings =
                Configuration.create(FOLDER.resolve("broxy.jfc")).getSettings();
        Map<String, String> enabled = settings.entrySet().stream()
                .filter(setting -> setting.getKey().endsWith("#enabled"))
                .collect(Collectors.toMap(setting -> setting.getKey().replace("#enabled", ""), Map.Entry::getValue));
        assertThat(enabled.keySet()).isEqualTo(types().keySet());
        assertThat(enabled.values()).containsOnly("true");
        Set<String> known = types().values().stream()
                .flatMap(type ->
                        type.getSettingDescriptors().stream().map(setting -> type.getName() + "#" + setting.getName()))
                .collect(Collectors.toSet());
        assertThat(known).containsAll(settings.keySet());
    }

    // ------------------------------------------------------------------ views

    /** The query of each view by its name. */
    private static Map<String, String> views() throws IOException {
        String text = Files.readString(VIEWS.resolve("jdk/jfr/internal/query/view.ini"), UTF_8);
        Map<String, String> views = new HashMap<>();
        Matcher matcher = Pattern.compile("\\[application\\.([a-z-]+)]\\s+label = \"[^\"]+\"\\s+table = \"([^\"]+)\"")
                .matcher(text);
        while (matcher.find()) {
            views.put(matcher.group(1), matcher.group(2));
        }
        assertThat(views).hasSize(text.split("\n\\[").length - 1);
        return views;
    }

    @Test
    void theViewsSelectFieldsThatThereAre() throws Exception {
        for (Map.Entry<String, String> view : views().entrySet()) {
            Matcher query = Pattern.compile("SELECT (.+) FROM (\\S+) GROUP BY (.+) ORDER BY", Pattern.DOTALL)
                    .matcher(view.getValue());
            assertThat(query.find()).as(view.getKey()).isTrue();
            EventType type = types().get(query.group(2));
            assertThat(type).as("the event of %s", view.getKey()).isNotNull();
            Matcher names = Pattern.compile("\\b[a-z]\\w*\\b").matcher(query.group(1) + ", " + query.group(3));
            while (names.find()) {
                assertThat(type.getField(names.group()))
                        .as("%s in %s", names.group(), view.getKey())
                        .isNotNull();
            }
        }
    }

    @Test
    void theToolOfTheJdkShowsEveryView(@TempDir Path folder) throws Exception {
        assumeThat(Runtime.version().feature())
                .as("the jfr tool has views since JDK %d", VIEWS_SINCE)
                .isGreaterThanOrEqualTo(VIEWS_SINCE);
        Path tool = Path.of(System.getProperty("java.home"), "bin", "jfr");
        assumeThat(tool).as("the jfr tool of the JDK").isExecutable();
        Path file = folder.resolve("recording.jfr");
        try (Recording recording = new Recording()) {
            types().keySet().forEach(recording::enable);
            recording.start();
            FlightRecorderEvents.dial(HostPort.of("example.org", 443), null).connected(null);
            FlightRecorderEvents.lease(HostPort.of("example.org", 80)).leased(true);
            recording.stop();
            recording.dump(file);
        }
        for (String view : views().keySet()) {
            Process process = new ProcessBuilder(
                            tool.toString(), "-J--patch-module=jdk.jfr=" + VIEWS, "view", view, file.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve(view).toFile())
                    .start();
            try {
                assertThat(process.waitFor(60, TimeUnit.SECONDS))
                        .as("%s has ended", view)
                        .isTrue();
                String output = Files.readString(folder.resolve(view), UTF_8);
                assertThat(process.exitValue()).as(output).isZero();
                assertThat(output).doesNotContain("Could not find", "Error");
                if (view.contains("dial") || view.contains("lease")) {
                    assertThat(output).contains(view.contains("lease") ? "example.org:80" : "1");
                }
            } finally {
                process.destroyForcibly();
            }
        }
    }
}
