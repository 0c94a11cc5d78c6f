package frontend

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/distplan"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// A Snapshot is the part of *catalog.Snapshot that planning needs: an immutable view of the catalog.
type Snapshot = snapshot

// A Request is one statement to plan or describe, with everything that its meaning depends on.
type Request struct {
	SQL string
	// Params is one row of parameter values in order, borrowed for the call; nil = none.
	Params   arrow.RecordBatch
	Snapshot Snapshot
	Settings settings.Values
	// System gives a table of db schema sys with its rows inline, taken now; NotFound for other names. Nil = no such tables.
	System func(name string) (*table.Table, error)
	// Temporary gives a session-temporary table by its name, nil when there is none; it is found before the catalog's. Nil =
	// the session has none.
	Temporary func(name string) (*table.Table, error)
	// Temporaries lists those tables, for information_schema and the like; nil = there are none.
	Temporaries func() []*table.Table
	// User is what current_user says.
	User string
}

// A Planned is a statement ready to run: either Local, or a Statement for distplan.
type Planned struct {
	Statement distplan.Statement
	// Local says that no file is scanned: Evaluate runs LocalSQL, which is self-contained and printed by us.
	Local    bool
	LocalSQL string
	Columns  []table.Column
	// Tables are the catalog tables that the statement reads, sorted.
	Tables []table.Name
	// Cached says that the plan came from the cache; PlanTime is what this call took.
	Cached   bool
	PlanTime time.Duration
}

// A Description is what a client may know of a statement before it runs.
type Description struct {
	// Columns of the result; nil for statements without one.
	Columns []table.Column
	// Params are the parameters in order, named as written ("1" for the first ?); VARCHAR where nothing is known.
	Params []table.Column
	// IsUpdate says that the statement gives no rows.
	IsUpdate bool
}
