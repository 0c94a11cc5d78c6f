package logic

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arbalest-sql/arbalest/integration/oracle/gen"
)

// A Script is a parsed file.
type Script struct {
	Clusters []int
	Records  []Record
}

// A Record is one step of a script.
type Record struct {
	// Line is where it begins, from 1, after loops were unrolled.
	Line int
	// answers are the lines (from 0) of Wanted, up to the second one.
	answers [2]int
	// SQL is the statement; empty for a Set alone.
	SQL  string
	Kind Kind
	// Wanted are the values that a query gives, or the text that an error's message holds.
	Wanted []string
	// Columns and Sort are a query's.
	Columns int
	Sort    Sort
	// Set is an option and its value, when Kind is SetOption.
	Set [2]string
	// Layout is how a table is written, when Kind is LayTable.
	Layout gen.Table
	// Plan and PlanNot are what EXPLAIN's lines must and must not hold.
	Plan, PlanNot []string
	// Ran is what EXPLAIN ANALYZE must hold.
	Ran []string
	// Skip is the reason for which our side does not run it; OnlyUs that DuckDB does not.
	Skip string
}

// A Kind of record.
type Kind uint8

// The kinds.
const (
	StatementOK Kind = iota
	StatementError
	Query
	SetOption
	LayTable
)

// A Sort says in which order a query's values are compared.
type Sort string

// The orders: as they come, by row, by value.
const (
	NoSort    Sort = "nosort"
	RowSort   Sort = "rowsort"
	ValueSort Sort = "valuesort"
)

type parser struct {
	lines  []string
	at     int // the next line
	end    int // the line behind the last body
	script *Script
	next   Record // what comments and skipif said of the record to come
}

// Parse reads a script.
func Parse(text string) (*Script, error) {
	lines, err := expand(strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"))
	if err != nil {
		return nil, err
	}
	p := parser{lines: lines, script: &Script{Clusters: []int{1, 3, 7}}}
	for p.at < len(p.lines) {
		if err := p.step(); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.at, err)
		}
	}
	return p.script, nil
}

func (p *parser) step() error {
	line := strings.TrimSpace(p.lines[p.at])
	p.at++
	words := strings.Fields(line)
	switch {
	case line == "":
		return nil
	case strings.HasPrefix(line, "#"):
		return p.comment(strings.TrimSpace(line[1:]))
	case words[0] == "skipif" || words[0] == "onlyif":
		return p.condition(words)
	case words[0] == "require" || words[0] == "halt" || words[0] == "mode":
		return nil
	case words[0] == "statement" && len(words) > 1:
		return p.statement(words[1])
	case words[0] == "query":
		return p.query(words[1:])
	}
	return fmt.Errorf("unknown: %s", line)
}

// comment reads the comments that say something to us.
func (p *parser) comment(text string) error {
	key, value, found := strings.Cut(text, ":")
	if value = strings.TrimSpace(value); !found {
		return nil
	}
	switch key {
	case "cluster":
		p.script.Clusters = nil
		for _, word := range strings.Fields(value) {
			n, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			p.script.Clusters = append(p.script.Clusters, n)
		}
	case "set":
		name, to, ok := strings.Cut(value, "=")
		if !ok {
			return fmt.Errorf("not name=value: %s", value)
		}
		p.add(Record{Kind: SetOption, Line: p.at, Set: [2]string{strings.TrimSpace(name), strings.TrimSpace(to)}})
	case "table":
		t, err := layout(strings.Fields(value))
		if err != nil {
			return err
		}
		p.add(Record{Kind: LayTable, Line: p.at, Layout: t})
	case "plan":
		p.next.Plan = append(p.next.Plan, value)
	case "plan-not":
		p.next.PlanNot = append(p.next.PlanNot, value)
	case "ran":
		p.next.Ran = append(p.next.Ran, value)
	}
	return nil
}

func layout(words []string) (gen.Table, error) {
	if len(words) == 0 {
		return gen.Table{}, fmt.Errorf("which table?")
	}
	t := gen.Table{Name: words[0], Format: gen.Parquet, Files: 1}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		n, err := strconv.Atoi(value)
		switch key {
		case "files":
			t.Files = n
		case "group":
			t.GroupRows = n
		case "sorted":
			t.Sorted, err = true, nil
		case "keys":
			t.Keys, err = strings.Split(value, ","), nil
		case "format":
			t.Format, err = gen.Format(value), nil
		default:
			err = fmt.Errorf("unknown: %s", w)
		}
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

func (p *parser) condition(words []string) error {
	switch {
	case len(words) >= 2 && words[0] == "skipif" && words[1] == "arbalest":
		if p.next.Skip = strings.TrimLeft(strings.Join(words[2:], " "), "# "); p.next.Skip == "" {
			return fmt.Errorf("skipif without a reason")
		}
	case len(words) >= 2 && words[0] == "onlyif" && words[1] == "duckdb":
		p.next.Skip = "DuckDB only"
	default:
		return fmt.Errorf("unknown: %s", strings.Join(words, " "))
	}
	return nil
}

func (p *parser) add(r Record) { p.script.Records = append(p.script.Records, r) }

// take ends the record that next began.
func (p *parser) take() Record {
	r := p.next
	r.Line, p.next = p.at, Record{}
	return r
}

func (p *parser) statement(kind string) error {
	r := p.take()
	switch kind {
	case "ok", "maybe":
		r.Kind = StatementOK
	case "error":
		r.Kind = StatementError
	default:
		return fmt.Errorf("statement %s is unknown", kind)
	}
	r.SQL, r.Wanted = p.body()
	p.add(r)
	return nil
}

func (p *parser) query(words []string) error {
	r := p.take()
	r.Kind, r.Sort = Query, NoSort
	if len(words) == 0 {
		return fmt.Errorf("a query needs the types of its columns")
	}
	r.Columns = len(words[0])
	if len(words) > 1 {
		r.Sort = Sort(words[1])
		if r.Sort != NoSort && r.Sort != RowSort && r.Sort != ValueSort {
			return fmt.Errorf("sort %s is unknown", r.Sort)
		}
	}
	sql, lines := p.body()
	r.SQL = sql
	r.answers = [2]int{p.end - len(lines), p.end}
	for _, line := range lines {
		if r.Columns == 1 {
			r.Wanted = append(r.Wanted, line)
		} else {
			r.Wanted = append(r.Wanted, strings.Split(line, "\t")...)
		}
	}
	if len(r.Wanted)%r.Columns != 0 {
		return fmt.Errorf("%d values do not fill rows of %d", len(r.Wanted), r.Columns)
	}
	p.add(r)
	return nil
}

// body reads a statement up to an empty line, and what stands below ---- in it.
func (p *parser) body() (sql string, wanted []string) {
	var text []string
	below := false
	for p.end = p.at; p.at < len(p.lines); p.end = p.at {
		line := p.lines[p.at]
		p.at++
		if strings.TrimSpace(line) == "" {
			break
		}
		switch {
		case !below && strings.TrimSpace(line) == "----":
			below = true
		case below:
			wanted = append(wanted, line)
		default:
			text = append(text, line)
		}
	}
	return strings.TrimSuffix(strings.Join(text, "\n"), ";"), wanted
}
