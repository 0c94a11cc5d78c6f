//go:build !race

// The driver shares one header variable between the streams of several endpoints, which the race detector takes for ours.

package flightserver

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/arrow-adbc/go/adbc"
	adbcflight "github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-adbc/go/adbc/validation"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/suite"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/settings"
	"github.com/arbalest-sql/arbalest/internal/testcluster"
)

// quirks say what the validation suites of ADBC may expect of this server: all that they know to ask for, but statistics, which the
// driver does not have. The suites ingest into tables that they do not call temporary, so that each call has the header of
// arbalest.create_temporary, as any user's would.
type quirks struct {
	real *real
	mem  *memory.CheckedAllocator
}

func (q *quirks) SetupDriver(t *testing.T) adbc.Driver {
	q.mem = memory.NewCheckedAllocator(memory.DefaultAllocator)
	return mendedDriver{adbcflight.NewDriver(q.mem)}
}

func (q *quirks) TearDownDriver(t *testing.T, _ adbc.Driver) { q.mem.AssertSize(t, 0) }

func (q *quirks) DatabaseOptions() map[string]string {
	return map[string]string{adbc.OptionKeyURI: "grpc://" + q.real.addr, adbcflight.OptionRPCCallHeaderPrefix + settings.CreateTemporary: "true"}
}

func (q *quirks) BindParameter(index int) string              { return "$" + strconv.Itoa(index+1) }
func (q *quirks) SupportsConcurrentStatements() bool          { return true }
func (q *quirks) SupportsCurrentCatalogSchema() bool          { return true }
func (q *quirks) SupportsGetSetOptions() bool                 { return true }
func (q *quirks) SupportsExecuteSchema() bool                 { return true }
func (q *quirks) SupportsPartitionedData() bool               { return true }
func (q *quirks) SupportsBulkIngest(string) bool              { return true }
func (q *quirks) SupportsStatistics() bool                    { return false }
func (q *quirks) SupportsTransactions() bool                  { return true }
func (q *quirks) SupportsGetParameterSchema() bool            { return true }
func (q *quirks) SupportsDynamicParameterBinding() bool       { return true }
func (q *quirks) SupportsErrorIngestIncompatibleSchema() bool { return true }
func (q *quirks) Catalog() string                             { return "arbalest" }
func (q *quirks) DBSchema() string                            { return "main" }
func (q *quirks) Alloc() memory.Allocator                     { return q.mem }

func (q *quirks) GetMetadata(code adbc.InfoCode) any {
	switch code {
	case adbc.InfoDriverName:
		return "ADBC Flight SQL Driver - Go"
	case adbc.InfoDriverADBCVersion:
		return adbc.AdbcVersion1_1_0
	case adbc.InfoDriverVersion, adbc.InfoDriverArrowVersion:
		return "(unknown or development build)"
	case adbc.InfoVendorName:
		return "Arbalest"
	case adbc.InfoVendorVersion:
		return q.real.cfg.Version
	case adbc.InfoVendorArrowVersion:
		return arrow.PkgVersion
	}
	return nil
}

func (q *quirks) file(table string) string { return filepath.Join(q.real.data, table+".parquet") }

// CreateSampleTable makes a table that every session sees: one of the catalog, which looks for new files now and then.
func (q *quirks) CreateSampleTable(name string, rows arrow.RecordBatch) error {
	testcluster.WriteParquet(q.real.t, q.file(name), rows, rows.NumRows())
	written, err := os.Stat(q.file(name))
	if err != nil {
		return err
	}
	eventually(q.real.t, "the catalog lists "+name, func() bool {
		snapshot, err := q.real.cluster.Catalog.Snapshot(context.Background())
		if err != nil {
			return false
		}
		t, err := snapshot.Table(context.Background(), table.Name{Catalog: q.Catalog(), Schema: q.DBSchema(), Table: name})
		return err == nil && t.Files[0].ModTime == written.ModTime().UnixNano()
	})
	return nil
}

func (q *quirks) SampleTableSchemaMetadata(name string, t arrow.DataType) arrow.Metadata {
	metadata := map[string]string{
		flightsql.CatalogNameKey: q.Catalog(), flightsql.SchemaNameKey: q.DBSchema(), flightsql.TableNameKey: name, flightsql.TypeNameKey: "VARCHAR",
		flightsql.IsAutoIncrementKey: "0", flightsql.IsCaseSensitiveKey: "1", flightsql.IsReadOnlyKey: "1", flightsql.IsSearchableKey: "1", flightsql.RemarksKey: "",
	}
	if t.ID() == arrow.INT64 {
		metadata[flightsql.TypeNameKey], metadata[flightsql.IsCaseSensitiveKey] = "BIGINT", "0"
		metadata[flightsql.PrecisionKey], metadata[flightsql.ScaleKey] = "19", "0"
	}
	return arrow.MetadataFrom(metadata)
}

// DropTable drops what the suites make under a name: a temporary table of the session, or a sample.
func (q *quirks) DropTable(conn adbc.Connection, name string) (err error) {
	if err := os.Remove(q.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return update(conn, "DROP TABLE IF EXISTS "+quoteName(name))
}

func update(conn adbc.Connection, sql string) (err error) {
	s, err := conn.NewStatement()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.SetSqlQuery(sql); err != nil {
		return err
	}
	_, err = s.ExecuteUpdate(context.Background())
	return err
}

// mendedDriver mends two things of the driver (1.12.0) as its users have to. A statement that has ingested keeps the rows bound to it,
// and after SetSqlQuery, with which the suites go on, it refuses to run ("must set IngestTargetTable"): here SetSqlQuery lets go of
// them. A batch that it has ingested is never released: here it is bound as a stream, which is.
type mendedDriver struct{ adbc.Driver }

type (
	mendedDatabase struct {
		adbc.Database
		adbc.GetSetOptions
	}
	// driverConnection is what the driver's connections can do that the suites ask for.
	driverConnection interface {
		adbc.Connection
		adbc.GetSetOptions
	}
	mendedConnection struct{ driverConnection }
	driverStatement  interface {
		adbc.Statement
		adbc.GetSetOptions
		adbc.StatementExecuteSchema
	}
	mendedStatement struct {
		driverStatement
		ingests bool
	}
)

func (d mendedDriver) NewDatabase(options map[string]string) (adbc.Database, error) {
	db, err := d.Driver.NewDatabase(options)
	if err != nil {
		return nil, err
	}
	return mendedDatabase{db, db.(adbc.GetSetOptions)}, nil
}

func (d mendedDatabase) Open(ctx context.Context) (adbc.Connection, error) {
	conn, err := d.Database.Open(ctx)
	if err != nil {
		return nil, err
	}
	return mendedConnection{conn.(driverConnection)}, nil
}

func (c mendedConnection) NewStatement() (adbc.Statement, error) {
	s, err := c.driverConnection.NewStatement()
	if err != nil {
		return nil, err
	}
	return &mendedStatement{driverStatement: s.(driverStatement)}, nil
}

func (s *mendedStatement) SetOption(key, value string) error {
	s.ingests = s.ingests || key == adbc.OptionKeyIngestTargetTable
	return s.driverStatement.SetOption(key, value)
}

func (s *mendedStatement) Bind(ctx context.Context, batch arrow.RecordBatch) error {
	if !s.ingests {
		return s.driverStatement.Bind(ctx, batch)
	}
	reader, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		return err
	}
	defer reader.Release()
	return s.BindStream(ctx, reader)
}

func (s *mendedStatement) SetSqlQuery(query string) error {
	if s.ingests {
		if err := s.BindStream(context.Background(), nil); err != nil {
			return err
		}
	}
	s.ingests = false
	return s.driverStatement.SetSqlQuery(query)
}

// statementTests are the suite's cases but one.
type statementTests struct{ validation.StatementTests }

// TestSqlIngestErrors is the one: it wants SQLSTATE 42S02 of an append to a missing table, which the driver never tells (Flight has no
// place for it), and INTERNAL for a table that exists already, which is ALREADY_EXISTS here. TestADBCIngest has what it is about.
func (s *statementTests) TestSqlIngestErrors() {
	s.T().Skip("wants an SQLSTATE, which the driver has none of, and INTERNAL instead of ALREADY_EXISTS")
}

func TestADBCValidation(t *testing.T) {
	// As by default, and not as in other tests, one worker reads what is small: the suites look for all rows in the first batch.
	r := startRealWith(t, testcluster.Options{Workers: 2, SmallBytes: 1 << 20}, eventPerFile, nil)
	t.Cleanup(func() { r.cluster.Idle(t) })
	q := &quirks{real: r}
	suite.Run(t, &validation.DatabaseTests{Quirks: q})
	suite.Run(t, &validation.ConnectionTests{Quirks: q})
	suite.Run(t, &statementTests{validation.StatementTests{Quirks: q}})
}

func TestADBCIngest(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) })
	conn := connect(t, r.fixture, nil)
	write := func(mode string, batch arrow.RecordBatch) (int64, error) {
		s, err := conn.NewStatement()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		for key, value := range map[string]string{adbc.OptionKeyIngestTargetTable: "bulk", adbc.OptionKeyIngestMode: mode,
			adbc.OptionValueIngestTemporary: adbc.OptionValueEnabled} {
			if err := s.SetOption(key, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Bind(testContext(t), batch); err != nil {
			t.Fatal(err)
		}
		return s.ExecuteUpdate(testContext(t))
	}
	for _, step := range []struct {
		mode string
		fail adbc.Status // of the call; 0: none
		rows int         // after it
	}{
		{adbc.OptionValueIngestModeAppend, adbc.StatusNotFound, -1}, {adbc.OptionValueIngestModeCreate, 0, 3},
		{adbc.OptionValueIngestModeCreate, adbc.StatusAlreadyExists, 3}, {adbc.OptionValueIngestModeAppend, 0, 6},
		{adbc.OptionValueIngestModeReplace, 0, 3}, {adbc.OptionValueIngestModeCreateAppend, 0, 6},
	} {
		n, err := write(step.mode, integersBatch(t, 1, 2, 3))
		var failed adbc.Error
		if errors.As(err, &failed); failed.Code != step.fail || err == nil && n != 3 {
			t.Errorf("%s: %d rows, %v", step.mode, n, err)
		}
		if step.rows < 0 {
			continue
		}
		reader, _, err := adbcStatement(t, conn, "SELECT * FROM bulk").ExecuteQuery(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := adbcIntegers(t, reader); len(got) != step.rows {
			t.Errorf("%s: %v", step.mode, got)
		}
	}
	var failed adbc.Error
	if _, err := write(adbc.OptionValueIngestModeAppend, twoColumns(t)); !errors.As(err, &failed) || failed.Code != adbc.StatusInvalidArgument {
		t.Errorf("rows with a column that the table does not have: %v", err)
	}
	if err := conn.Close(); err != nil { // ends the session
		t.Error(err)
	}
}

func twoColumns(t *testing.T) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: integersBatch(t, 1).ColumnName(0), Type: arrow.PrimitiveTypes.Int64}, {Name: "other", Type: arrow.PrimitiveTypes.Int64}}, nil))
	defer b.Release()
	b.Field(0).(*array.Int64Builder).Append(1)
	b.Field(1).(*array.Int64Builder).Append(2)
	batch := b.NewRecordBatch()
	t.Cleanup(batch.Release)
	return batch
}
