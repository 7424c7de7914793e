/** Connections that can only block, driven by a loop with the help of threads; and the hand-over of any connection to a loop. */
@NullMarked
package io.broxy.core.internal.bridge;

import org.jspecify.annotations.NullMarked;
