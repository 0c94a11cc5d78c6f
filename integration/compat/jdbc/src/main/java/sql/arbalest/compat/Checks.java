package sql.arbalest.compat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Runs checks one by one and notes how each ended: a fault of one is not the end of the others. The Go test makes a subtest of
 * each, and the table of features of the suites.
 */
final class Checks {
  /** Something that throws when it is not as it should be. */
  interface Body {
    void run() throws Exception;
  }

  /** Something that gives a value. */
  interface Value {
    Object get() throws Exception;
  }

  /** By name; an empty text is a check that held. */
  final Map<String, String> outcomes = new LinkedHashMap<>();

  private final String suite;

  Checks(String suite) {
    this.suite = suite;
  }

  /** Runs one check. */
  void that(String name, Body body) {
    String fault = "";
    try {
      body.run();
    } catch (Exception | AssertionError | NoClassDefFoundError | ExceptionInInitializerError e) {
      fault = Faults.status(e) + " " + Faults.message(e) + at(e);
    }
    if (outcomes.put(suite + "/" + name, fault) != null) {
      throw new IllegalStateException("two checks are called " + name);
    }
  }

  /** Holds what a thing gives. */
  void that(String name, Object want, Value value) {
    that(name, () -> equal(want, value.get()));
  }

  /** Holds that the driver refuses a thing, with this in its message: a limit of the driver, which a new version may lift. */
  void refused(String name, String fragment, Value value) {
    that(name, () -> fails(fragment, () -> value.get()));
  }

  static void equal(Object want, Object got) {
    if (!Objects.equals(String.valueOf(want), String.valueOf(got))) {
      throw new AssertionError("got <" + got + ">, want <" + want + ">");
    }
  }

  /** Holds that a thing fails, with this status or this text in one of its messages. */
  static void fails(String fragment, Body body) throws Exception {
    try {
      body.run();
    } catch (Exception | NoClassDefFoundError e) {
      if (fragment.equals(Faults.status(e)) || (Faults.message(e) + " " + e).contains(fragment)) {
        return;
      }
      throw new AssertionError("failed otherwise than by <" + fragment + ">: " + Faults.status(e) + " " + Faults.message(e) + " " + e, e);
    }
    throw new AssertionError("did not fail; want " + fragment);
  }

  private static String at(Throwable fault) {
    for (StackTraceElement each : fault.getStackTrace()) {
      if (each.getClassName().startsWith("sql.arbalest") && !each.getClassName().endsWith("Checks")) {
        return " (" + each.getFileName() + ":" + each.getLineNumber() + ")";
      }
    }
    return "";
  }
}
