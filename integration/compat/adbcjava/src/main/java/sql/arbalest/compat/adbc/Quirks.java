package sql.arbalest.compat.adbc;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.arrow.adbc.core.AdbcDatabase;
import org.apache.arrow.adbc.core.AdbcDriver;
import org.apache.arrow.adbc.core.AdbcException;
import org.apache.arrow.adbc.driver.flightsql.FlightSqlConnectionProperties;
import org.apache.arrow.adbc.driver.flightsql.FlightSqlDriver;
import org.apache.arrow.adbc.driver.testsuite.SqlValidationQuirks;
import org.apache.arrow.adbc.sql.SqlQuirks;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;

/**
 * What the suites must know of our server. They create tables by CREATE TABLE, which is of temporary tables where the session
 * says so; each test has a session of its own, kept by its cookie, and its tables go with it.
 */
final class Quirks extends SqlValidationQuirks {
  static String uri;

  static String version() {
    return FlightSqlDriver.class.getPackage().getImplementationVersion();
  }

  @Override
  public AdbcDatabase initDatabase(BufferAllocator allocator) throws AdbcException {
    Map<String, Object> parameters = new HashMap<>();
    AdbcDriver.PARAM_URI.set(parameters, uri);
    FlightSqlConnectionProperties.WITH_COOKIE_MIDDLEWARE.set(parameters, true);
    parameters.put(AdbcDriver.PARAM_SQL_QUIRKS, SqlQuirks.builder().arrowToSqlTypeNameMapping(Quirks::typeName).build());
    return new TemporaryDatabase(new FlightSqlDriver(allocator).open(parameters));
  }

  /** The driver's own mapping gives INT for integers of any width, and CLOB. */
  private static String typeName(ArrowType type) {
    return switch (type.getTypeID()) {
      case Int -> ((ArrowType.Int) type).getBitWidth() == 64 ? "BIGINT" : "INTEGER";
      case Utf8 -> "VARCHAR";
      default -> null;
    };
  }

  @Override
  public String defaultCatalog() {
    return "temp";
  }

  @Override
  public String defaultDbSchema() {
    return "main";
  }

  /** Names are kept as they are written and found without case; the suites write some in capitals and look for small ones. */
  @Override
  public String caseFoldColumnName(String name) {
    return name.toUpperCase(Locale.ROOT);
  }

  @Override
  public TimeUnit defaultTimeUnit() {
    return TimeUnit.MICROSECOND;
  }

  @Override
  public TimeUnit defaultTimestampUnit() {
    return TimeUnit.MICROSECOND;
  }
}
