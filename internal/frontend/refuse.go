package frontend

import (
	"strings"

	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// outside are statements that reach outside of the catalog, and what to do instead.
var outside = map[string]string{
	"copy":       "it reads and writes files of the server; read results by Flight SQL, or write them with arbalest sql --format parquet -o FILE",
	"export":     "it writes files of the server; write results with arbalest sql --format parquet -o FILE",
	"import":     "it runs files of the server",
	"attach":     "the catalogs are what the server was started with (--data); SHOW DATABASES lists them",
	"detach":     "the catalogs are what the server was started with (--data)",
	"install":    "extensions run code inside the server",
	"load":       "extensions run code inside the server",
	"update_ext": "extensions run code inside the server",
	"pragma":     "it changes or shows the engine behind the session; session options are set by SET name = value (SELECT * FROM sys.settings lists them)",
	"call":       "it runs procedures of the engine behind the session; write SELECT … FROM name(…) for functions that compute rows",
	"checkpoint": "it manages the engine behind the session",
	"force":      "it manages the engine behind the session",
	"vacuum":     "it manages the engine behind the session",
	"analyze":    "statistics come from the data files' own footers",
}

// later are statements that Arbalest does not do yet.
var later = map[string]string{
	"create": "DDL", "drop": "DDL", "alter": "DDL", "comment": "DDL", "truncate": "DML",
	"insert": "DML", "update": "DML", "delete": "DML", "merge": "DML", "replace": "DML",
}

// refuseStatement explains why a statement that parses, but is no query, is not run.
func refuseStatement(first word, s *scanner) error {
	name := strings.ToUpper(first.text)
	key := strings.ToLower(first.text)
	if key == "with" || (key == "update" && s.peek().is("extensions")) {
		if key == "with" {
			return qerr.New(qerr.Unsupported, "WITH … INSERT, UPDATE or DELETE (DML) is not supported yet: tables are read-only; change the files in the data directory")
		}
		key = "update_ext"
	}
	if why, ok := outside[key]; ok {
		return qerr.New(qerr.PermissionDenied, "%s is refused: %s", name, why)
	}
	if what, ok := later[key]; ok {
		return qerr.New(qerr.Unsupported, "%s (%s) is not supported yet: tables are read-only; change the files in the data directory and the catalog follows", name, what)
	}
	switch key {
	case "prepare", "execute", "deallocate":
		return qerr.New(qerr.Unsupported, "%s is not supported: prepare statements through Flight SQL (JDBC, ADBC and the other clients do)", name)
	case "pivot":
		return qerr.New(qerr.Unsupported, "PIVOT whose columns depend on the data is not supported: name the values, as in FROM (PIVOT t ON c IN ('a', 'b') USING sum(x))")
	}
	return qerr.New(qerr.Unsupported, "%s statements are not supported", name)
}
