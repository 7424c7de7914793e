/** What Broxy's counters and events look like to Micrometer and OpenTelemetry. {@code docs/observability.md} describes both. */
@NullMarked
package io.broxy.examples.telemetry;

import org.jspecify.annotations.NullMarked;
