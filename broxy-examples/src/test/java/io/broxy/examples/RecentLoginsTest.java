package io.broxy.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Specifies how long a correct login is remembered, and which one is forgotten first. */
class RecentLoginsTest {
    private long now = Long.MAX_VALUE - 1_000; // it wraps around on the way

    private final RecentLogins logins = new RecentLogins(() -> now);

    @Test
    void whoWasRightIsKnownForAWhile() {
        logins.add("alice", "sesame");

        assertThat(logins.contains("alice", "sesame")).isTrue();
        assertThat(logins.contains("alice", "Sesame")).isFalse();
        assertThat(logins.contains("bob", "sesame")).isFalse();
        now += Duration.ofMinutes(5).toNanos() - 1;
        assertThat(logins.contains("alice", "sesame")).isTrue();
        now++;
        assertThat(logins.contains("alice", "sesame")).isFalse();
    }

    @Test
    void theOldestAreForgottenFirst() {
        for (int i = 0; i <= 10_000; i++) {
            logins.add("user" + i, "x");
        }

        assertThat(logins.contains("user0", "x")).isFalse();
        assertThat(logins.contains("user1", "x")).isTrue();
        assertThat(logins.contains("user10000", "x")).isTrue();
    }
}
