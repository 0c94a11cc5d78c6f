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

// Owner implements Queries.
func (f fromCoordinator) Owner(ctx context.Context, id ids.QueryID, life string) (Query, coordinator.Place, error) {
	q, at, err := f.Coordinator.Owner(ctx, id, life)
	if q == nil {
		return nil, at, err // not the nil *Query: it is not a nil Query
	}
	return q, at, err
}
