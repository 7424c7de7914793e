package io.broxy.core.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** One client for its role: its identity, connections, books and randomness. Threading: for one thread. */
final class Client implements AutoCloseable {
    private static final int WAIT_MILLIS = 100;
    private static final int SMALL = 64 << 10;

    private final int number;
    private final Scene scene;
    private final CountDownLatch stop;
    private final Random random;
    private final Account account;
    private final List<Wire> wires = new ArrayList<>();
    private final List<Socket> sockets = new ArrayList<>();

    /**
     * Opens its account.
     *
     * @param random the same for the same client of the same seed
     * @param stop counted down when the soak wants to end
     */
    Client(int number, String name, Scene scene, Random random, CountDownLatch stop) {
        this.number = number;
        this.scene = scene;
        this.stop = stop;
        this.random = random;
        this.account = scene.ledger().open(number, name);
    }

    int number() {
        return number;
    }

    Scene scene() {
        return scene;
    }

    Account account() {
        return account;
    }

    Pattern up() {
        return Pattern.up(number);
    }

    Pattern down() {
        return Pattern.down(number);
    }

    // ------------------------------------------------------------------ chance

    int below(int bound) {
        return random.nextInt(bound);
    }

    boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    byte[] noise(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Mostly small, sometimes as much as that. */
    int size(int most) {
        return random.nextInt(1 + (oneIn(8) ? most : Math.min(most, oneIn(2) ? 1 << 10 : SMALL)));
    }

    /** Where it goes: most of the time directly, else over the other proxy. */
    String host() {
        return oneIn(3) ? Scene.FAR : Scene.DIRECT;
    }

    // ------------------------------------------------------------------ connections

    /** A connection to the proxy. */
    Wire connect() throws IOException {
        return connect(Ledger.address(number), 0);
    }

    /** One that takes little at a time. */
    Wire connectNarrow() throws IOException {
        return connect(Ledger.address(number), 8 << 10);
    }

    /** A connection of a trusted load balancer, which must still send the client's address. */
    Wire connectAsBalancer() throws IOException {
        return connect(Ledger.balancer(number), 0);
    }

    /** One to the port where clients speak TLS. */
    Socket connectForTls() throws IOException {
        return connect(Ledger.address(number), 0, scene.tlsAddress());
    }

    private Wire connect(byte[] from, int receiveBuffer) throws IOException {
        return with(connect(from, receiveBuffer, scene.address()));
    }

    /** The connection of a socket, which is closed with this client. */
    Wire with(Socket socket) throws IOException {
        Wire wire = new Wire(socket);
        wires.add(wire);
        return wire;
    }

    private Socket connect(byte[] from, int receiveBuffer, InetSocketAddress to) throws IOException {
        Socket socket = new Socket();
        sockets.add(socket);
        try {
            if (receiveBuffer > 0) {
                socket.setReceiveBufferSize(receiveBuffer);
            }
            socket.bind(new InetSocketAddress(InetAddress.getByAddress(from), 0));
            socket.connect(to, Peer.PATIENCE_MILLIS);
            account.connected();
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** The field with its credentials, and the end of the line. */
    String credentials() {
        return authorization(Scene.password(Scene.user(number)));
    }

    /** The field with its name and some password. */
    String authorization(String password) {
        return field(Scene.user(number), password);
    }

    /** The same for another client at its address. */
    String authorization(String other, String password) {
        return field(other + "-" + number, password);
    }

    private static String field(String user, String password) {
        byte[] pair = (user + ":" + password).getBytes(UTF_8);
        return "Proxy-Authorization: Basic " + Base64.getEncoder().encodeToString(pair) + "\r\n";
    }

    /** The head of a CONNECT, with credentials. */
    String connectHead(String host, int port) {
        String target = host + ":" + port;
        return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + credentials() + "\r\n";
    }

    /** Connects through the proxy; fails if that is refused. */
    Wire tunnel(String host) throws IOException {
        return tunnel(connect(), host);
    }

    Wire tunnel(Wire wire, String host) throws IOException {
        account.client(books -> books.tunnels++);
        wire.send(connectHead(host, scene.tunnelPort()));
        check("HTTP/1.1 200 OK".equals(wire.line()) && "".equals(wire.line()), "the tunnel does not stand");
        return wire;
    }

    /** The head of a request that is forwarded, without its empty line. */
    String requestHead(String method, String host, int port, HttpOrigin.Kind kind, long bytes) {
        String authority = host + ":" + port;
        return method + " http://" + authority + HttpOrigin.path(kind, bytes) + " HTTP/1.1\r\nHost: " + authority
                + "\r\n" + credentials() + "X-Soak: " + number + "\r\n";
    }

    // ------------------------------------------------------------------ time and ends

    /** Waits; false if the soak wants to end, and so should the client. */
    boolean pause(long millis) throws InterruptedException {
        return !stop.await(millis, TimeUnit.MILLISECONDS);
    }

    /** Waits until something comes; false if the soak wants to end before, and so should the client. */
    boolean await(Wire wire) throws IOException, InterruptedException {
        while (pause(0)) {
            if (wire.comes(WAIT_MILLIS)) {
                return true;
            }
        }
        return false;
    }

    /** Fails unless it is so. */
    void check(boolean fine, String otherwise) {
        if (!fine) {
            throw new AssertionError(otherwise);
        }
    }

    @Override
    public void close() throws IOException {
        for (Wire wire : wires) {
            wire.close();
        }
        for (Socket socket : sockets) {
            socket.close();
        }
        account.over();
    }
}
