package compat

// A Feature is a row of docs/compatibility.md: one thing that users do through a client.
type Feature struct {
	Name    string // as harnesses write it
	Meaning string // one line, for the table's readers
}

// Features are all rows, in their order.
var Features = []Feature{
	{"login", "user and password; wrong ones and none are refused as unauthenticated"},
	{"token", "a bearer token instead of a password"},
	{"tls", "TLS, the server's certificate checked against a given root"},
	{"session", "what SET changed holds in the session's later calls, and in no other session"},
	{"session options", "set, read and erase session options by the protocol's own actions; close the session"},
	{"tpch", "the 22 TPC-H queries with DuckDB's answers"},
	{"types", "a column of every DuckDB type, read with its values"},
	{"errors", "a faulty statement fails with its status and a message that names the fault; the connection goes on"},
	{"prepared", "prepare once, run often, close; the result's schema is known before it runs"},
	{"parameters", "parameters of every type that the client can bind, NULL among them"},
	{"many rows bound", "one call with several rows of parameters: an INSERT sums its counts, a SELECT gives each row's result"},
	{"temporary tables", "CREATE TEMP TABLE, INSERT, UPDATE, DELETE and DROP with the counts of rows"},
	{"ingest", "bulk load of Arrow data in every mode: create, append, replace, create or append"},
	{"transactions", "begin, commit and roll back; without autocommit where that is the client's default"},
	{"savepoints", "begin a savepoint, roll back to it, release it"},
	{"catalogs", "catalogs, db schemas, tables and table types, filtered by patterns"},
	{"table schema", "the columns of a table with their types"},
	{"keys", "primary, exported and imported keys and cross reference: answered (tables have none)"},
	{"type info", "the SQL types and what they are like"},
	{"server info", "what the server tells of itself by SqlInfo"},
	{"streaming", "rows are there before the result is whole, and a reader may stop in the middle"},
	{"endpoints", "a result of two workers in two streams, each read whole"},
	{"locations", "streams are read at the workers and not through the coordinator"},
	{"partitions", "another process of the same user reads a part of a result"},
	{"poll", "a long statement is followed while it runs, its progress growing"},
	{"cancel", "a running statement is ended early, and nothing of it is left"},
	{"timeout", "a statement that takes longer than the client wants ends with the status for that"},
	{"renew", "a result that is kept for later is given more time"},
	{"25 workers", "a result of 25 workers in one process comes whole"},
	{"10 M rows", "a result of ten million rows comes whole, and nothing is left at the server"},
	{"50 connections", "fifty connections at once, and no session, statement or query is left at the server"},
	{"data frames", "results read into the data frames of the client's language"},
	{"plain flight", "tables listed by ListFlights, read by their path; DoExchange is refused with the way to go"},
}

// A Client is a column of docs/compatibility.md.
type Client struct {
	Name  string // as harnesses write it
	Title string // of the column
	About string // what it is; the version comes from the harness
}

// Clients are all columns, in their order. One that no harness has measured has no column yet.
var Clients = []Client{
	{"adbc-python", "ADBC Python", "DBAPI of `adbc-driver-flightsql`, with pandas and polars"},
	{"adbc-go", "ADBC Go", "`arrow-adbc/go/adbc/driver/flightsql`"},
	{"adbc-java", "ADBC Java", "`adbc-driver-flight-sql`"},
	{"jdbc", "JDBC", "`flight-sql-jdbc-driver`"},
	{"flightsql-v18", "Go v18", "`arrow-go/v18/arrow/flight/flightsql`"},
	{"flightsql-v15", "Go v15", "`apache/arrow/go/v15/arrow/flight/flightsql`, the retired path"},
	{"database-sql", "database/sql", "`arrow-go/v18/arrow/flight/flightsql/driver` behind Go's `database/sql`"},
	{"pyarrow", "pyarrow", "`pyarrow.flight`, the Flight SQL commands encoded by hand"},
	{"rust", "Rust", "`FlightSqlServiceClient` of the crate `arrow-flight`"},
}
