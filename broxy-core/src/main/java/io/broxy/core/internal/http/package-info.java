/** HTTP/1.1 heads: strict incremental parsing, validation of complete heads, and writing, without I/O. */
@NullMarked
package io.broxy.core.internal.http;

import org.jspecify.annotations.NullMarked;
