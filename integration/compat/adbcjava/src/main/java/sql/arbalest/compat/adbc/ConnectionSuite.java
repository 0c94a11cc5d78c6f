package sql.arbalest.compat.adbc;

import org.apache.arrow.adbc.driver.testsuite.AbstractConnectionTest;
import org.junit.jupiter.api.BeforeAll;

/** Connections. */
public class ConnectionSuite extends AbstractConnectionTest {
  @BeforeAll
  static void beforeAll() {
    quirks = new Quirks();
  }
}
