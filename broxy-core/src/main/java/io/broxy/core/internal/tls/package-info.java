/** TLS over the JDK's engine, for connections on a loop and for those of a caller's thread. */
@NullMarked
package io.broxy.core.internal.tls;

import org.jspecify.annotations.NullMarked;
