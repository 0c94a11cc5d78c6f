package compat

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/arbalest-sql/arbalest/integration/oracle"
	"github.com/arbalest-sql/arbalest/integration/scenario"
)

// runJDBC performs the plan by the Java program.
func runJDBC(ctx context.Context, p *scenario.Plan) error {
	java, err := javaCommand("jdbc", "sql.arbalest.compat.Main")
	if err != nil {
		return err
	}
	return runCommand(ctx, p, java[0], java[1:]...)
}

// javaCommand is how a main class of one of the Maven projects beside this file is started. The server's zone is UTC, and so
// is the client's: what a test says of other zones it says by calendars.
func javaCommand(project, main string) ([]string, error) {
	jars, err := filepath.Glob(filepath.Join(project, "target", "lib", "*.jar"))
	if err != nil {
		return nil, err
	}
	own := filepath.Join(project, "target", "compat-"+project+"-1.jar")
	if _, err := os.Stat(own); err != nil || len(jars) == 0 {
		return nil, fmt.Errorf("%s is missing: run `make tools-%s` first", own, project)
	}
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	return []string{java, "--add-opens=java.base/java.nio=ALL-UNNAMED", "-Duser.timezone=UTC", "-Xmx512m",
		"-cp", strings.Join(append(jars, own), string(os.PathListSeparator)), main}, nil
}

// undoDriver takes back what the JDBC driver (18.3.0) does to values of the table of every type, before they are compared.
// Each line is a fault or a habit of the driver, seen with other servers too; what it reads right is compared as it is.
func undoDriver(rows *oracle.Rows) {
	for _, row := range rows.Cells {
		for i, c := range types {
			cell := &row[i+1] // the first column is the id
			switch c.kind {
			case "UTINYINT":
				unsign(cell, 8) // unsigned integers are read as signed ones of the same width
			case "USMALLINT":
				unsign(cell, 16)
			case "UINTEGER":
				unsign(cell, 32)
			case "UBIGINT":
				unsign(cell, 64)
			case "MAP(VARCHAR, INTEGER)":
				// A MAP comes as the same Java class as a STRUCT.
				cell.Text = strings.NewReplacer("'", "", ": ", "=").Replace(cell.Text)
			case "STRUCT(a INTEGER, b VARCHAR)":
				// The map that a STRUCT becomes has no entry for a field that is NULL.
				if rest, ok := strings.CutPrefix(cell.Text, "{'b'"); ok {
					cell.Text = "{'a': NULL, 'b'" + rest
				}
			}
		}
	}
}

func unsign(cell *oracle.Cell, bits uint) {
	n, ok := new(big.Int).SetString(cell.Text, 10)
	if ok && n.Sign() < 0 {
		cell.Text = n.Add(n, new(big.Int).Lsh(big.NewInt(1), bits)).String()
	}
}
