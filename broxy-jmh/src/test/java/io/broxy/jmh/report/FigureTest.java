package io.broxy.jmh.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies the median, the error and the interval of a figure. */
class FigureTest {

    @Test
    void medianOfAnOddNumberIsTheMiddleOne() {
        assertThat(Figure.ofMedian(List.of(9.0, 1.0, 2.0))).isEqualTo(new Figure(2, 1, 9));
    }

    @Test
    void medianOfAnEvenNumberLiesBetweenTheMiddleTwo() {
        assertThat(Figure.ofMedian(List.of(4.0, 1.0, 2.0, 9.0))).isEqualTo(new Figure(3, 1, 9));
    }

    @Test
    void errorOfOneSampleIsNotKnownAndCountsAsNone() {
        assertThat(Figure.ofMean(5, Double.NaN)).isEqualTo(new Figure(5, 5, 5));
    }

    @Test
    void spreadIsHalfOfTheInterval() {
        assertThat(Figure.ofMean(200, 10).spread()).isEqualTo(0.05);
        assertThat(new Figure(0, 0, 4).spread()).isZero();
    }

    @Test
    void intervalsThatTouchOverlap() {
        assertThat(new Figure(1, 0, 2).overlaps(new Figure(3, 2, 4))).isTrue();
        assertThat(new Figure(1, 0, 2).overlaps(new Figure(3, 2.1, 4))).isFalse();
        assertThat(new Figure(3, 2.1, 4).overlaps(new Figure(1, 0, 2))).isFalse();
    }

    @Test
    void valueOutsideOfItsIntervalIsRefused() {
        assertThatThrownBy(() -> new Figure(5, 6, 7)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Figure(Double.NaN, 6, 7)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Figure.ofMedian(List.of())).isInstanceOf(IllegalArgumentException.class);
    }
}
