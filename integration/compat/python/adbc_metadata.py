"""What ADBC from Python tells of catalogs and tables."""

import pyarrow as pa

from adbc_session import connect, use
from kit import equal, refused


def catalogs(setting):
    with use(connect(setting)) as connection:

        def objects(**filters):
            found = []
            for catalog in connection.adbc_get_objects(**filters).read_all().to_pylist():
                found.append((catalog["catalog_name"],))
                for schema in catalog["catalog_db_schemas"] or []:
                    found.append((catalog["catalog_name"], schema["db_schema_name"]))
                    for table in schema["db_schema_tables"] or []:
                        name = (catalog["catalog_name"], schema["db_schema_name"], table["table_name"])
                        found.append(name)
                        found.extend(name + (column["column_name"],) for column in table["table_columns"] or [])
            return found

        equal(objects(depth="catalogs"), [("arbalest",)])
        equal(objects(depth="db_schemas", catalog_filter="arb%"), [("arbalest",), ("arbalest", "main"), ("arbalest", "sys")])
        equal(objects(depth="db_schemas", db_schema_filter="ma_n"), [("arbalest",), ("arbalest", "main")])
        tables = [f[2] for f in objects(depth="tables", db_schema_filter="main") if len(f) == 3]
        equal([t for t in ("lineitem", "nation", "numbers") if t in tables], ["lineitem", "nation", "numbers"])
        equal([f[2] for f in objects(depth="tables", table_name_filter="n%") if len(f) == 3], ["nation", "numbers"])
        equal([f for f in objects(depth="tables", table_types_filter=["SYSTEM TABLE"], db_schema_filter="main") if len(f) == 3], [])
        columns = objects(depth="all", db_schema_filter="main", table_name_filter="numbers")
        equal([f[3] for f in columns if len(f) == 4], ["n", "x", "s"])
        columns = objects(depth="columns", table_name_filter="numbers", column_name_filter="s")
        equal([f[3] for f in columns if len(f) == 4], ["s"])
        equal(sorted(connection.adbc_get_table_types()), ["LOCAL TEMPORARY", "SYSTEM TABLE", "TABLE"])


def table_schema(setting):
    want = [("n", pa.int64()), ("x", pa.float64()), ("s", pa.string())]
    with use(connect(setting)) as connection:
        for filters in ({}, {"db_schema_filter": "main"}, {"db_schema_filter": "main", "catalog_filter": "arbalest"}):
            schema = connection.adbc_get_table_schema("numbers", **filters)
            equal([(f.name, f.type) for f in schema], want)
        refused(lambda: connection.adbc_get_table_schema("no_such_table"), "not_found", "not found")


def keys(setting):
    with use(connect(setting)) as connection:
        found = connection.adbc_get_objects(table_name_filter="numbers").read_all().to_pylist()
        table = found[0]["catalog_db_schemas"][0]["db_schema_tables"][0]
        equal(table["table_constraints"] or [], [])
