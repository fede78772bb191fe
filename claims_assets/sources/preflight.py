"""Everything that can be known to be wrong with the landing zone before anything is written.

Mandatory folders, mappings, file formats and columns of all feeds, and the provider database. Each landing asset asks
this first, so whichever runs first stops before a table is half refreshed.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from claims_assets.sources.feeds import FEEDS
from claims_assets.sources.folder import FilesOf, files_by_path, plans_of, received_month
from claims_assets.sources.mapping import Mapping


def preflight(
    landing: Path,
    feeds: Iterable[str] = tuple(FEEDS),
    check_providers: Callable[[str], None] | None = None,
    files_of: FilesOf = files_by_path,
) -> None:
    """Stop at the first mistake, in one sentence.

    Args:
        check_providers: takes the table that the providers are read from and raises when it can't be reached; asked
            only when no provider files are there. None: there is no provider database.

    Raises:
        LandingError: mandatory files, a mapping or a file's columns are not usable.
    """
    for name in feeds:
        mapping = Mapping.load(landing, name)
        files = files_of(landing, name, mapping)
        plans_of(FEEDS[name], mapping, files, all_files=True)
        for file in files.values():
            received_month(mapping, file.name, first_seen_month="")
        if name == "providers" and not files and check_providers:
            check_providers(mapping.table)
