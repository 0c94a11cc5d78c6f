package sql.arbalest.compat;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.Arrays;

/** Batches of prepared statements; and what the driver does instead of batches of statements, which it does not have. */
final class Batches {
  private Batches() {}

  static void run(Setup setup, Checks checks) throws Exception {
    setup.inSession(connection -> batches(connection, checks));
  }

  private static void batches(Connection connection, Checks checks) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE TEMP TABLE batched (id INTEGER, note VARCHAR)");
      // The driver binds all rows of a batch in one call, and gives its one count for all of them.
      checks.that("a batch gives one count, of all its rows", "[30]", () -> {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO batched VALUES (?, ?)")) {
          for (int id = 1; id <= 30; id++) {
            insert.setInt(1, id);
            if (id % 10 == 0) {
              insert.setNull(2, Types.VARCHAR);
            } else {
              insert.setString(2, "n" + id);
            }
            insert.addBatch();
          }
          return Arrays.toString(insert.executeBatch());
        }
      });
      checks.that("all rows of a batch are there", "30,465,27", () -> Tables.rows(connection, "SELECT count(*), sum(id), count(note) FROM batched"));
      checks.that("a batch of updates counts what they change", "[11]", () -> {
        try (PreparedStatement update = connection.prepareStatement("UPDATE batched SET note = ? WHERE id <= ?")) {
          for (int id : new int[] {1, 10}) {
            update.setString(1, "b" + id);
            update.setInt(2, id);
            update.addBatch();
          }
          return Arrays.toString(update.executeBatch());
        }
      });
      checks.that("the updates of a batch run in their order", "b10", () -> Tables.rows(connection, "SELECT DISTINCT note FROM batched WHERE id <= 10"));
      checks.that("executeLargeBatch", "[2]", () -> {
        try (PreparedStatement delete = connection.prepareStatement("DELETE FROM batched WHERE id = ?")) {
          for (int id : new int[] {1, 2}) {
            delete.setInt(1, id);
            delete.addBatch();
          }
          return Arrays.toString(delete.executeLargeBatch());
        }
      });
      checks.that("clearBatch", "[1]", () -> {
        try (PreparedStatement delete = connection.prepareStatement("DELETE FROM batched WHERE id = ?")) {
          delete.setInt(1, 3);
          delete.addBatch();
          delete.clearBatch();
          delete.setInt(1, 4);
          delete.addBatch();
          return Arrays.toString(delete.executeBatch());
        }
      });
      checks.that("clearBatch kept the row", "1", () -> Tables.rows(connection, "SELECT count(*) FROM batched WHERE id = 3"));
      checks.refused("the driver has no batches of statements", "NullPointerException", () -> {
        try (Statement several = connection.createStatement()) {
          several.addBatch("INSERT INTO batched VALUES (1000, 'x')");
          several.addBatch("INSERT INTO batched VALUES (1001, 'y')");
          return several.executeBatch();
        }
      });
      statement.executeUpdate("DROP TABLE batched");
    }
  }
}
