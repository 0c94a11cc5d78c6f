"""What both Python clients share: reading the plan, writing results and the report."""

import datetime
import decimal
import json
import os
import sys
import time

import pyarrow as pa


def parameter(kind, text):
    """Gives the Python value of a parameter and the Arrow type a program would give it."""
    if kind == "null":
        return None, pa.int32()
    if kind == "bool":
        return text == "true", pa.bool_()
    if kind == "int32":
        return int(text), pa.int32()
    if kind == "int64":
        return int(text), pa.int64()
    if kind == "double":
        return float(text), pa.float64()
    if kind == "decimal":
        value = decimal.Decimal(text)
        return value, pa.decimal128(18, -value.as_tuple().exponent)
    if kind == "date":
        return datetime.date.fromisoformat(text), pa.date32()
    if kind == "timestamp":
        return datetime.datetime.fromisoformat(text), pa.timestamp("us")
    if kind == "bytes":
        return bytes.fromhex(text), pa.binary()
    return text, pa.string()


def bindings(step):
    """Gives the parameters of a step as one Arrow batch of one row."""
    pairs = [parameter(p["type"], p.get("value", "")) for p in step["params"]]
    arrays = [pa.array([value], type=kind) for value, kind in pairs]
    return pa.record_batch(arrays, names=[f"p{i}" for i in range(len(arrays))])


def save(plan, step, reader, result):
    """Drains a reader of batches: counts the rows, and keeps them unless the step only counts."""
    sink = None
    if not step.get("count"):
        sink = pa.ipc.new_stream(os.path.join(plan["out"], step["name"] + ".arrow"), reader.schema)
    try:
        for batch in reader:
            result["rows"] += batch.num_rows
            if sink:
                sink.write_batch(batch)
    finally:
        if sink:
            sink.close()


def main(name, connect, run, status):
    """Runs the plan named on the command line: run(connection, plan, step, result) for each step."""
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    report = {"client": name, "error": "", "status": "", "steps": []}
    try:
        connection = connect(plan)
        for step in plan["steps"]:
            result = {"name": step["name"], "rows": 0, "millis": 0, "endpoints": 0, "locations": [], "error": "", "status": ""}
            start = time.monotonic()
            try:
                run(connection, plan, step, result)
            except Exception as fault:  # every fault is a result here: the Go test says which was wanted
                result["error"], result["status"] = str(fault) or repr(fault), status(fault)
            result["millis"] = int((time.monotonic() - start) * 1000)
            report["steps"].append(result)
        connection.close()
    except Exception as fault:
        report["error"], report["status"] = str(fault) or repr(fault), status(fault)
    with open(os.path.join(plan["out"], "report.json"), "w") as file:
        json.dump(report, file)
