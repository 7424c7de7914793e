package io.broxy.jmh.report;

import java.util.ArrayList;
import java.util.List;

/**
 * Where a run was made, without anything that names the one machine.
 *
 * <p>Threading: immutable.
 *
 * @param cpu the processor's model
 * @param cores how many processors the JVM sees
 * @param memoryMib the machine's memory in MiB
 * @param kernel the system's name, version and architecture
 * @param jdk the Java version and who built it
 * @param commit the commit that was measured, with {@code +changes} if there were any
 */
public record Machine(String cpu, int cores, long memoryMib, String kernel, String jdk, String commit) {

    /** In which respects that matter for speed another machine differs from this one; empty if in none. */
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
