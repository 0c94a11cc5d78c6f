package bind

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// TestBind prints statements from scripts. The input's lines:
//
//	scan NAME FORMAT [columns=NAME:TYPE;…] [keys=NAME,…]   an empty column name is NULL of the type
//	option NAME SQL                                        of the scan above
//	range COLUMN LOWER UPPER [nulls]                       of the scan above; - is no end
//	split PATH [first=N rows=N] [key=VALUE|null=]… [inside]         of the scan above
//	exchange NAME COLUMNS [BODY…]                          without a body it was not fetched
//	fragment SQL
func TestBind(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "bind" {
				t.Fatalf("unknown command %s", d.Cmd)
			}
			spec, inputs := parse(t, d.Input)
			sql, err := SQL(spec, inputs)
			if err != nil {
				return fmt.Sprintf("%s: %s\n", qerr.KindOf(err), err)
			}
			return sql + "\n"
		})
	})
}

func parse(t *testing.T, text string) (*pb.TaskSpec, map[string]string) {
	t.Helper()
	spec, inputs := &pb.TaskSpec{}, map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "scan":
			fields := strings.Fields(rest)
			s := &pb.Scan{Name: fields[0], Format: fields[1], Table: "t"}
			for _, f := range fields[2:] {
				name, value, _ := strings.Cut(f, "=")
				switch name {
				case "columns":
					for _, c := range strings.Split(value, ";") {
						column, typ, _ := strings.Cut(c, ":")
						s.Columns = append(s.Columns, &pb.Column{Name: column, Type: typ})
					}
				case "keys":
					s.PartitionColumns = strings.Split(value, ",")
				}
			}
			spec.Scans = append(spec.Scans, s)
		case "range":
			fields := strings.Fields(rest)
			r := &pb.KeyRange{Nulls: len(fields) > 3}
			if _, err := fmt.Sscan(fields[0], &r.Column); err != nil {
				t.Fatal(err)
			}
			r.Lower, r.Upper = strings.Trim(fields[1], "-"), strings.Trim(fields[2], "-")
			spec.Scans[len(spec.Scans)-1].Range = r
		case "option":
			name, sql, _ := strings.Cut(rest, " ")
			s := spec.Scans[len(spec.Scans)-1]
			s.Options = append(s.Options, &pb.Option{Name: name, Sql: sql})
		case "split":
			fields := strings.Fields(rest)
			split := &pb.Split{Path: fields[0], Rows: -1}
			for _, f := range fields[1:] {
				name, value, _ := strings.Cut(f, "=")
				split.Inside = split.Inside || f == "inside"
				n, _ := strconv.ParseInt(value, 10, 64)
				switch name {
				case "first":
					split.FirstRow = n
				case "rows":
					split.Rows = n
				case "key":
					split.Keys = append(split.Keys, &pb.Key{Value: value})
				case "null":
					split.Keys = append(split.Keys, &pb.Key{Null: true})
				}
			}
			s := spec.Scans[len(spec.Scans)-1]
			s.Splits = append(s.Splits, split)
		case "exchange":
			fields := strings.SplitN(rest, " ", 3)
			columns, _ := strconv.Atoi(fields[1])
			spec.Inputs = append(spec.Inputs, &pb.ExchangeSource{Name: fields[0], Columns: make([]*pb.Column, columns)})
			if len(fields) > 2 {
				inputs[fields[0]] = fields[2]
			}
		case "fragment":
			spec.Fragment = rest
		}
	}
	return spec, inputs
}
