/** HAProxy's PROXY protocol, versions 1 and 2 (proxy-protocol.txt): reading and writing its header, without I/O. */
@NullMarked
package io.broxy.core.internal.haproxy;

import org.jspecify.annotations.NullMarked;
