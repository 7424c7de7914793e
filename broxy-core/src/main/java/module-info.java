/** Broxy's engine: dialers, copiers and proxy handlers over event loops. Start with {@link io.broxy.core.Broxy}. */
module io.broxy.core {
    requires transitive io.broxy;
    requires static org.jspecify;
    requires org.slf4j;
    requires static jdk.jfr;
    requires static java.security.jgss;

    exports io.broxy.core;
}
