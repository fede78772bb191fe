"""Whether a provider database's URL makes the connection encrypted: what staging and production insist on.

libpq's own default, `sslmode=prefer`, silently falls back to plain text. Only `verify-full` also proves that the server
is the one meant; `verify-ca` and `require` are accepted because managed services differ in what they certify.
"""

import ipaddress
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

ENCRYPTED = ("verify-full", "verify-ca", "require")
"""Values of `sslmode` that never fall back to plain text (postgresql.org/docs/current/libpq-ssl.html)."""
REMEDY = (
    "CLAIMS_PROVIDERS_URL lets the connection to the provider database fall back to plain text, which CLAIMS_ENV={env}"
    " does not: add ?sslmode=verify-full&sslrootcert=<file of the server's certificate authority> to it."
)


def plaintext_allowed(url: str) -> bool:
    """Whether the connection may be made without encryption to a host other than this machine.

    A URL that can't be parsed is no matter of this function: connecting refuses it with a sentence of its own.
    """
    try:
        parts = urlsplit(url)
        parameters = parse_qsl(parts.query, keep_blank_values=True)
        hosts = [*_hosts_of(parts), *(h for k, v in parameters if k in ("host", "hostaddr") for h in v.split(","))]
    except ValueError:
        return False
    modes = [value for key, value in parameters if key == "sslmode"]
    is_encrypted = bool(modes) and all(mode in ENCRYPTED for mode in modes)
    return not is_encrypted and not all(_is_this_machine(host) for host in hosts)


def _hosts_of(parts: SplitResult) -> Iterator[str]:
    """Without user, password and ports; a URL may name several hosts."""
    for place in parts.netloc.rpartition("@")[2].split(","):
        is_version_6 = place.startswith("[")
        yield place[1:].partition("]")[0] if is_version_6 else unquote(place.partition(":")[0])


def _is_this_machine(host: str) -> bool:
    """No host and a path are a socket file."""
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
