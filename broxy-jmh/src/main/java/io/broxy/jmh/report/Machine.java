package io.broxy.jmh.report;

import java.util.ArrayList;
import java.util.List;

/**
 * The machine of a run, without data that identifies the individual machine.
 *
 * <p>Threading: immutable.
 *
 * @param cpu the processor's model
 * @param cores the number of processors that the JVM sees
 * @param memoryMib the machine's memory in MiB
 * @param kernel the system's name, version and architecture
 * @param jdk the Java version and its vendor
 * @param commit the measured commit, with {@code +changes} if the work tree was modified
 */
public record Machine(String cpu, int cores, long memoryMib, String kernel, String jdk, String commit) {

    /** A copy with the JDKs of the measured processes; the same if there are none. */
    public Machine withJdk(List<String> jdks) {
        return jdks.isEmpty() ? this : new Machine(cpu, cores, memoryMib, kernel, String.join("; ", jdks), commit);
    }

    /** The differences from another machine that affect speed; empty if there are none. */
    public List<String> differences(Machine other) {
        List<String> found = new ArrayList<>();
        compare(found, "processor", cpu, other.cpu);
        compare(found, "cores", String.valueOf(cores), String.valueOf(other.cores));
        compare(found, "kernel", kernel, other.kernel);
        compare(found, "JDK", jdk, other.jdk);
        return found;
    }

    private static void compare(List<String> found, String what, String one, String other) {
        if (!one.equals(other)) {
            found.add(what + ": " + one + " / " + other);
        }
    }
}
