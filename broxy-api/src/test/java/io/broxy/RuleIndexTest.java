package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Specifies that the index finds the rule that a check of one rule after the other would find. */
class RuleIndexTest {
    private static final String[] LABELS = {"a", "b", "aa", "ab", "example", "com"};
    private static final int[] PORTS = {0, 0, 0, 80, 443};

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @Tag("sweep")
    void randomRulesAndTargetsGiveWhatOneByOneGives(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            List<Rule> rules = new ArrayList<>();
            for (int count = random.nextInt(40); count > 0; count--) {
                rules.add(rule(random));
            }
            RuleIndex index = new RuleIndex(rules);
            for (int i = 0; i < 200; i++) {
                HostPort target = target(random);
                assertThat(index.find(target)).as("%s in %s", target, rules).isEqualTo(oneByOne(rules, target));
            }
        }
    }

    private static Rule rule(Random random) {
        int port = PORTS[random.nextInt(PORTS.length)];
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> new Rule.Domain(name(random), true, true, port);
            case 3 -> {
                boolean below = random.nextBoolean();
                yield new Rule.Domain(name(random), !below, below, port);
            }
            case 4, 5 -> {
                byte[] address = address(random);
                boolean ipv4 = AddressBits.isIpv4(AddressBits.high(address), AddressBits.low(address));
                int bits = ipv4 ? 96 + random.nextInt(33) : random.nextInt(129);
                yield new Rule.Block(Cidr.around(AddressBits.high(address), AddressBits.low(address), bits), port);
            }
            case 6 -> {
                String name = name(random);
                yield new Rule.Glob(
                        name.substring(random.nextInt(name.length())),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        port);
            }
            default -> new Rule.AnyHost(random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(500));
        };
    }

    private static HostPort target(Random random) {
        int port = PORTS[3 + random.nextInt(2)] + random.nextInt(2);
        if (random.nextInt(3) > 0) {
            return HostPort.of(name(random), port);
        }
        byte[] address = address(random);
        return HostPort.of(AddressText.format(AddressBits.high(address), AddressBits.low(address)), port);
    }

    private static String name(Random random) {
        StringBuilder name = new StringBuilder(LABELS[random.nextInt(LABELS.length)]);
        for (int more = random.nextInt(4); more > 0; more--) {
            name.append('.').append(LABELS[random.nextInt(LABELS.length)]);
        }
        return name.toString();
    }

    /** Few bits vary, so that blocks are hit. */
    private static byte[] address(Random random) {
        byte[] address = new byte[random.nextBoolean() ? 4 : 16];
        address[0] = (byte) (random.nextBoolean() ? 10 : 0);
        address[1] = (byte) (1 << random.nextInt(8));
        address[address.length - 1] = (byte) random.nextInt(4);
        return address;
    }

    private static int oneByOne(List<Rule> rules, HostPort target) {
        for (int index = 0; index < rules.size(); index++) {
            if (matches(rules.get(index), target)) {
                return index;
            }
        }
        return RuleIndex.NONE;
    }

    private static boolean matches(Rule rule, HostPort target) {
        if (rule.port() != 0 && rule.port() != target.port()) {
            return false;
        }
        if (rule instanceof Rule.Domain domain) {
            boolean itself = domain.itself() && target.host().equals(domain.name());
            return itself || (domain.below() && target.host().endsWith("." + domain.name()));
        }
        if (rule instanceof Rule.Block block) {
            return target.address() != null && block.block().contains(target.address());
        }
        if (rule instanceof Rule.Glob glob) {
            String host = target.host().contains(":") ? "[" + target.host() + "]" : target.host();
            String pattern = (glob.open() ? ".*" : "")
                    + java.util.regex.Pattern.quote(glob.text())
                    + (glob.unended() ? ".*" : "");
            return host.matches(pattern);
        }
        return true;
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS) // one by one it would be 40 thousand million comparisons
    void manyRulesAreNoSlowerToSearchThanAFew() {
        int count = 100_000;
        Rules.Builder builder = Rules.builder();
        for (int i = 0; i < count; i++) {
            builder.domain("d" + i + ".example", Route.via("hop"));
            builder.address((1 + i / 65_536) + "." + (i >> 8 & 255) + "." + (i & 255) + ".0/24", Route.via("hop"));
        }
        Rules rules = builder.otherwise(Route.deny()).build();

        for (int i = 0; i < count; i++) {
            assertThat(rules.route(HostPort.of("www.d" + i + ".example", 443)).isDenied())
                    .isFalse();
            assertThat(rules.route(HostPort.of("www.x" + i + ".example", 443)).isDenied())
                    .isTrue();
        }
        assertThat(rules.explain(HostPort.of("2.0.1.7", 80))).contains("rules[131075]", "2.0.1.0/24");
    }
}
