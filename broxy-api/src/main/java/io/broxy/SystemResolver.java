package io.broxy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** The JDK's resolver; a single instance, by which the engine recognizes it. Threading: thread-safe. */
enum SystemResolver implements Resolver {
    INSTANCE;

    @Override
    public List<InetAddress> resolve(String host) throws UnknownHostException {
        return List.of(InetAddress.getAllByName(host));
    }

    @Override
    public String toString() {
        return "Resolver.system()";
    }
}
