package plantest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// dataType reads a type as SQL writes it: BIGINT, DECIMAL(15,2), VARCHAR[].
func (l *lexer) dataType() (table.Type, error) {
	name := l.next()
	if name == "" || !wordRune(rune(name[0])) {
		return table.Type{}, fmt.Errorf("%s: want a type, not %q", l.text, name)
	}
	t := table.Of(table.TypeID(strings.ToUpper(name)))
	switch t.ID {
	case table.Decimal:
		var sizes []int
		if err := l.list(func() error {
			n, err := strconv.Atoi(l.next())
			sizes = append(sizes, n)
			return err
		}); err != nil || len(sizes) != 2 {
			return t, fmt.Errorf("%s: want DECIMAL(width,scale)", l.text)
		}
		t = table.DecimalOf(uint8(sizes[0]), uint8(sizes[1]))
	case table.Enum:
		if err := l.list(func() error {
			t.Labels = append(t.Labels, strings.Trim(l.next(), "'"))
			return nil
		}); err != nil {
			return t, err
		}
	}
	for l.take("[", "]") {
		t = table.Type{ID: table.List, Fields: []table.Field{{Type: t}}}
	}
	return t, nil
}

// columns reads "(a BIGINT, b VARCHAR)".
func (l *lexer) columns() (names []string, types []table.Type, err error) {
	err = l.list(func() error {
		names = append(names, l.next())
		t, err := l.dataType()
		types = append(types, t)
		return err
	})
	return names, types, err
}

// Columns reads result columns from "a BIGINT, b VARCHAR".
func Columns(text string) ([]table.Column, error) {
	l, err := lex("(" + text + ")")
	if err != nil {
		return nil, err
	}
	names, types, err := l.columns()
	if err != nil {
		return nil, err
	}
	columns := make([]table.Column, len(names))
	for i := range names {
		columns[i] = table.Column{Name: names[i], Type: types[i]}
	}
	return columns, nil
}

// A Spec says what Table makes up.
type Spec struct {
	Name, Columns string
	// Files of GroupsPerFile row groups of RowsPerGroup rows; every column of a group has BytesPerGroup compressed bytes.
	Files, GroupsPerFile int
	RowsPerGroup         int64
	BytesPerGroup        int64
}

// Table makes a Parquet table up. Its paths are not meant to exist.
func Table(s Spec) (*table.Table, error) {
	columns, err := Columns(s.Columns)
	if err != nil {
		return nil, err
	}
	t := &table.Table{
		Name:      table.Name{Catalog: "arbalest", Schema: "main", Table: s.Name},
		Columns:   columns,
		Format:    table.Parquet,
		RowsExact: true,
	}
	for f := range s.Files {
		file := table.File{Path: fmt.Sprintf("%s/part-%d.parquet", s.Name, f), ModTime: 1}
		for g := range s.GroupsPerFile {
			group := table.RowGroup{FirstRow: int64(g) * s.RowsPerGroup, Rows: s.RowsPerGroup}
			for range columns {
				group.Bytes = append(group.Bytes, s.BytesPerGroup)
				file.Size += s.BytesPerGroup
			}
			file.Rows += s.RowsPerGroup
			file.RowGroups = append(file.RowGroups, group)
		}
		t.Rows += file.Rows
		t.Files = append(t.Files, file)
	}
	return t, nil
}
