package io.broxy.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.net.SocketFactory;
import org.junit.jupiter.api.Test;

/**
 * Specifies which code finds classes, members or resources by name, and that the reachability metadata for native images names them: nothing
 * beyond this list needs any.
 */
class ReflectionTest {
    private static final String METADATA = "/META-INF/native-image/io.broxy/broxy-core/reflect-config.json";

    /** What finds something by name, apart from the members of {@code Class} that only tell about it. */
    private static final Pattern FINDER = Pattern.compile(
            "java\\.lang\\.reflect\\.\\w+\\.(invoke|newInstance|newProxyInstance|get|set)"
                    + "|java\\.lang\\.Class\\.(forName|newInstance|get(Declared)?(Method|Field|Constructor)s?|getResource|getResourceAsStream)"
                    + "|java\\.lang\\.ClassLoader\\..*|java\\.lang\\.Module\\.getResource.*|java\\.util\\.ServiceLoader\\..*|java\\.util\\.ResourceBundle\\..*"
                    + "|java\\.lang\\.invoke\\.MethodHandles\\$Lookup\\.(find|unreflect).*"
                    + "|java\\.io\\.Object(In|Out)putStream\\..*|java\\.util\\.concurrent\\.atomic\\.Atomic\\w+FieldUpdater\\.newUpdater");

    private static final Pattern NAME = Pattern.compile("\"name\": \"([^\"]+)\"");

    private static final JavaClasses ALL = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.broxy");

    @Test
    void onlyTheseClassesFindSomethingByName() {
        Set<String> found = ALL.stream()
                .filter(type -> !type.getPackageName().startsWith("io.broxy.examples"))
                .flatMap(type -> type.getCodeUnitAccessesFromSelf().stream())
                .filter(access -> FINDER.matcher(name(access)).matches())
                .map(access -> access.getOriginOwner().getSimpleName() + " "
                        + name(access).replaceFirst(".*\\.([\\w$]+\\.\\w+)$", "$1"))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(found)
                .containsExactlyInAnyOrder(
                        // a native image lacks these: it uses NIO
                        "EpollTransport Class.getMethod",
                        "EpollTransport Method.invoke",
                        "ForeignFunctions Class.forName",
                        "ForeignFunctions Class.getField",
                        "ForeignFunctions Class.getMethod",
                        "ForeignFunctions Field.get",
                        "ForeignFunctions Method.invoke",
                        "ForeignFunctions Array.newInstance",
                        "ForeignFunctions MethodHandles$Lookup.findStatic",
                        "ForeignFunctions MethodHandles$Lookup.findVirtual",
                        "LoopLoad MethodHandles$Lookup.findVarHandle",
                        "Pipe MethodHandles$Lookup.findVarHandle",
                        "VirtualThreads Class.forName",
                        "VirtualThreads Class.getMethod",
                        "VirtualThreads Method.invoke",
                        "VirtualThreads MethodHandles$Lookup.findVirtual");
    }

    private static String name(JavaAccess<?> access) {
        return access.getTargetOwner().getName() + "." + access.getName();
    }

    @Test
    void theMetadataForNativeImagesNamesWhatTheyAndTheLibrariesOfUsersFind() throws IOException {
        assertThat(metadata())
                .containsExactly(
                        "io.broxy.core.NamedSockets",
                        "<init>",
                        "<init>",
                        "getDefault",
                        "io.broxy.core.NamedTlsSockets",
                        "<init>",
                        "<init>",
                        "getDefault",
                        "io.broxy.core.internal.loop.LoopLoad",
                        "state",
                        "io.broxy.core.internal.relay.Pipe",
                        "moved",
                        "java.lang.Thread",
                        "isVirtual",
                        "ofVirtual",
                        "java.lang.Thread$Builder",
                        "name",
                        "factory");
    }

    @Test
    void theMetadataNamesBroxysOwnMembersAsTheyAre() throws Exception {
        for (String name :
                metadata().stream().filter(each -> each.startsWith("io.broxy.")).toList()) {
            Class<?> type = Class.forName(name);
            if (SocketFactory.class.isAssignableFrom(type)) {
                assertThat(type.getConstructor()).isNotNull();
                assertThat(type.getConstructor(String.class)).isNotNull();
                assertThat(type.getMethod("getDefault")).isNotNull();
            } else {
                String field = name.endsWith("Pipe") ? "moved" : "state";
                assertThat(type.getDeclaredField(field).getType()).isEqualTo(long.class);
            }
        }
    }

    private static List<String> metadata() throws IOException {
        try (InputStream file = Broxy.class.getResourceAsStream(METADATA)) {
            assertThat(file).isNotNull();
            return NAME.matcher(new String(file.readAllBytes(), UTF_8))
                    .results()
                    .map(found -> found.group(1))
                    .toList();
        }
    }
}
