"""The ADBC client of the compatibility tests: DBAPI over the Flight SQL driver."""

import threading

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow as pa
from adbc_driver_flightsql import DatabaseOptions

import common


def connect(plan):
    options = {}
    if plan.get("user"):
        options = {"username": plan["user"], "password": plan["password"]}
    elif plan.get("cookies"):
        options = {DatabaseOptions.WITH_COOKIE_MIDDLEWARE.value: "true"}
    return dbapi.connect(plan["uri"], db_kwargs=options, autocommit=True)


def run(connection, plan, step, result):
    with connection.cursor() as cursor:
        if step["kind"] == "cancel":
            timer = threading.Timer(step["after_ms"] / 1000, cursor.adbc_cancel)
            timer.start()
            try:
                cursor.execute(step["sql"])
                common.save(plan, {"count": True}, cursor.fetch_record_batch(), result)
            finally:
                timer.cancel()
                timer.join()
        elif step["kind"] == "partitions":
            partitions, schema = cursor.adbc_execute_partitions(step["sql"])
            result["endpoints"] = len(partitions)
            tables = []
            for partition in partitions:
                cursor.adbc_read_partition(partition)
                tables.append(cursor.fetch_arrow_table())
            common.save(plan, step, pa.concat_tables(tables).to_reader(), result)
        elif step["kind"] == "params":
            cursor.execute(step["sql"], common.bindings(step))
            common.save(plan, step, cursor.fetch_record_batch(), result)
        elif step["kind"] == "execute":
            cursor.execute(step["sql"])
            cursor.fetchall()
        else:
            cursor.execute(step["sql"])
            common.save(plan, step, cursor.fetch_record_batch(), result)


def status(fault):
    code = getattr(fault, "status_code", None)
    if code is None:
        return type(fault).__name__
    return {"INVALID_ARGUMENT": "INVALID_ARGUMENT", "NOT_IMPLEMENTED": "UNIMPLEMENTED", "TIMEOUT": "DEADLINE_EXCEEDED",
            "UNAUTHORIZED": "PERMISSION_DENIED", "IO": "UNAVAILABLE"}.get(code.name, code.name)


if __name__ == "__main__":
    common.main("adbc-python " + dbapi.__version__ if hasattr(dbapi, "__version__") else "adbc-python", connect, run, status)
