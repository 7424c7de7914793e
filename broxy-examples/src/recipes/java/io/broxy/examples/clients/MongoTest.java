package io.broxy.examples.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.MongoClientSettings;
import com.mongodb.ServerAddress;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import io.broxy.HostPort;
import io.broxy.core.LocalProxy;
import io.broxy.core.testkit.Origin;
import io.broxy.core.testkit.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.bson.BsonDocument;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Specifies MongoDB's driver through a local proxy and a dialer, with a server that knows how to greet and to pong. */
class MongoTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int OP_REPLY = 1;
    private static final int OP_QUERY = 2004;
    private static final int OP_MSG = 2013;
    private static final int HEADER = 16;

    @ParameterizedTest
    @EnumSource
    void pings(CorporateNetwork.Via via) throws Exception {
        try (Origin server = Origin.start(MongoTest::serve);
                CorporateNetwork network = CorporateNetwork.open();
                LocalProxy proxy = network.localProxy(via)) {
            ServerAddress address = new ServerAddress(CorporateNetwork.HOST, server.port());
            MongoClientSettings settings = MongoRecipe.settings(
                            proxy.address(),
                            Objects.requireNonNull(proxy.proxyUri().credentials()),
                            TIMEOUT)
                    .applyToClusterSettings(cluster -> cluster.hosts(List.of(address)))
                    .build();
            try (MongoClient client = MongoClients.create(settings)) {
                Document pong = client.getDatabase("admin").runCommand(new Document("ping", 1));

                assertThat(pong.getDouble("ok")).isEqualTo(1);
            }
            assertThat(network.targets()).isNotEmpty().containsOnly(HostPort.of(CorporateNetwork.HOST, server.port()));
        }
    }

    private static void serve(Peer peer) throws IOException {
        while (true) {
            ByteBuffer header = littleEndian(peer.read(HEADER));
            int length = header.getInt();
            int id = header.getInt();
            header.getInt();
            int code = header.getInt();
            peer.send(reply(id, code, peer.read(length - HEADER)));
        }
    }

    private static byte[] reply(int id, int code, byte[] body) {
        byte[] document = bytes(code == OP_QUERY || isHello(body) ? """
                {isWritablePrimary: true, ismaster: true, maxBsonObjectSize: 16777216, maxMessageSizeBytes: 48000000,
                 maxWriteBatchSize: 100000, minWireVersion: 0, maxWireVersion: 21, ok: 1.0}
                """ : "{ok: 1.0}");
        byte[] bytes = new byte[HEADER + (code == OP_QUERY ? 20 : 5) + document.length];
        ByteBuffer reply = littleEndian(bytes);
        reply.putInt(bytes.length).putInt(1).putInt(id).putInt(code == OP_QUERY ? OP_REPLY : OP_MSG);
        if (code == OP_QUERY) {
            reply.putInt(0).putLong(0).putInt(0).putInt(1); // flags, cursor, starting from, documents
        } else {
            reply.putInt(0).put((byte) 0); // flags, one section
        }
        reply.put(document);
        return bytes;
    }

    private static boolean isHello(byte[] message) {
        String text = new String(message, UTF_8);
        return text.contains("hello") || text.contains("isMaster");
    }

    private static byte[] bytes(String json) {
        ByteBuffer buffer = new RawBsonDocument(BsonDocument.parse(json), new BsonDocumentCodec())
                .getByteBuffer()
                .asNIO();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
