package io.broxy.core.internal.epoll;

import io.broxy.core.internal.net.PeerEndedException;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.ProtocolException;
import java.net.SocketException;

/** Error numbers of Linux as the exceptions that NIO throws for them. */
final class Errors {
    static final int EINTR = 4;
    static final int EAGAIN = 11;
    static final int EPIPE = 32;
    static final int ECONNABORTED = 103;
    static final int EISCONN = 106;
    static final int ENOTCONN = 107;
    static final int EALREADY = 114;
    static final int EINPROGRESS = 115;

    private Errors() {}

    static IOException of(int number) {
        return switch (number) {
            case EPIPE -> new PeerEndedException(new IOException("Broken pipe"));
            case 104 -> new SocketException("Connection reset");
            case 111 -> new ConnectException("Connection refused");
            case 110 -> new ConnectException("Connection timed out");
            case 113 -> new NoRouteToHostException("No route to host");
            case 98 -> new BindException("Address already in use");
            case 99 -> new BindException("Cannot assign requested address");
            case 13 -> new BindException("Permission denied");
            case 101 -> new SocketException("Network is unreachable");
            case 24 -> new IOException("Too many open files");
            case 23 -> new IOException("Too many open files in system");
            case 105 -> new SocketException("No buffer space available");
            case ECONNABORTED -> new SocketException("Software caused connection abort");
            case 12 -> new SocketException("Cannot allocate memory");
            case 22 -> new SocketException("Invalid argument");
            case 1 -> new SocketException("Operation not permitted");
            case 9 -> new SocketException("Bad file descriptor");
            case 71 -> new ProtocolException("Protocol error");
            case 97 -> new SocketException("Address family not supported by protocol");
            case 100 -> new SocketException("Network is down");
            case 112 -> new SocketException("Host is down");
            case ENOTCONN -> new ConnectException("Transport endpoint is not connected");
            default -> new SocketException("error " + number + " of the system");
        };
    }
}
