package io.broxy;

import java.util.Locale;

/**
 * What a rule asks of a target. Each kind may also ask for a port; 0 stands for any.
 *
 * <p>Threading: immutable.
 */
sealed interface Rule {

    /** The port that the target must have, or 0. */
    int port();

    /**
     * The name itself, the names below it, or both; never an address.
     *
     * @param name in canonical form
     */
    record Domain(
            String name,
            boolean itself,
            boolean below,
            @Override int port) implements Rule {
        @Override
        public String toString() {
            String what = itself && below ? "domain " : itself ? "name " : "names below ";
            return what + name + Rule.portText(port);
        }
    }

    /** An address in a block; never a name, whatever it resolves to. */
    record Block(Cidr block, @Override int port) implements Rule {
        @Override
        public String toString() {
            return "address " + block + Rule.portText(port);
        }
    }

    /**
     * A host by its characters, as {@code http.nonProxyHosts} has them; an IPv6 address stands in brackets.
     *
     * @param text lower case, which the host must hold
     * @param open whether characters may stand before the text
     * @param unended whether characters may stand behind it
     */
    record Glob(
            String text,
            boolean open,
            boolean unended,
            @Override int port) implements Rule {

        boolean matches(String host) {
            if (open) {
                return unended ? host.contains(text) : host.endsWith(text);
            }
            return unended ? host.startsWith(text) : host.equals(text);
        }

        @Override
        public String toString() {
            return "host " + (open ? "*" : "") + text + (unended ? "*" : "") + Rule.portText(port);
        }
    }

    /** Every host. */
    record AnyHost(@Override int port) implements Rule {
        @Override
        public String toString() {
            return "any host" + Rule.portText(port);
        }
    }

    private static String portText(int port) {
        return port == 0 ? "" : ", port " + port;
    }

    // ------------------------------------------------------------------ reading

    /**
     * Reads {@code example.com} or {@code .example.com}, with or without a port behind it.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static Rule domain(String text) {
        HostAndPort read = HostAndPort.read(withoutDot(text));
        if (read.host.isLiteral()) {
            throw new IllegalArgumentException("an address and not a domain: " + Printable.quote(text));
        }
        return new Domain(read.host.host(), true, true, read.port);
    }

    /**
     * Reads an address or a block of them, with or without a port behind it; an IPv6 address with a port stands in
     * brackets.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static Rule address(String text) {
        int slash = text.indexOf('/');
        if (slash >= 0) {
            int colon = text.indexOf(':', slash);
            Cidr block = Cidr.parse(colon < 0 ? text : text.substring(0, colon));
            return new Block(block, colon < 0 ? 0 : HostPort.parsePort(text, colon + 1));
        }
        HostAndPort read = HostAndPort.read(text);
        if (!read.host.isLiteral()) {
            throw new IllegalArgumentException("a name and not an address: " + Printable.quote(text));
        }
        return new Block(Cidr.parse(read.host.host()), read.port);
    }

    /**
     * Reads an entry of {@code NO_PROXY}: {@code *}, a domain, {@code *.} before a domain, an address or a block.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static Rule noProxy(String entry) {
        if (entry.equals("*")) {
            return new AnyHost(0);
        }
        if (entry.startsWith("*.")) {
            Domain domain = (Domain) domain(entry.substring(2));
            return new Domain(domain.name, false, true, domain.port);
        }
        if (entry.indexOf('/') >= 0 || HostAndPort.read(withoutDot(entry)).host.isLiteral()) {
            return address(entry);
        }
        return domain(entry);
    }

    /**
     * Reads an entry of {@code http.nonProxyHosts}: a host, with a {@code *} at its beginning, at its end or at both.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static Rule nonProxyHost(String entry) {
        boolean open = entry.startsWith("*");
        boolean unended = entry.length() > 1 && entry.endsWith("*");
        if (!open && !unended) {
            HostPort host = HostPort.of(entry, 1);
            return host.isLiteral() ? new Block(Cidr.parse(host.host()), 0) : new Domain(host.host(), true, false, 0);
        }
        String text = entry.substring(open ? 1 : 0, entry.length() - (unended ? 1 : 0))
                .toLowerCase(Locale.ROOT);
        if (text.isEmpty()) {
            return new AnyHost(0);
        }
        if (open && !unended && text.startsWith(".") && endsInLetter(text)) { // no address can match
            return new Domain(HostPort.of(text.substring(1), 1).host(), false, true, 0);
        }
        if (!text.chars().allMatch(Rule::isHostCharacter)) {
            throw new IllegalArgumentException("not a host: " + Printable.quote(entry)
                    + ": letters, digits, hyphens, underscores, dots, colons and brackets, and a * at the beginning or"
                    + " the end");
        }
        return new Glob(text, open, unended, 0);
    }

    private static String withoutDot(String text) {
        return text.startsWith(".") ? text.substring(1) : text;
    }

    private static boolean endsInLetter(String text) {
        char last = text.charAt(text.length() - 1);
        return last >= 'a' && last <= 'z';
    }

    private static boolean isHostCharacter(int c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || "-_.:[]".indexOf(c) >= 0;
    }

    /**
     * A host that may have a port.
     *
     * @param host its own port means nothing
     * @param port 0 for none
     */
    record HostAndPort(HostPort host, int port) {

        static HostAndPort read(String text) {
            int colon = colonOfPort(text);
            if (colon < 0) {
                return new HostAndPort(HostPort.of(text, 1), 0);
            }
            HostPort both = HostPort.parse(text);
            return new HostAndPort(both, both.port());
        }

        /** Behind brackets, or the only one. */
        private static int colonOfPort(String text) {
            if (text.startsWith("[")) {
                return text.indexOf(':', Math.max(0, text.indexOf(']')));
            }
            int colon = text.indexOf(':');
            return colon == text.lastIndexOf(':') ? colon : -1;
        }
    }
}
