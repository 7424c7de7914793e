package io.broxy;

import java.net.IDN;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Parses exceptions from the proxy, which are dialed directly: an entry of {@code NO_PROXY}, or one of {@code
 * http.nonProxyHosts}.
 *
 * <p>If curl and Go's {@code httpproxy} read an entry differently, the reading that dials more of the intended targets
 * directly applies; entries that neither can parse are refused. {@code docs/system-proxies.md} has the table.
 *
 * <p>Threading: stateless.
 */
final class ProxyExceptions {
    /** Read differently by IDNA 2003 and IDNA 2008 (RFC 5894 section 7.2): another domain would be dialed directly. */
    private static final Set<Integer> DEVIATIONS =
            "\u00df\u03c2\u200c\u200d".chars().boxed().collect(Collectors.toUnmodifiableSet());

    private ProxyExceptions() {}

    // ------------------------------------------------------------------ NO_PROXY

    /**
     * Reads {@code *}, a domain, {@code *.} before a domain, an address, or a block of addresses, each but the first
     * with or without a port behind it.
     *
     * @throws IllegalArgumentException if it is anything else; the message is one line of printable ASCII
     */
    static Rule noProxy(String entry) {
        if (entry.equals("*")) {
            return new Rule.AnyHost(0);
        }
        refuseOthers(entry, ";|", "entries are separated by commas");
        String host = entry.startsWith("*.") ? entry.substring(2) : Rule.withoutDot(entry);
        if (host.indexOf('*') >= 0) {
            throw refused(
                    entry,
                    "a * is an entry of its own, or is followed by a dot and a domain; 192.168.0.0/16 is a"
                            + " block of addresses");
        }
        if (host.indexOf('/') >= 0) {
            return block(host);
        }
        Rule.HostAndPort read = Rule.HostAndPort.read(withoutEmptyPort(ascii(host)));
        if (!read.host().isLiteral()) {
            return new Rule.Domain(read.host().host(), !entry.startsWith("*."), true, read.port());
        }
        if (host.length() < entry.length()) {
            throw refused(entry, "an address has no dot before it");
        }
        return new Rule.Block(Cidr.parse(read.host().host()), read.port());
    }

    /** Bits behind the prefix are cleared. Brackets around the address, or around all of the block, mean nothing. */
    private static Rule block(String text) {
        int colon = text.indexOf(':', Math.max(text.indexOf('/'), text.indexOf(']')));
        String block = colon < 0 ? text : text.substring(0, colon);
        int close = block.indexOf(']');
        if (block.startsWith("[") && close >= 0 && close == block.lastIndexOf(']')) {
            block = block.substring(1, close) + block.substring(close + 1);
        }
        return new Rule.Block(Cidr.masked(block), colon < 0 ? 0 : HostPort.parsePort(text, colon + 1));
    }

    private static String withoutEmptyPort(String text) {
        boolean empty = text.endsWith(":") && text.indexOf(':') == text.length() - 1;
        return empty || text.endsWith("]:") ? text.substring(0, text.length() - 1) : text;
    }

    // ------------------------------------------------------------------ http.nonProxyHosts

    /**
     * Reads a host, with a {@code *} at its beginning, at its end or at both.
     *
     * @throws IllegalArgumentException if it is anything else; the message is one line of printable ASCII
     */
    static Rule nonProxyHost(String entry) {
        refuseOthers(entry, ",; \t", "entries are separated by |");
        boolean open = entry.startsWith("*");
        boolean unended = entry.length() > 1 && entry.endsWith("*");
        String text = entry.substring(open ? 1 : 0, entry.length() - (unended ? 1 : 0));
        if (text.isEmpty()) {
            return new Rule.AnyHost(0);
        }
        if (text.indexOf('*') >= 0) {
            throw refused(entry, "a * is at the beginning or the end");
        }
        if (text.indexOf('/') >= 0) {
            throw refused(entry, "addresses match as text, such as 10.*, and not by a prefix length");
        }
        if (!open && !unended) {
            HostPort host = HostPort.of(ascii(text), 1);
            return host.isLiteral()
                    ? new Rule.Block(Cidr.parse(host.host()), 0)
                    : new Rule.Domain(host.host(), true, false, 0);
        }
        return wildcard(entry, open && text.startsWith(".") ? "." + ascii(text.substring(1)) : text, open, unended);
    }

    private static Rule wildcard(String entry, String mixedCase, boolean open, boolean unended) {
        String text = mixedCase.toLowerCase(Locale.ROOT);
        if (open && !unended && text.startsWith(".") && endsInLetter(text)) { // no address can match
            return new Rule.Domain(HostPort.of(text.substring(1), 1).host(), false, true, 0);
        }
        boolean bracket = text.indexOf('[') >= 0 || text.indexOf(']') >= 0;
        if (text.indexOf(':') >= 0 && !bracket) {
            throw refused(entry, "a host has no port, and an IPv6 address is in brackets");
        }
        if (!text.chars().allMatch(ProxyExceptions::isHostCharacter)) {
            throw refused(
                    entry,
                    "letters, digits, hyphens, underscores, dots, colons and brackets, and a * at the"
                            + " beginning or the end");
        }
        return new Rule.Glob(text, open, unended, 0);
    }

    private static boolean endsInLetter(String text) {
        char last = text.charAt(text.length() - 1);
        return last >= 'a' && last <= 'z';
    }

    private static boolean isHostCharacter(int c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || "-_.:[]".indexOf(c) >= 0;
    }

    // ------------------------------------------------------------------ both

    /** Refuses the syntax of other programs, each with a hint. */
    private static void refuseOthers(String entry, String separators, String hint) {
        if (entry.equalsIgnoreCase("<local>")) {
            throw refused(entry, "names without a dot cannot be listed as one; list them by name");
        }
        if (entry.contains("://")) {
            throw refused(entry, "a URL and not a host");
        }
        if (entry.chars().anyMatch(c -> separators.indexOf(c) >= 0)) {
            throw refused(entry, hint);
        }
    }

    /**
     * The A-labels of an internationalized host (RFC 5890); any other text unchanged.
     *
     * @throws IllegalArgumentException if a label cannot be translated, or is translated differently by others
     */
    static String ascii(String host) {
        if (host.chars().allMatch(c -> c < 0x80)) {
            return host;
        }
        if (host.chars().anyMatch(DEVIATIONS::contains)) {
            throw refused(host, "versions of IDNA differ about one of its letters; give its A-labels (xn--...)");
        }
        try {
            return IDN.toASCII(host, IDN.ALLOW_UNASSIGNED);
        } catch (IllegalArgumentException e) {
            throw refused(host, "not an internationalized host name");
        }
    }

    private static IllegalArgumentException refused(String entry, String problem) {
        return new IllegalArgumentException("not understood: " + Printable.quote(entry) + ": " + problem);
    }
}
