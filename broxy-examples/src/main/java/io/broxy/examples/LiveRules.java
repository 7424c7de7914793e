package io.broxy.examples;

import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.RoutingDialer;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A dialer that follows a file of rules while the file changes. Rules, proxies and the pool are replaced together; tunnels
 * that stand go on. What cannot be used is told in one line, and the old rules stay.
 *
 * <p>Threading: started by one thread; after that {@link #look} runs on the watch's thread alone, and the dialer is
 * thread-safe.
 */
final class LiveRules implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveRules.class);

    /** How often the file is read if nothing seems to happen to it. */
    private static final Duration PERIOD = Duration.ofSeconds(5);

    private final Path file;
    private final RoutingDialer dialer;
    private final ListenAddress listen;
    private final boolean listenIsOurs;
    private final Duration dialTimeout;
    private final Deque<OldPool> oldPools = new ArrayDeque<>();
    private Upstreams upstreams;
    private FileContent seen;
    private ListenAddress listenSeen;
    private @Nullable FileWatch watch;

    /** A pool that dials which began earlier may still use until then. Threading: immutable. */
    private record OldPool(ConnPool pool, long endNanos) {}

    private LiveRules(
            Path file,
            FileContent seen,
            Upstreams upstreams,
            RuleFile content,
            @Nullable ListenAddress listen,
            Duration dialTimeout) {
        this.file = file;
        this.seen = seen;
        this.upstreams = upstreams;
        this.listenIsOurs = listen == null;
        this.listen = listen == null ? content.listen() : listen;
        this.listenSeen = content.listen();
        this.dialTimeout = dialTimeout;
        RoutingDialer.Builder builder = upstreams.broxy().routingDialer().rules(content.rules());
        upstreams.hops().forEach(builder::hop);
        this.dialer = builder.build();
    }

    /**
     * Reads the file and follows it from then on.
     *
     * @param toProxies reaches the proxies of the file
     * @param listen where to listen whatever the file says, or null to do as it says
     * @param dialTimeout no dial takes longer
     * @throws IOException if the file cannot be used
     */
    static LiveRules start(
            Broxy broxy, Dialer toProxies, Path file, @Nullable ListenAddress listen, Duration dialTimeout)
            throws IOException {
        FileContent seen = FileContent.of(file);
        RuleFile content = RuleFile.parse(file, seen.bytes());
        Upstreams upstreams = Upstreams.of(broxy, toProxies, content);
        LiveRules rules = new LiveRules(file, seen, upstreams, content, listen, dialTimeout);
        rules.watch = FileWatch.start(file, PERIOD, rules::look);
        return rules;
    }

    /** Dials by the rules of the day. */
    RoutingDialer dialer() {
        return dialer;
    }

    /** Where to listen. */
    ListenAddress listen() {
        return listen;
    }

    private void look() {
        closeOldPools();
        FileContent now = FileContent.of(file);
        if (now.isLike(seen)) {
            return;
        }
        seen = now;
        try {
            RuleFile content = RuleFile.parse(file, now.bytes());
            replace(content);
            log.info(
                    "{}: reloaded: {}, {} proxies",
                    file,
                    content.rules(),
                    content.proxies().size());
            tellListen(content.listen());
        } catch (IOException e) {
            log.warn("{}; the old rules stay", e.getMessage());
        }
    }

    private void replace(RuleFile content) throws IOException {
        Upstreams next = upstreams.next(content);
        dialer.replace(content.rules(), next.hops());
        if (next.pool() != upstreams.pool()) {
            oldPools.add(new OldPool(upstreams.pool(), System.nanoTime() + dialTimeout.toNanos()));
        }
        upstreams = next;
    }

    /** A dial that took the old rules a moment before they were replaced must not find its pool closed. */
    private void closeOldPools() {
        long now = System.nanoTime();
        for (OldPool old = oldPools.peek(); old != null && now - old.endNanos >= 0; old = oldPools.peek()) {
            old.pool.close();
            oldPools.remove();
        }
    }

    private void tellListen(ListenAddress now) {
        if (listenIsOurs && !now.equals(listenSeen)) {
            log.warn("{}: it says to listen on {} now, which takes a restart; it is still {}", file, now, listen);
        }
        listenSeen = now;
    }

    /** Stops to follow the file. */
    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
