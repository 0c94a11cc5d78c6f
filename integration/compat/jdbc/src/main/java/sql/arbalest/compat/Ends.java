package sql.arbalest.compat;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The ways a query ends before its last row: cancel, timeouts, closing; the connection must go on, and the server forget it. */
final class Ends {
  /** How long anything may take on a busy machine; nothing here waits that long when it is right. */
  private static final long LIMIT_SECONDS = 120;

  private final Setup setup;
  private final Checks checks;

  private Ends(Setup setup, Checks checks) {
    this.setup = setup;
    this.checks = checks;
  }

  static void run(Setup setup, Checks checks) throws SQLException {
    Ends ends = new Ends(setup, checks);
    ends.cancel();
    ends.close();
    ends.timeouts();
    ends.limits();
  }

  /** More rows than anybody reads, as they come. The tag finds the statement in sys.queries. */
  private static String stream(String tag) {
    return "SELECT a.l_comment || b.l_comment AS " + tag + " FROM lineitem AS a, lineitem AS b";
  }

  /** One row, after more work than anybody waits for. */
  private static String compute(String tag) {
    return "SELECT count(*), max(hash(x)) AS " + tag + " FROM (" + stream("x") + ")";
  }

  /** Polls until so many queries run whose text has the tag. */
  private static void await(Connection observer, String tag, int running) throws Exception {
    String sql = "SELECT count(*) FROM sys.queries WHERE state = 'running' AND contains(statement, '" + tag + "') AND NOT contains(statement, 'sys.queries')";
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (!Tables.rows(observer, sql).equals(String.valueOf(running))) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not " + running + " running queries of " + tag + ": " + Tables.rows(observer, "SELECT state, statement FROM sys.queries"));
      }
      Thread.sleep(20);
    }
  }

  private void that(String name, String tag, BodyWith body) {
    checks.that(name, () -> {
      try (Connection connection = setup.connect(); Connection observer = setup.connect()) {
        body.run(connection, observer);
        await(observer, tag, 0);
        if (!connection.isClosed()) {
          Checks.equal("25", Tables.rows(connection, "SELECT count(*) FROM nation"));
        }
      }
    });
  }

  private interface BodyWith {
    void run(Connection connection, Connection observer) throws Exception;
  }

  private void cancel() {
    that("cancel while rows are read", "cancel_read", (connection, observer) -> {
      try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(stream("cancel_read"))) {
        for (int i = 0; i < 1000; i++) {
          rows.next();
        }
        CompletableFuture.runAsync(() -> quietly(statement::cancel)).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        try {
          while (rows.next()) {
            continue; // rows that were here already
          }
        } catch (Exception cancelled) {
          return; // a driver may say so, or just end the rows
        }
      }
    });
    that("cancel before the first row", "cancel_compute", (connection, observer) -> {
      try (Statement statement = connection.createStatement()) {
        CompletableFuture<String> end = CompletableFuture.supplyAsync(() -> endOf(statement, compute("cancel_compute")));
        await(observer, "cancel_compute", 1);
        while (!end.isDone()) {
          quietly(statement::cancel);
          Thread.sleep(50);
        }
        if (end.get().equals("read")) {
          throw new AssertionError("the query was not cancelled");
        }
      }
    });
  }

  private void close() {
    that("closing a result ends its query", "close_result", (connection, observer) -> {
      try (Statement statement = connection.createStatement()) {
        ResultSet rows = statement.executeQuery(stream("close_result"));
        rows.next();
        await(observer, "close_result", 1);
        rows.close();
      }
    });
    that("closing a statement ends its query", "close_statement", (connection, observer) -> {
      Statement statement = connection.createStatement();
      statement.executeQuery(stream("close_statement")).next();
      await(observer, "close_statement", 1);
      statement.close();
    });
    // The driver leaves the streams from workers open when a connection is closed; they end with their result.
    that("closing a connection, and then its result, ends its query", "close_connection", (unused, observer) -> {
      ResultSet[] rows = new ResultSet[1];
      setup.inSession(connection -> {
        rows[0] = connection.createStatement().executeQuery(stream("close_connection"));
        rows[0].next();
        await(observer, "close_connection", 1);
      });
      quietly(rows[0]::close);
    });
  }

  private void timeouts() {
    that("setQueryTimeout", "timeout_driver", (connection, observer) -> {
      try (Statement statement = connection.createStatement()) {
        statement.setQueryTimeout(1);
        Checks.equal(1, statement.getQueryTimeout());
        Checks.fails("SQLTimeoutException", () -> statement.executeQuery(compute("timeout_driver")));
      }
    });
    that("the server's own timeout", "timeout_server", (connection, observer) -> {
      // TIMED_OUT is what Arrow's Java calls DEADLINE_EXCEEDED.
      setup.inSession(own -> {
        try (Statement statement = own.createStatement()) {
          statement.execute("SET arbalest.query_timeout = '1s'");
          Checks.fails("TIMED_OUT", () -> Tables.rows(statement.executeQuery(compute("timeout_server"))));
        }
      });
    });
  }

  private void limits() throws SQLException {
    try (Connection connection = setup.connect()) {
      checks.that("setMaxRows", "10", () -> {
        try (Statement statement = connection.createStatement()) {
          statement.setMaxRows(10);
          return Tables.rows(statement.executeQuery("SELECT n_nationkey FROM nation")).split(";").length;
        }
      });
      checks.that("closeOnCompletion", "true", () -> {
        try (Statement statement = connection.createStatement()) {
          statement.closeOnCompletion();
          Tables.rows(statement.executeQuery("SELECT n_nationkey FROM nation"));
          return statement.isClosed();
        }
      });
      checks.that("a new query of a statement closes its last result", () -> setup.inSession(own -> {
        try (Statement statement = own.createStatement()) {
          ResultSet first = statement.executeQuery(stream("replaced"));
          first.next();
          ResultSet second = statement.executeQuery("SELECT count(*) FROM nation");
          Checks.equal("true 25", first.isClosed() + " " + Tables.rows(second));
        }
      }));
      checks.that("a fault in a statement leaves the connection", "25", () -> {
        Checks.fails("INVALID_ARGUMENT", () -> Tables.rows(connection, "SELECT nope FROM nation"));
        return Tables.rows(connection, "SELECT count(*) FROM nation");
      });
      checks.that("a fault while rows are made", () -> Checks.fails("INVALID_ARGUMENT", () ->
          Tables.rows(connection, "SELECT CAST(l_comment AS INTEGER) FROM lineitem")));
      checks.that("two results at a time", "25,5", () -> {
        try (PreparedStatement nations = connection.prepareStatement("SELECT n_nationkey FROM nation");
            PreparedStatement regions = connection.prepareStatement("SELECT r_regionkey FROM region");
            ResultSet one = nations.executeQuery();
            ResultSet two = regions.executeQuery()) {
          one.next();
          two.next();
          return Tables.rows(one).split(";").length + 1 + "," + (Tables.rows(two).split(";").length + 1);
        }
      });
    }
  }

  private static String endOf(Statement statement, String sql) {
    try {
      Tables.rows(statement.executeQuery(sql));
      return "read";
    } catch (Exception e) {
      return e.toString();
    }
  }

  private static void quietly(Checks.Body body) {
    try {
      body.run();
    } catch (Exception ignored) {
      // How a driver words its own cancel is its affair.
    }
  }
}
