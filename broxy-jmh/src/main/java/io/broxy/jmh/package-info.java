/** Benchmarks of Broxy: one class for each row of the matrix, or a few that differ by a parameter. */
@NullMarked
package io.broxy.jmh;

import org.jspecify.annotations.NullMarked;
