package flightserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	wire "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/arbalest-sql/arbalest/internal/testcluster"
)

// claimed is a server with workers whose SqlInfo is held against what it does.
type claimed struct {
	writer
	r     *real
	facts map[uint32]any
}

// runs holds that statements run; they may have results.
func (c claimed) runs(statements ...string) {
	c.t.Helper()
	for _, sql := range statements {
		c.rows(sql)
	}
}

// fails holds that statements are refused, and not by a fault of the server's.
func (c claimed) fails(statements ...string) {
	c.t.Helper()
	for _, sql := range statements {
		_, err := c.Execute(testContext(c.t), sql)
		switch status.Code(err) {
		case codes.InvalidArgument, codes.Unimplemented, codes.PermissionDenied, codes.NotFound:
		default:
			c.t.Errorf("%.100s: %v, want a refusal", sql, err)
		}
	}
}

// is holds that a fact has a value.
func (c claimed) is(id uint32, want any) {
	c.t.Helper()
	if c.facts[id] != want {
		c.t.Errorf("it is %v, want %v", c.facts[id], want)
	}
}

// yes and no hold that a fact is claimed, or is not, and that statements run or fail.
func yes(id uint32, statements ...string) func(claimed) {
	return func(c claimed) { c.is(id, true); c.runs(statements...) }
}

func no(id uint32, statements ...string) func(claimed) {
	return func(c claimed) { c.is(id, false); c.fails(statements...) }
}

// hasNoLimit holds that a limit is told as none, and that a statement of a size runs, where one would show.
func hasNoLimit(id uint32, sql string) func(claimed) {
	return func(c claimed) { c.is(id, unlimited); c.runs(sql) }
}

// repeated repeats a text with numbers, with commas between.
func repeated(n int, format string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(parts, ", ")
}

var longName = strings.Repeat("n", 2000)

// claims say of each id how its value is held against what the server does.
var claims = map[uint32]func(c claimed){
	0: func(c claimed) { c.is(0, "Arbalest") },
	1: func(c claimed) { c.is(1, c.r.cfg.Version) },
	3: func(c claimed) { c.is(3, false); c.want("CREATE TEMP TABLE w3 AS SELECT 1 AS a", 1) },
	4: yes(4, "SELECT 1"),
	5: func(c claimed) {
		c.is(5, false)
		_, err := c.ExecuteSubstrait(testContext(c.t), flightsql.SubstraitPlan{Plan: []byte("x")})
		wantCode(c.t, err, codes.Unimplemented)
	},
	8: func(c claimed) {
		c.is(8, int32(wire.SqlSupportedTransaction_SQL_SUPPORTED_TRANSACTION_SAVEPOINT))
		c.savepoints()
	},
	9:   func(c claimed) { c.is(9, true); c.cancels() },
	10:  func(c claimed) { c.is(10, true); ingest(c.t, c.Client, true, "create", "w10", integersBatch(c.t, 1)) },
	11:  func(c claimed) { c.is(11, true); c.ingestsInTransactions() },
	100: func(c claimed) { c.is(100, int32(c.r.cfg.SessionIdleMax.Milliseconds())) },
	101: func(c claimed) { c.is(101, int32(c.r.cfg.SessionIdleMax.Milliseconds())) },

	500: no(500, "CREATE DATABASE x", "ATTACH ':memory:' AS x"),
	501: no(501, "CREATE SCHEMA x"),
	502: no(502, "CREATE TABLE x (a INTEGER)"),
	503: func(c claimed) { c.caseless(503, "SELECT Max(ID) FROM Events") },
	504: func(c claimed) { c.is(504, `"`); c.runs(`SELECT "id" AS "a b" FROM "events" LIMIT 1`) },
	505: func(c claimed) { c.caseless(505, `SELECT max("ID") FROM "EVENTS"`) },
	506: func(c claimed) {
		c.is(506, true)
		for _, row := range rowsOf(c.t, c.Client, &wire.CommandGetTables{}) {
			name := strings.Split(row, "|")
			c.runs(fmt.Sprintf("SELECT * FROM %s.%s.%s LIMIT 1", name[0], name[1], name[2]))
		}
	},
	507: func(c claimed) {
		c.is(507, int32(wire.SqlNullOrdering_SQL_NULLS_SORTED_AT_END))
		for direction, rows := range map[string]string{"ASC": "1 2 (null)", "DESC": "2 1 (null)"} {
			c.see("SELECT a FROM (VALUES (2), (NULL), (1)) v(a) ORDER BY a "+direction, rows)
		}
	},
	508: func(c claimed) {
		for _, word := range c.facts[508].([]string) {
			_, table := c.Execute(testContext(c.t), "SELECT * FROM (SELECT 1 AS a) "+word+" WHERE "+word+".a = 1")
			_, column := c.Execute(testContext(c.t), "SELECT "+word+" FROM (SELECT 1 AS "+word+")")
			if table == nil && column == nil {
				c.t.Errorf("%s is a name as any other", word)
			}
		}
	},
	509: func(c claimed) { c.functions(509) }, 510: func(c claimed) { c.functions(510) },
	511: func(c claimed) { c.functions(511) }, 512: func(c claimed) { c.functions(512) },
	513: func(c claimed) {
		c.is(513, `\`)
		for pattern, want := range map[string]int{"event_": 1, `event\_`: 0} {
			if rows := rowsOf(c.t, c.Client, &wire.CommandGetTables{TableNameFilterPattern: &pattern}); len(rows) != want {
				c.t.Errorf("%s: %v", pattern, rows)
			}
		}
	},
	514: func(c claimed) {
		for _, letter := range c.facts[514].(string) {
			c.runs("SELECT 1 AS a" + string(letter) + "b")
		}
		for _, letter := range "#@$" {
			if !strings.ContainsRune(c.facts[514].(string), letter) {
				c.fails("SELECT a" + string(letter) + "b FROM (SELECT 1 AS \"a" + string(letter) + "b\")")
			}
		}
	},
	515: yes(515, "SELECT id AS x FROM events LIMIT 1"),
	516: func(c claimed) { c.is(516, true); c.see("SELECT NULL || 'x' IS NULL", "true") },
	517: func(c claimed) { c.conversions() },
	518: yes(518, "SELECT e.id FROM events AS e LIMIT 1"),
	519: func(c claimed) { c.is(519, false); c.runs("SELECT events.id FROM events AS events LIMIT 1") },
	520: yes(520, "SELECT id FROM events ORDER BY id % 7, -id LIMIT 1"),
	521: yes(521, "SELECT kind FROM events ORDER BY id LIMIT 1"),
	522: func(c claimed) {
		c.is(522, bits(wire.SqlSupportedGroupBy_SQL_GROUP_BY_UNRELATED, wire.SqlSupportedGroupBy_SQL_GROUP_BY_BEYOND_SELECT))
		c.runs("SELECT count(*) FROM events GROUP BY kind", "SELECT kind, count(*) FROM events GROUP BY kind, id % 2")
	},
	523: func(c claimed) {
		c.is(523, true)
		c.see("SELECT 'a%b' LIKE 'a!%b' ESCAPE '!', 'axb' LIKE 'a!%b' ESCAPE '!'", "true,false")
	},
	524: no(524, "CREATE TEMP TABLE w524 (a INTEGER NOT NULL)"),
	525: func(c claimed) {
		c.is(525, bits(wire.SupportedSqlGrammar_SQL_MINIMUM_GRAMMAR, wire.SupportedSqlGrammar_SQL_CORE_GRAMMAR))
		c.runs("SELECT DISTINCT kind FROM events WHERE id BETWEEN 1 AND 5 AND kind IN ('kind 1', 'kind 2') OR NOT id > 3 ORDER BY 1 DESC",
			"SELECT kind, min(id), max(id), avg(id), sum(id), count(DISTINCT id) FROM events GROUP BY kind HAVING count(*) > 1")
	},
	526: func(c claimed) {
		c.is(526, bits(wire.SupportedAnsi92SqlGrammarLevel_ANSI92_ENTRY_SQL, wire.SupportedAnsi92SqlGrammarLevel_ANSI92_INTERMEDIATE_SQL))
		c.runs("SELECT CASE WHEN id > 1 THEN 'a' ELSE NULLIF('b', 'c') END, CAST(id AS VARCHAR), COALESCE(kind, '') FROM events LIMIT 1",
			"SELECT * FROM events NATURAL JOIN (SELECT 1 AS id)", "SELECT id FROM events INTERSECT SELECT 1", "SELECT id FROM events EXCEPT SELECT 1",
			"SELECT DATE '2024-01-01' + INTERVAL '1' DAY, TIME '12:00:00', TIMESTAMP '2024-01-01 00:00:00'",
			"SELECT TRIM(BOTH 'x' FROM 'xax'), POSITION('a' IN 'xa'), SUBSTRING('abc' FROM 2 FOR 1), EXTRACT(YEAR FROM DATE '2024-01-01')")
	},
	527: no(527, "CREATE TEMP TABLE w527 (a INTEGER PRIMARY KEY)", "CREATE TEMP TABLE w527 (a INTEGER REFERENCES events (id))"),
	528: func(c claimed) {
		c.is(528, bits(wire.SqlOuterJoinsSupportLevel_SQL_LIMITED_OUTER_JOINS, wire.SqlOuterJoinsSupportLevel_SQL_FULL_OUTER_JOINS))
		for _, kind := range []string{"LEFT", "RIGHT", "FULL"} {
			c.runs("SELECT count(*) FROM events a " + kind + " OUTER JOIN (SELECT id + 1 AS id FROM events) b ON a.id = b.id")
		}
	},
	529: func(c claimed) { c.is(529, "schema"); c.runs("SET schema = 'main'") },
	530: func(c claimed) { c.is(530, "") },
	531: func(c claimed) { c.is(531, "catalog"); c.runs("SET catalog = 'arbalest'") },
	532: yes(532, "SELECT count(*) FROM arbalest.main.events"),
	535: func(c claimed) { c.is(535, int32(0)); c.fails("DELETE FROM events WHERE CURRENT OF x") },
	536: no(536, "SELECT * FROM events FOR UPDATE"),
	537: no(537, "CALL x()", "CREATE PROCEDURE x() AS SELECT 1"),
	538: func(c claimed) {
		c.is(538, bits(wire.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_COMPARISONS, wire.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_EXISTS,
			wire.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_INS, wire.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_QUANTIFIEDS))
		c.runs("SELECT count(*) FROM events WHERE id = (SELECT max(id) FROM events)", "SELECT count(*) FROM events WHERE EXISTS (SELECT 1 FROM events WHERE id = 1)",
			"SELECT count(*) FROM events WHERE id IN (SELECT id + 1 FROM events)", "SELECT count(*) FROM events WHERE id >= ALL (SELECT id FROM events)")
	},
	539: yes(539, "SELECT count(*) FROM events a WHERE EXISTS (SELECT 1 FROM events b WHERE b.id = a.id + 1)"),
	540: func(c claimed) {
		c.is(540, bits(wire.SqlSupportedUnions_SQL_UNION, wire.SqlSupportedUnions_SQL_UNION_ALL))
		c.see("SELECT count(*) FROM (SELECT 1 UNION SELECT 1)", "1")
		c.see("SELECT count(*) FROM (SELECT 1 UNION ALL SELECT 1)", "2")
	},

	541: hasNoLimit(541, `SELECT octet_length(BLOB '`+strings.Repeat(`\xAB`, 10000)+`')`),
	542: hasNoLimit(542, "SELECT length('"+strings.Repeat("x", 100000)+"')"),
	543: hasNoLimit(543, "SELECT 1 AS "+longName),
	544: hasNoLimit(544, "SELECT count(*) FROM events GROUP BY "+repeated(100, "id + %d")),
	546: hasNoLimit(546, "SELECT id FROM events ORDER BY "+repeated(100, "id %% (%d + 2)")+" LIMIT 1"),
	547: hasNoLimit(547, "SELECT "+repeated(500, "1 AS c%d")),
	548: hasNoLimit(548, "CREATE TEMP TABLE w548 AS SELECT "+repeated(500, "1 AS c%d")),
	555: hasNoLimit(555, "SELECT repeat('x', 3000000)"),
	557: func(c claimed) {
		most := int(c.facts[557].(int64))
		text := "SELECT '" + strings.Repeat("x", most-len("SELECT ''")) + "'"
		c.runs(text)
		_, err := c.Execute(testContext(c.t), text+" ")
		if err == nil {
			c.t.Error("a longer statement runs")
		}
	},
	558: func(c claimed) {
		first := prepareStatement(c.t, c.Client, "SELECT 1")
		var last *flightsql.PreparedStatement
		for range c.facts[558].(int64) {
			last = prepareStatement(c.t, c.Client, "SELECT 2")
		}
		run(c.t, c.Client, last)
		_, err := first.Execute(testContext(c.t))
		wantCode(c.t, err, codes.NotFound)
	},
	559: hasNoLimit(559, "CREATE TEMP TABLE "+longName+" AS SELECT 1 AS a"),
	560: hasNoLimit(560, "SELECT count(*) FROM "+repeated(30, "(SELECT 1) AS t%d")),

	562: func(c claimed) { c.is(562, int64(wire.SqlTransactionIsolationLevel_SQL_TRANSACTION_READ_COMMITTED)) },
	563: func(c claimed) { c.is(563, true); c.savepoints() },
	565: func(c claimed) {
		c.is(565, false)
		txn := c.begin()
		c.inTransaction(txn, "CREATE TEMP TABLE w565 AS SELECT 1 AS a")
		c.must(txn.Rollback(testContext(c.t)))
		c.fails("SELECT * FROM w565")
	},
	566: func(c claimed) {
		c.is(566, false)
		txn := c.begin()
		c.inTransaction(txn, "CREATE TEMP TABLE w566 AS SELECT 1 AS a")
		c.must(txn.Commit(testContext(c.t)))
		c.see("SELECT a FROM w566", "1")
	},
	572: func(c claimed) {
		c.is(572, true)
		c.do("CREATE TEMP TABLE w572 (a BIGINT)")
		p := prepareStatement(c.t, c.Client, "INSERT INTO w572 VALUES (?)")
		p.SetParameters(integersBatch(c.t, 1, 2, 3))
		if n, err := p.ExecuteUpdate(testContext(c.t)); n != 3 || err != nil {
			c.t.Errorf("a batch of three: %d, %v", n, err)
		}
	},
	573: func(c claimed) { c.is(573, true); c.savepoints() },
	576: no(576, "{call x()}"),
}

// unclaimed are the ids whose values no call can show, with the reason.
var unclaimed = map[uint32]string{
	2: "the library's version", 6: "null: no Substrait", 7: "null: no Substrait", 533: "no bit: names in queries", 534: "no bit: names in queries",
	545: "there are no indexes", 549: "connections are the machine's to limit", 550: "there are no named cursors", 551: "there are no indexes",
	552: "schemas cannot be made", 553: "there are no procedures", 554: "catalogs cannot be made", 556: "there is no limit of rows that blobs could count in",
	561: "shown by the tests of internal/auth", 564: "one level, that of 562", 567: "streams have one direction", 568: "no mode for a kind that is not there",
	569: "streams cannot be written", 570: "no mode for a kind that is not there", 571: "no mode for a kind that is not there", 574: "there are no procedures",
	575: "there are no locators",
}

// Every id of the protocol is true: the server does what it says, and does not do what it says that it does not.
func TestSQLInfoClaims(t *testing.T) {
	r := startRealWith(t, testcluster.Options{Workers: 2}, 20, func(c *Config) { c.StatementsMax, c.StatementBytesMax = 16, 200_000 })
	t.Cleanup(func() { r.cluster.Idle(t) }) // after the session is closed
	c := claimed{writer: newWriter(t, r), r: r, facts: map[uint32]any{}}
	for _, fact := range r.info.facts {
		c.facts[fact.id] = fact.value
	}
	enum := wire.SqlInfo(0).Descriptor().Values()
	for i := range enum.Len() {
		id := uint32(enum.Get(i).Number())
		claim, reason := claims[id], unclaimed[id]
		if (claim == nil) == (reason == "") {
			t.Errorf("%s (%d) wants a test, or a reason why there is none", enum.Get(i).Name(), id)
		}
		if claim != nil {
			t.Run(string(enum.Get(i).Name()), func(t *testing.T) {
				c.t = t
				claim(c)
			})
		}
	}
}

func (c claimed) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Error(err)
	}
}

func (c claimed) begin() *flightsql.Txn {
	c.t.Helper()
	txn, err := c.BeginTransaction(testContext(c.t))
	if err != nil {
		c.t.Fatal(err)
	}
	return txn
}

func (c claimed) inTransaction(txn *flightsql.Txn, sql string) {
	c.t.Helper()
	_, err := txn.ExecuteUpdate(testContext(c.t), sql)
	c.must(err)
}

func (c claimed) caseless(id uint32, sql string) {
	c.t.Helper()
	c.is(id, int32(wire.SqlSupportedCaseSensitivity_SQL_CASE_SENSITIVITY_CASE_INSENSITIVE))
	c.see(sql, fmt.Sprint(eventFiles*20-1))
}

// savepoints rolls back to one, and then all.
func (c claimed) savepoints() {
	c.t.Helper()
	c.do("CREATE OR REPLACE TEMP TABLE savepoints (a INTEGER)")
	txn := c.begin()
	c.inTransaction(txn, "INSERT INTO savepoints VALUES (1)")
	point, err := txn.BeginSavepoint(testContext(c.t), "p")
	c.must(err)
	c.inTransaction(txn, "INSERT INTO savepoints VALUES (2)")
	c.must(txn.RollbackSavepoint(testContext(c.t), point))
	c.must(txn.Commit(testContext(c.t)))
	c.see("SELECT a FROM savepoints", "1")
}

func (c claimed) cancels() {
	c.t.Helper()
	poll, err := c.ExecutePoll(testContext(c.t), endless, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	result, err := c.CancelFlightInfo(testContext(c.t), &flight.CancelFlightInfoRequest{Info: poll.GetInfo()})
	if err != nil || result.GetStatus() == flight.CancelStatusNotCancellable {
		c.t.Errorf("%v, %v", result, err)
	}
}

func (c claimed) ingestsInTransactions() {
	c.t.Helper()
	txn := c.begin()
	rows := integersBatch(c.t, 1, 2)
	reader, err := array.NewRecordReader(rows.Schema(), []arrow.RecordBatch{rows})
	if err != nil {
		c.t.Fatal(err)
	}
	defer reader.Release()
	options := ingestOptions(true, "create", "w11")
	options.TransactionId = txn.ID()
	_, err = c.ExecuteIngest(testContext(c.t), reader, options)
	c.must(err)
	c.must(txn.Rollback(testContext(c.t)))
	c.fails("SELECT * FROM w11")
}

// functions holds that all functions of a list are known, whatever arguments they want.
func (c claimed) functions(id uint32) {
	c.t.Helper()
	for _, name := range c.facts[id].([]string) {
		_, err := c.Execute(testContext(c.t), "SELECT "+name+"()")
		if err != nil && strings.Contains(err.Error(), "does not exist") {
			c.runs("SELECT " + name) // Some of SQL's own have no parentheses.
		}
	}
}

// conversions casts between all types that are told to convert.
func (c claimed) conversions() {
	c.t.Helper()
	types := map[string]string{"BINARY": "BLOB", "LONGVARBINARY": "BLOB", "VARBINARY": "BLOB", "BIT": "BOOLEAN", "CHAR": "VARCHAR", "LONGVARCHAR": "VARCHAR",
		"INTERVAL_DAY_TIME": "INTERVAL", "INTERVAL_YEAR_MONTH": "INTERVAL", "FLOAT": "DOUBLE", "REAL": "FLOAT", "DECIMAL": "DECIMAL(10,2)", "NUMERIC": "DECIMAL(10,2)"}
	name := func(kind int32) string {
		text := strings.TrimPrefix(wire.SqlSupportsConvert_name[kind], "SQL_CONVERT_")
		if duck := types[text]; duck != "" {
			return duck
		}
		return text
	}
	for _, conversion := range c.facts[517].(conversions) {
		var casts []string
		for _, to := range conversion.to {
			casts = append(casts, "CAST(a AS "+name(to)+")")
		}
		if len(casts) > 0 {
			c.runs("SELECT " + strings.Join(casts, ", ") + " FROM (SELECT CAST(NULL AS " + name(conversion.from) + ") AS a)")
		}
	}
}
