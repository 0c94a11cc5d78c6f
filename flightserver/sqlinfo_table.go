package flightserver

import (
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/arbalest-sql/arbalest/internal/auth"
)

// unlimited is what the MAX_ facts say where there is no limit, or none that is known.
const unlimited = int64(0)

// bits makes a bitmask of ordinals.
func bits[E ~int32](ordinals ...E) int32 {
	mask := int32(0)
	for _, o := range ordinals {
		mask |= 1 << o
	}
	return mask
}

const jdbcMask = "the protocol says an ordinal; the JDBC driver tests bits"

const jdbcLong = "the protocol says int32; the JDBC driver reads a bigint"

// sqlInfoTable is every id of the protocol with what is true of this server now. Types follow the comments in
// FlightSql.proto, but where the JDBC driver reads another type, which is noted. A test holds it against the protocol's enum.
func sqlInfoTable(cfg *Config) []fact {
	return []fact{
		// The server.
		{0, "Arbalest", ""},
		{1, cfg.Version, ""},
		{2, arrow.PkgVersion, ""},
		{3, false, "temporary tables can be written"},
		{4, true, ""},  // SQL
		{5, false, ""}, // Substrait
		{6, noText{}, ""},
		{7, noText{}, ""},
		{8, int32(wire.SqlSupportedTransaction_SQL_SUPPORTED_TRANSACTION_SAVEPOINT), "of temporary tables"},
		{9, true, ""}, // cancel
		{10, true, "into temporary tables"},
		{11, true, ""}, // transactions in bulk ingestion
		{100, milliseconds(cfg.SessionIdleMax), ""},
		{101, milliseconds(cfg.SessionIdleMax), ""},

		// Syntax.
		{500, false, ""},                      // CREATE and DROP of catalogs
		{501, false, ""},                      // of schemas
		{502, false, "but of temporary ones"}, // of tables
		{503, int32(wire.SqlSupportedCaseSensitivity_SQL_CASE_SENSITIVITY_CASE_INSENSITIVE), ""},
		{504, `"`, ""},
		{505, int32(wire.SqlSupportedCaseSensitivity_SQL_CASE_SENSITIVITY_CASE_INSENSITIVE), "quoted names are compared without case too"},
		{506, true, ""}, // all tables are selectable
		{507, int32(wire.SqlNullOrdering_SQL_NULLS_SORTED_AT_END), "whichever the direction"},
		{508, words(keywords), "those that cannot be names"},
		{509, words(numericFunctions), ""},
		{510, words(stringFunctions), ""},
		{511, words(systemFunctions), ""},
		{512, words(dateTimeFunctions), ""},
		{513, string(searchEscape), ""},
		{514, "$", "and letters beyond ASCII"}, // extra characters in unquoted names
		{515, true, ""},                        // column aliases
		{516, true, ""},                        // NULL || 'x' is NULL
		{517, supportedConversions(), ""},
		{518, true, ""}, // table correlation names
		{519, false, "they need not differ from the tables' names"},
		{520, true, ""}, // expressions in ORDER BY
		{521, true, ""}, // ORDER BY of columns not selected
		{522, bits(wire.SqlSupportedGroupBy_SQL_GROUP_BY_UNRELATED, wire.SqlSupportedGroupBy_SQL_GROUP_BY_BEYOND_SELECT), ""},
		{523, true, ""}, // LIKE … ESCAPE
		{524, false, "tables cannot be defined here"},
		{525, bits(wire.SupportedSqlGrammar_SQL_MINIMUM_GRAMMAR, wire.SupportedSqlGrammar_SQL_CORE_GRAMMAR), "of queries"},
		{526, bits(wire.SupportedAnsi92SqlGrammarLevel_ANSI92_ENTRY_SQL, wire.SupportedAnsi92SqlGrammarLevel_ANSI92_INTERMEDIATE_SQL),
			"of queries: CASE, CAST, NATURAL and outer joins, INTERSECT, intervals; JDBC reads either bit as both levels"},
		{527, false, ""}, // integrity enhancement
		{528, bits(wire.SqlOuterJoinsSupportLevel_SQL_LIMITED_OUTER_JOINS, wire.SqlOuterJoinsSupportLevel_SQL_FULL_OUTER_JOINS), jdbcMask},
		{529, "schema", ""},
		{530, "", "there are no procedures"},
		{531, "catalog", ""},
		{532, true, ""}, // catalog at the start
		{533, int32(0), "a schema's name goes before tables, in queries only, for which there is no bit"},
		{534, int32(0), "likewise for catalogs"},
		{535, int32(0), ""}, // positioned commands
		{536, false, ""},    // SELECT FOR UPDATE
		{537, false, ""},    // stored procedures
		{538, bits(wire.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_COMPARISONS, wire.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_EXISTS,
			wire.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_INS, wire.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_QUANTIFIEDS), ""},
		{539, true, ""}, // correlated subqueries
		{540, bits(wire.SqlSupportedUnions_SQL_UNION, wire.SqlSupportedUnions_SQL_UNION_ALL), ""},

		// Limits.
		{541, unlimited, ""}, // binary literal
		{542, unlimited, ""}, // character literal
		{543, unlimited, ""}, // column name
		{544, unlimited, ""}, // columns in GROUP BY
		{545, unlimited, ""}, // columns in an index
		{546, unlimited, ""}, // columns in ORDER BY
		{547, unlimited, ""}, // columns in SELECT
		{548, unlimited, ""}, // columns in a table
		{549, unlimited, ""}, // connections
		{550, unlimited, ""}, // cursor name
		{551, unlimited, ""}, // index
		{552, unlimited, ""}, // db schema name
		{553, unlimited, ""}, // procedure name
		{554, unlimited, ""}, // catalog name
		{555, unlimited, ""}, // row
		{556, true, ""},      // blobs count in the row's limit
		{557, int64(cfg.StatementBytesMax), "bytes of UTF-8"},
		{558, int64(cfg.StatementsMax), "prepared ones of a session; past it the one idle longest is closed"},
		{559, unlimited, ""}, // table name
		{560, unlimited, ""}, // tables in SELECT
		{561, int64(auth.SubjectBytesMax), "bytes of UTF-8"},

		// Transactions.
		{562, int64(wire.SqlTransactionIsolationLevel_SQL_TRANSACTION_READ_COMMITTED), jdbcLong},
		{563, true, "the catalog's tables as they are, temporary tables as they were when the transaction began"},
		{564, bits(wire.SqlTransactionIsolationLevel_SQL_TRANSACTION_READ_COMMITTED), ""},
		{565, false, ""}, // DDL commits
		{566, false, ""}, // DDL is ignored

		// Results and the rest.
		{567, bits(wire.SqlSupportedResultSetType_SQL_RESULT_SET_TYPE_FORWARD_ONLY), ""},
		{568, int32(0), ""},
		{569, bits(wire.SqlSupportedResultSetConcurrency_SQL_RESULT_SET_CONCURRENCY_READ_ONLY), ""},
		{570, int32(0), ""},
		{571, int32(0), ""},
		{572, true, ""},
		{573, true, ""}, // savepoints
		{574, false, "there are no procedures"},
		{575, false, ""}, // locators
		{576, false, ""}, // call syntax
	}
}

// milliseconds is a duration as the protocol's int32, which holds 24 days.
func milliseconds(d time.Duration) int32 { return int32(min(d.Milliseconds(), 1<<31-1)) }

func words(text string) []string { return strings.Fields(text) }
