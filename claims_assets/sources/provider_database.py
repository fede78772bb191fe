"""The provider database: a PostgreSQL table, read as text and, for those who have none yet, loaded from a CSV file.

Here: connect, read, load, and say in one sentence what is wrong, never with a password. Elsewhere: the CSV file's own
checks (provider_csv.py); the embedded server (runtime/postgres.py); names and types of the provider columns as the
project uses them (bronze/providers.py).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from claims_assets.sources.provider_csv import COLUMNS, DATES, KEY, read_csv

if TYPE_CHECKING:
    import pyarrow as pa

TABLE = "providers"
PATIENCE = 10
"""Seconds to wait for a server that does not answer, unless the URL has a `connect_timeout`; libpq's own is minutes."""
SECRET_PARAMETERS = ("password", "sslpassword")
HOSTS = re.compile(r"(\[[\w.:%]+\]|[^:,/@\[\]]*)(:\d*)?(,(\[[\w.:%]+\]|[^:,/@\[\]]*)(:\d*)?)*")
"""host, host:port, [IPv6]:port, or several with commas; anything else may be a part of a password."""
RELATION_KINDS = "('r', 'p', 'v', 'm', 'f')"
"""pg_class.relkind: table, partitioned table, view, materialized view, foreign table."""
TABLE_PART = r'(?:"(?:[^"\0]|"")+"|[^".\0]+)'
SERVER_SENTENCE = re.compile(r"\w+:  (.+)")
"""libpq writes two blanks after a server's severity, in every language."""
CLIENT_SENTENCE = re.compile(r"Failed to connect: (.+)")
READ_SETTINGS = (
    "SET client_encoding = 'UTF8'",
    "SET datestyle = 'ISO, YMD'",
    "SET timezone = 'UTC'",
    "SET intervalstyle = 'iso_8601'",
)
"""The text of a value must not depend on how the server is set up."""


class ProvidersUnreachable(RuntimeError):
    """The provider database or its table can't be used; one sentence with the remedy, without a password."""


def redact(url: str) -> str:
    """The URL as it may be shown: passwords are `***`; nothing is left of what is no PostgreSQL URL."""
    try:
        parts = _split(url)
    except ProvidersUnreachable:
        return "postgresql://***"
    user, at, hosts = parts.netloc.rpartition("@")
    if ":" in user:
        user = user.partition(":")[0] + ":***"
    pairs = [(key, "***" if key in SECRET_PARAMETERS else value) for key, value in _parameters(parts)]
    query = "?" + urlencode(pairs, safe="*/") if pairs else ""
    return f"{parts.scheme}://{user}{at}{hosts}{parts.path}{query}"


def check_reachable(url: str, table: str | None = None) -> None:
    """Log in once, and look for the table if one is named.

    Raises:
        ProvidersUnreachable: malformed URL, no server, refused login, unknown database, or no such table.
    """
    with _connected(url) as cursor:
        if table is not None:
            _columns_of(cursor, table)


def has_table(url: str, table: str = TABLE) -> bool:
    """Whether there is such a table or view (`table` or `schema.table`, upper and lower case as written)."""
    with _connected(url) as cursor:
        return bool(_find_columns(cursor, table))


def read_table(url: str, table: str = TABLE) -> "pa.Table":
    """All columns and rows as text, dates ISO, times in UTC, ordered by all columns in turn.

    Raises:
        ProvidersUnreachable: as `check_reachable`, or the user may not read the table.
    """
    import pyarrow as pa

    with _connected(url) as cursor:
        for setting in READ_SETTINGS:
            cursor.execute(setting)
        columns = _columns_of(cursor, table)
        texts = ", ".join(f'CAST({_quoted(name)} AS text) COLLATE "C" AS {_quoted(name)}' for name in columns)
        order = ", ".join(str(position) for position in range(1, len(columns) + 1))
        cursor.execute(f"SELECT {texts} FROM {_relation(table)} ORDER BY {order}")
        return cursor.fetch_arrow_table().cast(pa.schema([(name, pa.string()) for name in columns]))


def load_csv(url: str, csv: Path, table: str = TABLE) -> int:
    """Make the table hold exactly the rows of the file, in one transaction; the number of rows.

    The table is made if missing. Empty fields become NULL; contract columns that the file lacks are NULL; two
    providers may share an NPI.

    Raises:
        ProviderFileError: the file can't be loaded; the table is as it was.
        ProvidersUnreachable: as `check_reachable`, or the table can't take these rows.
    """
    rows = read_csv(csv)
    names, relation = ", ".join(_quoted(name) for name in COLUMNS), _relation(table)
    with _connected(url) as cursor:
        # One load of a table at a time: two that both make it or both fill it would collide.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext($1))", (relation,))
        if not _find_columns(cursor, table):
            cursor.execute(f"CREATE TABLE {relation} ({_definitions()})")
        cursor.adbc_ingest("claims_provider_rows", rows, mode="create", temporary=True)
        # Readers keep seeing the old rows until the commit; TRUNCATE would block them.
        cursor.execute(f"DELETE FROM {relation}")
        cursor.execute(f"INSERT INTO {relation} ({names}) SELECT {names} FROM pg_temp.claims_provider_rows")
        cursor.execute("DROP TABLE pg_temp.claims_provider_rows")
        cursor.connection.commit()
    return rows.num_rows


def _definitions() -> str:
    kinds = {KEY: "text PRIMARY KEY", **dict.fromkeys(DATES, "date")}
    return ", ".join(f"{_quoted(name)} {kinds.get(name, 'text')}" for name in COLUMNS)


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    """A cursor in one transaction, rolled back unless committed; the driver's errors leave as one clear sentence."""
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi

    parts = _split(url)
    place = parts.netloc.rpartition("@")[2] or dict(_parameters(parts)).get("host", "this machine")
    if not any(key == "connect_timeout" for key, _ in _parameters(parts)):
        url += ("&" if parts.query else "?") + f"connect_timeout={PATIENCE}"
    try:
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            yield cursor
    except Error as error:
        message = f"The provider database on {place} failed ({_reason(str(error), parts)}): check CLAIMS_PROVIDERS_URL."
        # Without the driver's own error, which may hold values of rows.
        raise ProvidersUnreachable(message) from None


def _split(url: str) -> SplitResult:
    """The parts of a PostgreSQL URL. Strict: a stray `@`, `/` or `#` of a password would end up in libpq's message."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    stray = url.count("@") > parts.netloc.count("@") or parts.netloc.count("@") > 1 or parts.fragment
    hosts = parts.netloc.rpartition("@")[2]
    if parts.scheme not in ("postgresql", "postgres") or "://" not in url or stray or not HOSTS.fullmatch(hosts):
        raise ProvidersUnreachable(
            "CLAIMS_PROVIDERS_URL is no PostgreSQL URL: write postgresql://user:password@host:5432/database, "
            "with %40 for @, %2F for /, %3A for : and %23 for # inside the password."
        )
    return parts


def _parameters(parts: SplitResult) -> list[tuple[str, str]]:
    return parse_qsl(parts.query, keep_blank_values=True)


def _reason(message: str, parts: SplitResult) -> str:
    """The server's first sentence alone: what follows may hold values of rows. Passwords are struck out in any case."""
    told = SERVER_SENTENCE.search(message) or CLIENT_SENTENCE.search(message)
    reason = told[1].strip() if told else message.partition("\n")[0]
    secrets = [value for key, value in _parameters(parts) if key in SECRET_PARAMETERS]
    secrets += [parts.password or "", unquote(parts.password or "")]
    for secret in filter(None, secrets):
        reason = reason.replace(secret, "***")
    return reason


def _columns_of(cursor: Any, table: str) -> list[str]:
    columns = _find_columns(cursor, table)
    if not columns:
        raise ProvidersUnreachable(f"The provider database has no table {table}: create it, load it, or name another.")
    return columns


def _find_columns(cursor: Any, table: str) -> list[str]:
    """Columns in the table's order; none if there is no such table."""
    cursor.execute(
        "SELECT attname::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        f"WHERE attrelid = to_regclass($1) AND relkind IN {RELATION_KINDS} AND attnum > 0 AND NOT attisdropped "
        "ORDER BY attnum",
        (_relation(table),),
    )
    return [name for (name,) in cursor.fetchall()]


def _relation(table: str) -> str:
    """`table` or `schema.table` for use in SQL; a part that holds a dot itself is written in double quotes."""
    if not re.fullmatch(f"{TABLE_PART}([.]{TABLE_PART})?", table):
        raise ProvidersUnreachable(f"{table!r} is no table name: write table or schema.table.")
    parts = [part[1:-1].replace('""', '"') if part[0] == '"' else part for part in re.findall(TABLE_PART, table)]
    return ".".join(_quoted(part) for part in parts)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
