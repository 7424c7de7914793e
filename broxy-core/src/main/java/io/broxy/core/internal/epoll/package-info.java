/** Sockets of the engine's own on Linux, through the foreign-function API of Java 22 and newer. */
@org.jspecify.annotations.NullMarked
package io.broxy.core.internal.epoll;
