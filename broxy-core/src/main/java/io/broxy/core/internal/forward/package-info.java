/** Plain HTTP: one request of a client and its response, by way of an origin or of the next proxy. */
@NullMarked
package io.broxy.core.internal.forward;

import org.jspecify.annotations.NullMarked;
