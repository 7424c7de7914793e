/** Connections: as their users see them, and as a loop drives them. */
@NullMarked
package io.broxy.core.internal.net;

import org.jspecify.annotations.NullMarked;
