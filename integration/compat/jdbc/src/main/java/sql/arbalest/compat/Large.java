package sql.arbalest.compat;

import java.sql.ResultSet;
import java.sql.Statement;

/** Reads a large result whole and holds its rows and sums. */
final class Large {
  private Large() {}

  static void run(Setup setup, Checks checks) {
    checks.that("every row of a large result, once", setup.largeRows + " rows, sum " + setup.largeSum, () -> {
      long[] got = new long[2];
      setup.inSession(connection -> {
        try (Statement statement = connection.createStatement()) {
          statement.execute("SET arbalest.distributed = 'always'");
          try (ResultSet result = statement.executeQuery(setup.largeSql)) {
            while (result.next()) {
              got[0]++;
              got[1] += result.getLong(1) * result.getLong(2);
            }
          }
        }
      });
      return got[0] + " rows, sum " + got[1];
    });
  }
}
