"""Parameters of every Arrow type, partitions read by another process, and data frames, for the features of ADBC from Python."""

import datetime
import decimal
import os
import subprocess
import sys
import tempfile
import uuid

import pyarrow as pa

import kit
from kit import equal

# Value, its Arrow type, and the SQL type that the parameter stands for.
UTC = datetime.timezone.utc
PARAMETERS = [
    (True, pa.bool_(), "BOOLEAN"), (-128, pa.int8(), "TINYINT"), (-32768, pa.int16(), "SMALLINT"), (-(2**31), pa.int32(), "INTEGER"),
    (-(2**63), pa.int64(), "BIGINT"), (255, pa.uint8(), "UTINYINT"), (65535, pa.uint16(), "USMALLINT"), (2**32 - 1, pa.uint32(), "UINTEGER"),
    (2**64 - 1, pa.uint64(), "UBIGINT"), (1.5, pa.float16(), "FLOAT"), (-0.25, pa.float32(), "FLOAT"), (1e300, pa.float64(), "DOUBLE"),
    (decimal.Decimal("-12345.678"), pa.decimal128(18, 3), "DECIMAL(18,3)"), (decimal.Decimal("0." + "1" * 37), pa.decimal128(38, 37), "DECIMAL(38,37)"),
    ("héllo", pa.string(), "VARCHAR"), ("large", pa.large_string(), "VARCHAR"), ("view", pa.string_view(), "VARCHAR"), ("", pa.string(), "VARCHAR"),
    (b"\x00\xff", pa.binary(), "BLOB"), (b"large", pa.large_binary(), "BLOB"), (b"abcd", pa.binary(4), "BLOB"),
    (datetime.date(1992, 2, 29), pa.date32(), "DATE"), (datetime.date(1969, 12, 31), pa.date64(), "DATE"),
    (datetime.time(12, 34, 56, 789000), pa.time32("ms"), "TIME"), (datetime.time(23, 59, 59, 999999), pa.time64("us"), "TIME"),
    (datetime.datetime(1992, 2, 29, 12, 34, 56), pa.timestamp("s"), "TIMESTAMP"), (datetime.datetime(1992, 2, 29, 12, 34, 56, 789000), pa.timestamp("ms"), "TIMESTAMP"),
    (datetime.datetime(1992, 2, 29, 12, 34, 56, 789123), pa.timestamp("us"), "TIMESTAMP"),
    (datetime.datetime(2026, 7, 1, 10, 0, tzinfo=UTC), pa.timestamp("us", "UTC"), "TIMESTAMPTZ"),
    ([1, None, 3], pa.list_(pa.int32()), "INTEGER[]"), ([], pa.list_(pa.string()), "VARCHAR[]"), ([1, 2], pa.large_list(pa.int64()), "BIGINT[]"),
    ({"a": 1, "b": "x"}, pa.struct([("a", pa.int32()), ("b", pa.string())]), "STRUCT(a INTEGER, b VARCHAR)"),
    ([{"a": [1]}], pa.list_(pa.struct([("a", pa.list_(pa.int32()))])), "STRUCT(a INTEGER[])[]"),
    ([("k", 1)], pa.map_(pa.string(), pa.int32()), "MAP(VARCHAR, INTEGER)"),
    ("word", pa.dictionary(pa.int8(), pa.string()), "VARCHAR"),
    (None, pa.null(), "INTEGER"),
]


def parameters(connection):
    """Binds each value, and a NULL of each type, and reads it back through SQL."""
    faults = []
    with connection, connection.cursor() as cursor:
        for value, kind, sql in PARAMETERS:
            for v in (value, None):
                try:
                    # The concatenation makes an array of any type, dictionaries too, from Python values.
                    array = pa.array([v], type=kind) if not pa.types.is_dictionary(kind) else pa.array([v], pa.string()).dictionary_encode().cast(kind)
                    cursor.execute(f"SELECT CAST(? AS {sql}) AS v", pa.record_batch([array], names=["p"]))
                    equal(cursor.fetchone()[0], v)
                except Exception as fault:
                    faults.append(f"{kind} as {sql}, {v!r}: {fault}")
        key = uuid.uuid4()
        cursor.execute("SELECT CAST(? AS UUID) AS v", [str(key)])
        equal(cursor.fetchone()[0], str(key))
    if faults:
        raise AssertionError(f"{len(faults)} parameters came back otherwise:\n" + "\n".join(faults))


READER = """
import sys
import adbc_driver_flightsql.dbapi as dbapi
import pyarrow as pa
with dbapi.connect(sys.argv[1], autocommit=True) as connection, connection.cursor() as cursor:
    with open(sys.argv[2], "rb") as file:
        cursor.adbc_read_partition(file.read())
    table = cursor.fetch_arrow_table()
    with pa.ipc.new_stream(sys.argv[3], table.schema) as sink:
        sink.write_table(table)
"""


def partitions(setting, connect):
    """Each partition is read by a process of its own, which knows the server and the partition's bytes only."""
    with connect(setting) as connection, connection.cursor() as cursor, tempfile.TemporaryDirectory() as folder:
        cursor.execute("SET arbalest.distributed = 'always'")
        found, _ = cursor.adbc_execute_partitions("SELECT n, s FROM numbers")
        equal(len(found), 2)
        readers, batches = [], []
        for i, partition in enumerate(found):
            name = os.path.join(folder, str(i))
            with open(name, "wb") as file:
                file.write(partition)
            readers.append(subprocess.Popen([sys.executable, "-c", READER, setting["uri"], name, name + ".arrow"], stderr=subprocess.PIPE, text=True))
        for i, reader in enumerate(readers):
            _, fault = reader.communicate()
            equal(reader.returncode, 0, fault)
            with pa.ipc.open_stream(os.path.join(folder, f"{i}.arrow")) as stream:
                batches.extend(stream.read_all().to_batches())
        kit.whole(batches, setting["rows"])


def frames(setting, connect):
    """pandas and polars, by the cursor and by their own readers."""
    import pandas
    import polars

    sql = "SELECT n, x, s FROM numbers WHERE n < 1000 ORDER BY n"
    with connect(setting) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        frame = cursor.fetch_df()
        equal((len(frame), int(frame["n"].sum()), frame["s"].iloc[-1]), (1000, 499500, "999"))
        frame = pandas.read_sql(sql, connection)
        equal((len(frame), float(frame["x"].sum())), (1000, 999000.0))
        cursor.execute(sql)
        equal(cursor.fetch_polars()["n"].sum(), 499500)
        frame = polars.read_database(sql, connection)
        equal((frame.shape, frame["s"][-1]), ((1000, 3), "999"))
        batches = list(polars.read_database(sql, connection, iter_batches=True, batch_size=100))
        equal(sum(b["n"].sum() for b in batches), 499500)
        wrote = polars.DataFrame({"id": [1, 2], "name": ["a", "b"]})
        equal(cursor.adbc_ingest("framed", wrote.to_arrow(), mode="create", temporary=True), 2)
    # polars finds the driver by the scheme; without transport=tcp the driver takes it for TLS.
    frame = polars.read_database_uri(sql, setting["uri"].replace("grpc://", "flightsql://") + "?transport=tcp", engine="adbc")
    equal((frame.shape, frame["x"].sum()), ((1000, 3), 999000.0))
