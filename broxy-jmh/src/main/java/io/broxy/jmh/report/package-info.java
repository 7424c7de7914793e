/** The results of a run: the file, tables, chart, and the comparison of two runs. Uses no clocks or sockets. */
@NullMarked
package io.broxy.jmh.report;

import org.jspecify.annotations.NullMarked;
