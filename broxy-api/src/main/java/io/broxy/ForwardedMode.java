package io.broxy;

/** What becomes of a field that names the client, such as {@code Forwarded}, in forwarded requests. */
public enum ForwardedMode {
    /** The field goes on as it was received; none is added. */
    PASS,
    /** This proxy's client is added behind those that the request names: it names every client on the path. */
    ADD,
    /** The field names this proxy's client only; what was received, which any client can invent, is dropped. */
    REPLACE,
    /** No such field goes on: origins are told of no client. */
    REMOVE
}
