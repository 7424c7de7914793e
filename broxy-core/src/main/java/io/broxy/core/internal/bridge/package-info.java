/** Connections that can only block, driven by a loop through threads of their own; and the hand-over of any connection to a loop. */
@NullMarked
package io.broxy.core.internal.bridge;

import org.jspecify.annotations.NullMarked;
