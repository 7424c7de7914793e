/** Plain HTTP: one request of a client and its response, from an origin or the next proxy. */
@NullMarked
package io.broxy.core.internal.forward;

import org.jspecify.annotations.NullMarked;
