package io.broxy.jmh.run;

import java.util.ArrayList;
import java.util.List;

/** The options of the measured JVMs. Threading: immutable. */
final class ForkOptions {
    /** The first Java version that warns about Netty's use of {@code sun.misc.Unsafe}, and later refuses it, unless allowed. */
    private static final int UNSAFE_IS_AN_OPTION = 23;

    private ForkOptions() {}

    /**
     * The options for a Java release. Without them Netty and LittleProxy are half as fast on newer releases; the others do not
     * need them.
     */
    static List<String> of(int javaFeature) {
        List<String> options = new ArrayList<>(List.of("-Xms1g", "-Xmx1g"));
        if (javaFeature >= UNSAFE_IS_AN_OPTION) {
            options.add("--sun-misc-unsafe-memory-access=allow");
            options.add("--enable-native-access=ALL-UNNAMED");
            options.add("--add-opens=java.base/java.nio=ALL-UNNAMED");
            options.add("--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED");
            options.add("-Dio.netty.noUnsafe=false");
            options.add("-Dio.netty.tryReflectionSetAccessible=true");
        }
        return options;
    }

    /** The options for this Java. */
    static List<String> ofThisJava() {
        return of(Runtime.version().feature());
    }
}
