package sql.arbalest.compat;

import com.google.gson.JsonElement;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Calls all of DatabaseMetaData: every method without arguments, and those of a list with arguments. */
final class Metadata {
  private Metadata() {}

  /** What each method without arguments gives, as text, by name. */
  static Map<String, String> getters(Setup setup) throws SQLException {
    Map<String, String> all = new LinkedHashMap<>();
    try (Connection connection = setup.connect()) {
      DatabaseMetaData metadata = connection.getMetaData();
      Method[] methods = DatabaseMetaData.class.getMethods();
      Arrays.sort(methods, Comparator.comparing(Method::getName).thenComparing(Method::getParameterCount));
      for (Method method : methods) {
        if (method.getParameterCount() == 0) {
          Object value = invoke(metadata, method);
          all.put(method.getName(), value == connection ? "the connection" : text(value));
        }
      }
    }
    return all;
  }

  /** The rows of each call of the list, by its place in it. */
  static Map<String, String> calls(Setup setup) throws Exception {
    Map<String, String> all = new LinkedHashMap<>();
    setup.inSession(connection -> {
      try (var statement = connection.createStatement()) {
        statement.executeUpdate("CREATE TEMP TABLE jot_ted (id INTEGER, note VARCHAR)");
      }
      for (Setup.Call call : setup.calls) {
        all.put(String.valueOf(all.size()), perform(connection.getMetaData(), call));
      }
    });
    return all;
  }

  private static String perform(DatabaseMetaData metadata, Setup.Call call) {
    for (Method method : DatabaseMetaData.class.getMethods()) {
      if (!method.getName().equals(call.name) || method.getParameterCount() != call.arguments.size()) {
        continue;
      }
      Object[] arguments = new Object[call.arguments.size()];
      for (int i = 0; i < arguments.length; i++) {
        arguments[i] = argument(method.getParameterTypes()[i], call.arguments.get(i));
      }
      return text(invoke(metadata, method, arguments));
    }
    return "there is no such method";
  }

  private static Object argument(Class<?> type, JsonElement value) {
    if (value.isJsonNull()) {
      return null;
    }
    if (type == int.class) {
      return value.getAsInt();
    }
    if (type == boolean.class) {
      return value.getAsBoolean();
    }
    if (type == String[].class) {
      return value.getAsJsonArray().asList().stream().map(JsonElement::getAsString).toArray(String[]::new);
    }
    if (type == int[].class) {
      return value.getAsJsonArray().asList().stream().mapToInt(JsonElement::getAsInt).toArray();
    }
    return value.getAsString();
  }

  private static Object invoke(DatabaseMetaData metadata, Method method, Object... arguments) {
    try {
      return method.invoke(metadata, arguments);
    } catch (InvocationTargetException e) {
      return "throws " + e.getCause().getClass().getSimpleName() + " " + Faults.message(e.getCause());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(Object value) {
    if (value instanceof ResultSet rows) {
      try (rows) {
        return table(rows);
      } catch (Exception e) {
        return "throws " + e.getClass().getSimpleName() + " " + Faults.message(e);
      }
    }
    return String.valueOf(value);
  }

  /** A line of the columns' names, and one of each row. */
  private static String table(ResultSet rows) throws SQLException {
    ResultSetMetaData shape = rows.getMetaData();
    int columns = shape.getColumnCount();
    List<String> lines = new ArrayList<>();
    List<String> cells = new ArrayList<>();
    for (int i = 1; i <= columns; i++) {
      cells.add(shape.getColumnLabel(i));
    }
    lines.add(String.join(" | ", cells));
    while (rows.next()) {
      cells.clear();
      for (int i = 1; i <= columns; i++) {
        cells.add(String.valueOf(rows.getObject(i)));
      }
      lines.add(String.join(" | ", cells).stripTrailing());
    }
    return String.join("\n", lines);
  }
}
