package sql.arbalest.compat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the gRPC status out of the chain of causes; the driver has no accessor for it. */
final class Faults {
  private static final Pattern STATUS = Pattern.compile(
      "\\b(INVALID_ARGUMENT|NOT_FOUND|ALREADY_EXISTS|PERMISSION_DENIED|UNAUTHENTICATED|UNIMPLEMENTED|RESOURCE_EXHAUSTED"
          + "|UNAVAILABLE|CANCELLED|DEADLINE_EXCEEDED|TIMED_OUT|INTERNAL|UNKNOWN|ABORTED|FAILED_PRECONDITION|OUT_OF_RANGE)\\b");

  private Faults() {}

  static String message(Throwable fault) {
    StringBuilder text = new StringBuilder();
    for (Throwable each = fault; each != null; each = each.getCause()) {
      if (each.getMessage() != null && text.indexOf(each.getMessage()) < 0) {
        text.append(text.length() == 0 ? "" : ": ").append(each.getMessage());
      }
    }
    return text.length() == 0 ? fault.toString() : text.toString();
  }

  static String status(Throwable fault) {
    for (Throwable each = fault; each != null; each = each.getCause()) {
      try {
        Object status = each.getClass().getMethod("status").invoke(each);
        return status.getClass().getMethod("code").invoke(status).toString();
      } catch (ReflectiveOperationException none) {
        Matcher found = STATUS.matcher(String.valueOf(each.getMessage()));
        if (found.find()) {
          return found.group(1);
        }
      }
    }
    return "";
  }
}
