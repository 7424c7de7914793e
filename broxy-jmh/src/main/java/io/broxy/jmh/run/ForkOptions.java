package io.broxy.jmh.run;

import java.util.ArrayList;
import java.util.List;

/** The options of the JVMs that are measured. Threading: immutable. */
final class ForkOptions {
    /** The first Java that warns of, and by and by refuses, what Netty does with {@code sun.misc.Unsafe} unless it is allowed. */
    private static final int UNSAFE_IS_AN_OPTION = 23;

    private ForkOptions() {}

    /**
     * For a Java release. Netty and LittleProxy are half as fast on newer ones without what is allowed here; the others do not
     * care.
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

    /** For this Java. */
    static List<String> ofThisJava() {
        return of(Runtime.version().feature());
    }
}
