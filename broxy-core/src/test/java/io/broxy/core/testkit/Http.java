package io.broxy.core.testkit;

import io.broxy.HostPort;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** HTTP/1.1 messages as scripts write and read them. Threading: stateless. */
public final class Http {
    private Http() {}

    /**
     * A message.
     *
     * @param head up to and with the empty line
     * @param body without the framing
     * @param trailers the trailer section of a chunked body, without the empty line
     */
    public record Message(String head, String body, String trailers) {
        /** The status of a response. */
        public int status() {
            return Integer.parseInt(head.substring(9, 12));
        }
    }

    /** A request to a proxy, without a body of its own. */
    public static String request(String method, HostPort origin, String path, String... fields) {
        return method + " http://" + origin + path + " HTTP/1.1\r\nHost: " + origin + "\r\n" + lines(fields) + "\r\n";
    }

    /** A GET to a proxy. */
    public static String get(HostPort origin, String path, String... fields) {
        return request("GET", origin, path, fields);
    }

    /** A POST to a proxy, with a body of known length. */
    public static String post(HostPort origin, String path, String body) {
        return request("POST", origin, path, "Content-Length: " + body.length()) + body;
    }

    /** A response with a body of known length. */
    public static String ok(String body, String... fields) {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n" + lines(fields) + "\r\n" + body;
    }

    private static String lines(String... fields) {
        StringBuilder lines = new StringBuilder();
        for (String field : fields) {
            lines.append(field).append("\r\n");
        }
        return lines.toString();
    }

    /** Reads a message that its head delimits; without a framing field it has no body. */
    public static Message read(Peer peer) throws IOException {
        String head = peer.readHead();
        if (head.contains("\r\nTransfer-Encoding: chunked\r\n")) {
            return readChunks(peer, head);
        }
        String length = value(head, "Content-Length");
        return new Message(head, length == null ? "" : peer.readText(Integer.parseInt(length)), "");
    }

    private static Message readChunks(Peer peer, String head) throws IOException {
        StringBuilder body = new StringBuilder();
        while (true) {
            int size = Integer.parseInt(peer.readLine(), 16);
            if (size == 0) {
                break;
            }
            body.append(peer.readText(size));
            peer.readLine();
        }
        StringBuilder trailers = new StringBuilder();
        for (String line = peer.readLine(); !line.isEmpty(); line = peer.readLine()) {
            trailers.append(line).append("\r\n");
        }
        return new Message(head, body.toString(), trailers.toString());
    }

    /** The value of the first field with this name, or null. */
    public static @Nullable String value(String head, String name) {
        int line = head.indexOf("\r\n" + name + ": ");
        if (line < 0) {
            return null;
        }
        int start = line + name.length() + 4;
        return head.substring(start, head.indexOf("\r\n", start));
    }

    /** An origin that answers every request with its method, path and body. */
    public static Origin echo() throws IOException {
        return Origin.start(Http::echo);
    }

    /** An {@link #echo()} that promises to keep its connections for long, so that any request may follow another. */
    public static Origin promisingEcho() throws IOException {
        return Origin.start(peer -> {
            while (true) {
                Message request = read(peer);
                String[] line = request.head().split(" ", 3);
                peer.send(ok(line[0] + " " + line[1] + " " + request.body(), "Keep-Alive: timeout=600"));
            }
        });
    }

    /** The script of {@link #echo()}. */
    public static void echo(Peer peer) throws IOException {
        while (true) {
            Message request = read(peer); // until the client's end, which is an IOException
            String[] line = request.head().split(" ", 3);
            peer.send(ok(line[0] + " " + line[1] + " " + request.body()));
        }
    }
}
