"""What the harnesses of features share: they measure what a client can do and write it as a column of docs/compatibility.md."""

import json
import os
import sys
import time
import traceback


class NotApplicable(Exception):
    """The client has nothing to do this with; the message says why."""


class Absent(Exception):
    """The client or the server is known not to do this; the message says why."""


def column(client, version, features):
    """Runs the features, a list of (name, function of the setting), and writes the column. A fault that is none of the two
    above is printed and ends the process with 1."""
    with open(sys.argv[-1]) as file:
        setting = json.load(file)
    verdicts, failed = {}, False
    for name, check in features:
        start = time.monotonic()
        try:
            check(setting)
            verdicts[name] = "yes"
        except NotApplicable as reason:
            verdicts[name] = f"n/a: {reason}"
        except Absent as reason:
            verdicts[name] = f"no: {reason}"
        except Exception as fault:
            failed = True
            verdicts[name] = f"no: {type(fault).__name__}: {fault}"[:300]
            print(f"--- {name}", file=sys.stderr)
            traceback.print_exc()
        if os.environ.get("ARBALEST_COMPAT") == "full":
            print(f"{name}: {verdicts[name][:60]} ({time.monotonic() - start:.1f} s)", file=sys.stderr)
    path = os.path.join(os.environ["ARBALEST_COMPAT_OUT"], client + "-features.json")
    with open(path, "w") as file:
        json.dump({"client": client, "version": version, "features": verdicts}, file, indent=2)
    sys.exit(1 if failed else 0)


def equal(got, want, what=""):
    """Fails unless both are equal."""
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def refused(call, *words):
    """Fails unless the call raises, with one of the words in the error's text or type."""
    try:
        call()
    except Exception as fault:
        text = f"{type(fault).__name__} {fault}".lower()
        if not any(word.lower() in text for word in words):
            raise AssertionError(f"refused otherwise than by one of {words}: {text}") from fault
        return fault
    raise AssertionError(f"was not refused (want one of {words})")


def whole(batches, rows):
    """Fails unless the batches hold the columns n and s of the rows 0 … rows-1, in any order."""
    count = total = digits = 0
    import pyarrow.compute as pc

    for batch in batches:
        count += batch.num_rows
        if batch.num_rows:
            total += pc.sum(batch.column("n")).as_py()
            digits += pc.sum(pc.utf8_length(batch.column("s"))).as_py()
    equal((count, total), (rows, rows * (rows - 1) // 2), "rows and their sum")
    want, width, low = 0, 1, 0
    while low < rows:
        high = min(rows, 10**width)
        want += (high - low) * width
        low, width = high, width + 1
    equal(digits, want, "digits of all texts")
