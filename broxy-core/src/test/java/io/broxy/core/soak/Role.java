package io.broxy.core.soak;

import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** What a client is, and how many of its kind there are. Threading: immutable. */
enum Role {
    TRANSFER(30, GoodTunnels::transfer),
    IN_ONE_GO(8, GoodTunnels::inOneGo),
    TALK(20, GoodTunnels::talk),
    BALANCED(5, GoodTunnels::balanced),
    KEEP_ALIVE(30, GoodRequests::keepAlive),
    THAT_IS_ALL(5, GoodRequests::thatIsAll),
    POST(20, GoodRequests::post),
    UPGRADE(8, GoodRequests::upgrade),
    OF_THE_PROXY(5, GoodRequests::ofTheProxy),
    NTLM_PAIR(8, Logins::pair),
    TLS_TALK(8, TlsClients::talk),
    TLS_TRANSFER(8, TlsClients::transfer),
    SOCKS_TALK(10, SocksClients::talk),

    TLS_CUT(4, TlsClients::cut),
    TLS_VANISH(3, TlsClients::vanish),
    TLS_GARBAGE(6, TlsClients::garbage),
    FORBIDDEN(5, Refusals::forbidden),
    UNREACHABLE(8, Refusals::unreachable),
    WRONG_PASSWORD(5, Refusals::wrongPassword),
    FLOOD(2, Refusals::flood),
    GARBAGE(12, HostileHeads::garbage),
    SOCKS_REFUSED(5, SocksClients::refused),
    SOCKS_GARBAGE(4, SocksClients::garbage),
    BAD_BALANCER(3, HostileHeads::badBalancer),
    VANISH(6, HostileHeads::vanish),
    VANISH_BEFORE_TUNNEL(4, HostileHeads::vanishBeforeTunnel),
    RESET_TUNNEL(8, BrokenTransfers::resetTunnel),
    ORIGIN_RESETS(6, BrokenTransfers::originResets),
    RESET_DOWNLOAD(6, BrokenTransfers::resetDownload),
    RESET_UPLOAD(6, BrokenTransfers::resetUpload),
    BAD_CHUNKS(4, BrokenTransfers::badChunks),
    CUT(6, OriginFaults::cut),
    NO_ANSWER(4, OriginFaults::noAnswer),
    GONE(5, OriginFaults::gone),
    DYING_ORIGIN(8, DyingOrigins::mixed),

    SLOW_READER(-6, GoodTunnels::slowReader),
    SLOW_HEAD(-3, HostileHeads::slow),
    MUTE(-3, HostileHeads::mute),
    TLS_SLOW(-2, TlsClients::slow),
    SOCKS_STOPS(-2, SocksClients::stops),
    GUESSES(-3, Refusals::guesses),
    WRONG_PASSWORDS(-3, WrongPasswords::behindOneAddress),
    BLACK_HOLE(-2, Refusals::blackHole),
    HANGING_NAMES(-2, Refusals::hangingNames),
    STALLED_TUNNEL(-2, BrokenTransfers::stalledTunnel),
    STALLED_DOWNLOAD(-2, BrokenTransfers::stalledDownload),
    STALLED_UPLOAD(-2, BrokenTransfers::stalledUpload),
    IDLE_TUNNEL(-2, BrokenTransfers::idleTunnel),
    SILENT_ORIGIN(-2, BrokenTransfers::silentOrigin);

    /** What it does. Any failure but those that it catches fails the soak. */
    @FunctionalInterface
    interface Script {
        void play(Client client) throws Exception;
    }

    private final int weight;
    private final boolean patient;

    @SuppressWarnings("ImmutableEnumChecker") // static methods all of them
    private final Script script;

    /**
     * Describes one.
     *
     * @param weight how often it is chosen; negative for those that wait most of the time, which have threads of their own
     */
    Role(int weight, Script script) {
        this.weight = Math.abs(weight);
        this.patient = weight < 0;
        this.script = script;
    }

    boolean isPatient() {
        return patient;
    }

    void play(Client client) throws Exception {
        script.play(client);
    }

    /** Those that a list names; or, where it names some with a minus before them, all the others. Nothing names all. */
    static List<Role> named(String list) {
        List<String> names = List.of(list.split(",", -1));
        boolean all = list.isEmpty() || list.startsWith("-");
        return Arrays.stream(values())
                .filter(role -> all ? !names.contains("-" + role) : names.contains(role.name()))
                .toList();
    }

    /** One of these, by weight. */
    static Role choose(List<Role> roles, Random random) {
        int at = random.nextInt(roles.stream().mapToInt(role -> role.weight).sum());
        for (Role role : roles) {
            at -= role.weight;
            if (at < 0) {
                return role;
            }
        }
        throw new AssertionError("the weights do not add up");
    }
}
