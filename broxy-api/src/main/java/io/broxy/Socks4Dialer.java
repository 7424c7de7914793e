package io.broxy;

import java.time.Duration;

/**
 * Dials targets through a SOCKS proxy of version 4, with its extension 4a for names. A proxy that speaks version 5 as
 * well is better dialed with a {@link Socks5Dialer}, which has passwords, IPv6 and precise replies.
 *
 * <p>An IPv4 address is sent as SOCKS 4 has it, and a name unresolved as in SOCKS 4a. There are no IPv6 addresses: a
 * dial to one fails with {@link DialException.Reason#PROXY_REFUSED}, and the proxy is not contacted. A refusal of the
 * proxy is a {@link DialException} whose {@link DialException#proxyReply()} holds the reply code; its reason is
 *
 * <ul>
 *   <li>{@link DialException.Reason#PROXY_REFUSED} for 91 (rejected, or failed for whatever reason),
 *   <li>{@link DialException.Reason#PROXY_AUTH} for 92 and 93 (the user id cannot be checked, or is wrong),
 *   <li>{@link DialException.Reason#PROTOCOL} for codes that the protocol does not define.
 * </ul>
 *
 * <p>One timeout covers everything: reaching the proxy through whatever dialers, and its reply. The request's {@link
 * AddressPolicy} applies to literal targets only.
 *
 * <p>Threading: immutable and thread-safe.
 */
public interface Socks4Dialer extends Dialer {

    /** Collects the settings of a dialer. Threading: for one thread. */
    interface Builder {

        /**
         * Opens the connections to the proxy; default a {@link DirectDialer} with its defaults. Chains of proxies are
         * built with it.
         */
        Builder over(Dialer dialer);

        /**
         * The user id, which is sent as UTF-8; default empty. It proves nothing: SOCKS 4 has no password.
         *
         * @throws IllegalArgumentException if it is more than 255 bytes long, has a control character, or cannot be
         *     encoded
         */
        Builder userId(String userId);

        /** The timeout of a dial whose request has none; default 10 s. */
        Builder timeout(Duration timeout);

        /** Builds the dialer. */
        Socks4Dialer build();
    }
}
