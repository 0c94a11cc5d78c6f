package flightserver

import (
	"context"

	"github.com/arbalest-sql/arbalest/internal/coordinator"
	"github.com/arbalest-sql/arbalest/internal/ids"
)

// FromCoordinator gives a coordinator the interface that the server wants.
func FromCoordinator(c *coordinator.Coordinator) Queries { return fromCoordinator{c} }

type fromCoordinator struct{ *coordinator.Coordinator }

// Submit implements Queries.
func (f fromCoordinator) Submit(ctx context.Context, r coordinator.Request) (Query, error) {
	q, err := f.Coordinator.Submit(ctx, r)
	if err != nil {
		return nil, err
	}
	return q, nil
}

// Query implements Queries.
func (f fromCoordinator) Query(id ids.QueryID) (Query, bool) {
	q, ok := f.Coordinator.Query(id)
	if !ok {
		return nil, false
	}
	return q, true
}
