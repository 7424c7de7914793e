/** Time: the clock, rates, and timers that are polled and never fire by themselves. */
@NullMarked
package io.broxy.core.internal.time;

import org.jspecify.annotations.NullMarked;
