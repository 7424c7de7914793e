/** The server side of SOCKS 4, 4a and 5: parsing a client's messages and writing the replies, without I/O. */
@NullMarked
package io.broxy.core.internal.socks;

import org.jspecify.annotations.NullMarked;
