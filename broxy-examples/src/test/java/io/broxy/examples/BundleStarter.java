package io.broxy.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.osgi.framework.Bundle;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;

/**
 * A program that starts bundles in an OSGi framework and calls a class of the last one. The class path has the framework and nothing else: what
 * is there, SPI Fly would find before the bundles.
 */
final class BundleStarter {
    private BundleStarter() {}

    /** Takes the framework's directory, the argument of {@link BundleUser}, and the URLs of the bundles. */
    public static void main(String[] args) throws Exception {
        FrameworkFactory factory =
                ServiceLoader.load(FrameworkFactory.class).findFirst().orElseThrow();
        Framework framework = factory.newFramework(Map.of("org.osgi.framework.storage", args[0]));
        framework.start();
        try {
            List<Bundle> bundles = new ArrayList<>();
            for (int i = 2; i < args.length; i++) {
                bundles.add(framework.getBundleContext().installBundle(args[i]));
            }
            for (Bundle bundle : bundles) {
                bundle.start();
                System.out.println(
                        bundle.getSymbolicName() + (bundle.getState() == Bundle.ACTIVE ? " is active" : " is not"));
            }
            System.out.println(answer(bundles.get(bundles.size() - 1), Integer.parseInt(args[1])));
        } finally {
            framework.stop();
            framework.waitForStop(10_000);
        }
    }

    private static Object answer(Bundle user, int port) throws Exception {
        Object program = user.loadClass("io.broxy.examples.BundleUser")
                .getConstructor(int.class)
                .newInstance(port);
        return ((Callable<?>) program).call();
    }
}
