package io.broxy.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The blocks of a PEM file (RFC 7468): {@code -----BEGIN LABEL-----}, Base64, {@code -----END LABEL-----}. Text around
 * the blocks is ignored, in any encoding. Private keys of the traditional form may begin with header lines (RFC 1421).
 *
 * <p>Threading: stateless.
 */
final class Pem {
    private static final Pattern LINE_END = Pattern.compile("\r\n|\n|\r");
    private static final Pattern BEGIN = Pattern.compile("-----BEGIN (.+)-----");
    private static final Pattern ENCRYPTED = Pattern.compile("Proc-Type:\\s*4\\s*,\\s*ENCRYPTED");
    private static final String ANY_BEGIN = "-----BEGIN ";
    private static final String ANY_END = "-----END ";

    private Pem() {}

    /**
     * A block, whose Base64 is not decoded yet.
     *
     * @param line of its beginning, counted from 1
     * @param encrypted whether its headers say that the content is encrypted
     */
    record Block(Path file, int line, String label, boolean encrypted, String base64) {
        /**
         * The content.
         *
         * @throws ConfigFileException if it is not Base64
         */
        byte[] der() throws ConfigFileException {
            try {
                return Base64.getDecoder().decode(base64);
            } catch (IllegalArgumentException e) { // its message shows a character of the key
                throw failure("the Base64 of this " + label + " is broken");
            }
        }

        /** A failure to use this block. */
        ConfigFileException failure(String reason) {
            return ConfigFileException.at(file, line, reason);
        }

        /** Without the content, which may be a key. */
        @Override
        public String toString() {
            return file + ":" + line + ": " + label;
        }
    }

    /** Collects the lines of one block. Threading: for one thread. */
    private static final class OpenBlock {
        private final Path file;
        private final int begin;
        private final String label;
        private final StringBuilder base64 = new StringBuilder();
        private boolean encrypted;

        OpenBlock(Path file, int begin, String label) {
            this.file = file;
            this.begin = begin;
            this.label = label;
        }

        void add(String line) {
            if (base64.isEmpty() && line.indexOf(':') > 0) {
                encrypted |= ENCRYPTED.matcher(line).matches();
            } else {
                base64.append(line);
            }
        }

        Block end(int line, String text) throws ConfigFileException {
            if (!text.equals(ANY_END + label + "-----")) {
                throw ConfigFileException.at(
                        file, line, "expected the end of the " + label + " that begins in line " + begin);
            }
            return new Block(file, begin, label, encrypted, base64.toString());
        }

        ConfigFileException noEnd() {
            return ConfigFileException.at(file, begin, "this " + label + " has no end");
        }
    }

    /**
     * Finds the blocks.
     *
     * @param file for messages
     * @return in the order of the file; empty if it has none
     * @throws ConfigFileException if a block has no end, or if the file is too large
     */
    static List<Block> blocks(Path file, byte[] content) throws ConfigFileException {
        if (content.length > FileContent.LARGEST) {
            throw ConfigFileException.of(file, "it is too large");
        }
        List<Block> blocks = new ArrayList<>();
        OpenBlock open = null;
        int number = 0;
        for (String untrimmed : LINE_END.split(new String(content, ISO_8859_1), -1)) {
            number++;
            String line = untrimmed.strip();
            if (open == null) {
                Matcher begin = BEGIN.matcher(line);
                if (begin.matches()) {
                    open = new OpenBlock(file, number, begin.group(1));
                }
            } else if (line.startsWith(ANY_BEGIN)) {
                throw open.noEnd();
            } else if (line.startsWith(ANY_END)) {
                blocks.add(open.end(number, line));
                open = null;
            } else {
                open.add(line);
            }
        }
        if (open != null) {
            throw open.noEnd();
        }
        return List.copyOf(blocks);
    }

    /** What a file has in place of the blocks that were looked for, for a message. */
    static String found(List<Block> blocks, byte[] content) {
        if (!blocks.isEmpty()) {
            return "found " + Found.name(blocks.get(0).label());
        }
        if (content.length == 0) {
            return "it is empty";
        }
        return content[0] == Der.SEQUENCE ? "it looks like DER; PEM is expected" : "it is not PEM";
    }
}
