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
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/suite"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/testcluster"
)

// quirks say what the validation suites of ADBC may expect of this server: all that they know to ask for, but statistics, which the
// driver does not have, and bulk ingest, which it has, but not as the suites use it: they go on with SetSqlQuery on the statement that
// ingested, where the driver (1.12.0) still wants to ingest ("must set IngestTargetTable"), and they want SQLSTATEs, which Flight has
// no place for. Five cases are skipped for that: TestSqlIngestInts, Append, Replace, CreateAppend and Errors. TestADBCIngest has their
// contents.
type quirks struct {
	real *real
	mem  *memory.CheckedAllocator
}

func (q *quirks) SetupDriver(t *testing.T) adbc.Driver {
	q.mem = memory.NewCheckedAllocator(memory.DefaultAllocator)
	return temporaryDriver{adbcflight.NewDriver(q.mem)}
}

func (q *quirks) TearDownDriver(t *testing.T, _ adbc.Driver) { q.mem.AssertSize(t, 0) }

func (q *quirks) DatabaseOptions() map[string]string {
	return map[string]string{adbc.OptionKeyURI: "grpc://" + q.real.addr}
}

func (q *quirks) BindParameter(index int) string              { return "$" + strconv.Itoa(index+1) }
func (q *quirks) SupportsConcurrentStatements() bool          { return true }
func (q *quirks) SupportsCurrentCatalogSchema() bool          { return true }
func (q *quirks) SupportsGetSetOptions() bool                 { return true }
func (q *quirks) SupportsExecuteSchema() bool                 { return true }
func (q *quirks) SupportsPartitionedData() bool               { return true }
func (q *quirks) SupportsStatistics() bool                    { return false }
func (q *quirks) SupportsTransactions() bool                  { return true }
func (q *quirks) SupportsGetParameterSchema() bool            { return true }
func (q *quirks) SupportsDynamicParameterBinding() bool       { return true }
func (q *quirks) SupportsErrorIngestIncompatibleSchema() bool { return true }
func (q *quirks) Catalog() string                             { return "arbalest" }
func (q *quirks) DBSchema() string                            { return "main" }
func (q *quirks) Alloc() memory.Allocator                     { return q.mem }

// SupportsBulkIngest is false for the reason above.
func (q *quirks) SupportsBulkIngest(string) bool { return false }

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

// temporaryDriver gives connections whose tables are temporary ones: the suites do not say TEMPORARY.
type temporaryDriver struct{ adbc.Driver }

func (d temporaryDriver) NewDatabase(options map[string]string) (adbc.Database, error) {
	db, err := d.Driver.NewDatabase(options)
	if err != nil {
		return nil, err
	}
	return temporaryDatabase{db, db.(adbc.GetSetOptions)}, nil
}

type temporaryDatabase struct {
	adbc.Database
	adbc.GetSetOptions
}

func (d temporaryDatabase) Open(ctx context.Context) (adbc.Connection, error) {
	conn, err := d.Database.Open(ctx)
	if err == nil {
		err = update(conn, "SET arbalest.create_temporary = true")
	}
	return conn, err
}

func TestADBCValidation(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) })
	q := &quirks{real: r}
	suite.Run(t, &validation.DatabaseTests{Quirks: q})
	suite.Run(t, &validation.ConnectionTests{Quirks: q})
	suite.Run(t, &validation.StatementTests{Quirks: q})
}

func TestADBCIngest(t *testing.T) {
	r := startReal(t, 2, nil)
	t.Cleanup(func() { r.cluster.Idle(t) })
	conn := connect(t, r.fixture, nil)
	write := func(mode string, values ...int64) (int64, error) {
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
		if err := s.Bind(testContext(t), integersBatch(t, values...)); err != nil {
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
		n, err := write(step.mode, 1, 2, 3)
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
	if err := conn.Close(); err != nil { // ends the session
		t.Error(err)
	}
}
