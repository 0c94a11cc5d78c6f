package expr

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/invariants"
)

// The methods of Expr, type by type. All receivers are pointers: a *Ref is an Expr, a Ref is not.
//
// WithChildren with another number of operands than Children gave is a bug of the caller, which the invariants build finds.

// Type implements Expr.
func (e *Ref) Type() table.Type { return e.Result }

// Children implements Expr.
func (e *Ref) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *Ref) WithChildren(children []Expr) Expr {
	takeNone(children)
	c := *e
	return &c
}

// Type implements Expr.
func (e *Const) Type() table.Type { return e.Result }

// Children implements Expr.
func (e *Const) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *Const) WithChildren(children []Expr) Expr {
	takeNone(children)
	c := *e
	return &c
}

// Type implements Expr.
func (e *Call) Type() table.Type { return e.Result }

// Children implements Expr.
func (e *Call) Children() []Expr { return e.Args }

// WithChildren implements Expr.
func (e *Call) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.Args = t.list(len(e.Args))
	t.done()
	return &c
}

// Type implements Expr.
func (e *Cast) Type() table.Type { return e.Result }

// Children implements Expr.
func (e *Cast) Children() []Expr { return []Expr{e.Child} }

// WithChildren implements Expr.
func (e *Cast) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.Child = t.one()
	t.done()
	return &c
}

// Type implements Expr.
func (e *Compare) Type() table.Type { return table.Of(table.Boolean) }

// Children implements Expr.
func (e *Compare) Children() []Expr { return []Expr{e.Left, e.Right} }

// WithChildren implements Expr.
func (e *Compare) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.Left, c.Right = t.one(), t.one()
	t.done()
	return &c
}

// Type implements Expr.
func (e *Between) Type() table.Type { return table.Of(table.Boolean) }

// Children implements Expr.
func (e *Between) Children() []Expr { return []Expr{e.Input, e.Lower, e.Upper} }

// WithChildren implements Expr.
func (e *Between) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.Input, c.Lower, c.Upper = t.one(), t.one(), t.one()
	t.done()
	return &c
}

// Type implements Expr.
func (e *Logical) Type() table.Type { return table.Of(table.Boolean) }

// Children implements Expr.
func (e *Logical) Children() []Expr { return e.Terms }

// WithChildren implements Expr.
func (e *Logical) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.Terms = t.list(len(e.Terms))
	t.done()
	return &c
}

// Type implements Expr.
func (e *Operator) Type() table.Type { return e.Result }

// Children implements Expr.
func (e *Operator) Children() []Expr { return e.Operands }

// WithChildren implements Expr.
func (e *Operator) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.Operands = t.list(len(e.Operands))
	t.done()
	return &c
}

// Type implements Expr.
func (e *Case) Type() table.Type { return e.Result }

// Children implements Expr: When0, Then0, When1, Then1, …, Else (absent when nil).
func (e *Case) Children() []Expr {
	all := make([]Expr, 0, 2*len(e.When)+1)
	for i := range e.When {
		all = append(all, e.When[i], e.Then[i])
	}
	return appendPresent(all, e.Else)
}

// WithChildren implements Expr.
func (e *Case) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.When, c.Then = make([]Expr, len(e.When)), make([]Expr, len(e.Then))
	for i := range e.When {
		c.When[i], c.Then[i] = t.one(), t.one()
	}
	c.Else = t.maybe(e.Else)
	t.done()
	return &c
}

// Type implements Expr.
func (e *Aggregate) Type() table.Type { return e.Result }

// Children implements Expr: arguments, filter (absent when nil), ORDER BY terms.
func (e *Aggregate) Children() []Expr {
	all := append([]Expr(nil), e.Args...)
	all = appendPresent(all, e.Filter)
	return appendOrders(all, e.OrderBy)
}

// WithChildren implements Expr.
func (e *Aggregate) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.Args = t.list(len(e.Args))
	c.Filter = t.maybe(e.Filter)
	c.OrderBy = t.orders(e.OrderBy)
	t.done()
	return &c
}

// Type implements Expr.
func (e *Window) Type() table.Type { return e.Result }

// Children implements Expr: arguments, partitions, orders, argument orders, frame bounds and filter (each absent when nil).
func (e *Window) Children() []Expr {
	all := append([]Expr(nil), e.Args...)
	all = append(all, e.Partitions...)
	all = appendOrders(all, e.Orders)
	all = appendOrders(all, e.ArgOrders)
	all = appendPresent(all, e.Start.Expr)
	all = appendPresent(all, e.End.Expr)
	return appendPresent(all, e.Filter)
}

// WithChildren implements Expr.
func (e *Window) WithChildren(children []Expr) Expr {
	c := *e
	t := taker{children}
	c.Args = t.list(len(e.Args))
	c.Partitions = t.list(len(e.Partitions))
	c.Orders = t.orders(e.Orders)
	c.ArgOrders = t.orders(e.ArgOrders)
	c.Start.Expr = t.maybe(e.Start.Expr)
	c.End.Expr = t.maybe(e.End.Expr)
	c.Filter = t.maybe(e.Filter)
	t.done()
	return &c
}

func appendPresent(all []Expr, e Expr) []Expr {
	if e == nil {
		return all
	}
	return append(all, e)
}

func appendOrders(all []Expr, orders []Order) []Expr {
	for _, o := range orders {
		all = append(all, o.Expr)
	}
	return all
}

// A taker hands out the operands given to WithChildren in the order in which Children listed them.
type taker struct{ rest []Expr }

func takeNone(children []Expr) { (&taker{children}).done() }

func (t *taker) one() Expr {
	invariants.Check(len(t.rest) > 0, "expr: too few children")
	e := t.rest[0]
	t.rest = t.rest[1:]
	return e
}

func (t *taker) maybe(old Expr) Expr {
	if old == nil {
		return nil
	}
	return t.one()
}

func (t *taker) list(n int) []Expr {
	if n == 0 {
		return nil
	}
	all := make([]Expr, n)
	for i := range all {
		all[i] = t.one()
	}
	return all
}

func (t *taker) orders(old []Order) []Order {
	if len(old) == 0 {
		return nil
	}
	all := make([]Order, len(old))
	for i, o := range old {
		o.Expr = t.one()
		all[i] = o
	}
	return all
}

func (t *taker) done() {
	invariants.Check(len(t.rest) == 0, "expr: %d children too many", len(t.rest))
}
