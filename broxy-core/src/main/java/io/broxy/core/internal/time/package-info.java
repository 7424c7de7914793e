/** Time: the one clock seam, and timers that are asked and never ring by themselves. */
@NullMarked
package io.broxy.core.internal.time;

import org.jspecify.annotations.NullMarked;
