package sql.arbalest.compat.adbc;

import org.apache.arrow.adbc.driver.testsuite.AbstractTransactionTest;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;

/** Transactions. */
@Disabled("the driver (0.20.0) has no transactions: five tests")
public class TransactionSuite extends AbstractTransactionTest {
  @BeforeAll
  static void beforeAll() {
    quirks = new Quirks();
  }
}
