package sql.arbalest.compat.adbc;

import org.apache.arrow.adbc.driver.testsuite.AbstractConnectionMetadataTest;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;

/** Metadata of a connection. */
public class MetadataSuite extends AbstractConnectionMetadataTest {
  @BeforeAll
  static void beforeAll() {
    quirks = new Quirks();
  }

  private static final String NO_CALL = "the driver (0.20.0) does not implement the call";

  @Override
  @Test
  @Disabled(NO_CALL)
  public void getTableSchema() {}

  @Override
  @Test
  @Disabled(NO_CALL)
  public void getTableSchemaDoesNotExist() {}

  @Override
  @Test
  @Disabled(NO_CALL)
  public void getTableTypes() {}

  @Override
  @Test
  @Disabled("the driver (0.20.0) writes a field xdbc_auto_increment where its schema has xdbc_is_autoincrement, and cannot read that")
  public void getObjectsColumns() {}

  @Override
  @Test
  @Disabled("temporary tables have no constraints (ALTER TABLE is refused)")
  public void getObjectsConstraints() {}
}
