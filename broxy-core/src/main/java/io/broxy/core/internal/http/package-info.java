/** HTTP/1.1 heads: strict incremental parsing, the rules that need a whole head, and writing. Pure, without any I/O. */
@NullMarked
package io.broxy.core.internal.http;

import org.jspecify.annotations.NullMarked;
