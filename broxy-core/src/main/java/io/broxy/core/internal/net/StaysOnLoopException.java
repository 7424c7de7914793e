package io.broxy.core.internal.net;

import java.io.IOException;

/** A connection cannot leave its loop, or the loops of its kind, because it is no NIO channel. */
public final class StaysOnLoopException extends IOException {
    private static final long serialVersionUID = 1;

    public StaysOnLoopException() {
        super("a socket of the engine's own is no channel");
    }
}
