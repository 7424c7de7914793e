/** SOCKS 4, 4a and 5 as a server speaks them: reading a client's messages and writing the replies. Pure, without any I/O. */
@NullMarked
package io.broxy.core.internal.socks;

import org.jspecify.annotations.NullMarked;
