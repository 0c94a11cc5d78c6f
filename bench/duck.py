"""The baseline of speed: DuckDB in this process, results fetched as Arrow. One statement a line in; out, a line with the milliseconds
that it took and those of processor time.

Usage: duck.py THREADS, with the tables as one JSON object {name: glob} in the first line of standard input.
"""

import json
import sys
import time

import duckdb


def main():
    connection = duckdb.connect(config={"threads": int(sys.argv[1])})
    for name, files in json.loads(sys.stdin.readline()).items():
        connection.execute(f"CREATE VIEW \"{name}\" AS SELECT * FROM read_parquet('{files}')")
    for line in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        connection.execute(json.loads(line)).to_arrow_table()
        print((time.perf_counter() - start) * 1000, (time.process_time() - used) * 1000, flush=True)


if __name__ == "__main__":
    main()
