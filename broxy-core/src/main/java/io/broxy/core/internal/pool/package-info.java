/** Connections kept for another use: the policy without I/O, idle connections on their loops, leases, spares. */
@NullMarked
package io.broxy.core.internal.pool;

import org.jspecify.annotations.NullMarked;
