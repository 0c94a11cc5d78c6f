package contest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/integration/oracle/gen"
	"github.com/arbalest-sql/arbalest/internal/duck/plaindb"
)

// insertRows is how many rows go into one INSERT.
const insertRows = 500

// Create returns the statements that make a table with its rows: what a logic test would say.
func Create(t gen.Table) []string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Name + " " + c.Type
	}
	all := []string{"CREATE TABLE " + t.Name + "(" + strings.Join(columns, ", ") + ")"}
	for rows := range slices.Chunk(t.Rows, insertRows) {
		texts := make([]string, len(rows))
		for i, r := range rows {
			texts[i] = "(" + strings.Join(r, ", ") + ")"
		}
		all = append(all, "INSERT INTO "+t.Name+" VALUES "+strings.Join(texts, ", "))
	}
	return all
}

// Write makes the files of the tables under dir, and then the tables in db out of those files. The columns of the returned
// tables have the types that came back.
func Write(db *plaindb.DB, dir string, tables []gen.Table) ([]gen.Table, error) {
	out := slices.Clone(tables)
	for i := range out {
		for _, statement := range Create(out[i]) {
			if err := db.Exec(statement); err != nil {
				return nil, fmt.Errorf("make table %s: %w", out[i].Name, err)
			}
		}
		if err := Export(db, dir, out[i]); err != nil {
			return nil, fmt.Errorf("write table %s: %w", out[i].Name, err)
		}
		columns, err := db.Columns("SELECT * FROM " + out[i].Name)
		if err != nil {
			return nil, err
		}
		named := map[string]gen.Column{}
		for _, c := range out[i].Columns {
			named[c.Name] = c
		}
		out[i].Columns = nil
		for _, c := range columns {
			had := named[c.Name]
			had.Reread(describe(c.Type))
			out[i].Columns = append(out[i].Columns, had)
		}
	}
	return out, nil
}

func describe(t table.Type) string {
	if t.Alias != "" {
		return t.Alias
	}
	return t.SQL()
}

// Export writes a table of db to files under dir, as the table's layout says, and makes it anew out of them.
func Export(db *plaindb.DB, dir string, t gen.Table) error {
	// In one thread, this makes no order but keeps the pieces of a file apart.
	if err := db.Exec("SET preserve_insertion_order = false"); err != nil {
		return err
	}
	glob, options, err := writeFiles(db, dir, t)
	if err != nil {
		return err
	}
	if err := db.Exec("SET preserve_insertion_order = true"); err != nil {
		return err
	}
	read := fmt.Sprintf("read_%s('%s'%s)", t.Format, glob, options)
	return db.Exec("CREATE OR REPLACE TABLE " + t.Name + " AS SELECT * FROM " + read)
}

// writeFiles returns the glob that finds the files again, and the options to read them with.
func writeFiles(db *plaindb.DB, dir string, t gen.Table) (glob, options string, err error) {
	format := "FORMAT csv, HEADER"
	if t.Format == gen.Parquet {
		format = "FORMAT parquet"
		if t.GroupRows > 0 {
			format += fmt.Sprintf(", ROW_GROUP_SIZE %d", t.GroupRows)
		}
	}
	single := filepath.Join(dir, t.Name+"."+string(t.Format))
	if t.Files <= 1 && len(t.Keys) == 0 {
		return single, "", db.Exec(fmt.Sprintf("COPY (%s) TO '%s' (%s)", pieces(t, 1, 0), single, format))
	}
	folder := filepath.Join(dir, t.Name)
	if len(t.Keys) > 0 {
		keys := strings.Join(t.Keys, ", ")
		err := db.Exec(fmt.Sprintf("COPY %s TO '%s' (%s, PARTITION_BY (%s))", t.Name, folder, "FORMAT "+string(t.Format), keys))
		return filepath.Join(folder, strings.Repeat("*/", len(t.Keys))+"*."+string(t.Format)), ", hive_partitioning = true", err
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return "", "", err
	}
	for i := range t.Files {
		file := filepath.Join(folder, fmt.Sprintf("part-%d.%s", i, t.Format))
		if err := db.Exec(fmt.Sprintf("COPY (%s) TO '%s' (%s)", pieces(t, t.Files, i), file, format)); err != nil {
			return "", "", err
		}
	}
	return filepath.Join(folder, "*."+string(t.Format)), "", nil
}

// piecesMax bounds the row groups of a file.
const piecesMax = 4

// pieces selects the rows of one of a table's files. DuckDB ends a row group between the chunks it is handed only, so a
// table with small row groups is handed over in as many pieces.
func pieces(t gen.Table, files, file int) string {
	n := 1
	if t.GroupRows > 0 {
		n = min(len(t.Rows)/(files*t.GroupRows)+1, piecesMax)
	}
	all := make([]string, n)
	for i := range all {
		if t.Sorted { // ranges of rows, so that the pieces' keys overlap at their ends only
			all[i] = fmt.Sprintf("SELECT * FROM %[1]s WHERE rowid * %[2]d // (SELECT count(*) FROM %[1]s) = %[3]d", t.Name, files*n, file*n+i)
			continue
		}
		all[i] = fmt.Sprintf("SELECT * FROM %s WHERE rowid %% %d = %d AND rowid // %d %% %d = %d", t.Name, files, file, files, n, i)
	}
	return strings.Join(all, " UNION ALL ")
}
