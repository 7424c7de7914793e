package io.broxy.core.internal.http;

import static io.broxy.core.internal.http.BadHeadException.syntax;

import java.nio.ByteBuffer;

/**
 * The protocols in Upgrade (RFC 9110, section 7.8). {@code h2c} is never forwarded: its settings are in a hop-by-hop field, and
 * RFC 9113, section 3.1, has deprecated it.
 *
 * <p>Threading: stateless.
 */
final class UpgradeOffer {
    static final String UPGRADE = "Upgrade";
    private static final String H2C = "h2c";

    private UpgradeOffer() {}

    /**
     * Whether Upgrade names a protocol other than h2c.
     *
     * @throws BadHeadException if a member of the list is not a protocol
     */
    static boolean isMade(Fields fields) throws BadHeadException {
        boolean made = false;
        for (ListMembers protocols = new ListMembers(fields, UPGRADE); protocols.next(); ) {
            if (!protocols.isProtocol()) {
                throw syntax("Upgrade has a member that is not a protocol");
            }
            made |= !protocols.is(H2C);
        }
        return made;
    }

    /** Whether a switch selects at least one protocol, and only forwarded ones. */
    static boolean isTaken(Fields response, Fields request) throws BadHeadException {
        boolean taken = false;
        for (ListMembers chosen = new ListMembers(response, UPGRADE); chosen.next(); ) {
            if (!isOffered(chosen, request)) {
                return false;
            }
            taken = true;
        }
        return taken;
    }

    private static boolean isOffered(ListMembers chosen, Fields request) throws BadHeadException {
        for (ListMembers offered = new ListMembers(request, UPGRADE); offered.next(); ) {
            if (chosen.is(offered) && !offered.is(H2C)) {
                return true;
            }
        }
        return false;
    }

    /** Puts a line with all protocols except h2c; requires {@link #isMade}. */
    static void put(Fields fields, ByteBuffer out) {
        Ascii.put("Upgrade: ", out);
        try {
            putProtocols(fields, out);
        } catch (BadHeadException e) {
            throw new AssertionError("the list was already parsed successfully", e);
        }
        Ascii.putCrlf(out);
    }

    private static void putProtocols(Fields fields, ByteBuffer out) throws BadHeadException {
        boolean first = true;
        for (ListMembers protocols = new ListMembers(fields, UPGRADE); protocols.next(); ) {
            if (protocols.is(H2C)) {
                continue;
            }
            if (!first) {
                Ascii.put(", ", out);
            }
            protocols.put(out);
            first = false;
        }
    }
}
