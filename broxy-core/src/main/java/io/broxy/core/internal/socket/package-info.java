/** The {@code java.net} side: sockets over connections, socket factories over dialers, and socket options. */
@NullMarked
package io.broxy.core.internal.socket;

import org.jspecify.annotations.NullMarked;
