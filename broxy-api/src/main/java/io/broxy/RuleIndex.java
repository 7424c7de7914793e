package io.broxy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the first of many rules that matches. What a rule asks for is a key of a map, and a target has few keys: one for
 * each label of its name, or one for each length of prefix that the rules know. Of the rules found the first in order
 * wins, so the map changes nothing about the order. Only globs are tried one by one.
 *
 * <p>Threading: immutable.
 */
final class RuleIndex {
    /** Behind every rule. */
    static final int NONE = Integer.MAX_VALUE;

    private final Map<String, FirstByPort> names = new HashMap<>();
    private final Map<String, FirstByPort> namesBelow = new HashMap<>();
    private final Map<Cidr, FirstByPort> blocks = new HashMap<>();
    private final int[] bitsOfBlocks;
    private final List<IndexedGlob> globs = new ArrayList<>();
    private final FirstByPort anyHost = new FirstByPort();

    private record IndexedGlob(Rule.Glob glob, int index) {}

    RuleIndex(List<Rule> rules) {
        SortedSet<Integer> bits = new TreeSet<>();
        for (int index = 0; index < rules.size(); index++) {
            Rule rule = rules.get(index);
            if (rule instanceof Rule.Domain domain) {
                add(domain, index);
            } else if (rule instanceof Rule.Block block) {
                add(blocks, block.block(), block.port(), index);
                bits.add(block.block().bits());
            } else if (rule instanceof Rule.Glob glob) {
                globs.add(new IndexedGlob(glob, index));
            } else {
                anyHost.add(rule.port(), index);
            }
        }
        bitsOfBlocks = bits.stream().mapToInt(Integer::intValue).toArray();
    }

    private void add(Rule.Domain domain, int index) {
        if (domain.itself()) {
            add(names, domain.name(), domain.port(), index);
        }
        if (domain.below()) {
            add(namesBelow, domain.name(), domain.port(), index);
        }
    }

    private static <K> void add(Map<K, FirstByPort> map, K key, int port, int index) {
        map.computeIfAbsent(key, absent -> new FirstByPort()).add(port, index);
    }

    /** The index of the first rule that matches, or {@link #NONE}. */
    int find(HostPort target) {
        int first = anyHost.find(target.port());
        first = Math.min(first, target.isLiteral() ? findAddress(target) : findName(target));
        return Math.min(first, findGlob(target, first));
    }

    private int findName(HostPort target) {
        String name = target.host();
        int first = find(names, name, target.port());
        if (!namesBelow.isEmpty()) {
            for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
                first = Math.min(first, find(namesBelow, name.substring(dot + 1), target.port()));
            }
        }
        return first;
    }

    private int findAddress(HostPort target) {
        if (target.address() == null || blocks.isEmpty()) {
            return NONE;
        }
        byte[] address = target.address().getAddress();
        long high = AddressBits.high(address);
        long low = AddressBits.low(address);
        boolean ipv4 = AddressBits.isIpv4(high, low);
        int first = NONE;
        for (int bits : bitsOfBlocks) {
            Cidr key = Cidr.around(high, low, bits);
            if (ipv4 == key.isIpv4()) { // a block of IPv6 addresses holds no IPv4 address, however short its prefix
                first = Math.min(first, find(blocks, key, target.port()));
            }
        }
        return first;
    }

    private int findGlob(HostPort target, int before) {
        if (globs.isEmpty()) {
            return NONE;
        }
        String host = target.host().indexOf(':') < 0 ? target.host() : "[" + target.host() + "]";
        for (IndexedGlob candidate : globs) {
            if (candidate.index > before) {
                return NONE;
            }
            int port = candidate.glob.port();
            if ((port == 0 || port == target.port()) && candidate.glob.matches(host)) {
                return candidate.index;
            }
        }
        return NONE;
    }

    private static <K> int find(Map<K, FirstByPort> map, K key, int port) {
        FirstByPort found = map.get(key);
        return found == null ? NONE : found.find(port);
    }

    /** The first rule of one key: for any port, and for each port that a rule asks for. */
    private static final class FirstByPort {
        private int always = NONE;
        private @Nullable Map<Integer, Integer> ports;

        void add(int port, int index) {
            if (port == 0) {
                always = Math.min(always, index);
                return;
            }
            if (ports == null) {
                ports = new HashMap<>();
            }
            ports.putIfAbsent(port, index);
        }

        int find(int port) {
            return ports == null ? always : Math.min(always, ports.getOrDefault(port, NONE));
        }
    }
}
