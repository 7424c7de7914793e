package io.broxy.core.internal.haproxy;

/**
 * A PROXY header is malformed, so the connection must be closed (proxy-protocol.txt, section 2). The message is a fixed text
 * that names the violated rule and contains no bytes of the peer. There is no stack trace, since the position in the parser is
 * irrelevant.
 *
 * <p>Threading: immutable.
 */
public final class ProxyHeaderException extends Exception {
    private static final long serialVersionUID = 1L;

    ProxyHeaderException(String rule) {
        super(rule, null, false, false);
    }
}
