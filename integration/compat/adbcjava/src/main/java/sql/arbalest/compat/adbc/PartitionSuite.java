package sql.arbalest.compat.adbc;

import org.apache.arrow.adbc.driver.testsuite.AbstractPartitionDescriptorTest;
import org.junit.jupiter.api.BeforeAll;

/** Parts of a result, read by another connection. */
public class PartitionSuite extends AbstractPartitionDescriptorTest {
  @BeforeAll
  static void beforeAll() {
    quirks = new Quirks();
  }
}
