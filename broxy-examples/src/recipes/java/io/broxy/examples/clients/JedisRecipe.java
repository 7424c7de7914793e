package io.broxy.examples.clients;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import javax.net.SocketFactory;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.JedisPooled;
import redis.clients.jedis.JedisSocketFactory;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** Jedis: a {@link JedisSocketFactory} connects each socket of the pool, with TLS if the factory's sockets have it. */
final class JedisRecipe {
    private JedisRecipe() {}

    static JedisPooled connect(SocketFactory sockets, String host, int port, Duration timeout, int connections) {
        JedisClientConfig config = DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis((int) timeout.toMillis())
                .socketTimeoutMillis(10_000)
                .build();
        GenericObjectPoolConfig<Connection> pool = new GenericObjectPoolConfig<>();
        pool.setMaxTotal(connections);
        pool.setMaxIdle(connections);
        pool.setMaxWait(Duration.ofSeconds(10));
        JedisSocketFactory dialed = () -> {
            try {
                Socket socket = sockets.createSocket();
                try {
                    socket.setTcpNoDelay(true);
                    socket.connect(InetSocketAddress.createUnresolved(host, port), config.getConnectionTimeoutMillis());
                    socket.setSoTimeout(config.getSocketTimeoutMillis());
                    return socket;
                } catch (IOException e) {
                    socket.close();
                    throw e;
                }
            } catch (IOException e) {
                throw new JedisConnectionException("cannot connect to " + host + ":" + port, e);
            }
        };
        return new JedisPooled(pool, dialed, config);
    }
}
