package io.broxy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** The JDK's resolver; one instance, so that it is known where its look-ups are to run. Threading: thread-safe. */
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
