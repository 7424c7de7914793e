/** TLS with the JDK's engine: handshakes on a loop, and connections on a loop or on callers' threads. */
@NullMarked
package io.broxy.core.internal.tls;

import org.jspecify.annotations.NullMarked;
