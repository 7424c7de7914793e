/** The proxies that Broxy is compared with, each configured as its users would, and Broxy itself behind the same interface. */
@NullMarked
package io.broxy.jmh.peer;

import org.jspecify.annotations.NullMarked;
