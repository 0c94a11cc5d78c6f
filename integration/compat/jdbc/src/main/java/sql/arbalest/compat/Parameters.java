package sql.arbalest.compat;

import java.math.BigDecimal;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.HexFormat;

/** Binds the parameters of a plan, each by the setter that a Java program would take for its type. */
final class Parameters {
  private Parameters() {}

  static void set(PreparedStatement statement, int index, Plan.Param param) throws SQLException {
    switch (param.type) {
      case "null" -> statement.setNull(index, Types.INTEGER);
      case "bool" -> statement.setBoolean(index, Boolean.parseBoolean(param.value));
      case "int32" -> statement.setInt(index, Integer.parseInt(param.value));
      case "int64" -> statement.setLong(index, Long.parseLong(param.value));
      case "double" -> statement.setDouble(index, Double.parseDouble(param.value));
      case "decimal" -> statement.setBigDecimal(index, new BigDecimal(param.value));
      case "date" -> statement.setDate(index, Date.valueOf(param.value));
      case "timestamp" -> statement.setTimestamp(index, Timestamp.valueOf(param.value));
      case "bytes" -> statement.setBytes(index, HexFormat.of().parseHex(param.value));
      default -> statement.setString(index, param.value);
    }
  }
}
