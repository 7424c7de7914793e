package io.broxy.jmh.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the rows that {@code lab/compare.sh -o FILE} writes, which are those of the load generator preceded by round and load,
 * and computes medians. The first proxy is the reference of the ratios. A line that begins with {@code about} has a condition of
 * the run, one that begins with {@code note} what was left out.
 *
 * <p>Threading: for one thread.
 */
public final class LabRows {
    private static final int IDLE_COLUMNS = 6;

    /** The columns of a run that are used; {@code tunlab header} prints the tool's names for them. */
    private static final int UNITS = 7;

    private static final int RATE = 8;
    private static final int CPU = 9;
    private static final int P50 = 12;
    private static final int P99 = 13;
    private static final int ERRORS = 16;
    private static final int OTHER = 23;
    private static final int COLUMNS = 25;

    private final Map<Key, Runs> loads = new LinkedHashMap<>();
    private final Map<String, IdleRuns> idle = new LinkedHashMap<>();
    private final List<String> conditions = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private String reference = "";

    private final double foreignLoad;

    private LabRows(double foreignLoad) {
        this.foreignLoad = foreignLoad;
    }

    /** Threading: immutable. */
    private record Key(String mode, String proxy) {}

    /** The rounds of one proxy under one load. Threading: for one thread. */
    private static final class Runs {
        final Map<Integer, Double> cpu = new TreeMap<>();
        final List<Double> rate = new ArrayList<>();
        final List<Double> p50 = new ArrayList<>();
        final List<Double> p99 = new ArrayList<>();
        int disturbed;
        int failed;
        long errors;

        String remarks() {
            List<String> remarks = new ArrayList<>();
            if (disturbed > 0) {
                remarks.add(disturbed + " left out for foreign load");
            }
            if (failed > 0) {
                remarks.add(failed + " failed");
            }
            if (errors > 0) {
                remarks.add(errors + " errors");
            }
            return String.join(", ", remarks);
        }
    }

    /** The rounds of one proxy with idle tunnels. Threading: for one thread. */
    private static final class IdleRuns {
        final List<Double> rss = new ArrayList<>();
        final List<Double> heap = new ArrayList<>();
        final List<Double> cpu = new ArrayList<>();
    }

    /**
     * Reads a file.
     *
     * @param lines its lines
     * @param foreignLoad a run is skipped if other processes used more than this percentage of a processor
     * @throws IllegalArgumentException if a line does not have the expected columns; the message names it
     */
    public static WholeProcess read(List<String> lines, double foreignLoad) {
        LabRows rows = new LabRows(foreignLoad);
        for (int i = 0; i < lines.size(); i++) {
            String[] columns = lines.get(i).split("\t", -1);
            if (columns[0].equals("round") || lines.get(i).isBlank()) {
                continue;
            }
            try {
                rows.add(columns);
            } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
                throw new IllegalArgumentException("line " + (i + 1) + " is not a row of the lab: " + lines.get(i), e);
            }
        }
        return rows.summary();
    }

    private void add(String[] columns) {
        switch (columns[0]) {
            case "about" -> conditions.add(columns[1]);
            case "note" -> failures.add(columns[1]);
            default -> addRun(columns);
        }
    }

    private void addRun(String[] columns) {
        int round = Integer.parseInt(columns[0]);
        String mode = columns[1];
        String proxy = columns[2];
        if (reference.isEmpty()) {
            reference = proxy;
        }
        boolean failed = columns[3].equals("FAILED");
        if (mode.equals("idle")) {
            addIdle(proxy, columns, failed);
            return;
        }
        Runs runs = loads.computeIfAbsent(new Key(mode, proxy), key -> new Runs());
        if (failed) {
            runs.failed++;
            return;
        }
        if (columns.length != COLUMNS) {
            throw new ArrayIndexOutOfBoundsException(columns.length);
        }
        if (Double.parseDouble(columns[UNITS]) == 0) {
            runs.failed++;
        } else if (Double.parseDouble(columns[OTHER]) > foreignLoad) {
            runs.disturbed++;
        } else {
            runs.cpu.put(round, Double.parseDouble(columns[CPU]) / (new LabMode(mode).isBulk() ? 1_000 : 1));
            runs.rate.add(Double.parseDouble(columns[RATE]));
            runs.p50.add(Double.parseDouble(columns[P50]));
            runs.p99.add(Double.parseDouble(columns[P99]));
            runs.errors += Long.parseLong(columns[ERRORS]);
        }
    }

    private void addIdle(String proxy, String[] columns, boolean failed) {
        if (failed) {
            failures.add("idle tunnels of " + proxy + " failed");
            return;
        }
        if (columns.length != IDLE_COLUMNS) {
            throw new ArrayIndexOutOfBoundsException(columns.length);
        }
        IdleRuns runs = idle.computeIfAbsent(proxy, key -> new IdleRuns());
        runs.rss.add(Double.parseDouble(columns[3]));
        if (!columns[4].equals("-")) {
            runs.heap.add(Double.parseDouble(columns[4]));
        }
        runs.cpu.add(Double.parseDouble(columns[5]));
    }

    private WholeProcess summary() {
        List<ProcessRow> rows = new ArrayList<>();
        loads.forEach((key, runs) -> {
            if (runs.cpu.isEmpty()) {
                failures.add(key.mode + " of " + key.proxy + " gave no figure: " + runs.remarks());
            } else {
                rows.add(row(key, runs));
            }
        });
        List<IdleRow> idleRows = new ArrayList<>();
        idle.forEach((proxy, runs) -> idleRows.add(new IdleRow(
                proxy,
                Figure.ofMedian(runs.rss),
                runs.heap.isEmpty() ? null : Figure.ofMedian(runs.heap),
                Figure.ofMedian(runs.cpu))));
        return new WholeProcess(reference, conditions, rows, idleRows, failures);
    }

    private ProcessRow row(Key key, Runs runs) {
        LabMode mode = new LabMode(key.mode);
        return new ProcessRow(
                key.mode,
                key.proxy,
                mode.unit(),
                Figure.ofMedian(List.copyOf(runs.cpu.values())),
                ratio(key, runs),
                Figure.ofMedian(runs.rate).value(),
                mode.isBulk() ? 0 : Figure.ofMedian(runs.p50).value(),
                mode.isBulk() ? 0 : Figure.ofMedian(runs.p99).value(),
                runs.cpu.size(),
                runs.remarks());
    }

    /** The processor time of each round divided by the reference's in the same round. */
    private @Nullable Figure ratio(Key key, Runs runs) {
        Runs base = loads.get(new Key(key.mode, reference));
        if (base == null) {
            return null;
        }
        List<Double> ratios = new ArrayList<>();
        runs.cpu.forEach((round, cpu) -> at(base.cpu, round).ifPresent(own -> ratios.add(cpu / own)));
        return ratios.isEmpty() ? null : Figure.ofMedian(ratios);
    }

    private static OptionalDouble at(Map<Integer, Double> cpu, int round) {
        Double value = cpu.get(round);
        return value == null || value <= 0 ? OptionalDouble.empty() : OptionalDouble.of(value);
    }
}
