package io.broxy.core.internal.loop;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Waits on NIO channels with a selector.
 *
 * <p>Threading: as {@link Poller} says.
 */
public final class SelectorPoller implements Poller {
    private final Selector selector;
    private final PendingCloses closes = new PendingCloses();
    /** Created once: a method reference per select would be the only allocation of a relayed message. */
    private final Consumer<SelectionKey> dispatch = this::dispatch;

    /** Whether another thread than the loop's selects, which must be woken for each change. */
    private final boolean selectedElsewhere;

    private @Nullable EventLoop loop;

    /** A poller for a loop that selects by itself. */
    SelectorPoller() throws IOException {
        this(false);
    }

    SelectorPoller(boolean selectedElsewhere) throws IOException {
        this.selectedElsewhere = selectedElsewhere;
        selector = Selector.open();
    }

    /** Registers a non-blocking channel; the key's attachment receives its events. */
    SelectionKey register(SelectableChannel channel, int ops, ChannelEvents events) throws ClosedChannelException {
        SelectionKey key = channel.register(selector, ops, events);
        changed();
        return key;
    }

    /** Changes what a channel waits for. */
    void interest(SelectionKey key, int ops) {
        key.interestOps(ops);
        changed();
    }

    /** Closes a registered channel after the next select. */
    void close(SelectionKey key) {
        closes.close(key);
        changed();
    }

    /** Deregisters a channel, and runs a task once the deregistration is complete. */
    void release(SelectionKey key, Runnable task) {
        closes.release(key, task);
        changed();
    }

    private void changed() {
        if (selectedElsewhere) {
            selector.wakeup();
        }
    }

    /** Waits until a channel is ready or the poller is woken, but delivers nothing; for the thread that selects. */
    void await() throws IOException {
        selector.select();
        selector.selectedKeys().clear();
    }

    @Override
    public void poll(EventLoop receiver, long millis) throws IOException {
        loop = receiver;
        closes.beforeSelect();
        try {
            if (millis == 0) {
                selector.selectNow(dispatch);
            } else {
                selector.select(dispatch, Math.max(millis, 0)); // to select, 0 means "no limit"
            }
        } finally {
            closes.afterSelect();
        }
    }

    private void dispatch(SelectionKey key) {
        EventLoop receiver = loop;
        if (key.isValid() && receiver != null) {
            if (!receiver.deliver((ChannelEvents) key.attachment(), key.readyOps()) && key.isValid()) {
                close(key);
            }
        }
    }

    @Override
    public SelectorPoller selector(EventLoop receiver) {
        return this;
    }

    @Override
    public SelectorPoller registered() {
        return this;
    }

    @Override
    public void wakeup() {
        selector.wakeup();
    }

    @Override
    public boolean hasPendingCloses() {
        return !closes.isEmpty();
    }

    @Override
    public void afterClosing(Runnable task) {
        closes.afterClosing(task);
    }

    @Override
    public int channels() {
        try {
            return selector.keys().size();
        } catch (ClosedSelectorException e) {
            return 0;
        }
    }

    @Override
    public boolean isEmpty() {
        return selector.keys().isEmpty();
    }

    @Override
    public void abandonAll(EventLoop stopping, Throwable cause) {
        for (SelectionKey key : selector.keys()) {
            if (key.isValid()) {
                stopping.abandon((ChannelEvents) key.attachment(), cause);
                if (key.isValid()) {
                    close(key);
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        selector.keys().forEach(key -> PendingCloses.closeNow(key.channel()));
        selector.close();
    }
}
