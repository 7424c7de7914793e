/** One recipe for each kind of host server: how its clients get tunnels of a handler. {@code docs/hosts.md} describes them. */
@NullMarked
package io.broxy.examples.hosts;

import org.jspecify.annotations.NullMarked;
