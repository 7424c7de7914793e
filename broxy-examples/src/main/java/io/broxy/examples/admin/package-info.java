/**
 * The mini-server's admin address: its page, the figures behind it, health and metrics.
 *
 * <pre>
 * AdminServer ── AdminRequest          one request: who may ask, its query, its response with the headers of all
 *   ├── PageFile                      /  /style.css  /script.js  /icon.svg
 *   ├── EventStream ── StatusJson      /events, once a second
 *   ├── TunnelTable ── TunnelQuery     /tunnels, and /tunnels/NUMBER/close with the AdminToken
 *   ├── Explain                        /explain, and the option --explain
 *   └── PrometheusMetrics              /metrics
 * </pre>
 */
@NullMarked
package io.broxy.examples.admin;

import org.jspecify.annotations.NullMarked;
