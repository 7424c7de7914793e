package io.broxy.examples.admin;

import java.util.Locale;
import java.util.Map;

/**
 * Which tunnels a page shows, and in which order.
 *
 * <p>Threading: immutable.
 *
 * @param sort what they are sorted by
 * @param descending whether the greatest comes first
 * @param filter part of the client, the identity or the target, in lower case; empty for all
 * @param offset how many come before
 * @param limit how many are shown
 */
record TunnelQuery(Sort sort, boolean descending, String filter, int offset, int limit) {
    private static final int USUAL_LIMIT = 50;
    private static final int HIGHEST_LIMIT = 500;
    private static final int HIGHEST_OFFSET = 100_000_000;

    /** A column. */
    enum Sort {
        CLIENT,
        IDENTITY,
        TARGET,
        AGE,
        TO_ORIGIN,
        TO_CLIENT,
        RATE
    }

    /**
     * Reads the parameters of a query: {@code sort}, {@code order}, {@code filter}, {@code offset} and {@code limit}, all
     * optional.
     *
     * @throws BadQueryException if one is wrong or unknown
     */
    static TunnelQuery of(Map<String, String> parameters) {
        for (String name : parameters.keySet()) {
            switch (name) {
                case "sort", "order", "filter", "offset", "limit" -> {}
                default -> throw new BadQueryException("the parameters are sort, order, filter, offset and limit");
            }
        }
        return new TunnelQuery(
                sort(parameters.getOrDefault("sort", "age")),
                descending(parameters.getOrDefault("order", "desc")),
                parameters.getOrDefault("filter", "").strip().toLowerCase(Locale.ROOT),
                number("offset", parameters.getOrDefault("offset", "0"), HIGHEST_OFFSET),
                number("limit", parameters.getOrDefault("limit", String.valueOf(USUAL_LIMIT)), HIGHEST_LIMIT));
    }

    private static Sort sort(String text) {
        return switch (text) {
            case "client" -> Sort.CLIENT;
            case "identity" -> Sort.IDENTITY;
            case "target" -> Sort.TARGET;
            case "age" -> Sort.AGE;
            case "to_origin" -> Sort.TO_ORIGIN;
            case "to_client" -> Sort.TO_CLIENT;
            case "rate" -> Sort.RATE;
            default ->
                throw new BadQueryException("sort is client, identity, target, age, to_origin, to_client or rate");
        };
    }

    private static boolean descending(String text) {
        return switch (text) {
            case "asc" -> false;
            case "desc" -> true;
            default -> throw new BadQueryException("order is asc or desc");
        };
    }

    private static int number(String name, String text, int highest) {
        if (text.matches("[0-9]{1,9}") && Integer.parseInt(text) <= highest) {
            return Integer.parseInt(text);
        }
        throw new BadQueryException(name + " is a number up to " + highest);
    }
}
