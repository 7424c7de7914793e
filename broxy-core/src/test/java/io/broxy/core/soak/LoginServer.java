package io.broxy.core.soak;

import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A web server that logs connections in, in three legs (RFC 4559), and names the connection's user in {@code X-User}. The field
 * {@code X-Soak} names the client, with the user after its number.
 *
 * <p>Threading: thread-safe.
 */
@SuppressWarnings("StringConcatToTextBlock") // whose lines would not end with CRLF
final class LoginServer {
    private final Ledger ledger;
    private final AtomicInteger connections = new AtomicInteger();

    private LoginServer(Ledger ledger) {
        this.ledger = ledger;
    }

    static Origin start(Ledger ledger) throws IOException {
        return Origin.start(new LoginServer(ledger)::play);
    }

    private void play(Peer peer) throws IOException {
        Wire wire = new Wire(peer.socket());
        wire.waitForever();
        Login login = new Login(connections.incrementAndGet());
        for (long before = 0; wire.line() != null; before = wire.received()) {
            answer(wire, login, before);
        }
    }

    private void answer(Wire wire, Login login, long before) throws IOException {
        int client = -1;
        String asks = "";
        String credentials = "";
        for (String field = wire.line(); field != null && !field.isEmpty(); field = wire.line()) {
            String lower = field.toLowerCase(Locale.ROOT);
            String value = field.substring(field.indexOf(':') + 1).trim();
            if (lower.startsWith("x-soak:")) {
                String[] words = value.split(" ", 2);
                client = Integer.parseInt(words[0]);
                asks = words[1];
            } else if (lower.startsWith("authorization:")) {
                credentials = value;
            }
        }
        Account account = ledger.of(client);
        account.originBegins();
        try {
            account.origin(books -> books.exchangeUp += wire.received() - before);
            String answer = login.leg(credentials);
            if (login.user != null && !login.user.equals(client + " " + asks)) {
                ledger.fault(account + " has the connection of " + login.user);
            }
            wire.send(answer);
        } finally {
            account.originEnds();
        }
    }

    /** How far a connection's login has come. Threading: for one thread. */
    private static final class Login {
        private final int connection;
        private boolean challenged;
        private @Nullable String user;

        Login(int connection) {
            this.connection = connection;
        }

        /** Takes what a request brings to it, and answers. */
        String leg(String credentials) {
            String[] words = credentials.split(" ", 4);
            if (words.length == 2) {
                user = null;
                challenged = true;
                return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " + words[0] + " " + connection
                        + "\r\nContent-Length: 0\r\n\r\n";
            }
            if (words.length == 4) {
                user = challenged && words[1].equals(String.valueOf(connection)) ? words[2] + " " + words[3] : null;
                challenged = false;
            }
            return user == null
                    ? "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n"
                            + "Content-Length: 0\r\n\r\n"
                    : "HTTP/1.1 200 OK\r\nX-User: " + user + "\r\nContent-Length: 0\r\n\r\n";
        }
    }
}
