package compat

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/arbalest-sql/arbalest/integration/harness"
)

// TestADBCJava runs arrow-adbc's validation suites for Java. What the driver cannot do is left out by name in the classes of
// adbcjava/, with the reason; every other test must pass.
func TestADBCJava(t *testing.T) {
	cluster := harness.Start(t, harness.Options{Data: []string{t.TempDir()}, Workers: workers, Embedded: true})
	outcome := runSuites(t, cluster, "adbcjava", "sql.arbalest.compat.adbc.Main", javaSetup{})
	for _, name := range slices.Sorted(maps.Keys(outcome.Skipped)) {
		t.Run(name, func(t *testing.T) { t.Skip(outcome.Skipped[name]) })
	}
	if total := len(outcome.Checks) + len(outcome.Skipped); total < validationTests {
		t.Errorf("%d tests, want the %d of the suites", total, validationTests)
	}
	if err := cluster.WaitClosed(t.Context()); err != nil {
		t.Errorf("something is left: %v", err)
	}
	unsupported := "no: the driver has none (it answers NOT_IMPLEMENTED)"
	writeColumn(t, Column{Client: "adbc-java", Version: strings.TrimPrefix(outcome.Client, "ADBC "), Features: map[string]Verdict{
		"prepared":     outcome.verdict("", "StatementSuite/prepareQuery"),
		"parameters":   outcome.verdict("", "StatementSuite/prepareQuery", "StatementSuite/getParameterSchema"),
		"ingest":       outcome.verdict("", "StatementSuite/bulkIngest"),
		"partitions":   outcome.verdict("", "PartitionSuite/"),
		"types":        outcome.verdict("", "TypeSuite/"),
		"catalogs":     outcome.verdict("", "MetadataSuite/getObjects"),
		"server info":  outcome.verdict("", "MetadataSuite/getInfo"),
		"transactions": Verdict(unsupported),
		"savepoints":   Verdict(unsupported),
		"table schema": Verdict(unsupported),
		"keys":         "n/a: tables have no constraints",
	}}, "")
}

// validationTests is the number of tests in the suites, those of transactions counted as one.
const validationTests = 48
