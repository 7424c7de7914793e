package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import io.broxy.core.internal.http.BadHeadException.Problem;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The options of a head's Connection field (RFC 9110, section 7.6.1): options for this connection, and names of fields that are
 * intended only for the next hop.
 *
 * <p>An option that names a framing field or Host, which every hop needs, is refused: a recipient that obeys and removes the
 * field would parse a different message than one that does not.
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
     * Parses the options of a request.
     *
     * @throws BadHeadException if an option is not a token, or names a forbidden field
     */
    static ConnectionOptions ofRequest(Fields fields) throws BadHeadException {
        return read(fields, false);
    }

    /**
     * Parses the options of a response. An option that is not a token cannot name a field; since its meaning is unknown, it
     * counts as {@code close}.
     *
     * @throws BadHeadException if an option names a forbidden field
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

    /** Whether the head has the option {@code upgrade}. */
    boolean upgrade() {
        return upgrade;
    }

    /** Whether an option names a field of the head, which therefore must not be forwarded. */
    boolean name(int index) {
        return named != null && named.get(index);
    }

    /** The indexes of the trailer fields that an option names, or null if there are none. */
    @Nullable
    BitSet namedAmong(Fields trailers) {
        try {
            return namedAmong(fields, trailers);
        } catch (BadHeadException e) {
            throw new AssertionError("the options were already parsed successfully", e);
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
