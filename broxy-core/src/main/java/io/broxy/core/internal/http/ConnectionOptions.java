package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * What Connection says in a head (RFC 9110, section 7.6.1): options about this connection, and names of fields that are
 * meant for the next hop only.
 *
 * <p>An option that names a field which every hop needs to find the end of the message, or its host, is refused. A recipient
 * that obeys and removes that field reads another message than one that does not.
 *
 * <p>Threading: immutable.
 */
final class ConnectionOptions {
    private static final String CONNECTION = "Connection";

    private static final ConnectionOptions NONE =
            new ConnectionOptions(new Fields(new byte[0], new int[0], 0), false, false, null);

    private final Fields fields;
    private final boolean close;
    private final boolean upgrade;
    private final @Nullable BitSet named;

    private ConnectionOptions(Fields fields, boolean close, boolean upgrade, @Nullable BitSet named) {
        this.fields = fields;
        this.close = close;
        this.upgrade = upgrade;
        this.named = named;
    }

    /**
     * Reads the options of a request.
     *
     * @throws BadHeadException if one of them is no token, or names a field that it must not
     */
    static ConnectionOptions ofRequest(Fields fields) throws BadHeadException {
        return read(fields, false);
    }

    /**
     * Reads the options of a response. What is no token is no name of a field, so it changes nothing for others; whatever
     * else was meant, it is taken for {@code close}.
     *
     * @throws BadHeadException if one of them names a field that it must not
     */
    static ConnectionOptions ofResponse(Fields fields) throws BadHeadException {
        return read(fields, true);
    }

    private static ConnectionOptions read(Fields fields, boolean anyOption) throws BadHeadException {
        if (!fields.contains(CONNECTION)) {
            return NONE;
        }
        boolean close = false;
        boolean upgrade = false;
        for (ListMembers options = new ListMembers(fields, CONNECTION); options.next(); ) {
            if (options.isToken()) {
                refuseFramingName(options);
            } else if (anyOption) {
                close = true;
            } else {
                throw syntax("a connection option is not a token");
            }
            close |= options.is("close");
            upgrade |= options.is("upgrade");
        }
        return new ConnectionOptions(fields, close, upgrade, namedAmong(fields, fields));
    }

    private static void refuseFramingName(ListMembers option) throws BadHeadException {
        if (option.is("Content-Length") || option.is("Transfer-Encoding")) {
            throw new BadHeadException(Problem.FRAMING, "Connection names a field that frames the message");
        }
        if (option.is("Host")) {
            throw new BadHeadException(Problem.HOST, "Connection names Host");
        }
    }

    /** Whether the connection ends with this message. */
    boolean close() {
        return close;
    }

    /** Whether Upgrade is meant. */
    boolean upgrade() {
        return upgrade;
    }

    /** Whether a field of the head is named by an option, and so goes no further. */
    boolean name(int index) {
        return named != null && named.get(index);
    }

    /** Which fields of a trailer section are named by an option, or null if none is. */
    @Nullable
    BitSet namedAmong(Fields trailers) {
        try {
            return namedAmong(fields, trailers);
        } catch (BadHeadException e) {
            throw new AssertionError("the options have been read before", e);
        }
    }

    private static @Nullable BitSet namedAmong(Fields fields, Fields others) throws BadHeadException {
        BitSet named = null;
        for (ListMembers options = new ListMembers(fields, CONNECTION); options.next(); ) {
            for (int i = 0; i < others.size(); i++) {
                if (options.isNameOf(others, i)) {
                    named = named == null ? new BitSet(others.size()) : named;
                    named.set(i);
                }
            }
        }
        return named;
    }
}
