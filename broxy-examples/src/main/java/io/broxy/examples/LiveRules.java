package io.broxy.examples;

import io.broxy.ConnPool;
import io.broxy.Dialer;
import io.broxy.RoutingDialer;
import io.broxy.core.Broxy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A dialer that follows a file of rules while the file changes. Rules, proxies and the pool are replaced together;
 * tunnels that are open continue. An error is logged in one line, and the old rules stay.
 *
 * <p>Threading: started by one thread; after that {@link #use} and {@link #tend} run on one thread at a time, and the
 * dialer is thread-safe.
 */
final class LiveRules implements LiveFile.Use, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveRules.class);

    private static final String NO_DEFAULT =
            "there is no default rule (match: default), so targets that no rule matches are refused with 403";

    private final Path file;
    private final RoutingDialer dialer;
    private final ListenPoint listen;
    private final boolean listenIsOurs;
    private final Duration dialTimeout;
    private final Deque<OldPool> oldPools = new ArrayDeque<>();
    private Upstreams upstreams;
    private ListenAddress listenSeen;
    private @Nullable LiveFile live;

    /** A pool that dials which began earlier may still use until then. Threading: immutable. */
    private record OldPool(ConnPool pool, long endNanos) {}

    private LiveRules(
            Path file,
            Dialer direct,
            Upstreams upstreams,
            RuleFile content,
            @Nullable ListenPoint listen,
            Duration dialTimeout) {
        this.file = file;
        this.upstreams = upstreams;
        this.listenIsOurs = listen == null;
        this.listen = listen == null ? content.listen() : listen;
        this.listenSeen = content.listen();
        this.dialTimeout = dialTimeout;
        RoutingDialer.Builder builder =
                upstreams.broxy().routingDialer().direct(direct).rules(content.rules());
        upstreams.hops().forEach(builder::hop);
        this.dialer = builder.build();
    }

    /**
     * Reads the file and follows it from then on.
     *
     * @param direct reaches the targets that go through no proxy
     * @param toProxies reaches the proxies of the file
     * @param listen where to listen whatever the file says, or null to do as it says
     * @param dialTimeout no dial takes longer
     * @throws IOException if the file cannot be used
     */
    static LiveRules start(
            Broxy broxy, Dialer direct, Dialer toProxies, Path file, @Nullable ListenPoint listen, Duration dialTimeout)
            throws IOException {
        FileContent seen = FileContent.of(file);
        RuleFile content = RuleFile.parse(file, seen.bytes());
        Upstreams upstreams = Upstreams.of(broxy, toProxies, content);
        LiveRules rules = new LiveRules(file, direct, upstreams, content, listen, dialTimeout);
        if (!content.hasDefault()) {
            log.warn("{}: {}", file, NO_DEFAULT);
        }
        rules.live = LiveFile.follow(file, seen, rules);
        return rules;
    }

    /** Dials by the rules of the day. */
    RoutingDialer dialer() {
        return dialer;
    }

    /** Where to listen. */
    ListenPoint listen() {
        return listen;
    }

    /** The file. */
    LiveFile live() {
        return Objects.requireNonNull(live);
    }

    @Override
    public LiveFile.Outcome use(byte[] bytes) throws IOException {
        RuleFile content = RuleFile.parse(file, bytes);
        replace(content);
        List<String> warnings = new ArrayList<>();
        if (!content.hasDefault()) {
            warnings.add(NO_DEFAULT);
        }
        if (listenIsOurs && !content.listen().equals(listenSeen)) {
            warnings.add("the listening address is now " + content.listen()
                    + ", which takes a restart; still listening on " + listen);
        }
        listenSeen = content.listen();
        String text = content.rules() + ", " + content.proxies().size() + " proxies";
        return new LiveFile.Outcome(
                !warnings.isEmpty(),
                Stream.concat(Stream.of(text), warnings.stream()).collect(Collectors.joining("; ")));
    }

    @Override
    public String old() {
        return "the old rules";
    }

    private void replace(RuleFile content) throws IOException {
        Upstreams next = upstreams.next(content);
        dialer.replace(content.rules(), next.hops());
        if (next.pool() != upstreams.pool()) {
            oldPools.add(new OldPool(upstreams.pool(), System.nanoTime() + dialTimeout.toNanos()));
        }
        upstreams = next;
    }

    /**
     * Closes old pools. A dial that took the old rules a moment before they were replaced must not find its pool
     * closed.
     */
    @Override
    public void tend() {
        long now = System.nanoTime();
        for (OldPool old = oldPools.peek(); old != null && now - old.endNanos >= 0; old = oldPools.peek()) {
            old.pool.close();
            oldPools.remove();
        }
    }

    /** Stops to follow the file. */
    @Override
    public void close() {
        live().close();
    }
}
