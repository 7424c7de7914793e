package io.broxy.core.soak;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Clients that log their connections in at an origin. Threading: stateless. */
final class Logins {
    private Logins() {}

    /** One user's connection. Threading: for one thread. */
    private static final class User {
        private final Client client;
        private final String host;
        private final Wire wire;
        private final String name;
        private final String scheme;

        /** The content of the last response, or null. */
        private @Nullable String challenge;

        private @Nullable String user;
        private int status;

        User(Client client, String host, String name) throws IOException {
            this.client = client;
            this.host = host;
            this.wire = client.connect();
            this.name = name;
            this.scheme = client.oneIn(2) ? "NTLM" : "Negotiate";
        }

        void ask(String credentials) throws IOException {
            String authority = host + ":" + client.scene().loginPort();
            client.account().client(books -> books.exchanges++);
            wire.send("GET http://" + authority + "/ HTTP/1.1\r\nHost: " + authority + "\r\n" + client.credentials()
                    + "X-Soak: " + client.number() + " " + name + "\r\n" + credentials + "\r\n");
        }

        void read() throws IOException {
            long before = wire.received();
            String line = wire.line();
            client.check(line != null && line.startsWith("HTTP/1.1 "), "no answer, but " + line);
            status = Integer.parseInt(String.valueOf(line).substring(9, 12));
            challenge = null;
            user = null;
            for (String field = wire.line(); field != null && !field.isEmpty(); field = wire.line()) {
                String value = field.substring(field.indexOf(':') + 1).trim();
                if (field.toLowerCase(Locale.ROOT).startsWith("www-authenticate: " + scheme.toLowerCase(Locale.ROOT))) {
                    challenge = value;
                } else if (field.startsWith("X-User:")) {
                    user = value;
                }
            }
            client.account().client(books -> books.exchangeDown += wire.received() - before);
        }

        void first() throws IOException {
            ask("Authorization: " + scheme + " begin\r\n");
        }

        void last() throws IOException {
            client.check(status == 401 && challenge != null, "no challenge, but " + status);
            ask("Authorization: " + challenge + " " + client.number() + " " + name + "\r\n");
        }

        void checkLoggedIn() {
            client.check(
                    status == 200 && (client.number() + " " + name).equals(user),
                    name + " is taken for " + user + ", with " + status);
        }
    }

    /** Two users at one origin, with all requests concurrent; a third one that has not logged in gets nothing. */
    static void pair(Client client) throws IOException {
        String host = client.host();
        if (host.equals(Scene.FAR)) {
            client.account().headsChange();
        }
        List<User> both = new ArrayList<>(List.of(new User(client, host, "one"), new User(client, host, "two")));
        if (client.oneIn(2)) {
            together(both, user -> user.ask(""));
            both.forEach(user -> client.check(user.status == 401, "without credentials " + user.status));
        }
        together(both, User::first);
        together(both, User::last);
        both.forEach(User::checkLoggedIn);
        for (int requests = client.below(6); requests > 0; requests--) {
            together(both, user -> user.ask(""));
            both.forEach(User::checkLoggedIn);
        }
        if (client.oneIn(3)) {
            both.remove(0).wire.close();
            both.add(new User(client, host, "three"));
            together(both, user -> user.ask(""));
            both.get(0).checkLoggedIn();
            client.check(both.get(1).status == 401, "three got in with " + both.get(1).status);
        }
    }

    /** Asks a question of a user. Threading: for one thread. */
    @FunctionalInterface
    private interface Question {
        void ask(User user) throws IOException;
    }

    private static void together(List<User> users, Question question) throws IOException {
        for (User user : users) {
            question.ask(user);
        }
        for (User user : users) {
            user.read();
        }
    }
}
