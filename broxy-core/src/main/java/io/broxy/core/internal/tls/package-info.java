/** TLS over the JDK's engine: handshakes on a loop, and connections there or on a caller's thread. */
@NullMarked
package io.broxy.core.internal.tls;

import org.jspecify.annotations.NullMarked;
