package distplan

import (
	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan/expr"
	"github.com/arbalest-sql/arbalest/distplan/operator"
)

var ruleSharedCTE = newRule("with: one stage, many readers")

// cte makes one stage of the definition, which every reference reads: it is evaluated once, also where it would give other
// rows the next time.
func (d *distributor) cte(n *operator.CTE) placed {
	d.fired(ruleSharedCTE)
	definition := d.place(n.Definition)
	w := newWishes(len(n.Definition.Types()))
	w.ctes[n.ID] = operator.Pick(nil, len(n.Definition.Types()))
	w.of(n.Body)
	was, had := d.ctes[n.ID]
	d.ctes[n.ID] = d.share(definition, w.wants)
	body := d.place(n.Body)
	if had {
		d.ctes[n.ID] = was
	} else {
		delete(d.ctes, n.ID)
	}
	return body
}

func (d *distributor) cteRef(n *operator.CTERef) placed {
	r, ok := d.ctes[n.ID]
	if !ok { // nothing binds it: the tree was misread, which the printer says
		return placed{node: n}
	}
	return retyped(d.read(r), n.Result)
}

// retyped casts columns where they differ; a column that was cast lies by its hash no more.
func retyped(p placed, types []table.Type) placed {
	have := p.node.Types()
	return placed{asTypes(p.node, types), p.through(func(c int) int {
		if have[c].Equal(types[c]) {
			return c
		}
		return -1
	})}
}

func asTypes(n operator.Node, types []table.Type) operator.Node {
	have := n.Types()
	if sameTypes(have, types) == nil {
		return n
	}
	exprs := refsTo(0, have)
	for i := range exprs {
		if !have[i].Equal(types[i]) {
			exprs[i] = &expr.Cast{Child: exprs[i], Result: types[i]}
		}
	}
	return &operator.Project{Estimated: estimated(n), Child: n, Exprs: exprs}
}

// inlineCTEs puts the definition of a CTE that is read once in the place where it is read, and drops one that nobody reads.
// A stage and a pass over the rows are saved, and the definition can be laid out as its only reader likes.
func inlineCTEs(n operator.Node) (operator.Node, error) {
	n, err := rewriteChildren(n, inlineCTEs)
	if err != nil {
		return nil, err
	}
	c, ok := n.(*operator.CTE)
	if !ok {
		return n, nil
	}
	reads := 0
	operator.Walk(c.Body, func(n operator.Node) bool {
		if r, ok := n.(*operator.CTERef); ok && r.ID == c.ID {
			reads++
		}
		return true
	})
	switch reads {
	case 0:
		return c.Body, nil
	case 1:
		return replaceRef(c.Body, c.ID, c.Definition)
	}
	return n, nil
}

func replaceRef(n operator.Node, id int, definition operator.Node) (operator.Node, error) {
	if r, ok := n.(*operator.CTERef); ok && r.ID == id {
		return asTypes(definition, r.Result), nil
	}
	return rewriteChildren(n, func(c operator.Node) (operator.Node, error) { return replaceRef(c, id, definition) })
}
