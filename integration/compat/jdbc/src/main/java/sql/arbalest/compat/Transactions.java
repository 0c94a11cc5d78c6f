package sql.arbalest.compat;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Transactions. The driver (18.3.0) keeps autocommit, commit and rollback to itself and never tells a server, so that its calls
 * change nothing; by statements a transaction is whole.
 */
final class Transactions {
  private Transactions() {}

  static void run(Setup setup, Checks checks) throws Exception {
    setup.inSession(connection -> transactions(connection, checks));
  }

  private static void transactions(Connection connection, Checks checks) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      checks.that("autocommit is on", "true", connection::getAutoCommit);
      checks.that("the isolation", String.valueOf(Connection.TRANSACTION_NONE), connection::getTransactionIsolation);
      statement.executeUpdate("CREATE TEMP TABLE kept (id INTEGER)");
      bySql(connection, statement, checks);
      byDriver(connection, statement, checks);
      statement.executeUpdate("DROP TABLE kept");
    }
  }

  private static String ids(Connection connection) throws SQLException {
    return Tables.rows(connection, "SELECT id FROM kept ORDER BY id");
  }

  private static void bySql(Connection connection, Statement statement, Checks checks) {
    checks.that("ROLLBACK takes an INSERT back", "1|", () -> {
      statement.execute("BEGIN");
      statement.executeUpdate("INSERT INTO kept VALUES (1)");
      String within = ids(connection);
      statement.execute("ROLLBACK");
      return within + "|" + ids(connection);
    });
    checks.that("COMMIT keeps it", "2", () -> {
      statement.execute("BEGIN TRANSACTION");
      statement.executeUpdate("INSERT INTO kept VALUES (2)");
      statement.execute("COMMIT");
      return ids(connection);
    });
    checks.that("ROLLBACK brings a dropped table back", "2", () -> {
      statement.execute("BEGIN");
      statement.executeUpdate("DROP TABLE kept");
      statement.execute("ROLLBACK");
      return ids(connection);
    });
    checks.that("a fault leaves the transaction open", "2;4|2", () -> {
      statement.execute("BEGIN");
      statement.executeUpdate("INSERT INTO kept VALUES (4)");
      Checks.fails("INVALID_ARGUMENT", () -> statement.executeUpdate("INSERT INTO kept VALUES ('four')"));
      String within = ids(connection);
      statement.execute("ROLLBACK");
      return within + "|" + ids(connection);
    });
  }

  private static void byDriver(Connection connection, Statement statement, Checks checks) {
    checks.that("the driver's rollback takes nothing back", "2;3", () -> {
      connection.setAutoCommit(false);
      statement.executeUpdate("INSERT INTO kept VALUES (3)");
      connection.rollback();
      return ids(connection);
    });
    checks.that("the driver's commit", "2;3", () -> {
      connection.commit();
      connection.setAutoCommit(true);
      return ids(connection);
    });
    checks.refused("the driver has no savepoints", "SQLFeatureNotSupportedException", connection::setSavepoint);
    checks.refused("the driver has no named savepoints", "SQLFeatureNotSupportedException", () -> connection.setSavepoint("s"));
  }
}
