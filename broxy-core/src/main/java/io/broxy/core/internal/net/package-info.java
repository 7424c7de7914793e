/** Connections: as their users see them, and as a loop drives them; and the hand-over between the two. */
@NullMarked
package io.broxy.core.internal.net;

import org.jspecify.annotations.NullMarked;
