package io.broxy.core.internal.proxy;

import io.broxy.ClientHandle;
import io.broxy.ServerTls;
import io.broxy.TlsFrontend;
import io.broxy.Tunnel;
import io.broxy.core.internal.loop.EventLoops;
import io.broxy.core.internal.net.AcceptedSocket;
import io.broxy.core.internal.net.NativeTransport;
import io.broxy.core.internal.net.OwnAddresses;
import io.broxy.core.internal.proxy.ClientIntake.Session;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** The frontend of a {@link DefaultProxyHandler}. Threading: thread-safe. */
record DefaultTlsFrontend(DefaultProxyHandler handler, ServerTls tls)
        implements TlsFrontend, OwnAddresses.Holder, NativeTransport.Intake {
    @Override
    public ClientHandle handle(SocketChannel client) {
        return handler.take(client, Session.OF_ANYTHING.over(tls));
    }

    @Override
    public ClientHandle handle(SocketChannel client, ByteBuffer alreadyRead) {
        return handler.take(client, Session.OF_ANYTHING.over(tls).behind(alreadyRead));
    }

    @Override
    public ClientHandle handle(Socket client) {
        return handler.take(client, Session.OF_ANYTHING.over(tls));
    }

    @Override
    public Tunnel handleConnect(SocketChannel client) {
        return handler.takeTunnel(client, Session.OF_TUNNEL.over(tls));
    }

    @Override
    public @Nullable EventLoops transportLoops() {
        return handler.transportLoops();
    }

    @Override
    public void serve(AcceptedSocket client) {
        handler.serve(client, Session.OF_ANYTHING.over(tls));
    }

    @Override
    public OwnAddresses ownAddresses() {
        return handler.ownAddresses();
    }
}
