package sniff

import (
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/minidb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

func sniff(c *minidb.Conn, format table.Format, paths []string) ([]table.Column, []table.Option, error) {
	switch format {
	case table.CSV:
		return csv(c, paths)
	case table.JSON:
		return json(c, paths)
	case table.Parquet:
		columns, err := describe(c, "read_parquet("+list(paths)+", hive_partitioning = false, union_by_name = true)")
		return columns, nil, err
	}
	return nil, nil, qerr.New(qerr.Internal, "sniff files of format %q", format)
}

func list(paths []string) string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = table.Literal(p)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// describe reads the columns that a reader gives.
func describe(c *minidb.Conn, from string) ([]table.Column, error) {
	rows, err := c.Rows("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+from+")", answerBytesMax)
	if err != nil {
		return nil, err
	}
	columns := make([]table.Column, len(rows))
	for i, r := range rows {
		t, err := table.ParseType(*r[1])
		if err != nil {
			return nil, err
		}
		columns[i] = table.Column{Name: *r[0], Type: t}
	}
	return columns, nil
}

// typed prints columns as the columns option of DuckDB's readers.
func typed(columns []table.Column) string {
	members := make([]string, len(columns))
	for i, c := range columns {
		members[i] = table.Literal(c.Name) + ": " + table.Literal(c.Type.SQL())
	}
	return "{" + strings.Join(members, ", ") + "}"
}

const sniffCSV = `SELECT Delimiter, Quote, Escape, Comment, SkipRows::VARCHAR, HasHeader::VARCHAR, DateFormat, TimestampFormat FROM sniff_csv(`

// csv takes the dialect of the first file and the columns of all. A quote or comment that the sample does not show is left
// at the reader's default: a later row may have one.
func csv(c *minidb.Conn, paths []string) ([]table.Column, []table.Option, error) {
	columns, err := describe(c, "read_csv("+list(paths)+", hive_partitioning = false)")
	if err != nil {
		return nil, nil, err
	}
	rows, err := c.Rows(sniffCSV+table.Literal(paths[0])+")", answerBytesMax)
	if err != nil {
		return nil, nil, err
	}
	if len(rows) != 1 {
		return nil, nil, qerr.New(qerr.Internal, "sniffing gave %d answers", len(rows))
	}
	options := []table.Option{{Name: "auto_detect", SQL: "false"}}
	for i, name := range []string{"delim", "quote", "escape", "comment", "skip", "header", "dateformat", "timestampformat"} {
		v := rows[0][i]
		if v == nil || *v == "(empty)" || *v == "" {
			continue
		}
		sql := table.Literal(*v)
		if _, err := strconv.Atoi(*v); (err == nil && name == "skip") || name == "header" {
			sql = *v
		}
		options = append(options, table.Option{Name: name, SQL: sql})
	}
	options = append(options, table.Option{Name: "columns", SQL: typed(columns)})
	return columns, options, alike(c, "read_csv", paths, columns, options)
}

// json fixes the columns; whether records stand in lines or in an array is seen in each file by itself.
func json(c *minidb.Conn, paths []string) ([]table.Column, []table.Option, error) {
	columns, err := describe(c, "read_json("+list(paths)+", hive_partitioning = false)")
	if err != nil {
		return nil, nil, err
	}
	options := []table.Option{{Name: "format", SQL: "'auto'"}, {Name: "columns", SQL: typed(columns)}}
	return columns, options, alike(c, "read_json", paths, columns, options)
}

// alike binds a read with the options, which must give the same columns.
func alike(c *minidb.Conn, reader string, paths []string, columns []table.Column, options []table.Option) error {
	from := reader + "(" + list(paths) + ", hive_partitioning = false"
	for _, o := range options {
		from += ", " + o.Name + " = " + o.SQL
	}
	again, err := describe(c, from+")")
	if err != nil {
		return err
	}
	if len(again) != len(columns) {
		return qerr.New(qerr.Internal, "reading with the sniffed options gives %d columns instead of %d", len(again), len(columns))
	}
	for i := range columns {
		if again[i].Name != columns[i].Name || !again[i].Type.Equal(columns[i].Type) {
			return qerr.New(qerr.Internal, "reading with the sniffed options changes column %s", columns[i].Name)
		}
	}
	return nil
}
