package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.LongPasswordStrategies;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Users and their passwords' hashes, as {@code htpasswd -B} writes them: {@code USER:HASH}, one a line. Empty lines,
 * and those that begin with {@code #}, are left out. The only kind of hash is bcrypt, of whose password 72 bytes count.
 *
 * <p>An unknown user takes as long as the most expensive one.
 *
 * <p>Threading: immutable.
 */
final class UserFile {
    private static final Pattern BCRYPT = Pattern.compile("\\$2[aby]\\$([0-9]{2})\\$[./A-Za-z0-9]{53}");

    private static final int LEAST_COST = 4;

    /** Some seconds of a processor for each try, and twice as much for each more. */
    private static final int MOST_COST = 16;

    private static final Map<String, String> OTHER_KINDS = Map.of(
            "$apr1$", "Apache's MD5",
            "{SHA}", "SHA-1",
            "$1$", "MD5",
            "$5$", "SHA-256",
            "$6$", "SHA-512",
            "$y$", "yescrypt",
            "$argon2", "Argon2");

    private static final Pattern LINE_END = Pattern.compile("\r\n|\n|\r");

    /** The hash of a password that no user has. */
    private static final String NOBODY = "YJDqEdyNJCVwlfkDOcdWU.PdV0f0bvR3VAqE8Vf9ZQ9jXjmN9YzL6";

    private final Map<String, byte[]> hashes;
    private final byte[] nobody;

    private UserFile(Map<String, byte[]> hashes, int highestCost) {
        this.hashes = hashes;
        this.nobody = "$2b$%02d$%s".formatted(highestCost, NOBODY).getBytes(US_ASCII);
    }

    /**
     * Reads the content of a file.
     *
     * @param file for messages, which show nothing of a hash
     * @throws ConfigFileException if a line makes no sense, or there is none
     */
    static UserFile parse(Path file, byte[] content) throws ConfigFileException {
        if (content.length > YamlDocument.LARGEST) {
            throw ConfigFileException.of(file, "it is too large");
        }
        Map<String, byte[]> hashes = new HashMap<>();
        Map<String, Integer> lines = new HashMap<>();
        int highestCost = LEAST_COST;
        int number = 0;
        for (String line : LINE_END.split(text(file, content), -1)) {
            number++;
            String entry = withoutMark(line.strip());
            if (entry.isEmpty() || entry.startsWith("#")) {
                continue;
            }
            int colon = entry.indexOf(':');
            if (colon < 1) {
                String found = colon < 0 ? "there is no colon" : "there is nothing before the colon";
                throw ConfigFileException.at(file, number, "it is not USER:HASH: " + found);
            }
            String user = entry.substring(0, colon);
            String hash = entry.substring(colon + 1);
            highestCost = Math.max(highestCost, cost(file, number, hash));
            Integer earlier = lines.putIfAbsent(user, number);
            if (earlier != null) {
                throw ConfigFileException.at(
                        file, number, "duplicate user " + Found.value(user) + ", first in line " + earlier);
            }
            hashes.put(user, hash.getBytes(US_ASCII));
        }
        if (hashes.isEmpty()) {
            throw ConfigFileException.of(file, "it has no users");
        }
        return new UserFile(Map.copyOf(hashes), highestCost);
    }

    private static String text(Path file, byte[] content) throws ConfigFileException {
        Utf8Text decoded = Utf8Text.of(content);
        if (!decoded.problem().isEmpty()) {
            int line = LINE_END.split(decoded.text(), -1).length;
            throw ConfigFileException.at(file, line, decoded.problem());
        }
        return decoded.text();
    }

    /** Files with byte order marks that were put one after the other have some within. */
    private static String withoutMark(String entry) {
        return entry.indexOf(Utf8Text.BYTE_ORDER_MARK) == 0 ? entry.substring(1).strip() : entry;
    }

    private static int cost(Path file, int line, String hash) throws ConfigFileException {
        Matcher matcher = BCRYPT.matcher(hash);
        if (!matcher.matches()) {
            throw ConfigFileException.at(
                    file, line, "the hash is not a bcrypt hash, as htpasswd -B writes it; found " + kind(hash));
        }
        int cost = Integer.parseInt(matcher.group(1));
        if (cost < LEAST_COST || cost > MOST_COST) {
            throw ConfigFileException.at(
                    file, line, "the hash has cost " + cost + ", not one of " + LEAST_COST + " to " + MOST_COST);
        }
        return cost;
    }

    /** What a hash is by how it begins; nothing more is shown of it, for it may be a password. */
    private static String kind(String hash) {
        if (hash.isEmpty()) {
            return "nothing after the colon";
        }
        if (hash.matches("\\$2[aby]\\$.*")) {
            return "one of " + hash.length() + " characters, and not of 60";
        }
        for (Map.Entry<String, String> kind : OTHER_KINDS.entrySet()) {
            if (hash.startsWith(kind.getKey())) {
                return kind.getValue() + " (" + kind.getKey() + ")";
            }
        }
        return "something else (not shown)";
    }

    /** How many users there are. */
    int size() {
        return hashes.size();
    }

    /** Whether a user has this password. */
    boolean matches(String user, String password) {
        byte[] hash = hashes.get(user);
        byte[] bytes = password.getBytes(UTF_8);
        try {
            boolean same = verify(bytes, hash == null ? nobody : hash);
            return same && hash != null && password.indexOf('\0') < 0; // bcrypt repeats a password behind a zero byte
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static boolean verify(byte[] password, byte[] hash) {
        BCrypt.Version version = switch (hash[2]) {
            case 'a' -> BCrypt.Version.VERSION_2A;
            case 'b' -> BCrypt.Version.VERSION_2B;
            default -> BCrypt.Version.VERSION_2Y;
        };
        return BCrypt.verifyer(version, LongPasswordStrategies.truncate(version))
                .verify(password, hash)
                .verified;
    }
}
