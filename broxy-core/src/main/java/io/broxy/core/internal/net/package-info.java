/** Connections, in two forms: blocking for users, non-blocking on an event loop. */
@NullMarked
package io.broxy.core.internal.net;

import org.jspecify.annotations.NullMarked;
