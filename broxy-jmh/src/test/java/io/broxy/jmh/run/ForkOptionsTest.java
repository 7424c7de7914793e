package io.broxy.jmh.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Specifies which options the JVM of a fork gets. */
class ForkOptionsTest {
    private static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";

    @Test
    void unsafeIsAllowedOnlyWhereTheJvmKnowsTheOption() {
        assertThat(ForkOptions.of(17)).doesNotContain(UNSAFE);
        assertThat(ForkOptions.of(22)).doesNotContain(UNSAFE);
        assertThat(ForkOptions.of(23)).contains(UNSAFE);
        assertThat(ForkOptions.of(25)).contains(UNSAFE, "-Dio.netty.noUnsafe=false");
    }
}
