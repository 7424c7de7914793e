/** Proxies that Broxy is measured beside, each wired as its users would, and Broxy itself behind the same interface. */
@NullMarked
package io.broxy.jmh.peer;

import org.jspecify.annotations.NullMarked;
