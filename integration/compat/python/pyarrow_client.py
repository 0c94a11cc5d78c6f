"""The bare client of the compatibility tests: pyarrow.flight, with the Flight SQL commands encoded by hand.

It is what a program does that has Arrow Flight but no Flight SQL library, so it shows that the door needs nothing more.
"""

import threading

import pyarrow as pa
import pyarrow.flight as flight

import common

SQL = "arrow.flight.protocol.sql."


def field(number, payload):
    """Encodes one length-delimited protobuf field."""
    data = payload if isinstance(payload, bytes) else payload.encode()
    size, prefix = len(data), bytearray()
    while size > 0x7F:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes([number << 3 | 2]) + bytes(prefix) + data


def fields(data):
    """Decodes the length-delimited fields of a message into {number: bytes}; skips varints."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 2:
            size = varint()
            found[tag >> 3] = data[at:at + size]
            at += size
        else:
            varint()
    return found


def command(name, *parts):
    """Encodes a Flight SQL message inside google.protobuf.Any."""
    return field(1, "type.googleapis.com/" + SQL + name) + field(2, b"".join(parts))


class Session(flight.ClientMiddlewareFactory):
    """Keeps the bearer token and the cookies that the server hands out, as every session client must."""

    def __init__(self):
        self.authorization = None
        self.cookies = {}

    def start_call(self, info):
        return _Call(self)


class _Call(flight.ClientMiddleware):
    def __init__(self, session):
        self.session = session

    def sending_headers(self):
        headers = {}
        if self.session.authorization:
            headers["authorization"] = self.session.authorization
        return headers

    def received_headers(self, headers):
        for value in headers.get("authorization", []):
            self.session.authorization = value


class Connection:
    def __init__(self, plan):
        self.session = Session()
        self.client = flight.FlightClient(plan["uri"].replace("grpc://", "grpc+tcp://"), middleware=[self.session])
        self.others = {}
        if plan.get("user"):
            key, value = self.client.authenticate_basic_token(plan["user"], plan["password"])
            self.session.authorization = value.decode() if isinstance(value, bytes) else value

    def reader(self, endpoint):
        """Reads an endpoint at its first location we can dial; no location, or the reuse location, means this connection."""
        for location in endpoint.locations:
            uri = location.uri.decode()
            if uri.startswith("arrow-flight-reuse-connection"):
                continue
            if uri not in self.others:
                self.others[uri] = flight.FlightClient(location, middleware=[self.session])
            return self.others[uri].do_get(endpoint.ticket)
        return self.client.do_get(endpoint.ticket)

    def close(self):
        for client in self.others.values():
            client.close()
        self.client.close()


class Chain:
    """The batches of all endpoints, one after the other."""

    def __init__(self, connection, info, result):
        result["endpoints"] = len(info.endpoints)
        result["locations"] = sorted({l.uri.decode() for e in info.endpoints for l in e.locations})
        self.connection, self.endpoints = connection, info.endpoints
        self.schema = info.schema

    def __iter__(self):
        for endpoint in self.endpoints:
            reader = self.connection.reader(endpoint)
            if not reader.schema.equals(self.schema):
                raise ValueError(f"endpoint schema {reader.schema} differs from FlightInfo's {self.schema}")
            for chunk in reader:
                yield chunk.data


def prepare(client, sql, batch):
    reply = next(iter(client.do_action(flight.Action(
        "CreatePreparedStatement", command("ActionCreatePreparedStatementRequest", field(1, sql))))))
    handle = fields(fields(reply.body.to_pybytes())[2])[1]
    descriptor = flight.FlightDescriptor.for_command(command("CommandPreparedStatementQuery", field(1, handle)))
    writer, reader = client.do_put(descriptor, batch.schema)
    with writer:
        writer.write_batch(batch)
        writer.done_writing()
        metadata = reader.read()
        if metadata is not None:
            handle = fields(metadata.to_pybytes()).get(1, handle)
    return handle


def run(connection, plan, step, result):
    client = connection.client
    if step["kind"] == "params":
        handle = prepare(client, step["sql"], common.bindings(step))
        descriptor = flight.FlightDescriptor.for_command(command("CommandPreparedStatementQuery", field(1, handle)))
        common.save(plan, step, Chain(connection, client.get_flight_info(descriptor), result), result)
        list(client.do_action(flight.Action(
            "ClosePreparedStatement", command("ActionClosePreparedStatementRequest", field(1, handle)))))
        return
    descriptor = flight.FlightDescriptor.for_command(command("CommandStatementQuery", field(1, step["sql"])))
    info = client.get_flight_info(descriptor)
    if step["kind"] == "cancel":
        reader = connection.reader(info.endpoints[0])
        timer = threading.Timer(step["after_ms"] / 1000, reader.cancel)
        timer.start()
        try:
            for chunk in reader:
                result["rows"] += chunk.data.num_rows
        finally:
            timer.cancel()
            timer.join()
        return
    common.save(plan, {"count": True} if step["kind"] == "execute" else step, Chain(connection, info, result), result)


STATUS = [
    (flight.FlightUnauthenticatedError, "UNAUTHENTICATED"), (flight.FlightUnauthorizedError, "PERMISSION_DENIED"),
    (flight.FlightCancelledError, "CANCELLED"), (flight.FlightTimedOutError, "DEADLINE_EXCEEDED"),
    (flight.FlightUnavailableError, "UNAVAILABLE"), (pa.ArrowCancelled, "CANCELLED"), (pa.ArrowNotImplementedError, "UNIMPLEMENTED"),
    (pa.ArrowKeyError, "NOT_FOUND"), (pa.ArrowInvalid, "INVALID_ARGUMENT"), (flight.FlightInternalError, "INTERNAL"),
]


def status(fault):
    return next((name for kind, name in STATUS if isinstance(fault, kind)), type(fault).__name__)


if __name__ == "__main__":
    common.main("pyarrow " + pa.__version__, Connection, run, status)
