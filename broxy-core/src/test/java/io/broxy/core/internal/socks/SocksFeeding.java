package io.broxy.core.internal.socks;

import io.broxy.core.internal.socks.SocksException.Problem;
import io.broxy.core.testkit.Pieces;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Feeds a parser with all that a client says, and accepts every login. The result, the refusal and what is said at the end
 * begin with the messages until then.
 *
 * <p>Threading: for one thread.
 */
final class SocksFeeding implements Pieces.Parser {
    private final SocksParser parser;
    private final List<SocksMessage> messages = new ArrayList<>();

    private SocksFeeding(boolean authenticates) {
        this.parser = new SocksParser(authenticates);
    }

    /** How it ended, in all ways: the messages, and the refusal with the bytes that the client gets. */
    record Outcome(
            List<SocksMessage> messages,
            @Nullable Problem problem,
            @Nullable String answer,
            int consumed) {

        SocksMessage last() {
            return messages.get(messages.size() - 1);
        }

        boolean needsMore() {
            return problem == null && (messages.isEmpty() || !(last() instanceof SocksMessage.Connect));
        }
    }

    /** A client of a proxy that needs no password. */
    static Outcome open(String hex) {
        return talk(false, bytes(hex));
    }

    /** A client of a proxy that needs user name and password. */
    static Outcome guarded(String hex) {
        return talk(true, bytes(hex));
    }

    static Outcome talk(boolean authenticates, byte[] bytes) {
        List<SocksFeeding> all = new ArrayList<>();
        Pieces.Outcome outcome = Pieces.outcome(bytes, () -> {
            SocksFeeding feeding = new SocksFeeding(authenticates);
            all.add(feeding);
            return feeding;
        });
        List<SocksMessage> messages = all.get(0).messages;
        return outcome.refusal() instanceof SocksException e
                ? new Outcome(messages, e.problem(), hex(all.get(0).parser.refusal(e.reply())), outcome.consumed())
                : new Outcome(messages, null, null, outcome.consumed());
    }

    static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    static String hex(byte[] bytes) {
        return HexFormat.ofDelimiter(" ").formatHex(bytes);
    }

    @Override
    public @Nullable Object feed(ByteBuffer in) throws SocksException {
        SocksMessage message = parser.feed(in);
        while (message != null) {
            messages.add(message);
            if (message instanceof SocksMessage.Connect) {
                return texts();
            }
            if (message instanceof SocksMessage.Login) {
                parser.authenticated();
            }
            message = parser.feed(in);
        }
        return null;
    }

    @Override
    public Object unfinished() {
        return texts() + " and more is needed";
    }

    @Override
    public String describe(Exception refusal) {
        SocksReply reply = refusal instanceof SocksException e ? e.reply() : SocksReply.GENERAL_FAILURE;
        return texts() + " " + refusal.getMessage() + " " + hex(parser.refusal(reply));
    }

    private String texts() {
        StringBuilder texts = new StringBuilder();
        for (SocksMessage message : messages) {
            texts.append(message instanceof SocksMessage.Login login ? login.authorization() : message)
                    .append('\n');
        }
        return texts.toString();
    }
}
