package io.broxy.examples.clients;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import javax.net.SocketFactory;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;

/** OkHttp: a socket factory, and a look-up that carries the name on to the dialer instead of resolving it. */
final class OkHttpRecipe {
    private OkHttpRecipe() {}

    static OkHttpClient.Builder client(SocketFactory sockets, Duration timeout) {
        byte[] any = new byte[4];
        return new OkHttpClient.Builder()
                .socketFactory(sockets)
                .dns(host ->
                        List.of(InetAddress.getByAddress(host, any))) // the dialer goes by the name, not by 0.0.0.0
                .connectTimeout(timeout)
                .readTimeout(Duration.ofSeconds(10));
    }

    /** TLS is layered over the dialed socket, as always. */
    static OkHttpClient.Builder client(
            SocketFactory sockets, SSLSocketFactory layered, X509TrustManager trust, Duration timeout) {
        return client(sockets, timeout).sslSocketFactory(layered, trust);
    }
}
