package frontend

import (
	"context"
	"slices"
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
	"github.com/arbalest-sql/arbalest/internal/qerr"
	"github.com/arbalest-sql/arbalest/internal/settings"
)

// systemSchema is the db schema of the system tables, in the default catalog.
const systemSchema = "sys"

// systemTables are all there may be; Request.System says which there are.
var systemTables = []string{"queries", "settings", "tables", "tasks", "workers"}

// A resolution is what the names of a statement mean.
type resolution struct {
	// tables are the distinct tables with files or inline rows, in order of appearance.
	tables []*table.Table
	// of maps each reference to its table; nil for the engine's own views.
	of map[*reference]*table.Table
	// views says that one of the engine's own views is among them; system that a sys table is.
	views, system bool
}

// catalogsOf lists the catalogs of a snapshot, the default one first. Names that DuckDB keeps for itself are left out.
func catalogsOf(s Snapshot) []string {
	all := []string{settings.DefaultCatalog}
	for _, c := range s.Catalogs() {
		if !slices.ContainsFunc(append([]string{"system", "temp", "memory"}, all...), func(o string) bool { return strings.EqualFold(o, c) }) {
			all = append(all, c)
		}
	}
	return all
}

// resolve finds the tables of all references; a name that means nothing is an error with the nearest names.
func (f *Frontend) resolve(ctx context.Context, r *Request, facts *facts) (*resolution, error) {
	res := &resolution{of: map[*reference]*table.Table{}}
	for _, ref := range facts.tables {
		t, view, err := f.lookup(ctx, r, ref)
		if err != nil {
			return nil, err
		}
		if view {
			res.views = true
			continue
		}
		if t == nil {
			return nil, unknownTable(r, ref)
		}
		res.of[ref] = t
		res.system = res.system || t.Inline != nil
		if slices.ContainsFunc(res.tables, func(o *table.Table) bool {
			return o.Name == t.Name && (o.Format == Temporary) != (t.Format == Temporary)
		}) {
			return nil, qerr.New(qerr.Unsupported, "the temporary table %q and the catalog's table of the same name cannot be read in one statement", t.Name.Table)
		}
		if !slices.ContainsFunc(res.tables, func(o *table.Table) bool { return o.Name == t.Name }) {
			res.tables = append(res.tables, t)
		}
	}
	// One table read twice is one table, even when System made it anew.
	for ref, t := range res.of {
		i := slices.IndexFunc(res.tables, func(o *table.Table) bool { return o.Name == t.Name })
		res.of[ref] = res.tables[i]
	}
	return res, nil
}

// lookup follows DuckDB's search: the catalog's tables first, then the engine's own views.
func (f *Frontend) lookup(ctx context.Context, r *Request, ref *reference) (t *table.Table, view bool, err error) {
	if ref.schema == "" && ref.catalog == "" && r.Temporary != nil {
		if t, err := r.Temporary(ref.table); err != nil || t != nil {
			return t, false, err
		}
	}
	if ref.temporary {
		return nil, false, nil
	}
	for _, name := range candidates(r, ref) {
		if t, err = f.find(ctx, r, name); err != nil || t != nil {
			return t, false, err
		}
	}
	allowed, ok := f.view(ref)
	if ok && !allowed {
		e := qerr.New(qerr.PermissionDenied, "%s is refused: it would tell of the engine, not of the catalog; SELECT * FROM sys.settings lists the options", ref)
		e.Position = ref.position
		return nil, false, e
	}
	return nil, ok, nil
}

func candidates(r *Request, ref *reference) []table.Name {
	catalog, schema := r.Settings.Catalog(), r.Settings.Schema()
	switch {
	case ref.catalog != "":
		return []table.Name{{Catalog: ref.catalog, Schema: ref.schema, Table: ref.table}}
	case ref.schema != "":
		return []table.Name{{Catalog: catalog, Schema: ref.schema, Table: ref.table}, {Catalog: ref.schema, Schema: "main", Table: ref.table}}
	}
	return []table.Name{{Catalog: catalog, Schema: schema, Table: ref.table}}
}

// find returns nil for a name that does not exist.
func (f *Frontend) find(ctx context.Context, r *Request, name table.Name) (t *table.Table, err error) {
	if strings.EqualFold(name.Schema, systemSchema) && strings.EqualFold(name.Catalog, settings.DefaultCatalog) && r.System != nil {
		t, err = r.System(strings.ToLower(name.Table))
		if err == nil && t != nil {
			return t, nil
		}
		if err != nil && !qerr.Is(err, qerr.NotFound) {
			return nil, qerr.Wrap(qerr.Internal, "read system table", err)
		}
	}
	if r.Snapshot == nil {
		return nil, nil
	}
	t, err = r.Snapshot.Table(ctx, name)
	if qerr.Is(err, qerr.NotFound) {
		return nil, nil
	}
	return t, err
}

// view looks among the engine's own views: information_schema, pg_catalog and a few in main.
func (f *Frontend) view(ref *reference) (allowed, ok bool) {
	name := strings.ToLower(ref.table)
	schemas := []string{strings.ToLower(ref.schema)}
	if ref.schema == "" {
		schemas = []string{"main", "pg_catalog"}
	}
	for _, s := range schemas {
		if allowed, ok = f.functions.views[s][name]; ok {
			return allowed, true
		}
	}
	return false, false
}
