package sql.arbalest.compat;

import java.time.Duration;
import java.time.Period;
import java.util.ArrayList;
import java.util.List;

/** Writes the driver's intervals, a period and a duration in a class of its shaded Arrow, as DuckDB does. */
final class Intervals {
  private Intervals() {}

  static String text(Object value) {
    try {
      Period period = ((Period) value.getClass().getMethod("getPeriod").invoke(value)).normalized();
      Duration duration = (Duration) value.getClass().getMethod("getDuration").invoke(value);
      List<String> parts = new ArrayList<>();
      add(parts, period.getYears(), "year");
      add(parts, period.getMonths(), "month");
      add(parts, period.getDays(), "day");
      if (!duration.isZero() || parts.isEmpty()) {
        parts.add(String.format("%02d:%02d:%02d", duration.toHours(), duration.toMinutesPart(), duration.toSecondsPart()));
      }
      return String.join(" ", parts);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void add(List<String> parts, int n, String unit) {
    if (n != 0) {
      parts.add(n + " " + unit + (Math.abs(n) == 1 ? "" : "s"));
    }
  }
}
