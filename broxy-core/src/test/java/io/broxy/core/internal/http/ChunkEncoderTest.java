package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.Feeding.bytes;
import static io.broxy.core.internal.http.Feeding.requestHead;
import static io.broxy.core.internal.http.Feeding.responseHead;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.ByteArrayOutputStream;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies the chunks that are written (RFC 9112, section 7.1), and their trailers (RFC 9110, section 6.5.1). */
class ChunkEncoderTest {

    private static String text(ByteBuffer out) {
        byte[] bytes = new byte[out.position()];
        out.get(0, bytes);
        return new String(bytes, ISO_8859_1);
    }

    private static ForwardedRequest request(String connection) throws BadHeadException {
        return ForwardedRequest.of(
                requestHead("GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: " + connection + "\r\n\r\n"));
    }

    /** As a decoder gives them. */
    private static @Nullable Fields trailers(String... lines) throws BadHeadException {
        BodyDecoder decoder = BodyDecoder.request(BodyFraming.CHUNKED);
        String section = lines.length == 0 ? "" : String.join("\r\n", lines) + "\r\n";
        assertThat(decoder.next(ByteBuffer.wrap(bytes("0\r\n" + section + "\r\n"))))
                .isEqualTo(BodyDecoder.END);
        return decoder.trailers();
    }

    private static int room(@Nullable Fields trailers) {
        return ChunkEncoder.LAST_BYTES + (trailers == null ? 0 : trailers.linesLength());
    }

    private static String last(ForwardedRequest request, @Nullable Fields trailers) {
        ByteBuffer out = ByteBuffer.allocate(room(trailers));
        request.writeLastChunk(trailers, out);
        return text(out);
    }

    // ------------------------------------------------------------------ chunks

    @ParameterizedTest
    @CsvSource({
        "1, 1",
        "9, 9",
        "10, a",
        "15, f",
        "16, 10",
        "17, 11",
        "255, ff",
        "256, 100",
        "4095, fff",
        "4096, 1000",
        "65535, ffff",
        "65536, 10000",
        "1048577, 100001",
    })
    void aSizeIsAHexadecimalNumberWithoutLeadingZeros(int count, String size) {
        ByteBuffer data = ByteBuffer.allocate(count + 1);
        ByteBuffer out = ByteBuffer.allocate(count + ChunkEncoder.OVERHEAD);
        ChunkEncoder.chunk(data, count, out);

        assertThat(text(out)).isEqualTo(size + "\r\n" + "\0".repeat(count) + "\r\n");
        assertThat(data.position()).isEqualTo(count);
    }

    @Test
    void aChunkIsTakenFromWhereTheDataIsAndPutBehindWhatIsThere() {
        ByteBuffer data = ByteBuffer.allocateDirect(20).put(bytes("xxhelloyyy")).position(2);
        ByteBuffer out = ByteBuffer.allocateDirect(100).put(bytes("before "));
        ChunkEncoder.chunk(data, 5, out);
        ChunkEncoder.chunk(data, 2, out);

        assertThat(text(out)).isEqualTo("before 5\r\nhello\r\n2\r\nyy\r\n");
        assertThat(data.position()).isEqualTo(9);
        assertThat(data.limit()).isEqualTo(20);
    }

    @Test
    void aChunkHasAtLeastOneByteForNoneWouldBeTheLast() {
        ByteBuffer data = ByteBuffer.allocate(3);
        ByteBuffer out = ByteBuffer.allocate(100);

        for (int count : new int[] {0, -1, 4, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> ChunkEncoder.chunk(data, count, out));
        }
        assertThat(out.position()).isZero();
        assertThat(data.position()).isZero();
    }

    @Test
    void theLargestSizeFitsIntoTheOverhead() {
        ByteBuffer out = ByteBuffer.allocate(Ascii.MAX_HEX_DIGITS);
        Ascii.putHex(Integer.MAX_VALUE, out);

        assertThat(text(out)).isEqualTo("7fffffff");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 9, 10, 99, 100, 1_000_000_000, 2_147_483_646, Integer.MAX_VALUE})
    void decimalNumbersAreWrittenAsTheyAre(int number) {
        ByteBuffer out = ByteBuffer.allocate(Ascii.MAX_DECIMAL_DIGITS);
        Ascii.putDecimal(number, out);

        assertThat(text(out)).isEqualTo(Integer.toString(number));
    }

    /** Whatever is written is read back, whichever way it comes. */
    @Test
    @Tag("sweep")
    void theDecoderReadsWhatWasWritten() throws BadHeadException {
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            byte[] content = new byte[1 + random.nextInt(400)];
            random.nextBytes(content);
            ByteBuffer data = ByteBuffer.wrap(content);
            ByteBuffer out = ByteBuffer.allocate(content.length * (1 + ChunkEncoder.OVERHEAD) + 100);
            while (data.hasRemaining()) {
                ChunkEncoder.chunk(data, 1 + random.nextInt(data.remaining()), out);
            }
            request("x").writeLastChunk(trailers("A: " + round), out);
            byte[] written = Arrays.copyOf(out.array(), out.position());

            assertThat(decode(written, 1 + random.nextInt(20))).isEqualTo(content);
        }
    }

    private static byte[] decode(byte[] bytes, int piece) throws BadHeadException {
        BodyDecoder decoder = BodyDecoder.request(BodyFraming.CHUNKED);
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        int end = 0;
        for (int from = 0; from < bytes.length; from += piece) {
            ByteBuffer in = ByteBuffer.wrap(bytes, from, Math.min(piece, bytes.length - from));
            int count;
            while ((count = decoder.next(in)) > 0) {
                content.write(bytes, in.position(), count);
                in.position(in.position() + count);
            }
            end = count;
        }
        assertThat(end).isEqualTo(BodyDecoder.END);
        Fields trailers = decoder.trailers();
        assertThat(trailers).isNotNull();
        assertThat(trailers.contains("A")).isTrue();
        return content.toByteArray();
    }

    // ------------------------------------------------------------------ trailers

    @Test
    void withoutTrailersTheEndIsFiveBytes() throws BadHeadException {
        assertThat(trailers()).isNull();
        assertThat(last(request("x"), null)).isEqualTo("0\r\n\r\n");
        assertThat(ChunkEncoder.LAST_BYTES).isEqualTo(5);
    }

    @Test
    void trailersArePassedInTheirOrderWithTheirBytesUntouched() throws BadHeadException {
        assertThat(last(request("x"), trailers("b:  1 ", "A: gr\u00fcn", "B: 2", "Empty:", "Server-Timing: x")))
                .isEqualTo("0\r\nb:  1 \r\nA: gr\u00fcn\r\nB: 2\r\nEmpty:\r\nServer-Timing: x\r\n\r\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Transfer-Encoding",
                "Content-Length",
                "Trailer",
                "Host",
                "Via",
                "Max-Forwards",
                "Authorization",
                "WWW-Authenticate",
                "Cookie",
                "Set-Cookie",
                "Proxy-Authenticate",
                "Proxy-Authorization",
                "Proxy-Status",
                "Connection",
                "Keep-Alive",
                "Proxy-Connection",
                "TE",
                "Upgrade",
                "HTTP2-Settings",
                "Expect",
                "Range",
                "Pragma",
                "If-Match",
                "If-None-Match",
                "If-Modified-Since",
                "If-Range",
                "Cache-Control",
                "Age",
                "Date",
                "Expires",
                "Location",
                "Retry-After",
                "Vary",
                "Warning",
                "Content-Type",
                "Content-Encoding",
                "Content-Range",
                "Content-Location",
                "CONTENT-type",
                "hOsT",
                "if-x",
            })
    void whatHasToBeKnownBeforeTheContentIsLeftOut(String name) throws BadHeadException {
        String line = name + ": x";

        assertThat(last(request("x"), trailers(line))).isEqualTo("0\r\n\r\n");
        assertThat(last(request("x"), trailers("A: 1", line, line, "B: 2", line)))
                .isEqualTo("0\r\nA: 1\r\nB: 2\r\n\r\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Digest", "Repr-Digest", "Digest", "ETag", "Server-Timing", "Authentication-Info",
                        "grpc-status",
                "Contents-Length", "Hosts", "X-Host", "Content", "If", "Proxy", "Dates",
            })
    void otherTrailersArePassed(String name) throws BadHeadException {
        assertThat(last(request("x"), trailers(name + ": x"))).isEqualTo("0\r\n" + name + ": x\r\n\r\n");
    }

    @Test
    void whatConnectionNamesIsLeftOutInTrailersToo() throws BadHeadException {
        Fields trailers = trailers("X-One: 1", "x-two: 2", "X-Three: 3");

        assertThat(last(request("x-one, X-TWO, close"), trailers)).isEqualTo("0\r\nX-Three: 3\r\n\r\n");
        ForwardedResponse response = ForwardedResponse.of(
                responseHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: X-Three\r\n\r\n"),
                request("x"));
        ByteBuffer out = ByteBuffer.allocate(room(trailers));
        response.writeLastChunk(trailers, out);
        assertThat(text(out)).isEqualTo("0\r\nX-One: 1\r\nx-two: 2\r\n\r\n");
    }

    @Test
    void theRoomThatIsNamedIsNeeded() throws BadHeadException {
        Fields trailers = trailers("A: 1", "B: 2");
        ByteBuffer small = ByteBuffer.allocate(room(trailers) - 1);
        ForwardedRequest request = request("x");

        assertThatExceptionOfType(BufferOverflowException.class)
                .isThrownBy(() -> request.writeLastChunk(trailers, small));
    }

    // ------------------------------------------------------------------ where trailers come from

    @Test
    void onlyAChunkedBodyHasTrailersAndOnlyAtItsEnd() throws BadHeadException {
        BodyDecoder chunked = BodyDecoder.request(BodyFraming.CHUNKED);
        assertThat(chunked.next(ByteBuffer.wrap(bytes("0\r\nA: b\r\n")))).isZero();
        assertThatIllegalStateException().isThrownBy(chunked::trailers);
        assertThat(chunked.next(ByteBuffer.wrap(bytes("\r\nNEXT")))).isEqualTo(BodyDecoder.END);
        Fields trailers = chunked.trailers();
        assertThat(trailers).isNotNull();
        assertThat(trailers.first("a")).isEqualTo("b");

        for (BodyFraming other : new BodyFraming[] {BodyFraming.NONE, BodyFraming.length(3), BodyFraming.UNTIL_CLOSE}) {
            assertThat(BodyDecoder.request(other).trailers()).isNull();
        }
    }
}
