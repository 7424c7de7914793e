/** Connection pooling: the policy without I/O, idle connections on their loops, leases and spares. */
@NullMarked
package io.broxy.core.internal.pool;

import org.jspecify.annotations.NullMarked;
