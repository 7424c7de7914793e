/** Observers of a handler: the listener, the access log, Java Flight Recorder. */
@NullMarked
package io.broxy.core.internal.observe;

import org.jspecify.annotations.NullMarked;
