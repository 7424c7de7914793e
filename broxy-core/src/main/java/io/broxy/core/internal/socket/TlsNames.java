package io.broxy.core.internal.socket;

import io.broxy.HostPort;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;

/** The names that are sent to TLS servers (SNI, RFC 6066 section 3). Threading: stateless. */
public final class TlsNames {
    private TlsNames() {}

    /** The names for a server: its host, and none if that is an address. */
    public static List<SNIServerName> of(HostPort server) {
        if (server.isLiteral()) {
            return List.of();
        }
        try {
            return List.of(new SNIHostName(server.host()));
        } catch (IllegalArgumentException e) { // a name with an underscore, which the DNS allows and the JDK does not
            return List.of();
        }
    }
}
