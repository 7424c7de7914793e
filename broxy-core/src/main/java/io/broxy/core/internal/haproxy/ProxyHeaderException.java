package io.broxy.core.internal.haproxy;

/**
 * A header of the PROXY protocol that is refused; the connection is to be cut (proxy-protocol.txt, section 2). The
 * message is a fixed text which names the rule that was broken and has no bytes of the peer in it. There is no stack
 * trace: the place in the parser is of no interest.
 *
 * <p>Threading: immutable.
 */
public final class ProxyHeaderException extends Exception {
    private static final long serialVersionUID = 1L;

    ProxyHeaderException(String rule) {
        super(rule, null, false, false);
    }
}
