/** A CONNECT proxy for the command line, and short programs that show how Broxy is embedded. */
@NullMarked
package io.broxy.examples;

import org.jspecify.annotations.NullMarked;
