package io.broxy.core.testkit;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An origin, or a proxy that plays the origins as well, that logs connections in, and not requests: NTLM in three legs, Negotiate in two or in one (RFC 4559). Each
 * request over a connection that is logged in is its user's, with or without credentials. Basic credentials (of a user, with
 * no password) are for one request. An answer's body names the user and the number of the connection.
 *
 * <pre>
 *   client                              origin, over the connection with number 7
 *   (nothing)                           401  Negotiate; NTLM; Basic realm="NTLM"
 *   NTLM begin                          401  NTLM challenge-7
 *   NTLM alice-answers-challenge-7      200  alice 7        (another connection's challenge: 401)
 *   Negotiate begin                     401  Negotiate challenge-7
 *   Negotiate alice-answers-challenge-7 200  alice 7
 *   Negotiate ticket-of-alice           200  alice 7
 * </pre>
 *
 * <p>A proxy says 407 for 401. It opens the tunnel that a user's CONNECT asks for, sends {@code alice 7} and a line end, and then
 * echoes.
 */
public final class LoginOrigin implements AutoCloseable {
    private static final String ANSWERS = "-answers-challenge-";
    private static final String TICKET = "ticket-of-";

    private final AtomicInteger connections = new AtomicInteger();
    private final List<Peer> peers = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final boolean proxy;
    private final Origin origin;

    private LoginOrigin(boolean proxy) throws IOException {
        this.proxy = proxy;
        origin = Origin.start(this::serve);
    }

    /** Starts an origin. */
    public static LoginOrigin start() throws IOException {
        return new LoginOrigin(false);
    }

    /** Starts a proxy. */
    public static LoginOrigin startProxy() throws IOException {
        return new LoginOrigin(true);
    }

    /** The server. */
    public Origin origin() {
        return origin;
    }

    /** What came, in its order: method, path, the number of the connection, and the credentials if there were some. */
    public List<String> requests() {
        return requests;
    }

    /** Ends a connection, by its number, from 1. */
    public void end(int connection) throws IOException {
        peers.get(connection - 1).close();
    }

    private void serve(Peer peer) throws IOException {
        int number;
        synchronized (peers) {
            peers.add(peer);
            number = connections.incrementAndGet();
        }
        String user = null;
        boolean challenged = false;
        while (true) {
            Http.Message request = Http.read(peer);
            String credentials = Http.value(request.head(), proxy ? "Proxy-Authorization" : "Authorization");
            String[] line = request.head().split(" ", 3);
            requests.add(line[0] + " " + line[1] + " over " + number + (credentials == null ? "" : ": " + credentials));
            if (credentials != null && credentials.endsWith(" begin")) {
                user = null;
                challenged = true;
                peer.send(unauthorized(line[0], credentials.replace(" begin", " challenge-" + number)));
                continue;
            }
            if (credentials != null && !credentials.startsWith("Basic ")) {
                user = challenged || credentials.contains(TICKET) ? user(credentials, number) : null;
                challenged = false;
            }
            String now = credentials != null && credentials.startsWith("Basic ") ? credentials.substring(6) : user;
            if (now != null && line[0].equals("CONNECT")) {
                peer.send("HTTP/1.1 200 OK\r\n\r\n" + now + " " + number + "\r\n");
                peer.socket().getInputStream().transferTo(peer.socket().getOutputStream());
                return;
            }
            peer.send(
                    now == null
                            ? unauthorized(line[0], "Negotiate", "NTLM, Basic realm=\"NTLM\"")
                            : answer(now, number, request, line[0]));
        }
    }

    private static @Nullable String user(String credentials, int connection) {
        String token = credentials.substring(credentials.indexOf(' ') + 1);
        if (token.startsWith(TICKET)) {
            return token.substring(TICKET.length());
        }
        return token.endsWith(ANSWERS + connection) ? token.substring(0, token.indexOf(ANSWERS)) : null;
    }

    private static String answer(String user, int connection, Http.Message request, String method) {
        String body = user + " " + connection + (request.body().isEmpty() ? "" : " " + request.body());
        String whole = Http.ok(body);
        return method.equals("HEAD") ? whole.substring(0, whole.length() - body.length()) : whole;
    }

    private String unauthorized(String method, String... challenges) {
        StringBuilder response = new StringBuilder("HTTP/1.1 " + (proxy ? 407 : 401) + " Unauthorized\r\n");
        for (String challenge : challenges) {
            response.append(proxy ? "Proxy-Authenticate: " : "WWW-Authenticate: ")
                    .append(challenge)
                    .append("\r\n");
        }
        String body = "who?";
        response.append("Content-Length: ").append(body.length()).append("\r\n\r\n");
        return response + (method.equals("HEAD") ? "" : body);
    }

    // ------------------------------------------------------------------ clients

    /** The field with the first leg of a login. */
    public static String begin(String scheme) {
        return "Authorization: " + scheme + " begin";
    }

    /** The field with the last leg of a login, after the answer to the first. */
    public static String answer(String scheme, String user, Http.Message challenge) {
        String value = String.valueOf(Http.value(challenge.head(), "WWW-Authenticate"));
        return "Authorization: " + scheme + " " + user + ANSWERS + value.substring(value.lastIndexOf('-') + 1);
    }

    /** As {@link #answer}, for a proxy. */
    public static String proxyAnswer(String scheme, String user, Http.Message challenge) {
        String value = String.valueOf(Http.value(challenge.head(), "Proxy-Authenticate"));
        return "Proxy-Authorization: " + scheme + " " + user + ANSWERS + value.substring(value.lastIndexOf('-') + 1);
    }

    @Override
    public void close() throws IOException {
        origin.close();
    }
}
