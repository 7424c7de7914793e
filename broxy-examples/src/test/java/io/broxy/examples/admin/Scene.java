package io.broxy.examples.admin;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.broxy.Authenticator;
import io.broxy.Cidr;
import io.broxy.DialRequest;
import io.broxy.Dialer;
import io.broxy.HostPort;
import io.broxy.ProxyHandler;
import io.broxy.Route;
import io.broxy.RoutingDialer;
import io.broxy.Rules;
import io.broxy.core.Broxy;
import io.broxy.core.testkit.HeldPort;
import io.broxy.core.testkit.Http;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import io.broxy.core.testkit.Proxy;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * A company's proxy at work, for pictures: everything runs on the loopback, under names and addresses that are reserved for
 * documentation.
 *
 * <p>Threading: for one thread.
 */
final class Scene implements AutoCloseable {
    private static final int TUNNELS = 48;
    private static final int PORT_OF_MAIL = 25;
    private static final HostPort DOWN = HostPort.of("down.example.net", 443);

    private static final List<String> USERS = List.of("alice", "bob", "carol", "dave", "erin", "build-7", "backup");
    private static final List<HostPort> TARGETS = List.of(
            HostPort.of("www.example.org", 443),
            HostPort.of("api.example.com", 443),
            HostPort.of("cdn.example.net", 443),
            HostPort.of("registry.example.org", 443),
            HostPort.of("git.corp.example", 22),
            HostPort.of("db.corp.example", 5432),
            HostPort.of("mail.partner.example", 993),
            HostPort.of("files.partner.example", 443));

    private final Random random = new Random(18);
    private final Origin sized = Origin.start(Scene::answerInSize);
    private final Origin web = Http.echo();
    private final Proxy corp = Proxy.start((broxy, settings) -> settings.dialer(mapped(broxy)));
    private final OperatedProxy operated;
    private final Deque<Peer> tunnels = new ArrayDeque<>();
    private final List<RoutingDialer> dialers = new ArrayList<>();

    Scene() throws IOException {
        operated = OperatedProxy.start(
                AdminToken.of(OperatedProxy.TOKEN),
                () -> dialers.get(0).hops().stream().map(UpstreamView::of).toList(),
                this::settings);
    }

    private void settings(Broxy broxy, ProxyHandler.Builder settings) {
        RoutingDialer rules = broxy.routingDialer()
                .direct(mapped(broxy))
                .hop(
                        "corp",
                        broxy.httpProxyDialer(
                                        HostPort.of("127.0.0.1", corp.address().getPort()))
                                .pool(broxy.connPool().build())
                                .build())
                .hop("branch", broxy.httpProxyDialer(HeldPort.refusing()).build())
                .rules(Rules.builder()
                        .domain("corp.example", Route.via("corp"))
                        .domain("partner.example", Route.via("branch", "corp"))
                        .otherwise(Route.direct())
                        .build())
                .build();
        dialers.add(rules);
        settings.dialer(rules)
                .authenticator(Authenticator.basic("proxy", (user, password) -> true))
                .accessPolicy(request -> request.target().port() != PORT_OF_MAIL)
                .proxyProtocol(Cidr.parse("127.0.0.0/8"));
    }

    /** Whatever the target, it is on this machine, and as far away as it would be. */
    private Dialer mapped(Broxy broxy) {
        Dialer direct = broxy.directDialer().build();
        return request -> {
            try {
                TimeUnit.MILLISECONDS.sleep(4 + (long) Math.exp(random.nextGaussian() + 2.2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            HostPort target = request.target().equals(DOWN)
                    ? HeldPort.refusing()
                    : request.target().port() == 80 ? web.target() : sized.target();
            return direct.dial(DialRequest.to(target));
        };
    }

    /** Each message begins with the number of bytes that the answer has, and of those that follow. */
    private static void answerInSize(Peer peer) throws IOException {
        DataInputStream in = new DataInputStream(peer.socket().getInputStream());
        try {
            while (true) {
                int size = in.readInt();
                in.skipNBytes(in.readInt());
                peer.send(new byte[size]);
            }
        } catch (EOFException e) {
            // the client has what it wanted
        }
    }

    OperatedProxy operated() {
        return operated;
    }

    // ------------------------------------------------------------------ clients

    private Peer client() throws IOException {
        boolean six = random.nextInt(5) == 0;
        String address = six
                ? "2001:db8::" + Integer.toHexString(random.nextInt(64) + 1)
                : "192.0.2." + (random.nextInt(60) + 1);
        return operated.proxy()
                .client()
                .send("PROXY TCP" + (six ? "6 " : "4 ") + address + (six ? " 2001:db8::ffff " : " 198.51.100.1 ")
                        + (40_000 + random.nextInt(20_000)) + " 3128\r\n");
    }

    private String login() {
        String user = USERS.get(Math.min(random.nextInt(USERS.size()), random.nextInt(USERS.size())));
        return "Proxy-Authorization: Basic " + Base64.getEncoder().encodeToString((user + ":x").getBytes(UTF_8))
                + "\r\n\r\n";
    }

    private void connect(HostPort target, boolean loggedIn) throws IOException {
        String head = Proxy.connectHead(target);
        Peer client = client().send(loggedIn ? head.substring(0, head.length() - 2) + login() : head);
        if (client.readHead().startsWith("HTTP/1.1 200 ")) {
            tunnels.add(client);
        } else {
            client.close();
        }
    }

    private HostPort target() {
        return TARGETS.get(Math.min(random.nextInt(TARGETS.size()), random.nextInt(TARGETS.size())));
    }

    private void forward() throws IOException {
        String request = Http.get(HostPort.of("packages.example.org", 80), "/index");
        try (Peer client = client().send(request.substring(0, request.length() - 2) + login())) {
            Http.read(client);
        }
    }

    // ------------------------------------------------------------------ what happens in a second

    /** Lets a second pass, with more or less traffic. */
    void second(int number) throws IOException {
        long start = System.nanoTime();
        while (tunnels.size() < TUNNELS) {
            connect(target(), true);
        }
        if (random.nextInt(3) == 0) {
            tunnels.remove().close();
        }
        forward();
        happen(30, DOWN, true);
        happen(60, HostPort.of("mail.example.org", PORT_OF_MAIL), true);
        happen(40, target(), false);
        double tide = 1.3 + Math.sin(number / 55.0) + (number % 190 < 12 ? 2.5 : 0);
        List<Peer> talking = new ArrayList<>(tunnels);
        for (int i = 0; i < talking.size(); i++) {
            double appetite = Math.pow(0.86, i % 17) * tide * random.nextDouble();
            int size = (int) (900_000 * appetite * appetite);
            boolean uploads = i % 5 == 0;
            talk(talking.get(i), uploads ? 200 : size, uploads ? size : 200);
        }
        long left = TimeUnit.SECONDS.toNanos(1) - (System.nanoTime() - start);
        if (left > 0) {
            try {
                TimeUnit.NANOSECONDS.sleep(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void happen(int oneIn, HostPort target, boolean loggedIn) throws IOException {
        if (random.nextInt(oneIn) == 0) {
            connect(target, loggedIn);
        }
    }

    private static void talk(Peer client, int size, int more) throws IOException {
        client.send(ByteBuffer.allocate(2 * Integer.BYTES + more)
                .putInt(size)
                .putInt(more)
                .array());
        client.read(size);
    }

    @Override
    public void close() throws IOException {
        for (Peer tunnel : tunnels) {
            tunnel.close();
        }
        operated.close();
        corp.close();
        sized.close();
        web.close();
    }
}
