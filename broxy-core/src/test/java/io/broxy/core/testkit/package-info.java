/** Scripted peers on loopback and a check that nothing leaked. */
@NullMarked
package io.broxy.core.testkit;

import org.jspecify.annotations.NullMarked;
