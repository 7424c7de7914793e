/** Relaying bytes between two connections on a loop, or between a caller's channels. */
@NullMarked
package io.broxy.core.internal.relay;

import org.jspecify.annotations.NullMarked;
