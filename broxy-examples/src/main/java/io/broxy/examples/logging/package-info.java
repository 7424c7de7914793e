/** The mini-server's log: SLF4J's provider, its lines as text or JSON, and its files. */
@NullMarked
package io.broxy.examples.logging;

import org.jspecify.annotations.NullMarked;
