package sql.arbalest.compat.adbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import org.apache.arrow.adbc.core.AdbcConnection;
import org.apache.arrow.adbc.core.AdbcDatabase;
import org.apache.arrow.adbc.core.AdbcException;
import org.apache.arrow.adbc.core.AdbcStatement;
import org.apache.arrow.adbc.core.AdbcStatusCode;

/**
 * A database whose connections make temporary tables by CREATE TABLE, and leave none behind: the driver never ends a session,
 * so that they drop their tables before they are closed.
 */
record TemporaryDatabase(AdbcDatabase database) implements AdbcDatabase {
  /** What the suites make. */
  private static final List<String> TABLES = List.of("adbc_alltypes", "bulktable", "foo", "product", "sale", "temptable");

  private static final String OPTION = "arbalest.create_temporary";

  @Override
  public AdbcConnection connect() throws AdbcException {
    AdbcConnection connection = database.connect();
    update(connection, "SET " + OPTION + " = true");
    return (AdbcConnection) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {AdbcConnection.class}, (proxy, method, arguments) -> {
      if (method.getName().equals("close")) {
        for (String table : TABLES) {
          update(connection, "DROP TABLE IF EXISTS " + table);
        }
        update(connection, "RESET " + OPTION);
      }
      try {
        return method.invoke(connection, arguments);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    });
  }

  @Override
  public void close() throws Exception {
    database.close();
  }

  private static void update(AdbcConnection connection, String sql) throws AdbcException {
    try (AdbcStatement statement = connection.createStatement()) {
      statement.setSqlQuery(sql);
      statement.executeUpdate();
    } catch (Exception e) {
      throw new AdbcException(sql, e, AdbcStatusCode.INTERNAL, null, 0);
    }
  }
}
