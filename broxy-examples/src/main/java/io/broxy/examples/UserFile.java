package io.broxy.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.LongPasswordStrategies;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Users and their passwords' hashes, as {@code htpasswd -B} writes them: {@code USER:HASH}, one a line. Empty lines, and those
 * that begin with {@code #}, are left out. The only kind of hash is bcrypt, of whose password 72 bytes count.
 *
 * <p>Somebody who is no user takes as long as the most expensive user does.
 *
 * <p>Threading: immutable.
 */
final class UserFile {
    private static final Pattern BCRYPT = Pattern.compile("\\$2[aby]\\$([0-9]{2})\\$[./A-Za-z0-9]{53}");

    private static final int LEAST_COST = 4;

    /** Some seconds of a processor for each try, and twice as much for each more. */
    private static final int MOST_COST = 16;

    /** Of a password that nobody has. */
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
        int highestCost = LEAST_COST;
        int number = 0;
        for (String line : text(file, content).split("\n", -1)) {
            number++;
            String entry = line.strip();
            if (entry.isEmpty() || entry.startsWith("#")) {
                continue;
            }
            int colon = entry.indexOf(':');
            if (colon < 1) {
                throw ConfigFileException.at(file, number, "it is not USER:HASH");
            }
            highestCost = Math.max(highestCost, cost(file, number, entry.substring(colon + 1)));
            String user = entry.substring(0, colon);
            if (hashes.put(user, entry.substring(colon + 1).getBytes(US_ASCII)) != null) {
                throw ConfigFileException.at(file, number, "the user is there twice");
            }
        }
        if (hashes.isEmpty()) {
            throw ConfigFileException.of(file, "there is no user in it");
        }
        return new UserFile(Map.copyOf(hashes), highestCost);
    }

    private static String text(Path file, byte[] content) throws ConfigFileException {
        try {
            return UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
        } catch (CharacterCodingException e) {
            throw ConfigFileException.of(file, "it is not UTF-8");
        }
    }

    private static int cost(Path file, int line, String hash) throws ConfigFileException {
        Matcher matcher = BCRYPT.matcher(hash);
        if (!matcher.matches()) {
            throw ConfigFileException.at(file, line, "the hash is not one of bcrypt, as htpasswd -B makes it");
        }
        int cost = Integer.parseInt(matcher.group(1));
        if (cost < LEAST_COST || cost > MOST_COST) {
            throw ConfigFileException.at(
                    file, line, "the hash has cost " + cost + ", not one of " + LEAST_COST + " to " + MOST_COST);
        }
        return cost;
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
