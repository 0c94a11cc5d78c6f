package sql.arbalest.compat;

import com.google.gson.JsonArray;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** What the suites need to know of the server: the JSON that the Go test writes. */
final class Setup {
  String host;
  int port;
  String out;

  /** The suites to run, in this order. */
  List<String> suites = new ArrayList<>();

  /** Connection properties of every connection, unless a check says otherwise. */
  Map<String, String> properties = new LinkedHashMap<>();

  /** Calls of DatabaseMetaData whose rows the Go test compares. */
  List<Call> calls = new ArrayList<>();

  /** A statement with columns (id BIGINT, v BIGINT, s VARCHAR), and what it gives. */
  String largeSql;

  long largeRows;
  long largeSum;

  /** Logins of the suite of that name. */
  Login login = new Login();

  static final class Call {
    String name;
    JsonArray arguments;
  }

  static final class Login {
    String user;
    String password;

    /** A bearer token that the server takes. */
    String token;

    /** The authority of the server's certificate, and another that has nothing to do with it; PEM files. */
    String authority;

    String stranger;
  }

  String url() {
    return "jdbc:arrow-flight-sql://" + host + ":" + port;
  }

  /** What is done on one connection. */
  interface Work {
    void on(Connection connection) throws Exception;
  }

  /**
   * Does something on a connection whose session ends with it, whatever it holds. The driver (18.3.0) ends the session of a
   * connection that names a catalog, and of no other; and as it closes everything twice, its close fails then.
   */
  void inSession(Work work) throws Exception {
    inSession(with("catalog", "arbalest"), work);
  }

  void inSession(Map<String, String> own, Work work) throws Exception {
    Connection connection = connect(own);
    try {
      work.on(connection);
    } finally {
      try {
        connection.close();
      } catch (SQLException e) {
        if (!Faults.message(e).contains("Channel shutdown")) {
          throw e;
        }
      }
    }
  }

  /** Opens a connection with the common properties. */
  Connection connect() throws SQLException {
    return connect(properties);
  }

  /** Opens a connection with exactly these properties. */
  Connection connect(Map<String, String> own) throws SQLException {
    Properties all = new Properties();
    all.putAll(own);
    return DriverManager.getConnection(url(), all);
  }

  /** The common properties and some more. */
  Map<String, String> with(String... namesAndValues) {
    Map<String, String> all = new LinkedHashMap<>(properties);
    for (int i = 0; i < namesAndValues.length; i += 2) {
      all.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return all;
  }
}
