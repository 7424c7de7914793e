package io.broxy;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Blocks of addresses, searched in logarithmic time: lists of a cloud's networks have thousands. Two blocks are either
 * apart or one lies in the other, and the inner one is dropped; so only the last block that begins at or before an
 * address can hold it.
 *
 * <p>Threading: immutable.
 */
final class CidrSet {
    private final List<Cidr> blocks;
    private final Cidr[] ipv4;
    private final Cidr[] ipv6;

    CidrSet(Collection<Cidr> blocks) {
        this.blocks = List.copyOf(blocks);
        ipv4 = sortedOutermost(this.blocks, true);
        ipv6 = sortedOutermost(this.blocks, false);
    }

    private static Cidr[] sortedOutermost(List<Cidr> blocks, boolean ipv4) {
        List<Cidr> sorted = new ArrayList<>(blocks);
        sorted.removeIf(block -> block.isIpv4() != ipv4);
        sorted.sort(Comparator.comparing(Cidr::high, Long::compareUnsigned)
                .thenComparing(Cidr::low, Long::compareUnsigned)
                .thenComparing(Cidr::prefixLength));
        List<Cidr> outermost = new ArrayList<>(sorted.size());
        for (Cidr block : sorted) {
            Cidr last = outermost.isEmpty() ? null : outermost.get(outermost.size() - 1);
            if (last == null || !last.contains(block.high(), block.low())) {
                outermost.add(block);
            }
        }
        return outermost.toArray(Cidr[]::new);
    }

    /** The block that holds the address, or null. */
    @Nullable
    Cidr find(long high, long low) {
        Cidr[] candidates = AddressBits.isIpv4(high, low) ? ipv4 : ipv6;
        int from = 0;
        int to = candidates.length; // the first block behind the address is within from..to
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (candidates[middle].beginsBehind(high, low)) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        return from > 0 && candidates[from - 1].contains(high, low) ? candidates[from - 1] : null;
    }

    /** The blocks as they were given. */
    @Override
    public String toString() {
        return blocks.toString();
    }
}
