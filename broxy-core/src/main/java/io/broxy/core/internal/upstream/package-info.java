/** What proxy and dialers share about the far side: dialing on a loop, and routes for plain HTTP requests. */
@NullMarked
package io.broxy.core.internal.upstream;

import org.jspecify.annotations.NullMarked;
