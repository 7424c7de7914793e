/**
 * Interfaces, values and exceptions of Broxy; {@code io.broxy.core.Broxy} makes the implementations.
 *
 * <p>Nothing here does I/O. Unless marked {@code @Nullable}, no parameter and no result is null, and a null argument
 * is a {@link NullPointerException}. Times are {@link java.time.Duration}s.
 */
@NullMarked
package io.broxy;

import org.jspecify.annotations.NullMarked;
