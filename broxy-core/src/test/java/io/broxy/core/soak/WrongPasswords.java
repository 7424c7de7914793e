package io.broxy.core.soak;

import io.broxy.core.soak.HttpOrigin.Kind;
import io.broxy.core.soak.Messages.Answer;
import java.io.IOException;

/**
 * Clients behind one address: two that repeat an outdated password, one that guesses another user's, and one whose password is
 * right, which must not notice the others. Threading: stateless.
 */
final class WrongPasswords {
    private static final int ROUNDS = 12;

    /** One more than is free, so that the last one has to wait. */
    private static final int GUESSES = 6;

    private WrongPasswords() {}

    /** Plays all of them in turn. */
    static void behindOneAddress(Client client) throws Exception {
        Wire first = client.connect();
        Wire second = client.connect();
        Wire guessing = client.connect();
        Wire right = client.connect();
        int guesses = 0;
        for (int round = 0; round < ROUNDS && client.pause(0); round++) {
            refused(client, first, client.authorization("roommate", "outdated"));
            refused(client, second, client.authorization("roommate", "outdated"));
            if (guesses < GUESSES) {
                ask(client, guessing, client.authorization("victim", "guess " + guesses++));
                if (guesses < GUESSES) {
                    expect407(client, guessing);
                }
            }
            served(client, right);
        }
        if (guesses == GUESSES) {
            expect407(client, guessing); // its turn has come
        }
    }

    private static void ask(Client client, Wire wire, String authorization) throws IOException {
        client.account().client(books -> books.refusals++);
        wire.send("GET http://" + Scene.DIRECT + ":" + client.scene().httpPort() + "/length/1 HTTP/1.1\r\nHost: "
                + Scene.DIRECT + "\r\n" + authorization + "\r\n");
    }

    private static void expect407(Client client, Wire wire) throws IOException {
        Answer answer = Messages.read(wire, client.down(), false);
        client.check(answer.own() && answer.status() == 407, "a wrong password was answered with " + answer.status());
    }

    private static void refused(Client client, Wire wire, String authorization) throws IOException {
        ask(client, wire, authorization);
        expect407(client, wire);
    }

    private static void served(Client client, Wire wire) throws IOException {
        client.account().client(books -> books.exchanges++);
        long before = wire.received();
        wire.send(client.requestHead("GET", Scene.DIRECT, client.scene().httpPort(), Kind.LENGTH, 100) + "\r\n");
        Answer answer = Messages.read(wire, client.down(), false);
        client.account().client(books -> books.exchangeDown += wire.received() - before);
        client.check(
                answer.status() == 200, "beside wrong ones, a right password was answered with " + answer.status());
    }
}
