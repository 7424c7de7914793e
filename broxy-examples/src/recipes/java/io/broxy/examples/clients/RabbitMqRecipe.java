package io.broxy.examples.clients;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ListAddressResolver;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import javax.net.SocketFactory;

/** RabbitMQ: the factory of the connections takes a socket factory, and an address resolver that leaves names alone. */
final class RabbitMqRecipe {
    private RabbitMqRecipe() {}

    static Connection connect(SocketFactory sockets, String host, int port, Duration timeout)
            throws IOException, TimeoutException {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setSocketFactory(sockets); // for TLS a factory of TLS sockets; useSslProtocol() would replace this one
        factory.setConnectionTimeout((int) timeout.toMillis());
        factory.setHandshakeTimeout(10_000);
        // newConnection() without a resolver looks the name up itself
        return factory.newConnection(new ListAddressResolver(List.of(new Address(host, port))));
    }
}
