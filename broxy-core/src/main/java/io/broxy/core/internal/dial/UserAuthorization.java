package io.broxy.core.internal.dial;

import io.broxy.DialException;
import io.broxy.DialException.Reason;
import io.broxy.HostPort;
import io.broxy.HttpProxyDialer;
import io.broxy.ProxyAuthentication;
import io.broxy.ProxyReply;
import io.broxy.core.internal.http.HeadWriter;
import io.broxy.core.internal.loop.EventLoop;
import io.broxy.core.internal.upstream.ProxyAuthorization;
import io.broxy.core.internal.upstream.ProxyLogin;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Values of {@code Proxy-Authorization} that a user's code gives, which may block and may throw: it runs on an executor.
 *
 * <p>Threading: thread-safe.
 */
final class UserAuthorization implements ProxyAuthorization {
    private final ProxyAuthentication user;
    private final boolean answersChallenges;
    private final HostPort proxy;
    private final Executor executor;

    private UserAuthorization(ProxyAuthentication user, boolean answersChallenges, HostPort proxy, Executor executor) {
        this.user = user;
        this.answersChallenges = answersChallenges;
        this.proxy = proxy;
        this.executor = executor;
    }

    /** A scheme of any number of legs. */
    static UserAuthorization of(ProxyAuthentication user, HostPort proxy, Executor executor) {
        return new UserAuthorization(user, true, proxy, executor);
    }

    /** One value for each request, which a challenge does not change. */
    static UserAuthorization ofOneValue(HttpProxyDialer.Authorization user, HostPort proxy, Executor executor) {
        return new UserAuthorization(request -> new OneValue(user, request.target()), false, proxy, executor);
    }

    @Override
    public ProxyLogin begin(EventLoop loop, Supplier<ProxyAuthentication.Request> request) {
        return new UserLogin(loop, request.get());
    }

    /** Threading: as a {@link ProxyAuthentication.Session}. */
    private record OneValue(HttpProxyDialer.Authorization user, HostPort target)
            implements ProxyAuthentication.Session {
        @Override
        public @Nullable String first() {
            return user.authorize(target);
        }

        @Override
        public @Nullable String answer(ProxyReply reply) {
            return null;
        }
    }

    /** A part of a user's code. Threading: for one thread. */
    @FunctionalInterface
    private interface Call<T extends @Nullable Object> {
        T run() throws IOException;
    }

    /** Threading: owned by its event loop; the session is used by one call after the other. */
    private final class UserLogin implements ProxyLogin {
        private final EventLoop loop;
        private final ProxyAuthentication.Request request;
        private ProxyAuthentication.@Nullable Session session;

        UserLogin(EventLoop loop, ProxyAuthentication.Request request) {
            this.loop = loop;
            this.request = request;
        }

        @Override
        public void first(Consumer<@Nullable String> ready, Consumer<DialException> failed) {
            ask(
                    () -> {
                        session = Objects.requireNonNull(user.begin(request), "the authentication gave no session");
                        return checked(session().first());
                    },
                    ready,
                    failed);
        }

        @Override
        public boolean answersChallenges() {
            return answersChallenges;
        }

        @Override
        public void answer(ProxyReply challenge, Consumer<@Nullable String> ready, Consumer<DialException> failed) {
            ask(() -> checked(session().answer(challenge)), ready, failed);
        }

        @Override
        public void accepted(ProxyReply reply, Runnable ready, Consumer<DialException> failed) {
            ask(
                    () -> {
                        session().accepted(reply);
                        return null;
                    },
                    ignored -> ready.run(),
                    failed);
        }

        private ProxyAuthentication.Session session() {
            return Objects.requireNonNull(session, "a session that has begun");
        }

        /** What is no field value is refused before there is a connection. */
        private static @Nullable String checked(@Nullable String value) {
            if (value != null) {
                HeadWriter.request("CONNECT", "checked.invalid:443").field("Proxy-Authorization", value);
            }
            return value;
        }

        private void ask(
                Call<@Nullable String> call, Consumer<@Nullable String> ready, Consumer<DialException> failed) {
            try {
                executor.execute(() -> {
                    loop.tryExecute(run(call, ready, failed)); // the end of a loop has ended what waits for this
                });
            } catch (RejectedExecutionException e) {
                failed.accept(failure(e));
            }
        }

        private Runnable run(
                Call<@Nullable String> call, Consumer<@Nullable String> ready, Consumer<DialException> failed) {
            try {
                String value = call.run();
                return () -> ready.accept(value);
            } catch (Throwable e) {
                return () -> failed.accept(failure(e));
            }
        }

        private DialException failure(Throwable cause) {
            return DialException.builder(Reason.PROXY_AUTH, request.target())
                    .proxy(proxy)
                    .cause(cause)
                    .build();
        }
    }
}
