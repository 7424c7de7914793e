package io.broxy.core;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Specifies the order of the packages, in which dependencies go down and never up or sideways, and what each package may
 * depend on.
 *
 * <pre>
 *                      core
 *                proxy      dial     epoll
 *          forward
 *                relay      pool
 *                         upstream
 *                 tls      bridge
 *                      net
 *                     socket
 *                      loop
 *                     observe
 *         http  haproxy  socks  time  api
 * </pre>
 */
class ArchitectureTest {
    private static final String API = "io.broxy";
    private static final String CORE = "io.broxy.core";
    private static final String INTERNAL = "io.broxy.core.internal.";

    private static final JavaClasses ALL = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(API);

    @Test
    void thePackagesKeepTheirOrder() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage(API + "..")
                .layer("core")
                .definedBy(CORE)
                .layer("proxy")
                .definedBy(INTERNAL + "proxy")
                .layer("dial")
                .definedBy(INTERNAL + "dial")
                .layer("epoll")
                .definedBy(INTERNAL + "epoll")
                .layer("forward")
                .definedBy(INTERNAL + "forward")
                .layer("relay")
                .definedBy(INTERNAL + "relay")
                .optionalLayer("pool")
                .definedBy(INTERNAL + "pool")
                .layer("upstream")
                .definedBy(INTERNAL + "upstream")
                .layer("tls")
                .definedBy(INTERNAL + "tls")
                .layer("bridge")
                .definedBy(INTERNAL + "bridge")
                .layer("epoll")
                .definedBy(INTERNAL + "epoll")
                .layer("net")
                .definedBy(INTERNAL + "net")
                .layer("socket")
                .definedBy(INTERNAL + "socket")
                .layer("loop")
                .definedBy(INTERNAL + "loop")
                .layer("observe")
                .definedBy(INTERNAL + "observe")
                .layer("http")
                .definedBy(INTERNAL + "http")
                .layer("haproxy")
                .definedBy(INTERNAL + "haproxy")
                .layer("socks")
                .definedBy(INTERNAL + "socks")
                .layer("time")
                .definedBy(INTERNAL + "time")
                .layer("api")
                .definedBy(API)
                .ensureAllClassesAreContainedInArchitecture()
                .whereLayer("proxy")
                .mayOnlyAccessLayers(
                        "forward",
                        "relay",
                        "pool",
                        "upstream",
                        "tls",
                        "bridge",
                        "net",
                        "loop",
                        "observe",
                        "http",
                        "haproxy",
                        "socks",
                        "time",
                        "api")
                .whereLayer("forward")
                .mayOnlyAccessLayers("pool", "upstream", "net", "loop", "http", "time", "api")
                .whereLayer("dial")
                .mayOnlyAccessLayers(
                        "pool",
                        "upstream",
                        "tls",
                        "net",
                        "socket",
                        "loop",
                        "observe",
                        "http",
                        "haproxy",
                        "socks",
                        "time",
                        "api")
                .whereLayer("epoll")
                .mayOnlyAccessLayers("net", "socket", "loop", "api")
                .whereLayer("epoll")
                .mayOnlyBeAccessedByLayers("core")
                .whereLayer("relay")
                .mayOnlyAccessLayers("bridge", "net", "loop", "time", "api")
                .whereLayer("pool")
                .mayOnlyAccessLayers("upstream", "net", "loop", "observe", "time", "api")
                .whereLayer("upstream")
                .mayOnlyAccessLayers("bridge", "net", "loop", "http", "time", "api")
                .whereLayer("tls")
                .mayOnlyAccessLayers("net", "socket", "loop", "time", "api")
                .whereLayer("bridge")
                .mayOnlyAccessLayers("net", "loop", "time", "api")
                .whereLayer("epoll")
                .mayOnlyAccessLayers("net", "socket", "loop", "api")
                .whereLayer("epoll")
                .mayOnlyBeAccessedByLayers("core")
                .whereLayer("net")
                .mayOnlyAccessLayers("socket", "loop", "time", "api")
                .whereLayer("socket")
                .mayOnlyAccessLayers("loop", "time", "api")
                .whereLayer("loop")
                .mayOnlyAccessLayers("time", "api")
                .whereLayer("observe")
                .mayOnlyAccessLayers("time", "api")
                .whereLayer("http")
                .mayOnlyAccessLayers("api")
                .whereLayer("haproxy")
                .mayOnlyAccessLayers("api")
                .whereLayer("socks")
                .mayOnlyAccessLayers("api")
                .whereLayer("time")
                .mayNotAccessAnyLayer()
                .whereLayer("api")
                .mayNotAccessAnyLayer()
                .whereLayer("core")
                .mayNotBeAccessedByAnyLayer()
                .check(ALL);
    }

    @Test
    void thereIsNoCircleOfPackages() {
        slices().matching(INTERNAL + "(*)..").should().beFreeOfCycles().check(ALL);
    }

    @Test
    void thePackagesAreThere() {
        Set<String> packages = ALL.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());

        assertThat(packages).contains(API, CORE, INTERNAL + "http", INTERNAL + "loop", INTERNAL + "proxy");
    }

    /** A simple name identifies a type. */
    @Test
    void noTwoTypesShareASimpleName() {
        Map<String, List<String>> byName = ALL.stream()
                .filter(JavaClass::isTopLevelClass)
                .filter(type -> !type.getSimpleName().equals("package-info"))
                .collect(Collectors.groupingBy(
                        JavaClass::getSimpleName, Collectors.mapping(JavaClass::getName, Collectors.toList())));

        assertThat(byName).hasSizeGreaterThan(300);
        assertThat(byName.values()).allSatisfy(types -> assertThat(types).hasSize(1));
    }

    @Test
    void theApiDependsOnTheJdkAndJspecifyOnly() {
        classes()
                .that()
                .resideInAPackage(API)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(API, "java..", "javax.net..", "org.jspecify.annotations")
                .check(ALL);
    }

    @Test
    void theCoreDependsOnTheJdkTheApiSlf4jAndJspecifyOnly() {
        classes()
                .that()
                .resideInAPackage(CORE + "..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        API + "..",
                        "java..",
                        "javax.crypto..",
                        "javax.net..",
                        "javax.security.auth..",
                        "jdk.jfr..",
                        "org.ietf.jgss",
                        "org.slf4j..",
                        "org.jspecify.annotations")
                .check(ALL);
    }

    /** Everything else knows the interfaces of {@code net} only. */
    @Test
    void onlyTheEngineSeesItsOwnKindOfSockets() {
        noClasses()
                .that()
                .resideOutsideOfPackage(INTERNAL + "epoll")
                .and()
                .doNotHaveFullyQualifiedName(CORE + ".Engine")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(INTERNAL + "epoll")
                .check(ALL);
    }

    @Test
    void httpDoesNoInputNorOutputAndHasNoThreads() {
        noClasses()
                .that()
                .resideInAPackage(INTERNAL + "http")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.net..",
                        "java.io..",
                        "java.nio.channels..",
                        "java.nio.file..",
                        "java.util.concurrent..",
                        "org.slf4j..")
                .check(ALL);
    }

    /** They have addresses to name, which are those of java.net. */
    @Test
    void haproxyAndSocksDoNoInputNorOutputAndHaveNoThreads() {
        noClasses()
                .that()
                .resideInAnyPackage(INTERNAL + "haproxy", INTERNAL + "socks")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.io..", "java.nio.channels..", "java.nio.file..", "java.util.concurrent..", "org.slf4j..")
                .orShould()
                .callMethod(InetAddress.class, "getByName", String.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Socket.class)
                .check(ALL);
    }

    @Test
    void timeAsksTheSystemsClockInOnePlaceOnly() {
        noClasses()
                .that()
                .resideInAnyPackage(INTERNAL + "time", INTERNAL + "http", INTERNAL + "relay", INTERNAL + "dial")
                .and()
                .haveSimpleNameNotEndingWith("Ticker")
                .should()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .check(ALL);
    }

    @Test
    void noThreadSleeps() {
        noClasses().should().callMethod(Thread.class, "sleep", long.class).check(ALL);
    }

    @Test
    void logsGoToSlf4jAndNothingToTheStandardStreams() {
        NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(ALL);
        NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING.check(ALL);
        noClasses().should().callMethod(Throwable.class, "printStackTrace").check(ALL);
    }

    /** Only a class that is made to be extended, and therefore abstract, is open; interfaces are by nature. */
    @Test
    void concreteClassesAreFinal() {
        classes()
                .that()
                .resideInAPackage(INTERNAL + "(*)..")
                .and()
                .areTopLevelClasses()
                .and()
                .areNotInterfaces()
                .and()
                .areNotEnums()
                .and()
                .doNotHaveModifier(JavaModifier.ABSTRACT)
                .should()
                .haveModifier(JavaModifier.FINAL)
                .check(ALL);
    }
}
