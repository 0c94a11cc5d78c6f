"""The oracle: one plain DuckDB answers a list of statements over the same files, each answer into an Arrow IPC stream.

Reads one JSON request on standard input:
  {"tables": {"lineitem": "data/lineitem/*.parquet"}, "threads": 2, "out": DIR,
   "setup": ["CREATE TABLE …"], "statements": [{"name": "q01", "sql": "…", "text": false}]}
and writes one JSON object on standard output: {"q01": {"rows": 4, "millis": 12, "error": ""}}.
"text" asks for every column cast to VARCHAR: DuckDB's own text of each value. A COPY in "setup" makes test files.
"""

import json
import os
import sys
import time

import duckdb
import pyarrow as pa


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def main():
    request = json.load(sys.stdin)
    connection = duckdb.connect(config={"threads": request.get("threads") or 2})
    connection.execute("SET TimeZone = 'UTC'")
    for name, files in (request.get("tables") or {}).items():
        connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet({literal(files)})')
    for sql in request.get("setup") or []:
        connection.execute(sql)
    answers = {}
    for statement in request.get("statements") or []:
        answer = {"rows": 0, "millis": 0, "error": ""}
        start = time.monotonic()
        try:
            sql = statement["sql"]
            if statement.get("text"):
                sql = f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql.rstrip().rstrip(';')})"
            reader = connection.execute(sql).to_arrow_reader(100_000)
            with pa.ipc.new_stream(os.path.join(request["out"], statement["name"] + ".arrow"), reader.schema) as sink:
                for batch in reader:
                    answer["rows"] += batch.num_rows
                    sink.write_batch(batch)
        except duckdb.Error as fault:
            answer["error"] = str(fault)
        answer["millis"] = int((time.monotonic() - start) * 1000)
        answers[statement["name"]] = answer
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
