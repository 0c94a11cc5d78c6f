"""Connections of ADBC from Python, for its features."""

import contextlib

import adbc_driver_flightsql.dbapi as dbapi
from adbc_driver_flightsql import DatabaseOptions


def connect(setting, autocommit=True, options=None):
    return dbapi.connect(setting["uri"], autocommit=autocommit, db_kwargs=options or {})


def connect_secure(setting, **options):
    with open(setting["secure"]["ca"]) as file:
        root = file.read()
    return dbapi.connect(setting["secure"]["uri"], autocommit=True, db_kwargs={DatabaseOptions.TLS_ROOT_CERTS.value: root, **options})


def login(setting):
    return {"username": setting["secure"]["user"], "password": setting["secure"]["password"]}


def rows(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def use(connection):
    """A connection that is closed at the end, as a cursor of it is."""
    return contextlib.closing(connection)
