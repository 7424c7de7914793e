package io.broxy.core.internal.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The grammar of heads (RFC 9112, sections 2 to 5) written a second time, as regular expressions over all bytes: whatever
 * it matches the parsers accept, and nothing else. That of responses has what is tolerated in them.
 *
 * <p>Threading: stateless.
 */
public final class HeadGrammar {
    private static final String TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]++";
    private static final String TEXT = "[\\t\\x20-\\x7e\\x80-\\xff]*+";
    private static final String FIELD_LINES = "(?<fields>(?:" + TOKEN + ":" + TEXT + "\r\n)*+)\r\n";
    private static final Pattern REQUEST = Pattern.compile("(?:\r\n)?(?<head>(?<first>(?<one>" + TOKEN
            + ") (?<two>[!-~]++) HTTP/1\\.(?<minor>[0-9]))\r\n" + FIELD_LINES + ")");
    private static final Pattern STRICT_RESPONSE =
            Pattern.compile("HTTP/1\\.[0-9] [1-9][0-9]{2} " + TEXT + "\r\n" + FIELD_LINES);
    private static final String LINE_END = "\r?\n";
    private static final String RESPONSE_FIELD =
            "(" + TOKEN + ")[\\t ]*+:((?:" + TEXT + LINE_END + "[\\t ])*+" + TEXT + ")" + LINE_END;
    private static final Pattern RESPONSE =
            Pattern.compile("(?<head>(?<first>HTTP/1\\.(?<minor>[0-9]) +(?<one>[1-9][0-9]{2})(?: (?<two>" + TEXT
                    + "))?)" + LINE_END + "(?<fields>(?:" + RESPONSE_FIELD + ")*+)" + LINE_END + ")");
    private static final Pattern FIELD = Pattern.compile(RESPONSE_FIELD);

    private HeadGrammar() {}

    /** A field line. */
    public record Field(String name, String value) {}

    /**
     * A head at the beginning.
     *
     * @param one the method or the status
     * @param two the request target or the reason
     * @param end where it ends in the input
     */
    public record Head(String text, String one, String two, int minor, List<Field> fields, int end) {}

    /** The head of a request at the beginning of the bytes, or null if there is none within the limits. */
    static @Nullable Head request(byte[] bytes, HeadLimits limits) {
        return head(REQUEST, bytes, limits);
    }

    /** The head of a response at the beginning of the bytes, or null if there is none within the limits. */
    public static @Nullable Head response(byte[] bytes, HeadLimits limits) {
        return head(RESPONSE, bytes, limits);
    }

    /** Whether the text is the head of a response in which nothing had to be tolerated. */
    static boolean isStrict(String response) {
        return STRICT_RESPONSE.matcher(response).matches();
    }

    private static @Nullable Head head(Pattern grammar, byte[] bytes, HeadLimits limits) {
        Matcher head = grammar.matcher(new String(bytes, ISO_8859_1));
        if (!head.lookingAt()
                || head.end("head") - head.start("head") > limits.headBytes()
                || head.end("first") - head.start("first") > limits.firstLineBytes()) {
            return null;
        }
        List<Field> fields = fields(head.group("fields"));
        if (fields.size() > limits.fields()) {
            return null;
        }
        int minor = Math.min(1, Integer.parseInt(head.group("minor")));
        String two = head.group("two") == null ? "" : head.group("two");
        return new Head(head.group("head"), head.group("one"), two, minor, fields, head.end());
    }

    /** Field lines that are known to match. */
    private static List<Field> fields(String lines) {
        List<Field> fields = new ArrayList<>();
        Matcher field = FIELD.matcher(lines);
        while (field.find()) {
            String value = field.group(2).replaceAll("^[\\t\r\n ]+|[\\t\r\n ]+$", "");
            fields.add(new Field(field.group(1), value.replaceAll("(?:[\\t ]*\r?\n[\\t ]+)+", " ")));
        }
        return fields;
    }

    /** The fields of a parsed head in the same form. */
    static List<Field> fields(Fields parsed) {
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < parsed.size(); i++) {
            fields.add(new Field(parsed.name(i), parsed.value(i)));
        }
        return fields;
    }
}
