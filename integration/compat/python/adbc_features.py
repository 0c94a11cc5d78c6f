"""The features of ADBC from Python: DBAPI as a program writes it, with the driver's own statements where DBAPI has no call."""

import json
import threading
import time

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager
import pyarrow as pa
import pyarrow.flight as flight
from adbc_driver_flightsql import ConnectionOptions, DatabaseOptions

import adbc_types
import kit
from adbc_metadata import catalogs, keys, table_schema
from adbc_session import connect, connect_secure, login, rows, use
from kit import NotApplicable, equal, refused


def secure_login(setting):
    with use(connect_secure(setting, **login(setting))) as connection:
        equal(rows(connection, "SELECT count(*) FROM spread"), [(setting["spread_rows"],)])
    for wrong in ({"username": "ada", "password": "wrong"}, {"username": "nobody", "password": "s3cret"}, {}):

        def attempt(wrong=wrong):
            with use(connect_secure(setting, **wrong)) as connection:
                rows(connection, "SELECT 1")

        refused(attempt, "unauthenticated")


def token(setting):
    with open(setting["secure"]["ca"], "rb") as file:
        client = flight.FlightClient(setting["secure"]["uri"], tls_root_certs=file.read())
    with client:
        _, value = client.authenticate_basic_token(setting["secure"]["user"], setting["secure"]["password"])
    with use(connect_secure(setting, **{DatabaseOptions.AUTHORIZATION_HEADER.value: value.decode()})) as connection:
        equal(rows(connection, "SELECT 42"), [(42,)])

    def forged():
        with use(connect_secure(setting, **{DatabaseOptions.AUTHORIZATION_HEADER.value: value.decode()[:-2] + "xx"})) as connection:
            rows(connection, "SELECT 1")

    refused(forged, "unauthenticated")


def tls(setting):
    with use(connect_secure(setting, **login(setting))) as connection:
        equal(rows(connection, "SELECT 1"), [(1,)])

    def unknown_root():
        with use(dbapi.connect(setting["secure"]["uri"], autocommit=True, db_kwargs=login(setting))) as connection:
            rows(connection, "SELECT 1")

    refused(unknown_root, "certificate")


def session(setting):
    with use(connect(setting)) as one, use(connect(setting)) as other:
        rows(one, "SET arbalest.partitions = 7")
        value = "SELECT value FROM sys.settings WHERE name = 'arbalest.partitions'"
        equal(rows(one, value), [("7",)], "the session that set it")
        equal(rows(other, value), [("0",)], "another session")
        rows(one, "RESET arbalest.partitions")


def session_options(setting):
    with use(connect(setting)) as connection:
        low = connection.adbc_connection
        prefix = ConnectionOptions.OPTION_SESSION_OPTION_PREFIX.value
        low.set_options(**{prefix + "arbalest.partitions": "5"})
        low.set_options(**{ConnectionOptions.OPTION_BOOL_SESSION_OPTION_PREFIX.value + "arbalest.ordered_endpoints": "true"})
        everything = json.loads(low.get_option(ConnectionOptions.OPTION_SESSION_OPTIONS.value))
        equal((everything["arbalest.partitions"], everything["arbalest.ordered_endpoints"]), (5, True))
        equal(low.get_option_int(prefix + "arbalest.partitions"), 5)
        equal(rows(connection, "SELECT value FROM sys.settings WHERE name = 'arbalest.partitions'"), [("5",)])
        low.set_options(**{ConnectionOptions.OPTION_ERASE_SESSION_OPTION_PREFIX.value + "arbalest.partitions": ""})
        equal(low.get_option_int(prefix + "arbalest.partitions"), 0)
        refused(lambda: low.set_options(**{prefix + "no.such.option": "1"}), "no.such.option")
        equal(connection.adbc_current_catalog, "arbalest")
        equal(connection.adbc_current_db_schema, "main")


def prepared(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        sql = "SELECT n, s FROM numbers WHERE n < ? ORDER BY n"
        parameters = cursor.adbc_prepare(sql)
        equal(len(parameters), 1)
        equal(cursor.adbc_execute_schema("SELECT n, x, s FROM numbers").names, ["n", "x", "s"])
        for limit in (3, 1):
            cursor.execute(sql, [limit])
            equal(cursor.fetchall(), [(n, str(n)) for n in range(limit)])


def many_rows(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE many (a INTEGER, b VARCHAR)")
        cursor.executemany("INSERT INTO many VALUES (?, ?)", [(i, f"row {i}") for i in range(5)])
        equal(cursor.rowcount, 5, "rows inserted")
        cursor.executemany("INSERT INTO many VALUES (?, ?)", pa.table({"a": pa.array([5, None], pa.int32()), "b": ["row 5", None]}))
        equal(rows(connection, "SELECT count(*), count(a), min(b), max(b) FROM many"), [(7, 6, "row 0", "row 5")])
        cursor.execute("SELECT n, s FROM numbers WHERE n = ?", pa.record_batch({"p": pa.array([4, 2, 9], pa.int64())}))
        equal(cursor.fetchall(), [(4, "4"), (2, "2"), (9, "9")], "a result for each row bound")


def temporary(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE notes (id INTEGER, note VARCHAR)")
        for sql, count in (("INSERT INTO notes VALUES (1, 'one'), (2, 'two'), (3, 'three')", 3),
                           ("UPDATE notes SET note = upper(note) WHERE id < 3", 2), ("DELETE FROM notes WHERE id = 2", 1)):
            cursor.executemany(sql, None)
            equal(cursor.rowcount, count, sql)
        equal(rows(connection, "SELECT id, note FROM notes ORDER BY id"), [(1, "ONE"), (3, "three")])
        with use(connect(setting)) as other:
            refused(lambda: rows(other, "SELECT * FROM notes"), "notes")
        cursor.execute("DROP TABLE notes")
        refused(lambda: rows(connection, "SELECT * FROM notes"), "notes")


def ingest(setting):
    data = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "name": ["a", "b", None], "stamp": pa.array([0, 1, None], pa.timestamp("us"))})
    count = "SELECT count(*), count(name), sum(id) FROM loaded"
    with use(connect(setting)) as connection, connection.cursor() as cursor:

        def load(mode, table=data):
            return cursor.adbc_ingest("loaded", table, mode=mode, temporary=True)

        refused(lambda: load("append"), "loaded")
        equal(load("create"), 3)
        refused(lambda: load("create"), "already", "exists")
        equal(load("append", data.to_reader(max_chunksize=1)), 3)
        equal(rows(connection, count), [(6, 4, 12)])
        equal(load("create_append", data.slice(0, 1)), 1)
        equal(rows(connection, count), [(7, 5, 13)])
        equal(load("replace", data.slice(1)), 2)
        equal(rows(connection, count), [(2, 1, 5)])
        equal(rows(connection, "SELECT id, name, stamp FROM loaded ORDER BY id")[1], (3, None, None))
        cursor.execute("DROP TABLE loaded")
        equal(load("create_append"), 3)
        equal(rows(connection, count), [(3, 2, 6)])


def transactions(setting):
    with use(connect(setting, autocommit=False)) as connection:  # the default of DBAPI
        count = "SELECT count(*) FROM kept"
        rows(connection, "CREATE TEMP TABLE kept (a INTEGER)")
        connection.commit()
        rows(connection, "INSERT INTO kept VALUES (1)")
        equal(rows(connection, count), [(1,)], "its own writes")
        connection.rollback()
        equal(rows(connection, count), [(0,)], "after the rollback")
        rows(connection, "INSERT INTO kept VALUES (1), (2)")
        connection.commit()
        connection.rollback()
        equal(rows(connection, count), [(2,)], "after the commit")
        connection.cursor().adbc_ingest("kept", pa.table({"a": pa.array([3], pa.int32())}), mode="append", temporary=True)
        connection.rollback()
        equal(rows(connection, count), [(2,)], "an ingest rolled back")


def savepoints(setting):
    raise NotApplicable("ADBC has no savepoints")


def type_info(setting):
    raise NotApplicable("ADBC has no call for the types of SQL")


def server_info(setting):
    with use(connect(setting)) as connection:
        info = connection.adbc_get_info()
        equal(info["vendor_name"], "Arbalest")
        for name in ("vendor_version", "vendor_arrow_version", "driver_name"):
            if not info[name]:
                raise AssertionError(f"{name} is empty in {info}")


def streaming(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        cursor.execute(setting["endless"])
        reader = cursor.fetch_record_batch()
        equal(reader.read_next_batch().num_rows > 0, True)
        reader.close()
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n, s FROM numbers")
        kit.whole(cursor.fetch_record_batch(), setting["rows"])


def spread(connection):
    rows(connection, "SET arbalest.distributed = 'always'")


def endpoints(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        spread(connection)
        partitions, schema = cursor.adbc_execute_partitions("SELECT n, s FROM numbers")
        equal((len(partitions), schema.names), (2, ["n", "s"]))
        batches = []
        for partition in partitions:
            cursor.adbc_read_partition(partition)
            batches.extend(cursor.fetch_arrow_table().to_batches())
        kit.whole(batches, setting["rows"])


def poll(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        spread(connection)
        statement = cursor.adbc_statement
        statement.set_options(**{adbc_driver_manager.StatementOptions.INCREMENTAL.value: "true"})
        statement.set_sql_query(setting["slow"])
        seen, done = [], threading.Event()

        def watch():
            while not done.wait(0.02):
                progress = statement.get_option_float(adbc_driver_manager.StatementOptions.PROGRESS.value)
                if not seen or progress != seen[-1]:
                    seen.append(progress)

        watcher = threading.Thread(target=watch)
        watcher.start()
        partitions = []
        try:
            while True:
                more, _, _ = statement.execute_partitions()
                if not more:
                    break
                partitions.extend(more)
        finally:
            done.set()
            watcher.join()
        found = 0
        for partition in partitions:
            cursor.adbc_read_partition(partition)
            found += cursor.fetch_arrow_table().num_rows
        equal(found, 2)
        grown = [a for a, b in zip(seen, seen[1:]) if 0 < b > a]
        if not grown:
            raise AssertionError(f"the progress did not grow: {seen}")


def cancel(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        ended = threading.Event()

        def interrupt():
            while not ended.wait(0.5):  # a cancel between two calls of the driver is lost, so more than one
                cursor.adbc_cancel()

        def run():
            cursor.execute(f"SELECT count(*), max(hash(c)) FROM ({setting['endless']})")
            cursor.fetchall()

        watcher = threading.Thread(target=interrupt)
        watcher.start()
        try:
            refused(run, "cancel")
        finally:
            ended.set()
            watcher.join()
        equal(rows(connection, "SELECT 1"), [(1,)], "the connection goes on")


def timeout(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        limits = {option.value: 1.0 for option in (ConnectionOptions.TIMEOUT_QUERY, ConnectionOptions.TIMEOUT_FETCH)}
        cursor.adbc_statement.set_options(**limits)

        def run():
            cursor.execute(f"SELECT count(*), max(hash(c)) FROM ({setting['endless']})")
            cursor.fetchall()

        refused(run, "deadline", "timeout")


def renew(setting):
    raise NotApplicable("ADBC has no call to give a result more time")


def workers(setting):
    with use(connect_secure(setting, **login(setting))) as connection, connection.cursor() as cursor:
        spread(connection)
        partitions, _ = cursor.adbc_execute_partitions("SELECT n, s FROM spread")
        equal(len(partitions), setting["secure"]["workers"], "endpoints")
        batches = []
        for partition in partitions:
            cursor.adbc_read_partition(partition)
            batches.extend(cursor.fetch_arrow_table().to_batches())
        kit.whole(batches, setting["spread_rows"])
        cursor.execute("SELECT n, s FROM spread")
        kit.whole(cursor.fetch_record_batch(), setting["spread_rows"])
        rows(connection, "RESET arbalest.distributed")


def large(setting):
    with use(connect(setting)) as connection, connection.cursor() as cursor:
        spread(connection)
        cursor.execute("SELECT n, x, s FROM large")
        kit.whole(cursor.fetch_record_batch(), setting["large_rows"])


def connections(setting):
    """Each connection is in DBAPI's default transaction, prepares, binds, and has a temporary table when it is closed."""
    faults = []

    def one(i):
        try:
            with use(connect(setting, autocommit=False)) as connection:
                rows(connection, f"CREATE TEMP TABLE own AS SELECT {i} AS i")
                for limit in (10, 20):
                    equal(rows(connection, "SELECT count(*) FROM numbers WHERE n < ?", [limit]), [(limit,)])
                equal(rows(connection, "SELECT i FROM own"), [(i,)])
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(setting["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise AssertionError(f"{len(faults)} of {len(threads)} connections failed") from faults[0]


def plain(setting):
    raise NotApplicable("ADBC speaks Flight SQL only")


FEATURES = [
    ("login", secure_login), ("token", token), ("tls", tls), ("session", session), ("session options", session_options),
    ("prepared", prepared), ("parameters", lambda setting: adbc_types.parameters(connect(setting))), ("many rows bound", many_rows),
    ("temporary tables", temporary), ("ingest", ingest), ("transactions", transactions), ("savepoints", savepoints), ("catalogs", catalogs),
    ("table schema", table_schema), ("keys", keys), ("type info", type_info), ("server info", server_info), ("streaming", streaming),
    ("endpoints", endpoints), ("partitions", lambda setting: adbc_types.partitions(setting, connect)), ("poll", poll), ("cancel", cancel),
    ("timeout", timeout), ("renew", renew), ("25 workers", workers), ("10 M rows", large), ("50 connections", connections),
    ("data frames", lambda setting: adbc_types.frames(setting, connect)), ("plain flight", plain),
]

if __name__ == "__main__":
    kit.column("adbc-python", adbc_driver_flightsql.__version__, FEATURES)
