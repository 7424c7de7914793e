/** One recipe for each client library: how its connections go through a dialer. {@code docs/clients.md} quotes them. */
@NullMarked
package io.broxy.examples.clients;

import org.jspecify.annotations.NullMarked;
