package io.broxy.core.internal.dial;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.DialException.Reason;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Specifies which reason a failed connect is reported with. */
class DialFailuresTest {

    @Test
    void exceptionOfAConnectTellsTheReason() {
        assertThat(reason(new ConnectException())).isEqualTo(Reason.REFUSED);
        assertThat(reason(new SocketTimeoutException())).isEqualTo(Reason.TIMEOUT);
        assertThat(reason(new BindException())).isEqualTo(Reason.LOCAL);
        assertThat(reason(new NoRouteToHostException())).isEqualTo(Reason.UNREACHABLE);
        assertThat(reason(new SocketException("Network is unreachable"))).isEqualTo(Reason.UNREACHABLE);
        assertThat(reason(new IOException())).isEqualTo(Reason.UNREACHABLE);
        assertThat(reason(new UnsupportedAddressTypeException())).isEqualTo(Reason.UNREACHABLE);
    }

    @Test
    void systemThatGaveUpByItselfIsATimeOutThoughTheExceptionIsThatOfARefusal() {
        assertThat(DialFailures.ofConnecting(new ConnectException(), TimeUnit.SECONDS.toNanos(19)))
                .isEqualTo(Reason.REFUSED);
        assertThat(DialFailures.ofConnecting(new ConnectException(), TimeUnit.SECONDS.toNanos(21)))
                .isEqualTo(Reason.TIMEOUT);
    }

    private static Reason reason(Throwable failure) {
        return DialFailures.ofConnecting(failure, 0);
    }
}
