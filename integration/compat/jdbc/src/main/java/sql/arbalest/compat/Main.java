package sql.arbalest.compat;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** Runs a plan of steps through Arrow's Flight SQL JDBC driver and writes what came back for the Go test to judge. */
public final class Main {
  private static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  private Main() {}

  public static void main(String[] args) throws Exception {
    Plan plan = JSON.fromJson(Files.readString(Path.of(args[0])), Plan.class);
    Report report = new Report();
    try (Connection connection = connect(plan)) {
      report.client = "jdbc " + connection.getMetaData().getDriverVersion();
      for (Plan.Step step : plan.steps) {
        report.steps.add(run(plan, connection, step));
      }
    } catch (SQLException e) {
      report.error = Faults.message(e);
      report.status = Faults.status(e);
    }
    Files.writeString(Path.of(plan.out, "report.json"), JSON.toJson(report));
    System.exit(0); // the driver leaves threads behind that are no daemons
  }

  private static Connection connect(Plan plan) throws SQLException {
    Properties properties = new Properties();
    properties.put("useEncryption", "false");
    if (plan.user != null && !plan.user.isEmpty()) {
      properties.put("user", plan.user);
      properties.put("password", plan.password);
    }
    return DriverManager.getConnection("jdbc:arrow-flight-sql://" + plan.host + ":" + plan.port, properties);
  }

  private static Report.Step run(Plan plan, Connection connection, Plan.Step step) {
    Report.Step result = new Report.Step(step.name);
    long start = System.nanoTime();
    try {
      switch (step.kind) {
        case "execute" -> {
          try (Statement statement = connection.createStatement()) {
            statement.execute(step.sql);
          }
        }
        case "cancel" -> cancel(connection, step, result);
        case "params" -> {
          try (PreparedStatement statement = connection.prepareStatement(step.sql)) {
            for (int i = 0; i < step.params.size(); i++) {
              Parameters.set(statement, i + 1, step.params.get(i));
            }
            try (ResultSet rows = statement.executeQuery()) {
              save(plan, step, rows, result);
            }
          }
        }
        default -> {
          try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(step.sql)) {
            save(plan, step, rows, result);
          }
        }
      }
    } catch (Exception e) {
      result.error = Faults.message(e);
      result.status = Faults.status(e);
    }
    result.millis = (System.nanoTime() - start) / 1_000_000;
    return result;
  }

  private static void save(Plan plan, Plan.Step step, ResultSet rows, Report.Step result) throws Exception {
    int columns = rows.getMetaData().getColumnCount();
    List<List<Object>> all = new ArrayList<>();
    while (rows.next()) {
      result.rows++;
      if (step.count) {
        continue;
      }
      List<Object> row = new ArrayList<>(columns);
      for (int i = 1; i <= columns; i++) {
        row.add(Values.plain(rows, i));
      }
      all.add(row);
    }
    if (!step.count) {
      Files.writeString(Path.of(plan.out, step.name + ".json"), JSON.toJson(all));
    }
  }

  /** Starts the statement, lets another thread cancel it after a while, and notes how it ended. */
  private static void cancel(Connection connection, Plan.Step step, Report.Step result) throws Exception {
    try (Statement statement = connection.createStatement()) {
      Thread canceller = new Thread(() -> {
        try {
          Thread.sleep(step.after_ms);
          statement.cancel();
        } catch (InterruptedException | SQLException e) {
          throw new IllegalStateException(e);
        }
      });
      canceller.setDaemon(true);
      canceller.start();
      try (ResultSet rows = statement.executeQuery(step.sql)) {
        while (rows.next()) {
          result.rows++;
        }
      } finally {
        canceller.join();
      }
    }
  }
}
