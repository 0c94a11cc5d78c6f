package frontend

import (
	"strings"

	"github.com/arbalest-sql/arbalest/catalog/table"
)

// Temporary is the format of session-temporary tables: their "files" are outputs that workers keep. They go under the session's
// current catalog and db schema while a statement is planned, since a name without those finds them first.
const Temporary table.Format = "temporary"

// TemporaryCatalog is the catalog that clients see them in, in db schema main, as in DuckDB.
const TemporaryCatalog = "temp"

// unqualifyTemporary takes the catalog off references such as temp.t and temp.main.t: the planning database has its own, which
// nothing of ours is in. It reports whether it changed something.
func unqualifyTemporary(r *Request, f *facts) (changed bool) {
	for _, ref := range f.tables {
		alone := ref.catalog == "" && strings.EqualFold(ref.schema, TemporaryCatalog)
		if !alone && (!strings.EqualFold(ref.catalog, TemporaryCatalog) || ref.schema != "" && !strings.EqualFold(ref.schema, "main")) {
			continue
		}
		ref.node["catalog_name"], ref.node["schema_name"] = "", ""
		ref.catalog, ref.schema, ref.temporary = "", "", true
		changed = true
	}
	return changed
}
