package io.broxy.examples.clients;

import com.mysql.cj.conf.PropertyKey;
import com.mysql.cj.conf.PropertySet;
import com.mysql.cj.protocol.StandardSocketFactory;
import io.broxy.core.NamedSockets;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/** MySQL Connector/J: the driver takes the name of a class of its own kind, which looks no name up. */
public final class MySqlSockets extends StandardSocketFactory {

    @Override
    protected Socket createSocket(PropertySet properties) {
        try {
            return new NamedSockets().createSocket();
        } catch (IOException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // the driver's own signature
    public <T extends Closeable> T connect(String host, int port, PropertySet properties, int loginTimeout)
            throws IOException {
        loginTimeoutCountdown = loginTimeout;
        int timeout = properties.getIntegerProperty(PropertyKey.connectTimeout).getValue();
        Socket socket = createSocket(properties);
        try {
            configureSocket(socket, properties);
            socket.connect(InetSocketAddress.createUnresolved(host, port), getRealTimeout(timeout));
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        resetLoginTimeCountdown();
        rawSocket = socket;
        sslSocket = socket;
        return (T) socket;
    }
}
