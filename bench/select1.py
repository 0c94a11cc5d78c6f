"""The price of `SELECT 1` through ADBC: two servers in turn, statement by statement, on one connection each.

Usage: select1.py URI BASELINE-URI ROUNDS; prints {"ours": [ms, …], "base": [ms, …]}.
"""

import json
import sys
import time

import adbc_driver_flightsql.dbapi as dbapi


def once(cursor):
    start = time.perf_counter()
    cursor.execute("SELECT 1")
    row = cursor.fetchone()
    elapsed = (time.perf_counter() - start) * 1000
    if row != (1,):
        raise ValueError(f"SELECT 1 gave {row}")
    return elapsed


def main():
    ours, base = (dbapi.connect(uri, autocommit=True) for uri in sys.argv[1:3])
    times = {"ours": [], "base": []}
    with ours, base, ours.cursor() as our_cursor, base.cursor() as base_cursor:
        for _ in range(20):  # both warm: connections, sessions, caches
            once(our_cursor), once(base_cursor)
        for _ in range(int(sys.argv[3])):
            times["ours"].append(once(our_cursor))
            times["base"].append(once(base_cursor))
    json.dump(times, sys.stdout)


if __name__ == "__main__":
    main()
