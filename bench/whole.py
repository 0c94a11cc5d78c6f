"""A whole table as Arrow, by turns: through ADBC, and out of DuckDB in this process.

Usage: whole.py URI FILES THREADS ROUNDS; prints {"rows": n, "ours": [ms, …], "base": [ms, …]}.
"""

import json
import sys
import time

import adbc_driver_flightsql.dbapi as dbapi
import duckdb


def timed(run):
    start = time.perf_counter()
    rows = run().num_rows
    return rows, (time.perf_counter() - start) * 1000


def main():
    uri, files, threads, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    engine = duckdb.connect(config={"threads": threads})
    engine.execute(f"CREATE VIEW lineitem AS SELECT * FROM read_parquet('{files}')")
    times = {"ours": [], "base": []}
    with dbapi.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:

        def ours():
            cursor.execute("SELECT * FROM lineitem")
            return cursor.fetch_arrow_table()

        for turn in range(rounds + 1):
            base_rows, base_ms = timed(lambda: engine.execute("SELECT * FROM lineitem").to_arrow_table())
            rows, ms = timed(ours)
            if rows != base_rows:
                raise ValueError(f"{rows} rows, DuckDB has {base_rows}")
            if turn > 0:  # the first warms the page cache
                times["ours"].append(ms)
                times["base"].append(base_ms)
    json.dump(times | {"rows": rows}, sys.stdout)


if __name__ == "__main__":
    main()
