/** The engine: event loops over NIO selectors, their buffers, and the executors beside them. */
@NullMarked
package io.broxy.core.internal.loop;

import org.jspecify.annotations.NullMarked;
