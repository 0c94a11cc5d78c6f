package sql.arbalest.compat;

import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDate;
import java.util.Calendar;
import java.util.HexFormat;
import java.util.TimeZone;

/** Binds a value by each setter of PreparedStatement, and has the server say what it got as text. */
final class ParameterTypes {
  private interface Setter {
    void set(PreparedStatement statement) throws Exception;
  }

  private final Connection connection;
  private final Checks checks;

  private ParameterTypes(Connection connection, Checks checks) {
    this.connection = connection;
    this.checks = checks;
  }

  static void run(Setup setup, Checks checks) throws SQLException {
    try (Connection connection = setup.connect()) {
      ParameterTypes types = new ParameterTypes(connection, checks);
      types.numbers();
      types.textsAndBytes();
      types.times();
      types.nulls();
      types.limits();
      types.columns();
    }
  }

  /** What the server has for a parameter of the type. */
  private String got(String type, Setter setter) throws Exception {
    String sql = "SELECT CAST(v AS VARCHAR) FROM (SELECT CAST(? AS " + type + ") AS v)";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      setter.set(statement);
      try (ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getString(1);
      }
    }
  }

  private void bind(String setterName, String type, String want, Setter setter) {
    checks.that(setterName + " of " + type, want, () -> got(type, setter));
  }

  private void refused(String setterName, String type, String fragment, Setter setter) {
    checks.refused("not possible: " + setterName + " of " + type, fragment, () -> got(type, setter));
  }

  private void numbers() {
    bind("setBoolean", "BOOLEAN", "true", s -> s.setBoolean(1, true));
    bind("setByte", "TINYINT", "-128", s -> s.setByte(1, Byte.MIN_VALUE));
    bind("setShort", "SMALLINT", "-32768", s -> s.setShort(1, Short.MIN_VALUE));
    bind("setInt", "INTEGER", "-2147483648", s -> s.setInt(1, Integer.MIN_VALUE));
    bind("setLong", "BIGINT", "-9223372036854775808", s -> s.setLong(1, Long.MIN_VALUE));
    bind("setLong", "INTEGER", "7", s -> s.setLong(1, 7));
    bind("setInt", "BIGINT", "7", s -> s.setInt(1, 7));
    bind("setShort", "UTINYINT", "255", s -> s.setShort(1, (short) 255));
    bind("setInt", "USMALLINT", "65535", s -> s.setInt(1, 65535));
    bind("setLong", "UINTEGER", "4294967295", s -> s.setLong(1, 4294967295L));
    bind("setLong", "UBIGINT", "9223372036854775807", s -> s.setLong(1, Long.MAX_VALUE));
    bind("setFloat", "FLOAT", "1.5", s -> s.setFloat(1, 1.5f));
    bind("setDouble", "DOUBLE", "1e+300", s -> s.setDouble(1, 1e300));
    bind("setInt", "DOUBLE", "7.0", s -> s.setInt(1, 7));
    bind("setBigDecimal", "DECIMAL(4,1)", "-999.9", s -> s.setBigDecimal(1, new BigDecimal("-999.9")));
    bind("setBigDecimal", "DECIMAL(38,10)", "1234567890123456789012345678.0123456789",
        s -> s.setBigDecimal(1, new BigDecimal("1234567890123456789012345678.0123456789")));
    bind("setBigDecimal", "HUGEINT", "12345678901234567890123456789012345678",
        s -> s.setBigDecimal(1, new BigDecimal("12345678901234567890123456789012345678")));
    bind("setObject", "INTEGER", "7", s -> s.setObject(1, 7));
    bind("setObject with a type", "INTEGER", "7", s -> s.setObject(1, 7, Types.INTEGER));
    bind("setObject", "DECIMAL(9,2)", "7.25", s -> s.setObject(1, new BigDecimal("7.25")));
    bind("setObject", "BOOLEAN", "false", s -> s.setObject(1, false));
  }

  private void textsAndBytes() {
    bind("setString", "VARCHAR", "héllo", s -> s.setString(1, "héllo"));
    bind("setString", "UUID", "4ac7a9e9-607c-4c8a-84f3-843f0191e3fd", s -> s.setString(1, "4ac7a9e9-607c-4c8a-84f3-843f0191e3fd"));
    bind("setString", "JSON", "{\"a\": 1}", s -> s.setString(1, "{\"a\": 1}"));
    bind("setObject", "VARCHAR", "x", s -> s.setObject(1, "x"));
    bind("setNString", "VARCHAR", "x", s -> s.setNString(1, "x"));
    bind("setBytes", "BLOB", "\\x00\\xFFab", s -> s.setBytes(1, HexFormat.of().parseHex("00ff6162")));
    bind("setBytes, none,", "BLOB", "", s -> s.setBytes(1, new byte[0]));
    bind("setString, a million characters,", "VARCHAR", "x".repeat(1_000_000), s -> s.setString(1, "x".repeat(1_000_000)));
  }

  private void times() {
    Calendar tokyo = Calendar.getInstance(TimeZone.getTimeZone("Asia/Tokyo"));
    Calendar utc = Calendar.getInstance(TimeZone.getTimeZone("UTC"));
    Timestamp instant = Timestamp.valueOf("1992-02-29 12:34:56.789");
    bind("setDate", "DATE", "1992-02-29", s -> s.setDate(1, Date.valueOf("1992-02-29")));
    bind("setDate before 1970", "DATE", "1969-12-31", s -> s.setDate(1, Date.valueOf("1969-12-31")));
    bind("setDate by UTC", "DATE", "1992-02-29", s -> s.setDate(1, Date.valueOf("1992-02-29"), utc));
    bind("setTime", "TIME", "12:34:56", s -> s.setTime(1, Time.valueOf("12:34:56")));
    bind("setTime by UTC", "TIME", "12:34:56", s -> s.setTime(1, Time.valueOf("12:34:56"), utc));
    bind("setTimestamp", "TIMESTAMP", "1992-02-29 12:34:56.789", s -> s.setTimestamp(1, instant));
    bind("setTimestamp before 1970", "TIMESTAMP", "1969-12-31 23:59:59.5", s -> s.setTimestamp(1, Timestamp.valueOf("1969-12-31 23:59:59.5")));
    bind("setTimestamp by UTC", "TIMESTAMP", "1992-02-29 12:34:56.789", s -> s.setTimestamp(1, instant, utc));
    bind("setTimestamp by Tokyo", "TIMESTAMP", "1992-02-29 21:34:56.789", s -> s.setTimestamp(1, instant, tokyo));
    // Parameters are announced in milliseconds, which DuckDB does not cast to seconds.
    refused("setTimestamp", "TIMESTAMP_S", "Unimplemented type for cast", s -> s.setTimestamp(1, instant));
    bind("setTimestamp", "TIMESTAMP_NS", "1992-02-29 12:34:56.789", s -> s.setTimestamp(1, instant));
    bind("setTimestamp", "TIMESTAMPTZ", "1992-02-29 12:34:56.789+00", s -> s.setTimestamp(1, instant));
    bind("setObject", "TIMESTAMP", "1992-02-29 12:34:56.789", s -> s.setObject(1, instant));
    bind("setObject", "DATE", "1992-02-29", s -> s.setObject(1, Date.valueOf("1992-02-29")));
  }

  private void nulls() {
    Object[][] kinds = {
      {"BOOLEAN", Types.BOOLEAN}, {"TINYINT", Types.TINYINT}, {"SMALLINT", Types.SMALLINT}, {"INTEGER", Types.INTEGER},
      {"BIGINT", Types.BIGINT}, {"FLOAT", Types.REAL}, {"DOUBLE", Types.DOUBLE}, {"DECIMAL(9,2)", Types.DECIMAL},
      {"VARCHAR", Types.VARCHAR}, {"BLOB", Types.VARBINARY}, {"DATE", Types.DATE}, {"TIME", Types.TIME},
      {"TIMESTAMP", Types.TIMESTAMP}, {"TIMESTAMPTZ", Types.TIMESTAMP_WITH_TIMEZONE}, {"INTERVAL", Types.OTHER},
      {"INTEGER[]", Types.ARRAY}, {"UUID", Types.VARCHAR}
    };
    for (Object[] kind : kinds) {
      bind("setNull", (String) kind[0], "null", s -> s.setNull(1, (Integer) kind[1]));
    }
    bind("setString, null,", "VARCHAR", "null", s -> s.setString(1, null));
    bind("setBigDecimal, null,", "DECIMAL(9,2)", "null", s -> s.setBigDecimal(1, null));
    bind("setTimestamp, null,", "TIMESTAMP", "null", s -> s.setTimestamp(1, null));
    bind("setBytes, null,", "BLOB", "null", s -> s.setBytes(1, null));
    bind("setObject, null,", "INTEGER", "null", s -> s.setObject(1, null));
  }

  /** What the driver cannot do, whatever the server: a new version that lifts one of these limits shows here. */
  private void limits() {
    refused("setObject, a LocalDate,", "DATE", "is not yet supported", s -> s.setObject(1, LocalDate.parse("1992-02-29")));
    bind("setArray", "INTEGER[]", "[1, 2, NULL]", s -> s.setArray(1, connection.createArrayOf("INTEGER", new Object[] {1, 2, null})));
    refused("setString", "INTERVAL", "is not yet supported", s -> s.setString(1, "3 days"));
    refused("setInt", "VARCHAR", "is not yet supported", s -> s.setInt(1, 7));
    refused("setString", "INTEGER", "is not yet supported", s -> s.setString(1, "7"));
    refused("setInt", "DECIMAL(9,2)", "is not yet supported", s -> s.setInt(1, 7));
    refused("setDouble", "DECIMAL(9,2)", "is not yet supported", s -> s.setDouble(1, 7.25));
    refused("setString", "DATE", "is not yet supported", s -> s.setString(1, "1992-02-29"));
    refused("setBlob", "BLOB", "\"typedValue\" is null", s -> s.setBlob(1, new ByteArrayInputStream(new byte[] {1})));
    refused("setBinaryStream", "BLOB", "\"typedValue\" is null", s -> s.setBinaryStream(1, new ByteArrayInputStream(new byte[] {1})));
    refused("setClob", "VARCHAR", "\"typedValue\" is null", s -> s.setClob(1, new StringReader("x")));
    refused("setNClob", "VARCHAR", "\"typedValue\" is null", s -> s.setNClob(1, new StringReader("x")));
    refused("setCharacterStream", "VARCHAR", "\"typedValue\" is null", s -> s.setCharacterStream(1, new StringReader("x")));
    refused("setNCharacterStream", "VARCHAR", "\"typedValue\" is null", s -> s.setNCharacterStream(1, new StringReader("x")));
    refused("setAsciiStream", "VARCHAR", "\"typedValue\" is null", s -> s.setAsciiStream(1, new ByteArrayInputStream("x".getBytes(StandardCharsets.US_ASCII))));
    refused("setURL", "VARCHAR", "\"typedValue\" is null", s -> s.setURL(1, new java.net.URL("http://localhost/")));
    refused("setRef", "VARCHAR", "\"typedValue\" is null", s -> s.setRef(1, null));
    refused("a parameter left out", "INTEGER", "\"typedValue\" is null", s -> {});
    refused("a parameter too many", "INTEGER", "out of range", s -> s.setInt(2, 7));
  }

  /** Parameters of an INSERT take the columns' types. */
  private void columns() {
    checks.that("an INSERT's parameters take the columns' types", "true,7,8,1.50,2.25,x,1992-02-29,1992-02-29 12:34:56.789", () -> {
      try (var create = connection.createStatement(); var drop = connection.createStatement()) {
        create.executeUpdate("CREATE TEMP TABLE typed (b BOOLEAN, i INTEGER, l BIGINT, n DECIMAL(9,2), d DOUBLE, s VARCHAR, day DATE, ts TIMESTAMP)");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO typed VALUES (?, ?, ?, ?, ?, ?, ?, ?)")) {
          insert.setBoolean(1, true);
          insert.setInt(2, 7);
          insert.setLong(3, 8);
          insert.setBigDecimal(4, new BigDecimal("1.50"));
          insert.setDouble(5, 2.25);
          insert.setString(6, "x");
          insert.setDate(7, Date.valueOf("1992-02-29"));
          insert.setTimestamp(8, Timestamp.valueOf("1992-02-29 12:34:56.789"));
          Checks.equal(1, insert.executeUpdate());
        }
        String got = Tables.rows(connection, "SELECT b::VARCHAR, i, l, n, d, s, day, ts::VARCHAR FROM typed");
        drop.executeUpdate("DROP TABLE typed");
        return got;
      }
    });
    checks.that("the metadata of parameters", "2 Decimal(9, 2, 128) Utf8", () -> {
      try (PreparedStatement query = connection.prepareStatement("SELECT CAST(? AS DECIMAL(9,2)), CAST(? AS VARCHAR)")) {
        var shape = query.getParameterMetaData();
        return shape.getParameterCount() + " " + shape.getParameterTypeName(1) + " " + shape.getParameterTypeName(2);
      }
    });
    checks.that("the metadata of a prepared query's columns", "a INTEGER, b VARCHAR", () -> {
      try (PreparedStatement query = connection.prepareStatement("SELECT CAST(? AS INTEGER) AS a, 'x' AS b")) {
        var shape = query.getMetaData();
        return shape.getColumnLabel(1) + " " + shape.getColumnTypeName(1) + ", " + shape.getColumnLabel(2) + " " + shape.getColumnTypeName(2);
      }
    });
  }
}
