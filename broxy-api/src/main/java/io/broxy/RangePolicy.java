package io.broxy;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A policy that goes by the range an address is in. It may also go by the IPv4 addresses that the address embeds, and
 * admits it then only if it admits them all.
 *
 * <p>Threading: immutable.
 *
 * @param ranges judges one address
 * @param embeddedToo whether embedded addresses are judged, too
 */
record RangePolicy(Ranges ranges, boolean embeddedToo) implements AddressPolicy {
    static final AddressPolicy ANY = new RangePolicy(Everywhere.EVERYWHERE, false);
    static final AddressPolicy PUBLIC_ONLY = new RangePolicy(Public.PUBLIC, true);

    private static final EmbeddedAddresses[] PLACES = EmbeddedAddresses.values();

    /** Judges addresses as {@link AddressBits} holds them. */
    interface Ranges {

        /** Whether this address by itself may pass. */
        boolean admit(long high, long low);

        /** Where the address is, to be read behind "is". */
        String describe(long high, long low);
    }

    @Override
    public boolean admits(InetAddress address) {
        byte[] bytes = address.getAddress();
        long high = AddressBits.high(bytes);
        long low = AddressBits.low(bytes);
        return ranges.admit(high, low) && (!embeddedToo || placeOfRefused(high, low) == null);
    }

    @Override
    public String explain(InetAddress address) {
        byte[] bytes = address.getAddress();
        long high = AddressBits.high(bytes);
        long low = AddressBits.low(bytes);
        String text = AddressText.format(high, low) + " is ";
        EmbeddedAddresses place = embeddedToo && ranges.admit(high, low) ? placeOfRefused(high, low) : null;
        if (place == null) {
            return text + ranges.describe(high, low);
        }
        long embedded = place.low(high, low);
        return text + place + " for " + AddressText.format(0, embedded) + ", which is " + ranges.describe(0, embedded);
    }

    private @Nullable EmbeddedAddresses placeOfRefused(long high, long low) {
        for (EmbeddedAddresses place : PLACES) {
            if (place.isIn(high, low) && !ranges.admit(0, place.low(high, low))) {
                return place;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return ranges.toString();
    }

    /** All addresses. */
    enum Everywhere implements Ranges {
        EVERYWHERE;

        @Override
        public boolean admit(long high, long low) {
            return true;
        }

        @Override
        public String describe(long high, long low) {
            return "admitted like any other";
        }

        @Override
        public String toString() {
            return "any";
        }
    }

    /** The public Internet. */
    enum Public implements Ranges {
        PUBLIC;

        @Override
        public boolean admit(long high, long low) {
            return SpecialAddresses.find(high, low).global();
        }

        @Override
        public String describe(long high, long low) {
            return SpecialAddresses.find(high, low).toString();
        }

        @Override
        public String toString() {
            return "public only";
        }
    }

    /** What lies in one of the blocks. */
    record Allowed(CidrSet blocks) implements Ranges {

        @Override
        public boolean admit(long high, long low) {
            return blocks.find(high, low) != null;
        }

        @Override
        public String describe(long high, long low) {
            Cidr block = blocks.find(high, low);
            return block == null ? "in none of the allowed blocks" : "in the allowed block " + block;
        }

        @Override
        public String toString() {
            return "allowing " + blocks;
        }
    }

    /** What lies in none of the blocks. */
    record Denied(CidrSet blocks) implements Ranges {

        @Override
        public boolean admit(long high, long low) {
            return blocks.find(high, low) == null;
        }

        @Override
        public String describe(long high, long low) {
            Cidr block = blocks.find(high, low);
            return block == null ? "in none of the denied blocks" : "in the denied block " + block;
        }

        @Override
        public String toString() {
            return "denying " + blocks;
        }
    }
}
