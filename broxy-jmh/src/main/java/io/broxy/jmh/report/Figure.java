package io.broxy.jmh.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;

/**
 * A measured value and the interval in which a repeated measurement is expected.
 *
 * <p>Threading: immutable.
 *
 * @param value the mean or the median
 * @param low the lower end of the interval; not above the value
 * @param high the upper end of the interval; not below the value
 */
public record Figure(double value, double low, double high) {

    public Figure {
        if (!(low <= value && value <= high)) {
            throw new IllegalArgumentException(value + " is not between " + low + " and " + high);
        }
    }

    /** A mean with a symmetric error; an unknown error, as of a single sample, counts as 0. */
    public static Figure ofMean(double mean, double error) {
        return Double.isNaN(error) ? new Figure(mean, mean, mean) : new Figure(mean, mean - error, mean + error);
    }

    /** The median of samples, with their minimum and maximum. */
    public static Figure ofMedian(List<Double> samples) {
        if (samples.isEmpty()) {
            throw new IllegalArgumentException("a median needs at least one sample");
        }
        List<Double> sorted = samples.stream().sorted().toList();
        int middle = sorted.size() / 2;
        double median = sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
        return new Figure(median, sorted.get(0), sorted.get(sorted.size() - 1));
    }

    /** Half of the interval's width as a fraction of the value; 0 for the value 0. */
    @JsonIgnore
    public double spread() {
        return value == 0 ? 0 : (high - low) / 2 / Math.abs(value);
    }

    /** Whether the two intervals overlap. */
    public boolean overlaps(Figure other) {
        return low <= other.high && other.low <= high;
    }
}
