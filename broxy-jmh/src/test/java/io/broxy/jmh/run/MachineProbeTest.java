package io.broxy.jmh.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.broxy.jmh.report.Machine;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies how the machine is described in a report. */
class MachineProbeTest {

    @Test
    void modelIsReadFromTheFirstProcessor() {
        assertThat(MachineProbe.model(List.of("processor\t: 0", "model name\t: AMD EPYC", "model name\t: other")))
                .contains("AMD EPYC");
        assertThat(MachineProbe.model(List.of("processor\t: 0", "CPU implementer\t: 0x41")))
                .isEmpty();
    }

    @Test
    void machineIsDescribedWithoutItsPaths() throws Exception {
        Machine machine = MachineProbe.probe();

        assertThat(machine.cores()).isPositive();
        assertThat(machine.memoryMib()).isPositive();
        assertThat(machine.jdk()).contains(String.valueOf(Runtime.version().feature()));
        assertThat(machine.kernel()).startsWith(System.getProperty("os.name") + " ");
        assertThat(machine.toString())
                .doesNotContain(Path.of("").toAbsolutePath().toString());
    }
}
