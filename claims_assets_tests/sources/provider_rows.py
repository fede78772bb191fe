"""Provider files, and what the tests ask of a provider database."""

from adbc_driver_postgresql import dbapi

from claims_assets.sources.provider_database import read_table

HEADER = "provider_id,provider_name,npi,active_from,active_to\n"
GOOD = HEADER + "P2,Bo,1234567893,2020-01-31,\nP1,Al,1234567893,2020-02-01,2024-12-31\n"


def execute(url: str, *statements: str) -> None:
    with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def password(url: str) -> str:
    return url.split(":")[2].split("@")[0]


def rows(url: str, *columns: str, table: str = "providers") -> list[tuple]:
    read = read_table(url, table)
    return list(zip(*(read.column(name).to_pylist() for name in columns or read.column_names), strict=True))
