package io.broxy.core.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Specifies how {@code Keep-Alive} of a response is read: tolerantly, and in doubt as the shorter promise. */
class KeepAliveTest {

    private static KeepAlive read(String... fields) {
        String lines = Stream.of(fields).map(field -> field + "\r\n").collect(Collectors.joining());
        return KeepAlive.of(
                Feeding.responseHead("HTTP/1.1 200 OK\r\n" + lines + "\r\n").fields());
    }

    private static KeepAlive said(long seconds, int max) {
        return new KeepAlive(seconds < 0 ? KeepAlive.UNKNOWN : TimeUnit.SECONDS.toNanos(seconds), max);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "timeout=5, max=100              |     5 | 100",
                "timeout=5,max=100               |     5 | 100",
                "timeout=5; max=100              |     5 | 100",
                "max=3                           |    -1 |   3",
                "Timeout=7, MAX=2                |     7 |   2",
                "timeout = 5 ,  max\t=\t9        |     5 |   9",
                "timeout=\"5\", max='9'          |     5 |   9",
                "\"timeout=5\"                   |     5 |  -1",
                "timeout=0, max=0                |     0 |   0",
                "timeout=0005                    |     5 |  -1",
                "timeout=5.9                     |     5 |  -1",
                "timeout=99999999999999999999999 | 86400 |  -1",
                "max=99999999999999999999999     |    -1 | 86400",
                "timeout=9, timeout=5, timeout=7 |     5 |  -1",
                ",, timeout=5, ,                 |     5 |  -1",
                "timeout=x, timeout=5            |     5 |  -1",
                "parser, timeout=5, x=y          |     5 |  -1",
            })
    void whatItSays(String value, long seconds, int max) {
        assertThat(read("Keep-Alive: " + value)).isEqualTo(said(seconds, max));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``", "300", "timeout", "timeout=", "timeout=\"\"", "timeout=-1", "timeout=+5", "timeout=5s",
                "timeout=5 6", "timeout=.5", "timeout==5", "timeouts=5", "xtimeout=5", "time out=5", "timeout:5", "=5"
            })
    void whatIsNoNumberSaysNothing(String value) {
        assertThat(read("Keep-Alive: " + value)).isEqualTo(said(-1, -1));
    }

    @Test
    void severalLinesAreOneList() {
        assertThat(read("Keep-Alive: timeout=5", "X: y", "keep-alive: timeout=3, max=8"))
                .isEqualTo(said(3, 8));
    }

    @Test
    void withoutTheFieldNothingIsSaid() {
        assertThat(read("Content-Length: 5")).isSameAs(KeepAlive.NOTHING);
        assertThat(KeepAlive.NOTHING).isEqualTo(said(-1, -1));
    }
}
