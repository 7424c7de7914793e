package io.broxy.core.internal.proxy;

import io.broxy.CloseReason;
import io.broxy.ConnectRequest;
import io.broxy.LocalRequest;
import io.broxy.LocalRequestHandler;
import io.broxy.LocalResponse;
import io.broxy.RefusedException;
import io.broxy.core.internal.http.BadHeadException;
import io.broxy.core.internal.http.BodyDecoder;
import io.broxy.core.internal.http.Fields;
import io.broxy.core.internal.http.ForwardedRequest;
import io.broxy.core.internal.http.Rejection;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.loop.LoopBuffers;
import io.broxy.core.internal.net.LoopConnection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A request to the proxy itself: its body is collected, the embedder's handler is asked, and the answer is written.
 *
 * <pre>
 *   READING ──> ASKED ──> ANSWERING ──> OVER   (its client goes on, or a {@link FinalResponse} ends it)
 * </pre>
 *
 * <p>Threading: owned by the client's event loop, but for {@link #ask}, which runs on the callback executor.
 */
final class LocalStep implements Step {
    private enum State {
        READING,
        ASKED,
        ANSWERING,
        OVER
    }

    private final RequestLoop requests;
    private final ClientConnection connection;
    private final LocalRequestHandler handler;
    private final HandlerSettings.Timeouts timeouts;
    private final ForwardedRequest request;
    private final EventLoop loop;
    private final LoopConnection client;
    private final BodyDecoder decoder;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream(0);

    private State state = State.READING;
    private ByteBuffer out = Responses.NOTHING;
    private boolean persistent;
    /** The status of the answer, once there is one. */
    private int status;
    /** The reason why the handler gave no answer; null if it did. */
    private @Nullable Throwable failure;

    private LocalStep(RequestLoop requests, LocalRequestHandler handler, ForwardedRequest request) {
        this.requests = requests;
        this.connection = requests.connection();
        this.handler = handler;
        this.timeouts = connection.timeouts();
        this.request = request;
        this.loop = connection.loop();
        this.client = connection.client();
        this.decoder = BodyDecoder.request(request.body());
    }

    /**
     * Begins.
     *
     * @param request whose target has neither host nor port
     * @param unread whether something that came behind the request's head waits at the client's connection
     */
    static void start(RequestLoop requests, LocalRequestHandler handler, ForwardedRequest request, boolean unread) {
        ClientConnection connection = requests.connection();
        if (!connection.metrics().tryBeginExchange()) {
            connection.refuse(Rejection.DRAINING.exception(), !request.method().equals("HEAD"));
            return;
        }
        LocalStep step = new LocalStep(requests, handler, request);
        connection.step(step);
        step.begin(unread);
    }

    private void begin(boolean unread) {
        if (request.body().length() > LocalRequest.MAX_BODY) {
            refuse(Rejection.BODY_TOO_LARGE.exception());
        } else if (request.body().isEmpty()) {
            send();
        } else {
            if (request.expectsContinue() && !unread) {
                out = Responses.goOn();
            }
            due(timeouts.bodyNanos());
            flush();
        }
    }

    private void due(long nanos) {
        connection.due(loop.nowNanos() + nanos);
    }

    // ------------------------------------------------------------------ READING

    @Override
    public void ready(int readyOps) {
        if ((readyOps & SelectionKey.OP_WRITE) != 0 && out.hasRemaining()) {
            flush();
        }
        if ((readyOps & SelectionKey.OP_READ) != 0 && state == State.READING) {
            read();
        }
    }

    private void read() {
        ByteBuffer in = loop.buffers().shared().limit(LoopBuffers.MIN_READ);
        try {
            if (client.read(in) < 0) {
                connection.clientGone(null);
                return;
            }
            if (take(in.flip())) {
                client.unread(in);
                send();
            } else {
                due(timeouts.bodyNanos());
            }
        } catch (BadHeadException e) {
            refuse(Rejection.of(e));
        } catch (RefusedException e) {
            refuse(e);
        } catch (IOException e) {
            connection.clientGone(e);
        }
    }

    /** True when the body is whole. */
    private boolean take(ByteBuffer in) throws BadHeadException, RefusedException {
        int count;
        while ((count = decoder.next(in)) > 0) {
            if (body.size() + count > LocalRequest.MAX_BODY) {
                throw Rejection.BODY_TOO_LARGE.exception();
            }
            byte[] part = new byte[count];
            in.get(part);
            body.writeBytes(part);
        }
        return count == BodyDecoder.END;
    }

    // ------------------------------------------------------------------ ASKED

    private void send() {
        state = State.ASKED;
        out = Responses.NOTHING; // a client that has sent the body needs no 100 (Continue)
        due(timeouts.localRequestNanos());
        connection.waitFor(0);
        Asked asked = new Asked(
                request.method(),
                request.head().target(),
                fields(request.head().fields()),
                ByteBuffer.wrap(body.toByteArray()).asReadOnlyBuffer(),
                connection.facts().address());
        try {
            connection.context().engine().workers().callbacks().execute(() -> ask(asked));
        } catch (RejectedExecutionException e) {
            answerInstead(503, e); // the engine ends
        }
    }

    private static List<ConnectRequest.Field> fields(Fields received) {
        List<ConnectRequest.Field> fields = new ArrayList<>(received.size());
        for (int i = 0; i < received.size(); i++) {
            fields.add(new ConnectRequest.Field(received.name(i), received.value(i)));
        }
        return List.copyOf(fields);
    }

    /** What the handler sees. Threading: immutable. */
    private record Asked(
            @Override String method,
            @Override String target,
            @Override List<ConnectRequest.Field> fields,
            ByteBuffer bytes,
            @Override @Nullable InetAddress client)
            implements LocalRequest {
        @Override
        public ByteBuffer body() {
            return bytes.duplicate();
        }

        /** Names the method only: targets, fields and bodies may hold secrets. */
        @Override
        public String toString() {
            return "LocalRequest[" + method + "]";
        }
    }

    /** On a thread for user code. */
    private void ask(Asked asked) {
        LocalResponse response;
        try {
            response = Objects.requireNonNull(handler.handle(asked), "the handler gave no response");
        } catch (Throwable e) { // it is the user's code
            DefaultProxyHandler.log.error("a handler of the proxy's own requests failed", e);
            connection.onLoop(() -> handlerFailed(e));
            return;
        }
        connection.onLoop(() -> answered(response));
    }

    private void answered(LocalResponse response) {
        if (state == State.ASKED) { // else it is too late
            answer(Responses.own(response, withBody(), mayPersist()));
        }
    }

    private void handlerFailed(Throwable e) {
        if (state == State.ASKED) {
            answerInstead(Responses.INTERNAL_ERROR, e);
        }
    }

    private void answerInstead(int status, Throwable e) {
        failure = e;
        answer(Responses.noOwnAnswer(status, withBody(), mayPersist()));
    }

    private boolean withBody() {
        return !request.method().equals("HEAD");
    }

    private boolean mayPersist() {
        persistent = request.persistent() && requests.mayPersist();
        return persistent;
    }

    // ------------------------------------------------------------------ ANSWERING

    private void answer(Answer reply) {
        state = State.ANSWERING;
        out = reply.bytes();
        status = reply.status();
        due(timeouts.bodyNanos());
        flush();
    }

    private void flush() {
        try {
            if (client.write(out) > 0 && state == State.ANSWERING) {
                due(timeouts.bodyNanos());
            }
        } catch (IOException e) {
            connection.clientGone(e);
            return;
        }
        if (state == State.ANSWERING && !out.hasRemaining()) {
            written();
        } else {
            int reading = state == State.READING ? SelectionKey.OP_READ : 0;
            connection.waitFor(reading | (out.hasRemaining() ? SelectionKey.OP_WRITE : 0));
        }
    }

    private void written() {
        end();
        record(failure == null ? CloseReason.FINISHED : CloseReason.FAILED, failure);
        if (persistent) {
            requests.next();
        } else {
            connection.last(Answer.NONE, CloseReason.FINISHED, null);
        }
    }

    // ------------------------------------------------------------------ ends

    private void refuse(RefusedException refusal) {
        end();
        connection.refuse(refusal, withBody());
    }

    private void end() {
        state = State.OVER;
        connection.account().exchangeEnded();
        connection.metrics().endExchange(0, 0);
    }

    /** Records the end, unless the request is refused, which is recorded as that. */
    private void record(CloseReason reason, @Nullable Throwable cause) {
        connection.recorder().exchanged(status, 0, 0, reason, cause, null);
    }

    @Override
    public void timedOut() {
        switch (state) {
            case READING -> refuse(Rejection.BODY_TIMEOUT.exception());
            case ASKED -> {
                DefaultProxyHandler.log.warn(
                        "a handler of the proxy's own requests did not answer within {} ms",
                        TimeUnit.NANOSECONDS.toMillis(timeouts.localRequestNanos()));
                answerInstead(503, new TimeoutException());
            }
            case ANSWERING -> connection.abort(CloseReason.IDLE, null);
            case OVER -> {}
        }
    }

    @Override
    public void stopped(CloseReason reason, @Nullable Throwable cause) {
        end();
        record(reason, cause);
    }
}
