package sql.arbalest.compat;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/** Connection URLs and properties, and what a connection says of itself. */
final class Urls {
  private Urls() {}

  static void run(Setup setup, Checks checks) throws SQLException {
    String catalogs = "SELECT current_catalog()";
    checks.that("a URL with properties", "arbalest", () -> {
      try (Connection connection = DriverManager.getConnection(setup.url() + "/?useEncryption=false&application=compat")) {
        return Tables.rows(connection, catalogs);
      }
    });
    checks.that("a URL with semicolons", "arbalest", () -> {
      try (Connection connection = DriverManager.getConnection(setup.url() + ";useEncryption=false;application=compat")) {
        return Tables.rows(connection, catalogs);
      }
    });
    checks.that("an option of the session in the URL", "3", () -> {
      try (Connection connection = DriverManager.getConnection(setup.url() + "/?useEncryption=false&arbalest.partitions=3")) {
        return Tables.rows(connection, "SELECT value FROM sys.settings WHERE name = 'arbalest.partitions'");
      }
    });
    checks.that("a URL with a catalog", () -> {
      Connection connection = DriverManager.getConnection(setup.url() + "/?useEncryption=false&catalog=arbalest");
      Checks.equal("arbalest", Tables.rows(connection, catalogs));
      // It has closed everything by then: it closes twice.
      Checks.fails("Channel shutdown", connection::close);
    });
    checks.that("an unknown catalog fails the connection", () -> Checks.fails("catalog", () -> setup.connect(setup.with("catalog", "nope")).close()));
    checks.that("a connection with a catalog ends its session", () -> {
      setup.inSession(connection -> {
        try (Statement statement = connection.createStatement()) {
          statement.executeUpdate("CREATE TEMP TABLE left_behind AS SELECT 1 AS one");
        }
      }); // the Go test sees that no session is left
    });
    checks.that("properties that the driver does not know are headers", "25", () -> {
      try (Connection connection = setup.connect(setup.with("application", "compat"))) {
        return Tables.rows(connection, "SELECT count(*) FROM nation");
      }
    });
    checks.that("without the cache of clients, with several threads", "25", () -> {
      try (Connection connection = setup.connect(setup.with("useClientCache", "false", "threadPoolSize", "4", "retainCookies", "true"))) {
        return Tables.rows(connection, "SELECT count(*) FROM nation");
      }
    });
    checks.that("TLS towards a server without it", () -> Checks.fails("UNAVAILABLE", () -> {
      try (Connection connection = setup.connect(setup.with("useEncryption", "true", "disableCertificateVerification", "true"))) {
        Tables.rows(connection, "SELECT 1");
      }
    }));
    try (Connection connection = setup.connect()) {
      checks.that("isValid", "true", () -> connection.isValid(5));
      checks.that("isClosed", "false", connection::isClosed);
      checks.refused("the driver has no nativeSQL", "SQLFeatureNotSupportedException", () -> connection.nativeSQL("SELECT 1"));
      checks.that("warnings", "null", connection::getWarnings);
    }
    checks.that("a closed connection", () -> {
      Connection connection = setup.connect();
      connection.close();
      Checks.equal(true, connection.isClosed());
      Checks.equal(false, connection.isValid(5));
      Checks.fails("closed", connection::createStatement);
    });
  }
}
