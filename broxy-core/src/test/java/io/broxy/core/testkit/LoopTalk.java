package io.broxy.core.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.broxy.core.internal.loop.ChannelEvents;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.net.LoopConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Runs tasks on an event loop, and waits for their results. Threading: stateless. */
public final class LoopTalk {
    private LoopTalk() {}

    /** Begins a task on a loop that completes a future. */
    public static <T> CompletableFuture<T> begin(EventLoop loop, Consumer<CompletableFuture<T>> task) {
        CompletableFuture<T> future = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                task.accept(future);
            } catch (RuntimeException | Error e) {
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    /** Runs a task on a loop that completes a future, and waits for its value. */
    public static <T> T on(EventLoop loop, Consumer<CompletableFuture<T>> task) throws Exception {
        return begin(loop, task).get(Peer.PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Runs a task on a loop, and waits for its end. */
    public static void run(EventLoop loop, Runnable task) throws Exception {
        on(loop, future -> {
            task.run();
            future.complete(null);
        });
    }

    /** Sends a text over a connection of the loop, and reads so many bytes back. */
    public static String ask(EventLoop loop, LoopConnection connection, String text, int answerBytes) throws Exception {
        return on(loop, future -> {
            ByteBuffer in = ByteBuffer.allocate(answerBytes);
            connection.handler(new ChannelEvents() {
                @Override
                public void ready(int readyOps) {
                    try {
                        if (connection.read(in) < 0) {
                            throw new IOException("the stream ended");
                        }
                        if (!in.hasRemaining()) {
                            connection.interest(0);
                            future.complete(new String(in.array(), ISO_8859_1));
                        }
                    } catch (IOException e) {
                        future.completeExceptionally(e);
                    }
                }

                @Override
                public void abandoned(Throwable cause) {
                    connection.close();
                    future.completeExceptionally(cause);
                }
            });
            try {
                connection.write(ByteBuffer.wrap(text.getBytes(ISO_8859_1)));
                connection.interest(SelectionKey.OP_READ);
            } catch (IOException e) {
                future.completeExceptionally(e);
            }
        });
    }
}
