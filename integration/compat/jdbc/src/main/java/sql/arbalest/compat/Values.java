package sql.arbalest.compat;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes the driver's objects plain: text, lists and maps of text. The Go side writes them as DuckDB would. */
final class Values {
  private Values() {}

  static Object plain(Object value) throws SQLException {
    if (value == null) {
      return null;
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
