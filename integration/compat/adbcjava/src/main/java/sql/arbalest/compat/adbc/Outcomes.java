package sql.arbalest.compat.adbc;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/** Notes how each test ended. */
final class Outcomes implements TestExecutionListener {
  /** What the Go test reads. */
  static final class Result {
    String client = "ADBC " + Quirks.version();
    Map<String, String> checks = new LinkedHashMap<>();
    Map<String, String> skipped = new LinkedHashMap<>();
  }

  final Result result = new Result();

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    result.skipped.put(name(test), reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult end) {
    String fault = end.getThrowable().map(Outcomes::text).orElse("");
    switch (end.getStatus()) {
      case SUCCESSFUL -> {
        if (test.isTest()) {
          result.checks.put(name(test), "");
        }
      }
      case ABORTED -> result.skipped.put(name(test), fault);
      default -> result.checks.put(name(test), fault);
    }
  }

  private static String name(TestIdentifier test) {
    return test.getSource()
        .filter(MethodSource.class::isInstance)
        .map(MethodSource.class::cast)
        .map(method -> method.getClassName().replaceFirst(".*\\.", "") + "/" + method.getMethodName())
        .orElse(test.getDisplayName());
  }

  private static String text(Throwable fault) {
    StringBuilder text = new StringBuilder(fault.toString());
    for (Throwable cause = fault.getCause(); cause != null; cause = cause.getCause()) {
      text.append(": ").append(cause);
    }
    for (StackTraceElement each : fault.getStackTrace()) {
      if (each.getClassName().contains("testsuite")) {
        return text.append(" at ").append(each).toString();
      }
    }
    return text.toString();
  }
}
