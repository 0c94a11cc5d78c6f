package frontend

import (
	"context"
	"errors"
	"slices"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/duck/plandb"
)

// Result columns of our own statements that give rows.
var (
	explainColumns = []table.Column{{Name: "explain_key", Type: table.Of(table.Varchar)}, {Name: "explain_value", Type: table.Of(table.Varchar)}}
	killColumns    = []table.Column{{Name: "query_id", Type: table.Of(table.Varchar)}, {Name: "state", Type: table.Of(table.Varchar)}}
)

// Describe tells a statement's result columns and parameters without planning it. Request.Params is not looked at.
//
// Outcomes: as Plan's.
func (f *Frontend) Describe(ctx context.Context, r Request) (*Description, error) {
	c, err := f.Classify(r.SQL)
	if err != nil {
		return nil, err
	}
	switch c.Kind {
	case KindQuery:
	case KindExplain, KindExplainAnalyze:
		r.SQL = c.SQL
		d, err := f.describe(ctx, &r)
		if err != nil {
			return nil, err
		}
		d.Columns = slices.Clone(explainColumns)
		return d, nil
	case KindKill:
		return &Description{Columns: slices.Clone(killColumns)}, nil
	default:
		return &Description{IsUpdate: true}, nil
	}
	return f.describe(ctx, &r)
}

func (f *Frontend) describe(ctx context.Context, r *Request) (*Description, error) {
	st := &statement{r: r, sql: r.SQL}
	err := f.withDeadline(ctx, r, f.cfg.BindDeadline, func(in *plandb.Instance) (func(), error) {
		data, err := in.Syntax(r.SQL)
		if err != nil {
			return nil, err
		}
		s, err := parseSyntax(data)
		if err != nil {
			return nil, err
		}
		sql, facts := r.SQL, s.facts()
		if changed := unqualifyTemporary(r, facts); replaceSession(s, r) || changed {
			if sql, err = printed(in, s); err != nil {
				return nil, err
			}
		}
		return func() { st.sql, st.syntax, st.facts = sql, s, facts }, nil
	})
	if err != nil {
		return nil, faultError(err)
	}
	if _, err := checkFunctions(st.facts); err != nil {
		return nil, err
	}
	if st.res, err = f.resolve(ctx, r, st.facts); err != nil {
		return nil, err
	}
	var d *plandb.Description
	err = f.withDeadline(ctx, r, f.cfg.BindDeadline, func(in *plandb.Instance) (func(), error) {
		if err := bindable(in, st); err != nil {
			return nil, err
		}
		got, err := describeOn(in, st)
		return func() { d = got }, err
	})
	if err != nil {
		return nil, faultError(err)
	}
	for i := range d.Params {
		if d.Params[i].Type.ID == table.Null {
			d.Params[i].Type = table.Of(table.Varchar)
		}
	}
	return &Description{Columns: d.Columns, Params: d.Params}, nil
}

// guesses are the types tried for parameters whose type hangs on nothing, in order: for those that are a column by
// themselves, and for the others ("" = leave it).
var guesses = []struct{ selected, other string }{{"VARCHAR", ""}, {"VARCHAR", "VARCHAR"}, {"VARCHAR", "BIGINT"}, {"VARCHAR", "DOUBLE"}}

// describeOn binds the statement. When the type of a parameter hangs on nothing the result's types are unknown, and guesses
// are bound instead. st.syntax may be changed.
func describeOn(in *plandb.Instance, st *statement) (*plandb.Description, error) {
	d, err := in.Describe(st.sql)
	if err != nil || resolved(d) {
		return d, err
	}
	var failed error
	for _, g := range guesses {
		again, err := guess(in, st, d, g.selected, g.other)
		if err == nil && resolved(again) {
			return again, nil
		}
		var fault *plandb.Fault
		if err != nil && !errors.As(err, &fault) {
			return nil, err
		}
		if failed == nil {
			failed = err
		}
	}
	if failed != nil {
		return nil, failed
	}
	return d, nil
}

// guess binds the statement with its untyped parameters cast to types.
func guess(in *plandb.Instance, st *statement, d *plandb.Description, selected, other string) (*plandb.Description, error) {
	untyped := map[string]bool{}
	for _, p := range d.Params {
		untyped[p.Name] = p.Type.ID == table.Null
	}
	var undo []func()
	for _, p := range st.facts.parameters {
		id := text(p, "identifier")
		typeSQL := other
		if st.facts.selected[id] {
			typeSQL = selected
		}
		if untyped[id] && typeSQL != "" {
			before := clone(p)
			undo = append(undo, func() { replace(p, before) })
			asType(p, typeSQL)
		}
	}
	sql, err := printed(in, st.syntax)
	for _, u := range undo {
		u()
	}
	if err != nil {
		return nil, err
	}
	return in.Describe(sql)
}

// resolved reports whether every type was found.
func resolved(d *plandb.Description) bool {
	for _, p := range d.Params {
		if p.Type.ID == table.Null {
			return false
		}
	}
	return true
}

// asType wraps a parameter in a cast to a plain type.
func asType(p node, typeSQL string) {
	inner := clone(p)
	inner["alias"] = ""
	replace(p, node{"class": "CAST", "type": "OPERATOR_CAST", "alias": p["alias"], "query_location": unknownPosition, "child": inner,
		"cast_type": node{"id": typeSQL, "type_info": nil}, "try_cast": false})
}
