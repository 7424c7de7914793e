/** The commands of the benchmarks' jar. */
@NullMarked
package io.broxy.jmh.run;

import org.jspecify.annotations.NullMarked;
