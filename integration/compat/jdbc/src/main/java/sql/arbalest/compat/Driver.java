package sql.arbalest.compat;

import java.sql.DriverManager;
import java.sql.SQLException;

/** The driver under test. */
final class Driver {
  private Driver() {}

  static String version() throws SQLException {
    java.sql.Driver driver = DriverManager.getDriver("jdbc:arrow-flight-sql://localhost:1");
    String manifest = driver.getClass().getPackage().getImplementationVersion();
    return manifest != null ? manifest : driver.getMajorVersion() + "." + driver.getMinorVersion();
  }
}
