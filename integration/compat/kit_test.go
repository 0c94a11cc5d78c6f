package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/arbalest-sql/arbalest/integration/harness"
	"github.com/arbalest-sql/arbalest/integration/oracle"
)

const (
	// kitLimit bounds one client's whole list of features: the sample takes seconds, the full size reads ten million rows.
	kitLimit = 15 * time.Minute
	// spreadWorkers are the workers in the one process behind TLS.
	spreadWorkers = 25
	// numbersFiles and spreadFiles are so many that each worker has some.
	numbersFiles, spreadFiles = 4, 2 * spreadWorkers
)

// A setting is what a harness of features is given, as JSON: in a file, its path the last argument.
type setting struct {
	// URI is a coordinator with two worker processes, which lets everybody in.
	URI string `json:"uri"`
	// Secure is one process with 25 workers behind TLS, which wants a user.
	Secure secure `json:"secure"`
	// Rows is how many rows the table numbers has at URI: n from 0 (BIGINT), x = 2n (DOUBLE), s = n as text.
	Rows int64 `json:"rows"`
	// LargeRows is the same of the table large at URI: ten million in make compat.
	LargeRows int64 `json:"large_rows"`
	// SpreadRows is the same of the table spread at Secure.
	SpreadRows  int64 `json:"spread_rows"`
	Connections int   `json:"connections"` // how many at once
	// Slow computes for seconds over exchanges and gives two rows; Endless gives more rows than anybody waits for.
	Slow    string `json:"slow"`
	Endless string `json:"endless"`
}

type secure struct {
	URI      string `json:"uri"`
	Address  string `json:"address"` // host:port
	CA       string `json:"ca"`      // a file with the authority (PEM)
	User     string `json:"user"`
	Password string `json:"password"`
	Workers  int    `json:"workers"`
}

// A kit is the servers that harnesses of features run against.
type kit struct {
	open, secure *harness.Cluster
	setting      setting
}

// featureHarnesses measure one client each. In a sample those that want a toolchain of their own stay out.
var featureHarnesses = []struct {
	client string
	run    func(context.Context, *kit) error
	inFull bool
}{
	{client: "adbc-python", run: pythonFeatures("adbc_features.py")},
	{client: "pyarrow", run: pythonFeatures("pyarrow_features.py")},
	{client: "flightsql-v18", run: goFeatures},
	{client: "flightsql-v15", run: v15Features},
	{client: "database-sql", run: databaseFeatures},
	{client: "adbc-go", run: adbcFeatures},
	{client: "rust", run: rustFeatures, inFull: true},
}

// TestFeatures measures the columns of docs/compatibility.md. A client that lacks something says so in its column; what it
// does wrong is a difference to the kept column (see TestMain). After each client nothing is left at the servers.
func TestFeatures(t *testing.T) {
	k := startKit(t)
	for _, h := range featureHarnesses {
		t.Run(h.client, func(t *testing.T) {
			if h.inFull && !fullSize() {
				t.Skip("only in make compat: its toolchain and its build are not worth their time in every run")
			}
			ctx, cancel := context.WithTimeout(t.Context(), kitLimit)
			defer cancel()
			if err := h.run(ctx, k); err != nil {
				t.Error(err)
			}
			for _, c := range []*harness.Cluster{k.open, k.secure} {
				if err := c.WaitClosed(ctx); err != nil {
					t.Errorf("after %s something is left: %v", h.client, err)
				}
			}
		})
	}
}

// startKit makes the data and starts the servers.
func startKit(t *testing.T) *kit {
	t.Helper()
	data, err := harness.TPCH(t.Context(), scale, parts)
	if err != nil {
		t.Fatal(err)
	}
	s := setting{Rows: 400_000, LargeRows: 600_000, SpreadRows: 50_000, Connections: 50, Endless: endless,
		Slow: "SELECT a.l_linenumber % 2 AS k, max(hash(a.l_comment || b.l_comment)) AS h FROM lineitem AS a, " +
			"(SELECT * FROM lineitem WHERE l_orderkey < 180) AS b GROUP BY 1"}
	if fullSize() {
		s.LargeRows, s.SpreadRows = 10_000_000, 1_000_000
	}
	dir := t.TempDir()
	numbers, large, spread := filepath.Join(dir, "numbers"), filepath.Join(dir, "large"), filepath.Join(dir, "spread")
	question := oracle.Question{Out: t.TempDir(), Tables: map[string]string{},
		Setup: slices.Concat(writeNumbers(numbers, s.Rows, numbersFiles), writeNumbers(large, s.LargeRows, numbersFiles),
			writeNumbers(spread, s.SpreadRows, spreadFiles))}
	for _, d := range []string{numbers, large, spread} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := oracle.Ask(t.Context(), question); err != nil {
		t.Fatal(err)
	}
	signer := newAuthority(t, dir, "authority")
	certificate, key := signer.server(t, dir)
	s.Secure = secure{User: "ada", Password: "s3cret", Workers: spreadWorkers, CA: signer.path}
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte(harness.UserLine(s.Secure.User, s.Secure.Password)), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &kit{setting: s}
	k.open = harness.Start(t, harness.Options{Data: []string{data, dir}, Workers: workers})
	k.secure = harness.Start(t, harness.Options{Data: []string{dir}, Workers: spreadWorkers, Embedded: true, Threads: 2,
		Flags: []string{"--users", users, "--tls-cert", certificate, "--tls-key", key, "--tls-ca", s.Secure.CA}})
	k.setting.URI, k.setting.Secure.URI, k.setting.Secure.Address = k.open.URI(), "grpc+tls://"+k.secure.Door.Address, k.secure.Door.Address
	return k
}

// writeNumbers gives the statements by which DuckDB writes a table of rows into files.
func writeNumbers(dir string, rows int64, files int) []string {
	var all []string
	for i := range int64(files) {
		all = append(all, fmt.Sprintf("COPY (SELECT n, 2.0::DOUBLE * n AS x, n::VARCHAR AS s FROM range(%d, %d) AS r(n)) TO '%s' (FORMAT parquet)",
			rows*i/int64(files), rows*(i+1)/int64(files), filepath.Join(dir, fmt.Sprintf("part-%02d.parquet", i))))
	}
	return all
}

// program runs a harness outside this process on the setting; it writes its own column.
func (k *kit) program(ctx context.Context, name string, args ...string) error {
	dir, err := os.MkdirTemp("", "compat-setting-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data, err := json.Marshal(k.setting)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "setting.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, name, append(args, path)...)
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, bytes.TrimSpace(output))
	}
	return nil
}

// pythonFeatures runs a script of the folder python.
func pythonFeatures(script string) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error {
		python, err := harness.Python()
		if err != nil {
			return err
		}
		return k.program(ctx, python, filepath.Join("python", script))
	}
}

func v15Features(ctx context.Context, k *kit) error {
	path, err := built("bin/v15client", "make tools-v15")
	if err != nil {
		return err
	}
	return k.program(ctx, path, "features")
}

func rustFeatures(ctx context.Context, k *kit) error {
	path, err := built("rust/release/arbalest-compat", "make tools-rust")
	if err != nil {
		return err
	}
	return k.program(ctx, path)
}

// built gives a program below .tmp, and names the make target when it is missing.
func built(relative, target string) (string, error) {
	path, err := harness.Path(append([]string{".tmp"}, filepath.SplitList(filepath.FromSlash(relative))...)...)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf(".tmp/%s is missing: run `%s` first", relative, target)
	}
	return path, nil
}

// A check measures one feature. nil is "yes"; notApplicable and absent say why not; any other error fails the test.
type feature struct {
	name  string
	check func(context.Context) error
}

// measure runs checks one after the other and writes the column; its error joins what failed unexpectedly.
func measure(ctx context.Context, client, version string, features []feature) error {
	s := newSheet(client, version)
	var faults []error
	for _, f := range features {
		err := f.check(ctx)
		var known verdictError
		switch {
		case err == nil:
			s.note(f.name, Yes)
		case errors.As(err, &known):
			s.note(f.name, known.verdict)
		default:
			faults = append(faults, fmt.Errorf("%s: %w", f.name, err))
			s.note(f.name, "no: "+Verdict(err.Error()))
		}
	}
	return errors.Join(append(faults, s.column.Write(os.Getenv(OutVariable), "-features"))...)
}
