package io.broxy.examples.clients;

import jakarta.mail.Session;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Properties;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocketFactory;

/** Angus Mail (Jakarta Mail): the properties of a session take a socket factory for each protocol. */
final class MailRecipe {
    private MailRecipe() {}

    /** Plain connections, which turn to TLS by STARTTLS where the server offers it. */
    static Session session(SocketFactory sockets, SSLSocketFactory startTls, Duration timeout) {
        Properties properties = new Properties();
        for (String protocol : new String[] {"smtp", "imap", "pop3"}) {
            String prefix = "mail." + protocol + ".";
            properties.put(prefix + "socketFactory", sockets);
            properties.put(
                    prefix + "socketFactory.fallback", "false"); // or a failed dial is repeated without the factory
            properties.put(prefix + "connectiontimeout", String.valueOf(timeout.toMillis()));
            properties.put(prefix + "timeout", "10000");
            properties.put(prefix + "starttls.enable", "true");
            properties.put(prefix + "ssl.socketFactory", startTls); // layers TLS over the dialed socket
        }
        return Session.getInstance(properties);
    }

    /** TLS from the first byte: {@code imaps}, {@code smtps}, {@code pop3s}. */
    static Session sessionWithTls(SSLSocketFactory tlsSockets, Duration timeout) {
        SocketFactory connecting = new ConnectingTlsSockets(tlsSockets);
        Properties properties = new Properties();
        for (String protocol : new String[] {"smtps", "imaps", "pop3s"}) {
            String prefix = "mail." + protocol + ".";
            properties.put(prefix + "ssl.socketFactory", connecting);
            properties.put(prefix + "socketFactory.fallback", "false");
            properties.put(prefix + "connectiontimeout", String.valueOf(timeout.toMillis()));
            properties.put(prefix + "timeout", "10000");
        }
        return Session.getInstance(properties);
    }

    /**
     * TLS sockets that connect by themselves. An {@link SSLSocketFactory} would be asked for TLS over a socket only,
     * which Jakarta Mail connects itself, without the dialer.
     */
    private static final class ConnectingTlsSockets extends SocketFactory {
        private final SSLSocketFactory sockets;

        ConnectingTlsSockets(SSLSocketFactory sockets) {
            this.sockets = sockets;
        }

        @Override
        public Socket createSocket() throws IOException {
            return sockets.createSocket();
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return sockets.createSocket(host, port);
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
            return sockets.createSocket(host, port, localHost, localPort);
        }

        @Override
        public Socket createSocket(InetAddress host, int port) throws IOException {
            return sockets.createSocket(host, port);
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort)
                throws IOException {
            return sockets.createSocket(host, port, localHost, localPort);
        }
    }
}
