package sql.arbalest.compat;

import java.util.ArrayList;
import java.util.List;

/** What to run: the JSON that integration/scenario writes. */
final class Plan {
  String host;
  int port;
  String user;
  String password;
  String out;
  List<Step> steps = new ArrayList<>();

  static final class Step {
    String name;
    String kind;
    String sql;
    boolean count;
    int after_ms;
    List<Param> params = new ArrayList<>();
  }

  static final class Param {
    String type;
    String value;
  }
}
