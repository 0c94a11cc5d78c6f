"""The features of pyarrow.flight, with the Flight SQL commands encoded by hand: what a program can do that has Flight only."""

import subprocess
import sys
import threading

import pyarrow as pa
import pyarrow.flight as flight

import adbc_types
import kit
from kit import NotApplicable, equal, refused
from pyarrow_client import command, field, prepare
from pyarrow_session import Connection, count, number


def connect(setting):
    return Connection(setting["uri"])


def connect_secure(setting, **options):
    return Connection(setting["secure"]["uri"], **{"ca": setting["secure"]["ca"], **options})


def login(setting):
    return {"user": setting["secure"]["user"], "password": setting["secure"]["password"]}


def secure_login(setting):
    with connect_secure(setting, **login(setting)) as connection:
        equal(connection.rows("SELECT count(*) FROM spread"), [(setting["spread_rows"],)])
    for wrong in ({"user": "ada", "password": "wrong"}, {"user": "nobody", "password": "s3cret"}, {}):
        refused(lambda wrong=wrong: connect_secure(setting, **wrong).rows("SELECT 1"), "unauthenticated")


def token(setting):
    with connect_secure(setting, **login(setting)) as first:
        bearer = first.session.authorization
        equal(bearer.startswith("Bearer "), True)
        with connect_secure(setting, token=bearer) as connection:
            equal(connection.rows("SELECT 42"), [(42,)])
    refused(lambda: connect_secure(setting, token=bearer[:-2] + "xx").rows("SELECT 1"), "unauthenticated")


def tls(setting):
    with connect_secure(setting, **login(setting)) as connection:
        equal(connection.rows("SELECT 1"), [(1,)])
    refused(lambda: connect_secure(setting, ca=None).rows("SELECT 1"), "certificate", "handshake")


PARTITIONS = "SELECT value FROM sys.settings WHERE name = 'arbalest.partitions'"


def session(setting):
    with connect(setting) as one, connect(setting) as other:
        one.rows("SET arbalest.partitions = 7")
        equal(one.rows(PARTITIONS), [("7",)], "the session that set it")
        equal(other.rows(PARTITIONS), [("0",)], "another session")


def session_options(setting):
    """The actions' messages by hand: a map of names to values, a string being a value's field 1."""
    with connect(setting) as connection:

        def put(name, value):
            return connection.action("SetSessionOptions", field(1, field(1, name) + field(2, field(1, value) if value else b"")))

        equal(put("arbalest.partitions", "5"), b"")
        equal(connection.rows(PARTITIONS), [("5",)])
        equal(b"arbalest.partitions" in connection.action("GetSessionOptions", b""), True)
        equal(put("arbalest.partitions", ""), b"")
        equal(connection.rows(PARTITIONS), [("0",)])
        equal(b"no.such.option" in put("no.such.option", "1"), True, "the option is among the errors")


def prepared(setting):
    with connect(setting) as connection:
        result = connection.sql_action("CreatePreparedStatement", "ActionCreatePreparedStatementRequest",
                                       field(1, "SELECT n, s FROM numbers WHERE n < 3 ORDER BY n"))
        handle = result[1]
        schema = pa.ipc.read_schema(pa.py_buffer(result[2]))
        equal(schema.names, ["n", "s"])
        for _ in range(2):
            table = connection.table("CommandPreparedStatementQuery", field(1, handle))
            equal(table.column("s").to_pylist(), ["0", "1", "2"])
        connection.action("ClosePreparedStatement", command("ActionClosePreparedStatementRequest", field(1, handle)))
        refused(lambda: connection.info("CommandPreparedStatementQuery", field(1, handle)), "not found", "NOT_FOUND", "closed")


def parameters(setting):
    faults = []
    with connect(setting) as connection:
        for value, kind, sql in adbc_types.PARAMETERS:
            array = pa.array([value], type=kind) if not pa.types.is_dictionary(kind) else pa.array([value]).dictionary_encode().cast(kind)
            try:
                handle = prepare(connection.client, f"SELECT CAST(? AS {sql}) AS v", pa.record_batch([array], names=["p"]))
                equal(connection.table("CommandPreparedStatementQuery", field(1, handle)).column(0).to_pylist(), [value])
                connection.action("ClosePreparedStatement", command("ActionClosePreparedStatementRequest", field(1, handle)))
            except Exception as fault:
                faults.append(f"{kind} as {sql}: {fault}")
    if faults:
        raise AssertionError("\n".join(faults))


def many_rows(setting):
    with connect(setting) as connection:
        connection.update("CREATE TEMP TABLE many (a INTEGER, b VARCHAR)")
        handle = connection.sql_action("CreatePreparedStatement", "ActionCreatePreparedStatementRequest", field(1, "INSERT INTO many VALUES (?, ?)"))[1]
        batch = pa.record_batch({"a": pa.array([1, 2, None], pa.int32()), "b": ["x", "y", None]})
        equal(count(connection.put("CommandPreparedStatementUpdate", [field(1, handle)], batch)), 3)
        equal(connection.rows("SELECT count(*), sum(a) FROM many"), [(3, 3)])
        handle = prepare(connection.client, "SELECT s FROM numbers WHERE n = ?", pa.record_batch({"p": pa.array([4, 2, 9], pa.int64())}))
        equal(connection.table("CommandPreparedStatementQuery", field(1, handle)).column(0).to_pylist(), ["4", "2", "9"])


def temporary(setting):
    with connect(setting) as connection, connect(setting) as other:
        connection.update("CREATE TEMP TABLE notes (id INTEGER, note VARCHAR)")
        equal(connection.update("INSERT INTO notes VALUES (1, 'one'), (2, 'two'), (3, 'three')"), 3)
        equal(connection.update("UPDATE notes SET note = upper(note) WHERE id < 3"), 2)
        equal(connection.update("DELETE FROM notes WHERE id = 2"), 1)
        equal(connection.rows("SELECT id, note FROM notes ORDER BY id"), [(1, "ONE"), (3, "three")])
        refused(lambda: other.rows("SELECT * FROM notes"), "notes")
        connection.update("DROP TABLE notes")
        refused(lambda: connection.rows("SELECT * FROM notes"), "notes")


CREATE, FAIL = 1, 2  # if the table does not exist
EXISTS_FAIL, APPEND, REPLACE = 1, 2, 3  # if it does


def ingest(setting):
    batch = pa.record_batch({"id": pa.array([1, 2, 3], pa.int64()), "name": ["a", "b", None]})
    with connect(setting) as connection:

        def load(missing, exists, rows=batch):
            options = field(1, number(1, missing) + number(2, exists))
            return count(connection.put("CommandStatementIngest", [options, field(2, "loaded"), number(5, 1)], rows))

        refused(lambda: load(FAIL, APPEND), "loaded")
        equal(load(CREATE, EXISTS_FAIL), 3)
        refused(lambda: load(CREATE, EXISTS_FAIL), "already", "exists")
        equal(load(FAIL, APPEND), 3)
        equal(load(CREATE, APPEND, batch.slice(0, 1)), 1)
        equal(connection.rows("SELECT count(*), sum(id) FROM loaded"), [(7, 13)])
        equal(load(CREATE, REPLACE, batch.slice(1)), 2)
        equal(connection.rows("SELECT count(*), sum(id) FROM loaded"), [(2, 5)])


def begin(connection):
    return connection.sql_action("BeginTransaction", "ActionBeginTransactionRequest")[1]


def end(connection, transaction, action):
    connection.sql_action("EndTransaction", "ActionEndTransactionRequest", field(1, transaction), number(2, action))


COMMIT, ROLLBACK, RELEASE = 1, 2, 1


def transactions(setting):
    with connect(setting) as connection:
        connection.update("CREATE TEMP TABLE kept (a INTEGER)")
        for action, rows in ((ROLLBACK, 0), (COMMIT, 1)):
            transaction = begin(connection)
            equal(connection.update("INSERT INTO kept VALUES (1)", transaction), 1)
            equal(connection.rows("SELECT count(*) FROM kept", transaction), [(1,)])
            end(connection, transaction, action)
            equal(connection.rows("SELECT count(*) FROM kept"), [(rows,)])


def savepoints(setting):
    with connect(setting) as connection:
        connection.update("CREATE TEMP TABLE kept (a INTEGER)")
        transaction = begin(connection)
        connection.update("INSERT INTO kept VALUES (1)", transaction)
        for action, rows in ((ROLLBACK, 1), (RELEASE, 2)):
            # Both enumerations of the protocol: 1 is release, 2 is rollback.
            savepoint = connection.sql_action("BeginSavepoint", "ActionBeginSavepointRequest", field(1, transaction), field(2, "here"))[1]
            connection.update("INSERT INTO kept VALUES (2)", transaction)
            connection.sql_action("EndSavepoint", "ActionEndSavepointRequest", field(1, savepoint), number(2, action))
            equal(connection.rows("SELECT count(*) FROM kept", transaction), [(rows,)])
        end(connection, transaction, COMMIT)
        equal(connection.rows("SELECT count(*) FROM kept"), [(2,)])


def catalogs(setting):
    with connect(setting) as connection:
        equal(connection.table("CommandGetCatalogs").column(0).to_pylist(), ["arbalest"])
        equal(connection.table("CommandGetDbSchemas", field(1, "arbalest"), field(2, "m%")).column(1).to_pylist(), ["main"])
        tables = connection.table("CommandGetTables", field(2, "main"), field(3, "n%"))
        equal(tables.column("table_name").to_pylist(), ["nation", "numbers"])
        equal(connection.table("CommandGetTables", field(2, "main"), field(4, "SYSTEM TABLE")).num_rows, 0)
        equal(sorted(connection.table("CommandGetTableTypes").column(0).to_pylist()), ["LOCAL TEMPORARY", "SYSTEM TABLE", "TABLE"])


def table_schema(setting):
    want = [("n", pa.int64()), ("x", pa.float64()), ("s", pa.string())]
    with connect(setting) as connection:
        tables = connection.table("CommandGetTables", field(3, "numbers"), number(5, 1))
        schema = pa.ipc.read_schema(pa.py_buffer(tables.column("table_schema")[0].as_py()))
        equal([(f.name, f.type) for f in schema], want)
        path = flight.FlightDescriptor.for_path("arbalest", "main", "numbers")
        equal([(f.name, f.type) for f in connection.client.get_schema(path).schema], want)
        query = flight.FlightDescriptor.for_command(command("CommandStatementQuery", field(1, "SELECT * FROM numbers")))
        equal([(f.name, f.type) for f in connection.client.get_schema(query).schema], want)


def keys(setting):
    with connect(setting) as connection:
        for name in ("CommandGetPrimaryKeys", "CommandGetExportedKeys", "CommandGetImportedKeys"):
            equal(connection.table(name, field(3, "numbers")).num_rows, 0, name)
        both = [field(3, "numbers"), field(6, "nation")]
        equal(connection.table("CommandGetCrossReference", *both).num_rows, 0)


def type_info(setting):
    with connect(setting) as connection:
        names = connection.table("CommandGetXdbcTypeInfo").column("type_name").to_pylist()
        equal([n for n in ("BIGINT", "VARCHAR", "TIMESTAMP") if n in names], ["BIGINT", "VARCHAR", "TIMESTAMP"])
        equal(set(connection.table("CommandGetXdbcTypeInfo", number(1, 4)).column("data_type").to_pylist()), {4})


def server_info(setting):
    with connect(setting) as connection:
        info = {row["info_name"]: row["value"] for row in connection.table("CommandGetSqlInfo").to_pylist()}
        equal(info[0], "Arbalest")
        equal(len(connection.table("CommandGetSqlInfo", number(1, 0), number(1, 1))), 2)


def streaming(setting):
    with connect(setting) as connection:
        info = connection.info("CommandStatementQuery", field(1, setting["endless"]))
        reader = connection.client.do_get(info.endpoints[0].ticket)
        equal(reader.read_chunk().data.num_rows > 0, True)
        reader.cancel()
        connection.action("CancelFlightInfo", field(1, info.serialize()))


def whole(connection, sql, rows, streams):
    info = connection.info("CommandStatementQuery", field(1, sql))
    equal(len(info.endpoints), streams, "endpoints")
    kit.whole(connection.batches(info), rows)


def endpoints(setting):
    with connect(setting) as connection:
        connection.rows("SET arbalest.distributed = 'always'")
        whole(connection, "SELECT n, s FROM numbers", setting["rows"], 2)


READER = """
import sys
import pyarrow.flight as flight
with flight.FlightClient(sys.argv[1]) as client:
    print(client.do_get(flight.Ticket(bytes.fromhex(sys.argv[2]))).read_all().num_rows)
"""


def partitions(setting):
    with connect(setting) as connection:
        connection.rows("SET arbalest.distributed = 'always'")
        info = connection.info("CommandStatementQuery", field(1, "SELECT n, s FROM numbers"))
        total = 0
        for endpoint in info.endpoints:
            arguments = [setting["uri"].replace("grpc://", "grpc+tcp://"), endpoint.ticket.ticket.hex()]
            total += int(subprocess.run([sys.executable, "-c", READER, *arguments], check=True, capture_output=True, text=True).stdout)
        equal(total, setting["rows"])


def poll(setting):
    raise NotApplicable("pyarrow.flight has no PollFlightInfo")


def cancel(setting):
    with connect(setting) as connection:
        info = connection.info("CommandStatementQuery", field(1, f"SELECT count(*), max(hash(c)) FROM ({setting['endless']})"))
        reader = connection.client.do_get(info.endpoints[0].ticket)
        timer = threading.Timer(0.5, lambda: connection.action("CancelFlightInfo", field(1, info.serialize())))
        timer.start()
        refused(lambda: list(reader), "cancel")  # read_all would raise KeyboardInterrupt
        timer.join()
        equal(connection.rows("SELECT 1"), [(1,)])


def timeout(setting):
    limit = flight.FlightCallOptions(timeout=1.0)
    with connect(setting) as connection:

        def run():
            info = connection.info("CommandStatementQuery", field(1, f"SELECT count(*), max(hash(c)) FROM ({setting['endless']})"), options=limit)
            list(connection.batches(info, limit))

        refused(run, "timedout", "deadline", "timeout")


def renew(setting):
    with connect(setting) as connection:
        connection.rows("SET arbalest.results = 'spool'")
        info = connection.info("CommandStatementQuery", field(1, "SELECT n, s FROM numbers"))
        reply = connection.action("RenewFlightEndpoint", field(1, info.endpoints[0].serialize()))
        renewed = flight.FlightEndpoint.deserialize(reply)
        if not renewed.expiration_time.value > info.endpoints[0].expiration_time.value:
            raise AssertionError(f"{renewed.expiration_time} is not after {info.endpoints[0].expiration_time}")
        for _ in range(2):
            kit.whole(connection.batches(info), setting["rows"])
        connection.action("CancelFlightInfo", field(1, info.serialize()))


def workers(setting):
    with connect_secure(setting, **login(setting)) as connection:
        connection.rows("SET arbalest.distributed = 'always'")
        whole(connection, "SELECT n, s FROM spread", setting["spread_rows"], setting["secure"]["workers"])


def large(setting):
    with connect(setting) as connection:
        connection.rows("SET arbalest.distributed = 'always'")
        whole(connection, "SELECT n, x, s FROM large", setting["large_rows"], 2)


def connections(setting):
    faults = []

    def one(i):
        try:
            with connect(setting) as connection:
                connection.update(f"CREATE TEMP TABLE own AS SELECT {i} AS i")
                handle = prepare(connection.client, "SELECT count(*) FROM numbers WHERE n < ?", pa.record_batch({"p": pa.array([10], pa.int64())}))
                equal(connection.table("CommandPreparedStatementQuery", field(1, handle)).column(0).to_pylist(), [10])
                equal(connection.rows("SELECT i FROM own"), [(i,)])
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(setting["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise AssertionError(f"{len(faults)} of {len(threads)} connections failed") from faults[0]


def frames(setting):
    with connect(setting) as connection:
        info = connection.info("CommandStatementQuery", field(1, "SELECT n, x FROM numbers WHERE n < 1000"))
        frame = connection.client.do_get(info.endpoints[0].ticket).read_pandas()
        equal((len(frame), int(frame["n"].sum())), (1000, 499500))


def plain(setting):
    with connect(setting) as connection:
        flights = {tuple(part.decode() for part in f.descriptor.path): f for f in connection.client.list_flights(b"n%")}
        equal(sorted(flights), [("arbalest", "main", "nation"), ("arbalest", "main", "numbers")])
        info = connection.client.get_flight_info(flight.FlightDescriptor.for_path("nation"))
        equal(sum(b.num_rows for b in connection.batches(info)), 25)
        equal("CloseSession" in {a.type for a in connection.client.list_actions()}, True)

        def exchange():
            writer, reader = connection.client.do_exchange(flight.FlightDescriptor.for_path("nation"))
            with writer:
                writer.begin(pa.schema([("a", pa.int32())]))
                writer.done_writing()
                reader.read_all()

        fault = str(refused(exchange, "DoExchange"))
        equal("DoGet" in fault and "DoPut" in fault, True, fault)


FEATURES = [
    ("login", secure_login), ("token", token), ("tls", tls), ("session", session), ("session options", session_options), ("prepared", prepared),
    ("parameters", parameters), ("many rows bound", many_rows), ("temporary tables", temporary), ("ingest", ingest), ("transactions", transactions),
    ("savepoints", savepoints), ("catalogs", catalogs), ("table schema", table_schema), ("keys", keys), ("type info", type_info),
    ("server info", server_info), ("streaming", streaming), ("endpoints", endpoints), ("partitions", partitions), ("poll", poll), ("cancel", cancel),
    ("timeout", timeout), ("renew", renew), ("25 workers", workers), ("10 M rows", large), ("50 connections", connections), ("data frames", frames),
    ("plain flight", plain),
]

if __name__ == "__main__":
    kit.column("pyarrow", pa.__version__, FEATURES)
