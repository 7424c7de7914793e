/**
 * The entry point of Broxy: {@link io.broxy.core.Broxy} makes everything else.
 *
 * <p>Unless marked {@code @Nullable}, no parameter and no result is null, and a null argument is a {@link
 * NullPointerException}.
 */
@NullMarked
package io.broxy.core;

import org.jspecify.annotations.NullMarked;
