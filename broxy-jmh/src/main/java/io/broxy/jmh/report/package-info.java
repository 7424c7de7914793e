/** What a run has measured: its file, its tables, its picture, and how two of them compare. No clock and no socket is in here. */
@NullMarked
package io.broxy.jmh.report;

import org.jspecify.annotations.NullMarked;
