package sql.arbalest.compat.adbc;

import org.apache.arrow.adbc.driver.testsuite.AbstractStatementTest;
import org.junit.jupiter.api.BeforeAll;

/** Statements, bulk load and parameters. */
public class StatementSuite extends AbstractStatementTest {
  @BeforeAll
  static void beforeAll() {
    quirks = new Quirks();
  }
}
