package sql.arbalest.compat;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes the driver's objects plain: text, lists and maps of text. The Go side writes them as DuckDB would. */
final class Values {
  private Values() {}

  /** Reads one column of the current row. */
  static Object plain(ResultSet rows, int column) throws SQLException {
    if (rows.getMetaData().getColumnType(column) == Types.TIMESTAMP_WITH_TIMEZONE) {
      // The driver's getObject does not know the type; getTimestamp gives the instant in this JVM's zone, which is UTC.
      Timestamp instant = rows.getTimestamp(column);
      return instant == null ? null : instant + "+00";
    }
    return plain(rows.getObject(column));
  }

  private static Object plain(Object value) throws SQLException {
    if (value == null) {
      return null;
    }
    if (value.getClass().getSimpleName().equals("PeriodDuration")) {
      return Intervals.text(value);
    }
    if (value instanceof byte[] bytes) {
      return Map.of("$hex", HexFormat.of().formatHex(bytes));
    }
    if (value instanceof BigDecimal decimal) {
      return decimal.toPlainString();
    }
    if (value instanceof java.sql.Array array) {
      return plain(array.getArray());
    }
    if (value instanceof java.sql.Struct struct) {
      return plain(struct.getAttributes());
    }
    if (value.getClass().isArray()) {
      List<Object> list = new ArrayList<>();
      for (int i = 0; i < Array.getLength(value); i++) {
        list.add(plain(Array.get(value, i)));
      }
      return list;
    }
    if (value instanceof Iterable<?> values) {
      List<Object> list = new ArrayList<>();
      for (Object each : values) {
        list.add(plain(each));
      }
      return list;
    }
    if (value instanceof Map<?, ?> fields) {
      Map<String, Object> map = new LinkedHashMap<>();
      for (Map.Entry<?, ?> field : fields.entrySet()) {
        map.put(String.valueOf(field.getKey()), plain(field.getValue()));
      }
      return map;
    }
    return value.toString();
  }
}
