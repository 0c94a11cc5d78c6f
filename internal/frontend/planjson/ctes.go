package planjson

import (
	"encoding/json"
	"strconv"

	"github.com/arbalest-sql/arbalest/distplan/operator"
)

func indexOf(m json.RawMessage) (int, error) {
	i, err := strconv.Atoi(string(m))
	if err != nil || i < 0 {
		return 0, unread("index %q", string(m))
	}
	return i, nil
}

func (d *decoder) cte(o *rawOp, s *scope) (operator.Node, error) {
	if len(o.Children) != 2 {
		return nil, unread("a CTE with %d inputs", len(o.Children))
	}
	id, err := indexOf(o.TableIndex)
	if err != nil {
		return nil, err
	}
	if s.definition(id) != nil {
		return nil, unread("two CTEs with index %d", id)
	}
	definition, err := d.node(o.Children[0], s)
	if err != nil {
		return nil, err
	}
	body, err := d.node(o.Children[1], &scope{up: s, isCTE: true, cte: id, types: definition.Types()})
	if err != nil {
		return nil, err
	}
	return &operator.CTE{Estimated: noEstimate, ID: id, Definition: definition, Body: body}, nil
}

func (d *decoder) cteRef(o *rawOp, s *scope) (operator.Node, error) {
	if o.CTEIndex == nil || o.IsRecurring {
		return nil, unread("a reference to a recursive CTE")
	}
	definition := s.definition(*o.CTEIndex)
	if definition == nil {
		return nil, unread("a reference to CTE %d, which is not above it", *o.CTEIndex)
	}
	types, err := typesOf(o.ChunkTypes)
	if err != nil {
		return nil, err
	}
	if len(types) != len(definition.types) {
		return nil, unread("a reference to %d of a CTE's %d columns", len(types), len(definition.types))
	}
	return &operator.CTERef{Estimated: noEstimate, ID: *o.CTEIndex, Result: types}, nil
}
