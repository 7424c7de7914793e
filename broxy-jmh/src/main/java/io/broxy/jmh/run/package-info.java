/** The commands of the benchmark jar. */
@NullMarked
package io.broxy.jmh.run;

import org.jspecify.annotations.NullMarked;
