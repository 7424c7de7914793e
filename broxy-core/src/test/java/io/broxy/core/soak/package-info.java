/** The soak: mixed good and hostile clients for as long as one likes, and every byte of theirs accounted for. */
@NullMarked
package io.broxy.core.soak;

import org.jspecify.annotations.NullMarked;
