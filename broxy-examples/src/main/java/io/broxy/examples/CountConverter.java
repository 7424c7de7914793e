package io.broxy.examples;

/** Reads a number of things, at least one. Threading: immutable. */
class CountConverter implements Converter<Integer> {
    private final int most;

    CountConverter() {
        this(Integer.MAX_VALUE);
    }

    private CountConverter(int most) {
        this.most = most;
    }

    @Override
    public Integer convert(String text) {
        int count;
        try {
            count = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            count = 0; // no number, or too large a one
        }
        if (count < 1 || count > most) {
            throw new IllegalArgumentException(Found.value(text) + " is not a whole number of 1 to " + most);
        }
        return count;
    }

    /** Reads a number of threads, where more than a thousand is a slip of the finger. Threading: immutable. */
    static final class Threads extends CountConverter {
        Threads() {
            super(1_024);
        }
    }
}
