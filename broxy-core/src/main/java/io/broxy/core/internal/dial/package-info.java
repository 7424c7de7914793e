/** Dialing: names to addresses, addresses to connections. */
@NullMarked
package io.broxy.core.internal.dial;

import org.jspecify.annotations.NullMarked;
