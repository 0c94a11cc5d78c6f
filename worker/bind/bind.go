package bind

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// inPlace begins the names of inputs that are written where the fragment has their name, since DuckDB decorrelates few
// subqueries over names of a WITH. The planner sees to it that such a name stands nowhere else in the fragment.
const inPlace = "arbalest_table_"

// SQL prints a task's whole statement. inputs gives for each exchange input the SELECT that yields its columns, by the
// input's name. A task that cannot be printed is an error of kind Internal: the coordinator made it wrong.
func SQL(spec *pb.TaskSpec, inputs map[string]string) (string, error) {
	var with []string
	fragment := spec.GetFragment()
	seen := map[string]bool{}
	add := func(name string, columns int, body string) error {
		if name == "" || seen[name] {
			return qerr.New(qerr.Internal, "bind task: input %q has no name, or one that stands twice", name)
		}
		seen[name] = true
		if strings.HasPrefix(name, inPlace) {
			fragment = strings.ReplaceAll(fragment, name, "("+body+") AS "+table.Quote(name)+columnList(columns))
			return nil
		}
		with = append(with, table.Quote(name)+columnList(columns)+" AS NOT MATERIALIZED ("+body+")")
		return nil
	}
	for _, scan := range spec.GetScans() {
		body, err := scanSQL(scan)
		if err != nil {
			return "", err
		}
		if err := add(scan.GetName(), max(len(scan.GetColumns()), 1), body); err != nil {
			return "", err
		}
	}
	for _, input := range spec.GetInputs() {
		body, found := inputs[input.GetName()]
		if !found {
			return "", qerr.New(qerr.Internal, "bind task: exchange input %q was not fetched", input.GetName())
		}
		columns := len(input.GetColumns())
		if p := input.GetProjection(); p != nil {
			columns = max(len(p.GetColumns()), 1)
		}
		if err := add(input.GetName(), columns, body); err != nil {
			return "", err
		}
	}
	return below(with, fragment), nil
}

// below puts the inputs' WITH clause before a fragment, joining it with the fragment's own.
func below(with []string, fragment string) string {
	if len(with) == 0 {
		return fragment
	}
	rest, nested := cutKeyword(fragment, "WITH")
	if !nested {
		return "WITH " + strings.Join(with, ",\n") + "\n" + fragment
	}
	head := "WITH "
	if after, recursive := cutKeyword(rest, "RECURSIVE"); recursive {
		head, rest = "WITH RECURSIVE ", after
	}
	return head + strings.Join(with, ",\n") + ",\n" + strings.TrimSpace(rest)
}

// cutKeyword takes a keyword off the start of a text.
func cutKeyword(text, keyword string) (rest string, found bool) {
	text = strings.TrimSpace(text)
	if len(text) <= len(keyword) || !strings.EqualFold(text[:len(keyword)], keyword) {
		return text, false
	}
	if next := text[len(keyword)]; next != ' ' && next != '\n' && next != '\t' && next != '\r' && next != '"' {
		return text, false
	}
	return text[len(keyword):], true
}

// columnList prints (c0, c1, …).
func columnList(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// readers are the table functions of the formats.
var readers = map[string]string{
	string(table.Parquet): "read_parquet",
	string(table.CSV):     "read_csv",
	string(table.JSON):    "read_json",
}

// scanSQL prints the body of a scan: one SELECT for each reader call, under UNION ALL, and over those that need it the
// condition of its range.
func scanSQL(scan *pb.Scan) (string, error) {
	reader, known := readers[scan.GetFormat()]
	if !known {
		return "", qerr.New(qerr.Unsupported, "bind task: this worker cannot read tables of format %q", scan.GetFormat())
	}
	if len(scan.GetSplits()) == 0 {
		return emptySQL(scan), nil
	}
	if scan.GetRange() == nil {
		return armsSQL(scan, reader, scan.GetSplits())
	}
	var inside, across []*pb.Split
	for _, s := range scan.GetSplits() {
		if s.GetInside() {
			inside = append(inside, s)
		} else {
			across = append(across, s)
		}
	}
	if len(across) == 0 {
		return armsSQL(scan, reader, inside)
	}
	where, err := rangeSQL(scan)
	if err != nil {
		return "", err
	}
	body, err := armsSQL(scan, reader, across)
	if err != nil {
		return "", err
	}
	// DuckDB pushes the condition down to the readers. It takes it for one that few rows meet, so it stands only over those
	// that may not: with it over all, joins above would be built the wrong way round.
	body = "SELECT * FROM (" + body + ") AS t" + columnList(max(len(scan.GetColumns()), 1)) + " WHERE " + where
	if len(inside) == 0 {
		return body, nil
	}
	whole, err := armsSQL(scan, reader, inside)
	return whole + "\nUNION ALL\n" + body, err
}

// armsSQL prints one SELECT for each reader call that the splits need.
func armsSQL(scan *pb.Scan, reader string, splits []*pb.Split) (string, error) {
	var arms []string
	for _, call := range calls(scan, splits) {
		columns, err := columnsSQL(scan, call)
		if err != nil {
			return "", err
		}
		from := reader + "(" + call.arguments(scan) + ")" + call.where()
		if byName(scan) {
			from = padded(scan, call, from)
		}
		arms = append(arms, "SELECT "+columns+" FROM "+from)
	}
	return strings.Join(arms, "\nUNION ALL\n"), nil
}

// rangeSQL prints the condition of a scan that is divided by ranges of a column.
func rangeSQL(scan *pb.Scan) (string, error) {
	r := scan.GetRange()
	if int(r.GetColumn()) >= len(scan.GetColumns()) {
		return "", qerr.New(qerr.Internal, "bind task: the range of %s is of column %d of %d", scan.GetTable(), r.GetColumn(), len(scan.GetColumns()))
	}
	name := "t.c" + strconv.Itoa(int(r.GetColumn()))
	var terms []string
	if r.GetLower() != "" {
		terms = append(terms, name+" >= "+r.GetLower())
	}
	if r.GetUpper() != "" {
		terms = append(terms, name+" < "+r.GetUpper())
	}
	where := strings.Join(terms, " AND ")
	switch {
	case where == "":
		where = "true"
	case r.GetNulls():
		where = "(" + where + ") OR " + name + " IS NULL"
	}
	return where, nil
}

// byName reports whether the files of a scan may have different columns.
func byName(scan *pb.Scan) bool {
	for _, o := range scan.GetOptions() {
		if strings.EqualFold(o.GetName(), "union_by_name") && strings.EqualFold(o.GetSql(), "true") {
			return true
		}
	}
	return false
}

// padded gives a reader call the columns that none of its files may have: this task's files are a part of the table's. The
// arm without rows costs nothing, and filters and projections pass through to the reader. Its NULLs have no type, so that
// the reader's types stand.
func padded(scan *pb.Scan, c call, from string) string {
	var nulls, keys []string
	for _, column := range scan.GetColumns() {
		name := column.GetName()
		key := slices.Contains(scan.GetPartitionColumns(), name)
		switch {
		case name == "" || key && !c.keyed:
		case key:
			// Cast below the union: filters on the key reach the reader only without a cast on the way.
			keys = append(keys, "CAST("+table.Quote(name)+" AS "+column.GetType()+") AS "+table.Quote(name))
		default:
			nulls = append(nulls, "NULL AS "+table.Quote(name))
		}
	}
	if len(nulls) == 0 {
		return from
	}
	star := "*"
	if len(keys) > 0 {
		star += " REPLACE (" + strings.Join(keys, ", ") + ")"
	}
	return "(SELECT " + strings.Join(nulls, ", ") + " WHERE false UNION ALL BY NAME SELECT " + star + " FROM " + from + ")"
}

// emptySQL prints a relation without rows.
func emptySQL(scan *pb.Scan) string {
	columns := []string{}
	for _, c := range scan.GetColumns() {
		columns = append(columns, "CAST(NULL AS "+c.GetType()+")")
	}
	if len(columns) == 0 {
		columns = append(columns, "CAST(NULL AS BIGINT)")
	}
	return "SELECT " + strings.Join(columns, ", ") + " WHERE false"
}

// columnsSQL prints the columns of one reader call.
func columnsSQL(scan *pb.Scan, c call) (string, error) {
	if len(c.keys) != len(scan.GetPartitionColumns()) {
		return "", qerr.New(qerr.Internal, "bind task: a split of %s has %d partition keys; the table has %d",
			scan.GetTable(), len(c.keys), len(scan.GetPartitionColumns()))
	}
	columns := []string{}
	for _, column := range scan.GetColumns() {
		value := table.Quote(column.GetName())
		if column.GetName() == "" {
			value = "NULL"
		}
		for i, name := range scan.GetPartitionColumns() {
			if name != column.GetName() || c.keyed {
				continue
			}
			if value = "NULL"; !c.keys[i].GetNull() {
				value = table.Literal(c.keys[i].GetValue())
			}
		}
		columns = append(columns, fmt.Sprintf("CAST(%s AS %s)", value, column.GetType()))
	}
	if len(columns) == 0 {
		// Only the number of rows matters.
		columns = append(columns, "CAST(NULL AS BIGINT)")
	}
	return strings.Join(columns, ", "), nil
}
