package io.broxy;

/**
 * The condition of a rule. Each kind may also require a port; 0 means any.
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
     * A pattern of characters, as in {@code http.nonProxyHosts}; an IPv6 address is in brackets.
     *
     * @param text lower case, which the host must hold
     * @param open whether characters may precede the text
     * @param unended whether characters may follow it
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

    /** Every host; the proxy that a setting names for it cannot be used. */
    record Unusable(String reason, @Override int port) implements Rule {
        @Override
        public String toString() {
            return reason + Rule.portText(port);
        }
    }

    /** The same rule for one port. */
    static Rule at(Rule rule, int port) {
        if (rule instanceof Domain domain) {
            return new Domain(domain.name, domain.itself, domain.below, port);
        }
        if (rule instanceof Block block) {
            return new Block(block.block, port);
        }
        if (rule instanceof Glob glob) {
            return new Glob(glob.text, glob.open, glob.unended, port);
        }
        return rule instanceof Unusable unusable ? new Unusable(unusable.reason, port) : new AnyHost(port);
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
     * Reads an address or a block of them, with or without a port after it; an IPv6 address with a port is in
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

    /** The text without one dot at its beginning. */
    static String withoutDot(String text) {
        return text.startsWith(".") ? text.substring(1) : text;
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
