package sql.arbalest.compat;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs the suites that a setup names and writes what came of them for the Go test to judge. */
public final class SuiteMain {
  private static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  /** What the Go test reads. */
  private static final class Outcome {
    String client = "";
    Map<String, String> checks = new LinkedHashMap<>();
    Map<String, String> getters = new LinkedHashMap<>();
    Map<String, String> calls = new LinkedHashMap<>();
  }

  private SuiteMain() {}

  public static void main(String[] args) throws Exception {
    Setup setup = JSON.fromJson(Files.readString(Path.of(args[0])), Setup.class);
    Outcome outcome = new Outcome();
    for (String name : setup.suites) {
      Checks checks = new Checks(name);
      long start = System.nanoTime();
      checks.that("runs to its end", () -> run(name, setup, checks, outcome));
      System.err.printf("%s: %d ms%n", name, (System.nanoTime() - start) / 1_000_000);
      outcome.checks.putAll(checks.outcomes);
    }
    outcome.client = "JDBC " + Driver.version();
    Files.writeString(Path.of(setup.out, "outcome.json"), JSON.toJson(outcome));
    System.exit(0); // the driver leaves threads behind that are no daemons
  }

  private static void run(String name, Setup setup, Checks checks, Outcome outcome) throws Exception {
    switch (name) {
      case "metadata" -> {
        outcome.getters = Metadata.getters(setup);
        outcome.calls = Metadata.calls(setup);
      }
      case "tables" -> Tables.run(setup, checks);
      case "parameters" -> ParameterTypes.run(setup, checks);
      case "batches" -> Batches.run(setup, checks);
      case "transactions" -> Transactions.run(setup, checks);
      case "ends" -> Ends.run(setup, checks);
      case "urls" -> Urls.run(setup, checks);
      case "logins" -> Logins.run(setup, checks);
      case "pool" -> Pool.run(setup, checks);
      case "large" -> Large.run(setup, checks);
      default -> throw new IllegalArgumentException("there is no suite " + name);
    }
  }
}
