package sql.arbalest.compat;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;

/** Makes, fills, changes and drops temporary tables, by statements and by prepared ones, and holds the counts. */
final class Tables {
  private Tables() {}

  static void run(Setup setup, Checks checks) throws Exception {
    setup.inSession(connection -> {
      statements(connection, checks);
      prepared(connection, checks);
      privacy(setup, connection, checks);
    });
  }

  /** The rows of a query: columns by comma, rows by semicolon. */
  static String rows(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
      return rows(rows);
    }
  }

  static String rows(ResultSet rows) throws SQLException {
    StringBuilder text = new StringBuilder();
    int columns = rows.getMetaData().getColumnCount();
    while (rows.next()) {
      text.append(text.length() == 0 ? "" : ";");
      for (int i = 1; i <= columns; i++) {
        text.append(i == 1 ? "" : ",").append(rows.getString(i));
      }
    }
    return text.toString();
  }

  private static void statements(Connection connection, Checks checks) throws SQLException {
    String all = "SELECT id, note FROM crud ORDER BY id";
    try (Statement statement = connection.createStatement()) {
      checks.that("statement: CREATE is no query", "false", () -> statement.execute("CREATE TEMP TABLE crud (id INTEGER, note VARCHAR)"));
      checks.that("statement: CREATE changes no row", "0", statement::getUpdateCount);
      checks.that("statement: INSERT counts its rows", "3",
          () -> statement.executeUpdate("INSERT INTO crud VALUES (1, 'one'), (2, 'two'), (3, NULL)"));
      checks.that("statement: the rows are there", "1,one;2,two;3,null", () -> rows(connection, all));
      checks.that("statement: UPDATE counts its rows", "2", () -> statement.executeUpdate("UPDATE crud SET note = upper(note) WHERE id < 3"));
      checks.that("statement: getUpdateCount follows execute", "false 1", () ->
          statement.execute("UPDATE crud SET note = 'three' WHERE note IS NULL") + " " + statement.getUpdateCount());
      checks.that("statement: executeLargeUpdate counts", "1", () -> statement.executeLargeUpdate("DELETE FROM crud WHERE id = 2"));
      checks.that("statement: nothing to change", "0", () -> statement.executeUpdate("DELETE FROM crud WHERE id = 2"));
      checks.that("statement: the rows are changed", "1,ONE;3,three", () -> rows(connection, all));
      checks.that("statement: a query has no update count", "true -1", () -> {
        boolean query = statement.execute(all);
        statement.getResultSet().close();
        return query + " " + statement.getUpdateCount();
      });
      checks.that("statement: INSERT of a query", "25", () -> statement.executeUpdate("INSERT INTO crud SELECT n_nationkey, n_name FROM nation"));
      checks.that("statement: CREATE AS counts its rows", "27", () -> statement.executeUpdate("CREATE TEMP TABLE copied AS SELECT * FROM crud"));
      checks.that("statement: an existing name is refused", () ->
          Checks.fails("ALREADY_EXISTS", () -> statement.executeUpdate("CREATE TEMP TABLE crud (x INTEGER)")));
      checks.that("statement: a column that is not there is refused", () ->
          Checks.fails("INVALID_ARGUMENT", () -> statement.executeUpdate("UPDATE crud SET nope = 1")));
      checks.that("statement: the catalog's tables are not written", () ->
          Checks.fails("UNIMPLEMENTED", () -> statement.executeUpdate("DELETE FROM nation")));
      checks.that("statement: DROP", "0 0", () -> statement.executeUpdate("DROP TABLE crud") + " " + statement.executeUpdate("DROP TABLE copied"));
      checks.that("statement: a dropped table is not found", () -> Checks.fails("does not exist", () -> rows(connection, all)));
    }
  }

  private static void prepared(Connection connection, Checks checks) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE TEMP TABLE crud (id INTEGER, note VARCHAR, price DECIMAL(9,2))");
    }
    checks.that("prepared: INSERT counts, run after run", "1 1 1", () -> {
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO crud VALUES (?, ?, ?)")) {
        StringBuilder counts = new StringBuilder();
        for (int id = 1; id <= 3; id++) {
          insert.setInt(1, id);
          insert.setString(2, "n" + id);
          insert.setBigDecimal(3, new java.math.BigDecimal(id + ".50"));
          counts.append(id == 1 ? "" : " ").append(insert.executeUpdate());
        }
        return counts;
      }
    });
    checks.that("prepared: INSERT of nulls", "1", () -> {
      try (PreparedStatement insert = connection.prepareStatement("INSERT INTO crud VALUES (?, ?, ?)")) {
        insert.setInt(1, 4);
        insert.setNull(2, Types.VARCHAR);
        insert.setNull(3, Types.DECIMAL);
        return insert.executeUpdate();
      }
    });
    checks.that("prepared: UPDATE counts", "2", () -> {
      try (PreparedStatement update = connection.prepareStatement("UPDATE crud SET note = ? WHERE id >= ?")) {
        update.setString(1, "new");
        update.setInt(2, 3);
        return update.executeUpdate();
      }
    });
    checks.that("prepared: executeLargeUpdate of a DELETE", "1", () -> {
      try (PreparedStatement delete = connection.prepareStatement("DELETE FROM crud WHERE id = ?")) {
        delete.setInt(1, 1);
        return delete.executeLargeUpdate();
      }
    });
    checks.that("prepared: the rows are there", "2,n2,2.50;3,new,3.50;4,new,null", () -> rows(connection, "SELECT * FROM crud ORDER BY id"));
    checks.that("prepared: a query run twice sees its new parameter", "2,n2,2.50|3,new,3.50", () -> {
      try (PreparedStatement query = connection.prepareStatement("SELECT * FROM crud WHERE id = ?")) {
        StringBuilder all = new StringBuilder();
        for (int id = 2; id <= 3; id++) {
          query.setInt(1, id);
          try (ResultSet rows = query.executeQuery()) {
            all.append(id == 2 ? "" : "|").append(rows(rows));
          }
        }
        return all;
      }
    });
    checks.that("prepared: DROP", "0", () -> {
      try (PreparedStatement drop = connection.prepareStatement("DROP TABLE crud")) {
        return drop.executeUpdate();
      }
    });
  }

  /** A temporary table is its session's: another connection does not see it, and it is gone with the connection's session. */
  private static void privacy(Setup setup, Connection connection, Checks checks) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE TEMP TABLE mine AS SELECT 1 AS one");
      checks.that("another connection does not see the table", () -> {
        try (Connection other = setup.connect()) {
          Checks.fails("does not exist", () -> rows(other, "SELECT * FROM mine"));
        }
      });
      statement.executeUpdate("DROP TABLE mine");
    }
  }
}
