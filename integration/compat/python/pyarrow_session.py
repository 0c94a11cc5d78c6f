"""A Flight SQL session by pyarrow.flight alone: what the features of pyarrow stand on."""

import contextlib

import pyarrow as pa
import pyarrow.flight as flight

from pyarrow_client import Session, command, field, fields


def number(n, value):
    """Encodes one varint field."""
    data = bytearray([n << 3])
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(data + bytes([value]))


class Connection:
    """A session: its token goes with every call, and every endpoint is read through the door."""

    def __init__(self, uri, user=None, password=None, token=None, ca=None):
        self.session = Session()
        self.session.authorization = token
        options = {}
        if ca:
            with open(ca, "rb") as file:
                options["tls_root_certs"] = file.read()
        self.client = flight.FlightClient(uri.replace("grpc://", "grpc+tcp://"), middleware=[self.session], **options)
        if user is not None:
            self.session.authorization = self.client.authenticate_basic_token(user, password)[1].decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(flight.FlightError, pa.ArrowException):
            self.action("CloseSession", b"")
        self.client.close()

    def action(self, name, body):
        return b"".join(r.body.to_pybytes() for r in self.client.do_action(flight.Action(name, body)))

    def sql_action(self, name, message, *parts):
        """An action of Flight SQL; gives the fields of its result."""
        reply = self.action(name, command(message, *parts))
        return fields(fields(reply).get(2, b"")) if reply else {}

    def info(self, name, *parts, options=None):
        return self.client.get_flight_info(flight.FlightDescriptor.for_command(command(name, *parts)), options)

    def batches(self, info, options=None):
        for endpoint in info.endpoints:
            for chunk in self.client.do_get(endpoint.ticket, options):
                yield chunk.data

    def table(self, name, *parts):
        info = self.info(name, *parts)
        return pa.Table.from_batches(list(self.batches(info)), info.schema)

    def rows(self, sql, transaction=b""):
        table = self.table("CommandStatementQuery", field(1, sql), *([field(2, transaction)] if transaction else []))
        return [tuple(row.values()) for row in table.to_pylist()]

    def put(self, name, parts, batch=None):
        """DoPut of one batch; gives the metadata of its result. Without a batch, only the schema of none goes along."""
        batch = batch if batch is not None else pa.record_batch([], names=[])
        writer, reader = self.client.do_put(flight.FlightDescriptor.for_command(command(name, *parts)), batch.schema)
        with writer:
            if batch.num_columns:
                writer.write_batch(batch)
            writer.done_writing()
            return reader.read().to_pybytes()

    def update(self, sql, transaction=b""):
        return count(self.put("CommandStatementUpdate", [field(1, sql)] + ([field(2, transaction)] if transaction else [])))


def count(data):
    """The number of a DoPutUpdateResult: one varint field, left out when it is zero."""
    value = 0
    for shift, byte in enumerate(data[1:]):
        value |= (byte & 0x7F) << (7 * shift)
    return value
