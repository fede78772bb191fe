"""Whatever a small CSV folder holds, every line of it is in the stage, in quarantine, or blank."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.sources import stage
from claims_assets_tests.sources.zone import CLAIMS, Zone

DAYS = st.sampled_from(
    ["2023-01-05", "2023-02-28", "2023-02-30", "2021-05-05", "2031-01-01", "", "x", '"2023-03-03"', "2024-12-31 10:00"]
)
GOOD = st.builds(lambda n, day: f"C{n},M,2023-01-05,{day}".encode(), st.integers(0, 9), DAYS)
BROKEN = st.sampled_from(
    [b"", b"  ", b"C,M", b"C,M,1,2,3", b'C,"M,1,2', b"C,\xff,1,2", b"C,\0,1,2", b",,,", b'"', b"\r"]
)
FILES = st.lists(st.lists(st.one_of(GOOD, GOOD, BROKEN), max_size=8), min_size=1, max_size=3)


@settings(max_examples=25, deadline=None)
@given(versions=st.lists(FILES, min_size=1, max_size=2), ending=st.sampled_from([b"\n", b"\r\n"]))
def test_every_line_is_accounted_for_after_every_refresh(versions, ending):
    with tempfile.TemporaryDirectory() as folder:
        zone = Zone(Path(folder))
        for files in versions:
            for old in (zone.landing / "medical_claims").glob("*"):
                old.unlink()
            contents = []
            for number, lines in enumerate(files):
                content = ending.join([CLAIMS.encode(), *lines])
                zone.put(f"medical_claims/{number}.csv", content)
                if content not in contents:
                    contents.append(content)
            found = zone.refresh()
            lines = [line for c in contents for line in c.split(b"\n")[1:]]
            written = [line for line in lines if line.removesuffix(b"\r").strip(b" ")]
            staged, aside = zone.staged(), zone.aside()
            assert len(staged) + len(aside) == found.rows_in == len(written)
            assert len({(r["source_file"], r["source_line"]) for r in staged + aside}) == len(written)
            months = [r["claim_month"] for r in staged]
            assert stage.rows_by_month(zone.lake, "medical_claims") == {m: months.count(m) for m in sorted(set(months))}
