/** Blocking connections on a loop, with the help of threads; and the transfer of any connection to a loop. */
@NullMarked
package io.broxy.core.internal.bridge;

import org.jspecify.annotations.NullMarked;
