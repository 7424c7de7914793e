package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.broxy.DialException.Attempt;
import io.broxy.DialException.Reason;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies the message of a failed dial, its reason, and the attempts that it lists. */
class DialExceptionTest {
    private static final HostPort TARGET = HostPort.parse("example.org:443");
    private static final InetSocketAddress FIRST = new InetSocketAddress(Literals.address("192.0.2.1"), 443);
    private static final InetSocketAddress SECOND = new InetSocketAddress(Literals.address("2001:db8::1"), 443);

    @Test
    void theMessageNamesTheTargetTheReasonAndTheTime() {
        DialException failure = new DialException(Reason.TIMEOUT, TARGET, Duration.ofMillis(1500), List.of(), null);

        assertThat(failure)
                .hasMessage("dialing example.org:443 failed: timed out, after 1500 ms")
                .hasNoCause();
        assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
        assertThat(failure.target()).isEqualTo(TARGET);
        assertThat(failure.attempts()).isEmpty();
    }

    @Test
    void withoutAttemptsTheMessageQuotesTheCause() {
        UnknownHostException cause = new UnknownHostException("no such name");
        DialException failure = new DialException(Reason.RESOLVE, TARGET, Duration.ofMillis(2), List.of(), cause);

        assertThat(failure)
                .hasMessage("dialing example.org:443 failed: the name could not be resolved (no such name), after 2 ms")
                .hasCause(cause)
                .hasNoSuppressedExceptions();
    }

    @Test
    void aCauseWithoutTextIsNotQuoted() {
        DialException failure =
                new DialException(Reason.CANCELLED, TARGET, Duration.ZERO, List.of(), new InterruptedException());

        assertThat(failure).hasMessage("dialing example.org:443 failed: cancelled, after 0 ms");
    }

    @Test
    void everyAttemptIsInTheMessageAndItsFailureIsSuppressed() {
        ConnectException refused = new ConnectException("Connection refused");
        SocketTimeoutException silent = new SocketTimeoutException();
        List<Attempt> attempts = List.of(
                new Attempt(FIRST, refused, Duration.ofMillis(3)), new Attempt(SECOND, silent, Duration.ofMillis(40)));
        DialException failure = new DialException(Reason.REFUSED, TARGET, Duration.ofMillis(50), attempts, null);

        assertThat(failure)
                .hasMessage("dialing example.org:443 failed: connection refused, after 50 ms; tried " + FIRST
                        + ": Connection refused (3 ms), " + SECOND + ": SocketTimeoutException (40 ms)")
                .hasSuppressedException(refused)
                .hasSuppressedException(silent);
        assertThat(failure.attempts()).isEqualTo(attempts);
    }

    @Test
    void theCauseIsNotSuppressedAsWell() {
        ConnectException refused = new ConnectException("Connection refused");
        DialException failure = new DialException(
                Reason.REFUSED, TARGET, Duration.ZERO, List.of(new Attempt(FIRST, refused, Duration.ZERO)), refused);

        assertThat(failure).hasCause(refused).hasNoSuppressedExceptions();
    }

    @Test
    void theListOfAttemptsIsACopyAndUnmodifiable() {
        Attempt attempt = new Attempt(FIRST, new IOException("broken"), Duration.ZERO);
        List<Attempt> attempts = new ArrayList<>(List.of(attempt));
        DialException failure = new DialException(Reason.UNREACHABLE, TARGET, Duration.ZERO, attempts, null);
        attempts.clear();

        assertThat(failure.attempts()).containsExactly(attempt);
        assertThatThrownBy(() -> failure.attempts().add(attempt)).isInstanceOf(UnsupportedOperationException.class);
    }

    @ParameterizedTest
    @EnumSource
    void everyReasonHasAText(Reason reason) {
        assertThat(reason.text()).isNotBlank();
        assertThat(new DialException(reason, TARGET, Duration.ZERO, List.of(), null))
                .hasMessageContaining(reason.text());
    }
}
