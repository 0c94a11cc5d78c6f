package sql.arbalest.compat;

import java.util.ArrayList;
import java.util.List;

/** What happened: the JSON that integration/scenario reads. */
final class Report {
  String client = "jdbc";
  String error = "";
  String status = "";
  List<Step> steps = new ArrayList<>();

  static final class Step {
    final String name;
    long rows;
    long millis;
    String error = "";
    String status = "";

    Step(String name) {
      this.name = name;
    }
  }
}
