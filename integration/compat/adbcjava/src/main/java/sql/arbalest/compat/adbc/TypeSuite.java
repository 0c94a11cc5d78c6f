package sql.arbalest.compat.adbc;

import java.time.LocalDateTime;
import org.apache.arrow.adbc.driver.testsuite.AbstractSqlTypeTest;
import org.apache.arrow.vector.TimeStampMicroVector;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;

/** Values of the types that TypeSuite.sql makes. */
public class TypeSuite extends AbstractSqlTypeTest {
  @BeforeAll
  static void beforeAll() {
    quirks = new Quirks();
  }

  private static final String NO_SCHEMA = "the driver (0.20.0) does not implement getTableSchema; the values' tests hold the types too";

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void bigintType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void blobType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void booleanType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void dateType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void intType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void smallintType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void textType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void timeWithoutTimeZoneType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void timestampWithTimeZoneType() {}

  @Override
  @Test
  @Disabled(NO_SCHEMA)
  protected void timestampWithoutTimeZoneType() {}

  /** The suite wants a number of the vector that gives a LocalDateTime. */
  @Override
  @Test
  protected void timestampWithoutTimeZoneValue() throws Exception {
    assertValue("timestamp_without_time_zone_t", TimeStampMicroVector.class, LocalDateTime.parse("2000-01-02T03:04:05.123"));
  }
}
