package plandb

import (
	"errors"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/minidb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

const (
	// jsonBytesMax bounds one answer of an instance: a plan of a thousand operators has about 2 MB.
	jsonBytesMax = 64 << 20
	// instanceMemory is what an instance may allocate: plans are small, constant folding may not be.
	instanceMemory = "256MB"
	// disabledOptimizers holds the passes whose results cannot be read back faithfully: column_lifetime and
	// compressed_materialization break serialisation and insert internal functions; late_materialization and
	// row_group_pruner need row ids of real storage; join_filter_pushdown and top_n's dynamic filters live outside of the
	// JSON (workers' own optimizers do them again); statistics-free passes stay on. window_self_join and
	// top_n_window_elimination rewrite with functions that SQL cannot name.
	disabledOptimizers = "column_lifetime,compressed_materialization,late_materialization,row_group_pruner,join_filter_pushdown," +
		"sampling_pushdown,window_self_join,top_n_window_elimination"
	// stubsMax is how many stubs an instance may have had before it is closed instead of reused: their table functions are
	// never freed earlier.
	stubsMax = 4096
)

// A Description is what preparing a statement tells.
type Description struct {
	Columns []table.Column
	// Params are the parameters in order, by name ("1", "2", or the given name); type SQLNULL where none was inferred.
	Params []table.Column
}

// An Instance is one planning database. Methods are not safe for concurrent use, and uninterruptible: see Pool.Do.
type Instance struct {
	db *minidb.DB
	// conn optimises; bare does not, so that describing a statement costs no join ordering.
	conn, bare *minidb.Conn
	version    string
	defined    map[table.Name]*table.Table
	schemas    map[string]bool
	catalog    string
	schema     string
	timeZone   string
	functions  map[table.Name]string   // names of the stubs' table functions
	stubs      map[string]*table.Table // by the name of the table function
	broken     bool
}

func open() (*Instance, error) {
	in := &Instance{defined: map[table.Name]*table.Table{}, schemas: map[string]bool{}, stubs: map[string]*table.Table{},
		functions: map[table.Name]string{}}
	var err error
	in.db, err = minidb.Open(minidb.Option{Name: "threads", Value: "1"}, minidb.Option{Name: "memory_limit", Value: instanceMemory},
		minidb.Option{Name: "temp_directory", Value: ""}, minidb.Option{Name: "autoinstall_known_extensions", Value: "false"},
		minidb.Option{Name: "autoload_known_extensions", Value: "false"}, minidb.Option{Name: "allow_community_extensions", Value: "false"},
		minidb.Option{Name: "enable_external_access", Value: "false"})
	if err != nil {
		return nil, err
	}
	if in.conn, err = in.db.Connect(); err == nil {
		in.bare, err = in.db.Connect()
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// setup names the catalogs, then locks the configuration.
func (in *Instance) setup(catalogs []string) error {
	var steps []step
	for _, c := range catalogs {
		steps = append(steps, step{in.conn, "ATTACH ':memory:' AS " + table.Quote(c)})
	}
	for _, c := range []*minidb.Conn{in.conn, in.bare} {
		steps = append(steps, step{c, "USE " + table.Quote(catalogs[0]) + ".main"})
	}
	steps = append(steps,
		step{in.conn, "DETACH memory"},
		step{in.bare, "PRAGMA disable_optimizer"},
		step{in.conn, "SET disabled_optimizers='" + disabledOptimizers + "'"},
		step{in.conn, "SET explain_output='optimized_only'"},
		step{in.conn, "SET allowed_configs=['TimeZone','search_path','schema']"},
		step{in.conn, "SET lock_configuration=true"})
	for _, s := range steps {
		if err := s.conn.Exec(s.sql); err != nil {
			return qerr.Wrap(qerr.Internal, "set up a planning database: "+s.sql, err)
		}
	}
	in.catalog, in.schema = catalogs[0], "main"
	for _, c := range catalogs {
		in.schemas[strings.ToLower(c+".main")] = true
	}
	return nil
}

type step struct {
	conn *minidb.Conn
	sql  string
}

func (in *Instance) close() {
	for _, c := range []*minidb.Conn{in.conn, in.bare} {
		if c != nil {
			c.Close()
		}
	}
	in.db.Close()
}

// interrupt asks whatever runs to stop.
func (in *Instance) interrupt() {
	in.conn.Interrupt()
	in.bare.Interrupt()
}

// A Fault is an error of DuckDB with its structure.
type Fault = minidb.Fault

// Use sets where names are looked up and the time zone of the statements to come.
func (in *Instance) Use(catalog, schema, timeZone string) error {
	if in.catalog != catalog || in.schema != schema {
		if err := in.createSchema(catalog, schema); err != nil {
			return err
		}
		if err := in.both("USE " + table.Quote(catalog) + "." + table.Quote(schema)); err != nil {
			return err
		}
		in.catalog, in.schema = catalog, schema
	}
	if in.timeZone != timeZone {
		if err := in.both("SET TimeZone=" + table.Literal(timeZone)); err != nil {
			return err
		}
		in.timeZone = timeZone
	}
	return nil
}

func (in *Instance) both(sql string) error {
	for _, c := range []*minidb.Conn{in.conn, in.bare} {
		if err := c.Exec(sql); err != nil {
			return err
		}
	}
	return nil
}

func (in *Instance) createSchema(catalog, schema string) error {
	key := strings.ToLower(catalog + "." + schema)
	if in.schemas[key] {
		return nil
	}
	if err := in.conn.Exec("CREATE SCHEMA IF NOT EXISTS " + table.Quote(catalog) + "." + table.Quote(schema)); err != nil {
		return err
	}
	in.schemas[key] = true
	return nil
}

// StubPrefix begins the names of the stubs' table functions; statements of users may not call them.
const StubPrefix = "arbalest_stub_"

func quoteName(n table.Name) string {
	return table.Quote(n.Catalog) + "." + table.Quote(n.Schema) + "." + table.Quote(n.Table)
}

// Syntax returns the statement's syntax tree as JSON. Text that is not exactly one or more SELECT is a *Fault.
func (in *Instance) Syntax(sql string) ([]byte, error) {
	return in.json("SELECT json_serialize_sql(" + table.Literal(sql) + ")::VARCHAR")
}

// Text prints a syntax tree back as SQL.
func (in *Instance) Text(syntax []byte) (string, error) {
	return in.conn.Value("SELECT json_deserialize_sql("+table.Literal(string(syntax))+"::JSON)", jsonBytesMax)
}

// Plan returns the optimised plan as JSON.
func (in *Instance) Plan(sql string) ([]byte, error) {
	return in.json("SELECT json_serialize_plan(" + table.Literal(sql) + ", optimize := true)::VARCHAR")
}

// Describe binds a statement without optimising it.
func (in *Instance) Describe(sql string) (*Description, error) {
	d, err := describe(in.bare.Handle(), sql)
	return d, in.note(err)
}

// note remembers that the instance met an internal error, after which it is not used again.
func (in *Instance) note(err error) error {
	var f *Fault
	if errors.As(err, &f) && (f.Type == "internal" || f.Type == "fatal") {
		in.broken = true
	}
	return err
}

// Explain returns the optimised plan in EXPLAIN's JSON form, which has the row estimates that Plan lacks.
func (in *Instance) Explain(sql string) ([]byte, error) {
	rows, err := in.conn.Rows("EXPLAIN (FORMAT JSON) "+sql, jsonBytesMax)
	if err != nil || len(rows) == 0 || len(rows[0]) < 2 || rows[0][1] == nil {
		return nil, err
	}
	return []byte(*rows[0][1]), nil
}

// Rows runs a statement over the instance's own catalog; every column must be VARCHAR.
func (in *Instance) Rows(sql string, bytesMax int) ([][]*string, error) {
	rows, err := in.conn.Rows(sql, bytesMax)
	return rows, in.note(err)
}

func (in *Instance) json(sql string) ([]byte, error) {
	text, err := in.conn.Value(sql, jsonBytesMax)
	if err != nil {
		return nil, in.note(err)
	}
	// Both functions answer faults in their result.
	if strings.HasPrefix(text, `{"error":true`) {
		f := minidb.ParseAnswer(text)
		return nil, in.note(f)
	}
	return []byte(text), nil
}
