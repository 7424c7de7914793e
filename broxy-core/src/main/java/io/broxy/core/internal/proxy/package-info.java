/** The proxy: from a client's first byte to the result of its tunnel. */
@NullMarked
package io.broxy.core.internal.proxy;

import org.jspecify.annotations.NullMarked;
